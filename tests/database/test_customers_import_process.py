"""The process that reads an import's file: whatever becomes of it or of who started it, nothing is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from callcenter.customers.importer.job import import_customers
from callcenter.customers.importer.parts import Task, frame
from callcenter.customers.importer.rows import MatchRule
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.errors import BadFile
from callcenter.matching.number import Reader

PROGRAM = "callcenter.customers.importer.reading"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    rows = "".join(f"R{place},Li {place},020 7946 {place:04}\n" for place in range(100_000))
    path.write_text("ID,Name,Phone\n" + rows, encoding="utf-8")
    return path


def readers() -> list[int]:
    """The processes that we started and that read files."""
    pids = Path("/proc/self/task").glob("*/children")
    children = [int(pid) for each in pids for pid in each.read_text().split()]
    return [pid for pid in children if PROGRAM.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_an_import_fails_whole_when_its_reader_is_killed(database: Database, tenant_id: int, file: Path) -> None:
    def kill(done: int, rows: int) -> None:
        for pid in readers():
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(BadFile, match="has ended; import the file again"):
        await import_customers(database, tenant_id, file, "GB", progress=kill)
    assert not readers()
    assert not (await CustomerStore(database, Reader("GB")).page(tenant_id)).items
    assert (await import_customers(database, tenant_id, file, "GB")).added == 100_000


async def test_an_import_that_is_canceled_takes_its_reader_along(
    database: Database, tenant_id: int, file: Path
) -> None:
    reads = asyncio.Event()
    job = asyncio.ensure_future(
        import_customers(database, tenant_id, file, "GB", progress=lambda done, rows: reads.set())
    )
    await asyncio.wait_for(reads.wait(), 30)
    assert len(readers()) == 1
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert not readers()
    assert not (await CustomerStore(database, Reader("GB")).page(tenant_id)).items


@pytest.mark.parametrize("asks", [False, True])
def test_a_reader_ends_when_nobody_listens(file: Path, asks: bool) -> None:
    task = Task(
        path=str(file),
        encoding="utf-8",
        delimiter=",",
        mapping=(),
        match=MatchRule.EXTERNAL_REF,
        region="GB",
        agents=frozenset(),
        tenant_id=None,
        asks=asks,
    )
    command, pipe = [sys.executable, "-P", "-m", PROGRAM], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stderr is not None
        reader.stdin.write(frame(task))
        reader.stdin.flush()
        reader.stdout.read(1)
        # as the kernel does for a process that is killed
        reader.stdin.close()
        reader.stdout.close()
        assert reader.wait(timeout=30) != 0
        assert reader.stderr.read() == b""
