"""Calls on the disk while PostgreSQL is away: in order, whole, bounded, and not lost by a kill or a full disk."""

import asyncio
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from callcenter.calllog.spool import Segment, Spool, SpooledCall, SpooledMerge
from callcenter.calllog.writer import CallLogWriter, WriterState
from callcenter.changes import CallMerged
from callcenter.db.engine import Database
from tests.database.test_writer import SOON, running, statuses, until
from tests.fixtures.calls import NOON, call_id, change, in_progress, queue_call
from tests.fixtures.database import run_as_admin

MIB = 1024 * 1024


async def all_of(spool: Spool) -> list[Segment]:
    """Everything that waits, taken away."""
    found = []
    while (segment := await spool.oldest()) is not None:
        found.append(segment)
        await spool.remove(segment)
    return found


def files(directory: Path) -> list[Path]:
    """The segments on the disk."""
    return list(directory.rglob("*.jsonl"))


async def shut(database: Database, postgres_url: str, is_shut: bool = True) -> None:
    """Let nobody into the test's database, and throw out who is there; or open it again."""
    url = postgres_url
    # its name, without asking it
    name = database.place.partition("?")[0].rpartition("/")[2]
    await run_as_admin(url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {"false" if is_shut else "true"}')
    if is_shut:
        await run_as_admin(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Let this process make no file longer than so many bytes: a write beyond fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_goes_in_comes_out_in_order_with_newest_states(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    customer = uuid4()
    await spool.append([SpooledCall(in_progress(0)), SpooledCall(in_progress(1))])
    await spool.append([SpooledCall(queue_call(0), customer), SpooledMerge(call_id(1), call_id(0))])
    (segment,) = await all_of(spool)
    assert segment.calls == {call_id(0): SpooledCall(queue_call(0), customer)}
    assert segment.merges == {call_id(1): call_id(0)}
    assert (segment.damaged, spool.waiting, spool.size) == (0, False, 0)
    spool.close()


async def test_a_segment_that_was_given_out_is_not_added_to(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    await spool.append([SpooledCall(queue_call(0))])
    first = await spool.oldest()
    await spool.append([SpooledCall(queue_call(1))])
    assert first is not None and set(first.calls) == {call_id(0)}
    await spool.remove(first)
    (second,) = await all_of(spool)
    assert set(second.calls) == {call_id(1)}
    spool.close()


async def test_the_next_process_finds_all_but_the_torn_line(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    await spool.append([SpooledCall(queue_call(n)) for n in range(3)])
    spool.close()
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in range(1, len(lines[-1])):
        path.write_bytes(whole[:-cut])
        next_one = Spool(tmp_path / "spool", MIB)
        await next_one.inherit()
        segment = await next_one.oldest()
        assert segment is not None
        # without its line feed alone the line is whole
        assert (set(segment.calls), segment.damaged) == (
            {call_id(n) for n in range(3 if cut == 1 else 2)},
            0 if cut == 1 else 1,
        )
        next_one.close()


@pytest.mark.parametrize("damage", [b"\x00" * 40, b"not a line of ours\n", b"00000000 {}\n", b"\xff\xfe\r\n\r\n"])
async def test_damage_in_the_middle_costs_that_line_alone(tmp_path: Path, damage: bytes) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    await spool.append([SpooledCall(queue_call(n)) for n in range(3)])
    spool.close()
    (path,) = files(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage.rstrip(b"\n") + b"\n" + lines[2])
    spool = Spool(tmp_path / "spool", MIB)
    await spool.inherit()
    (segment,) = await all_of(spool)
    assert set(segment.calls) == {call_id(0), call_id(2)}
    assert segment.damaged >= 1
    spool.close()


async def test_the_bound_holds_and_nothing_is_written_by_halves(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 10_000)
    taken = 0
    with pytest.raises(OSError, match="bound") as caught:
        for n in range(100):
            await spool.append([SpooledCall(queue_call(n))])
            taken += 1
    assert caught.value.errno == errno.EDQUOT
    assert 0 < spool.size <= 10_000
    assert sum(len(segment.calls) for segment in await all_of(spool)) == taken
    spool.close()


async def test_a_write_that_fails_in_its_middle_leaves_whole_lines(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", MIB)
    await spool.append([SpooledCall(queue_call(0))])
    with files_no_longer_than(spool.size + 100), pytest.raises(OSError):
        await spool.append([SpooledCall(queue_call(1))])
    await spool.append([SpooledCall(queue_call(2))])
    segments = await all_of(spool)
    assert [set(segment.calls) for segment in segments] == [{call_id(0)}, {call_id(2)}]
    assert [segment.damaged for segment in segments] == [0, 0]
    spool.close()


async def test_two_processes_do_not_get_in_each_others_way_and_the_dead_are_inherited_from(tmp_path: Path) -> None:
    program = """
import asyncio, os, signal, sys
from pathlib import Path
from callcenter.calllog.spool import Spool, SpooledCall
from tests.fixtures.calls import queue_call
async def main():
    spool = Spool(Path(sys.argv[1]), 1 << 20)
    await spool.append([SpooledCall(queue_call(n)) for n in range(5)])
    print("written", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(tmp_path / "spool")), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert await asyncio.wait_for(other.stdout.readline(), 20) == b"written\n"
    spool = Spool(tmp_path / "spool", MIB)
    await spool.append([SpooledCall(queue_call(9))])
    assert await spool.inherit() == 0, "it lives"
    other.kill()
    await other.communicate()
    assert await spool.inherit() == 1
    segments = await all_of(spool)
    assert [set(segment.calls) for segment in segments] == [{call_id(n) for n in range(5)}, {call_id(9)}]
    spool.close()


async def test_calls_go_to_the_disk_and_all_are_in_the_log_when_postgresql_is_back(
    database: Database, tenant_id: int, postgres_url: str, tmp_path: Path
) -> None:
    customer = uuid4()
    await database.pool.execute("INSERT INTO customers (tenant_id, customer_id) VALUES ($1, $2)", tenant_id, customer)
    spool = Spool(tmp_path / "spool", 10 * MIB)
    async with running(CallLogWriter(database, tenant_id, spool=spool), timedelta(seconds=20)) as writer:
        writer.put(change(in_progress(0)))
        writer.put(change(in_progress(1)))
        await writer.flush()
        await shut(database, postgres_url)
        for n in range(2, 200):
            writer.put(change(queue_call(n)))
        writer.link(call_id(5), customer)
        writer.put(CallMerged(at=NOON, call=in_progress(0), merged=call_id(1)))
        writer.put(change(queue_call(0)))

        async def is_on_disk() -> bool:
            return writer.waiting == 0 and writer.spool_bytes > 0 and writer.failures > 1

        await until(is_on_disk)
        assert writer.state is WriterState.SPOOLING
        await shut(database, postgres_url, False)
        await writer.flush()
        assert (writer.state, writer.spool_bytes) == (WriterState.WRITING, 0)
    found = await database.pool.fetch("SELECT call_id, status, version, merged_into, customer_id FROM calls")
    by_id = {row["call_id"]: row for row in found}
    assert set(by_id) == {call_id(n) for n in range(200)}
    assert {row["status"] for row in found if row["call_id"] != call_id(1)} == {"answered"}
    assert {row["version"] for row in found if row["call_id"] != call_id(1)} == {1}
    assert by_id[call_id(1)]["merged_into"] == call_id(0)
    assert by_id[call_id(5)]["customer_id"] == customer


async def test_a_stop_without_postgresql_leaves_all_on_the_disk_for_the_next_start(
    database: Database, tenant_id: int, postgres_url: str, tmp_path: Path
) -> None:
    await shut(database, postgres_url)
    async with running(CallLogWriter(database, tenant_id, spool=Spool(tmp_path, MIB)), SOON) as writer:
        for n in range(70):
            writer.put(change(queue_call(n) if n % 2 else in_progress(n)))
    assert (writer.waiting, writer.overflowed) == (0, 0)
    await shut(database, postgres_url, False)
    async with running(CallLogWriter(database, tenant_id, spool=Spool(tmp_path, MIB))) as writer:
        async with asyncio.timeout(10):
            await writer.caught_up.wait()
        assert set(await statuses(database)) == {call_id(n) for n in range(70)}
    assert files(tmp_path) == []


async def test_what_was_written_already_is_written_again_without_a_change(
    database: Database, tenant_id: int, tmp_path: Path
) -> None:
    """As after a kill between the commit and the removal of the segment."""
    spool = Spool(tmp_path, MIB)
    await spool.append([SpooledCall(queue_call(n)) for n in range(10)])
    spool.close()
    (path,) = files(tmp_path)
    copy = path.read_bytes()
    for _ in range(2):
        path.write_bytes(copy)
        async with running(CallLogWriter(database, tenant_id, spool=Spool(tmp_path, MIB))) as writer:
            await writer.flush()
    found = await database.pool.fetch("SELECT version, seq FROM calls ORDER BY seq")
    assert [tuple(row) for row in found] == [(1, n) for n in range(1, 11)]


async def test_a_full_disk_is_told_calls_wait_in_memory_and_none_is_lost(
    database: Database, tenant_id: int, postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await shut(database, postgres_url)
    with files_no_longer_than(20_000):
        async with running(CallLogWriter(database, tenant_id, spool=Spool(tmp_path, MIB)), SOON) as writer:
            for n in range(100):
                writer.put(change(queue_call(n)))

            async def is_told() -> bool:
                return writer.state is WriterState.HOLDING

            await until(is_told)
            assert writer.waiting + writer.spool_bytes > 0
            await shut(database, postgres_url, False)
            await asyncio.wait_for(writer.flush(), 20)
            assert writer.overflowed == 0
            assert len(await statuses(database)) == 100
    assert capsys.readouterr().out.count("calllog_disk_fails") == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, which is soon full."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root alone")
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def test_no_space_left_on_a_real_file_system(small_disk: Path) -> None:
    spool = Spool(small_disk / "spool", MIB)
    taken = 0
    with pytest.raises(OSError) as caught:
        while taken < 1000:
            await spool.append([SpooledCall(queue_call(taken))])
            taken += 1
    assert caught.value.errno == errno.ENOSPC
    segments = await all_of(spool)
    assert [sum(len(one.calls) for one in segments), sum(one.damaged for one in segments)] == [taken, 0]
    await spool.append([SpooledCall(queue_call(0))])
    spool.close()
