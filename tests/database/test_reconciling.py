"""The log against what Asterisk wrote: what is missing is added, what is half known mended, nothing made worse."""

import asyncio
import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from callcenter.backfill.report import Finding, Tally
from callcenter.calllog.queries import get_call, list_calls
from callcenter.calllog.reconciling.csvfiles import CsvCel
from callcenter.calllog.reconciling.run import Records, Run
from callcenter.calllog.store import store, store_merge
from callcenter.callrecord import CallRecord
from callcenter.db.engine import Database
from callcenter.errors import BadFile
from callcenter.model import Call, CallStatus, Hold, Source
from tests import traces
from tests.replay import backfilled, expectation

CASES = (
    "attended-transfer-answered",
    "inbound-direct-answered-agent-hangs-up",
    "hold-and-resume",
    "queue-ringall-three-members",
    "queue-timeout",
)
SINCE = datetime(2026, 11, 23, tzinfo=UTC)
UNTIL = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """What Asterisk wrote of some cases: one file of CEL, and a queue_log of which half was rotated away."""
    lines = [line for case in CASES for line in (traces.REPLAY / case / "cel.csv").read_text("utf-8").splitlines()]
    lines.sort(key=lambda line: float(line.split('"')[3]))
    (tmp_path / "cel.csv").write_text("\n".join([*lines[:9], "not a row", *lines[9:]]) + "\n", "utf-8")
    log = [line for case in CASES for line in (traces.REPLAY / case / "queue_log").read_text("utf-8").splitlines()]
    log.sort(key=lambda line: int(line.partition("|")[0]))
    half = len(log) // 2
    (tmp_path / "queue_log.1.gz").write_bytes(gzip.compress(("\n".join(log[:half]) + "\n").encode()))
    os.utime(tmp_path / "queue_log.1.gz", (UNTIL.timestamp() - 60, UNTIL.timestamp() - 60))
    (tmp_path / "queue_log").write_text("\n".join(log[half:]) + "\n", "utf-8")
    os.utime(tmp_path / "queue_log", (UNTIL.timestamp(), UNTIL.timestamp()))
    os.utime(tmp_path / "cel.csv", (UNTIL.timestamp(), UNTIL.timestamp()))
    return tmp_path


async def reconcile(
    database: Database, tenant_id: int, written: Path, *, dry_run: bool = False, since: datetime = SINCE
) -> Tally:
    records = Records(
        pbx="pbx",
        cel=CsvCel(written / "cel.csv"),
        queue_log=written / "queue_log",
        directory=backfilled.DIRECTORY,
    )
    return await Run(database, tenant_id, records, since=since, until=UNTIL, dry_run=dry_run).run()


def live(case: str) -> list[Call]:
    """The calls of a case as they are followed live."""
    return traces.calls_of(traces.events(case), backfilled.DIRECTORY)


async def put(database: Database, tenant_id: int, *calls: Call) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})


async def get(database: Database, tenant_id: int, call_id: UUID) -> CallRecord:
    async with database.unit(tenant_id) as unit:
        return await get_call(unit, call_id)


async def test_what_nobody_saw_is_added_once(database: Database, tenant_id: int, written: Path) -> None:
    told = await reconcile(database, tenant_id, written, dry_run=True)
    assert (told.pbx_calls, told.service_calls, told.missing, told.bad_rows) == (5, 0, 5, 1)
    async with database.unit(tenant_id) as unit:
        assert (await list_calls(unit)).items == []

    added = await reconcile(database, tenant_id, written)
    assert (added.missing, added.unwritten, added.service_calls) == (5, 0, 0)
    async with database.unit(tenant_id) as unit:
        found = (await list_calls(unit)).items
    expected = [
        call["call_id"] for case in CASES for call in json.loads(expectation.path(case).read_text("utf-8"))["calls"]
    ]
    assert sorted(str(one.call_id) for one in found) == sorted(expected)
    assert {(one.source, one.complete, one.version) for one in found} == {(Source.BACKFILL, True, 1)}
    exits = {visit.exit for one in found for visit in one.queue_visits}
    assert exits == {"answered", "timeout"}

    again = await reconcile(database, tenant_id, written)
    assert (again.pbx_calls, again.service_calls, again.same, again.items) == (5, 5, 5, [])
    async with database.unit(tenant_id) as unit:
        assert (await list_calls(unit)).items == found


async def test_what_was_seen_live_is_left_as_it_is(database: Database, tenant_id: int, written: Path) -> None:
    calls = [call for case in CASES for call in live(case)]
    wrong = replace(calls[1], status=CallStatus.BUSY)
    await put(database, tenant_id, calls[0], wrong, *calls[2:])
    before = [await get(database, tenant_id, call.call_id) for call in calls]

    tally = await reconcile(database, tenant_id, written)

    assert (tally.pbx_calls, tally.service_calls, tally.same, tally.different) == (5, 5, 4, 1)
    (item,) = tally.items
    assert (item.call_id, item.finding, item.fields) == (wrong.call_id, Finding.DIFFERENT, ("status",))
    assert [await get(database, tenant_id, call.call_id) for call in calls] == before


async def test_what_is_written_live_while_it_is_compared_is_left_as_it_is(
    database: Database, tenant_id: int, written: Path
) -> None:
    """Calls that waited on the disk come into the log late, and know more than what is rebuilt of them."""
    calls = [call for case in CASES for call in live(case)]
    await put(database, tenant_id, calls[0])
    async with database.unit(tenant_id) as unit:
        await store(unit, calls[1:], {})
        comparing = asyncio.create_task(reconcile(database, tenant_id, written), name="the comparison")
        async with asyncio.timeout(20):
            while not await database.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    tally = await comparing
    assert (tally.pbx_calls, tally.service_calls, tally.same, tally.missing) == (5, 5, 5, 0)
    assert {((one := await get(database, tenant_id, call.call_id)).source, one.version) for call in calls} == {
        (Source.LIVE, 1)
    }


async def test_a_call_that_was_lost_sight_of_is_mended_and_comes_again_in_the_feed(
    database: Database, tenant_id: int, written: Path
) -> None:
    (call,) = live("hold-and-resume")
    half = replace(
        call,
        complete=False,
        source=Source.RESYNC,
        ended_at=call.started_at + timedelta(hours=1),
        connections=(replace(call.connections[0], agent="amelia", to=None),),
        holds=(Hold(from_=call.started_at, to=call.started_at + timedelta(seconds=1), interface="PJSIP/1001"),),
    )
    await put(database, tenant_id, half)
    before = await get(database, tenant_id, call.call_id)

    tally = await reconcile(database, tenant_id, written)

    assert (tally.mended, tally.missing) == (1, 4)
    after = await get(database, tenant_id, call.call_id)
    assert (after.source, after.complete, after.version) == (Source.BACKFILL, True, before.version + 1)
    assert before.seq is not None and after.seq is not None and after.seq > before.seq
    assert after.duration_s == pytest.approx((call.ended_at - call.started_at).total_seconds(), abs=1)  # type: ignore[operator]
    assert [one.agent for one in after.connections] == ["amelia"]


async def test_a_call_that_never_ended_in_the_log_ends(database: Database, tenant_id: int, written: Path) -> None:
    (call,) = live("inbound-direct-answered-agent-hangs-up")
    await put(database, tenant_id, replace(call, status=CallStatus.IN_PROGRESS, ended_at=None))
    assert (await reconcile(database, tenant_id, written)).mended == 1
    assert (await get(database, tenant_id, call.call_id)).status is CallStatus.ANSWERED


async def test_two_calls_that_were_one_become_one(database: Database, tenant_id: int, written: Path) -> None:
    """The service was away when a consultation was joined: the log has the two calls apart."""
    (call,) = live("attended-transfer-answered")
    other = replace(
        call, call_id=backfilled.call_id_of("1795441928.2"), linkedids=("1795441928.2",), source=Source.RESYNC
    )
    await put(database, tenant_id, replace(call, complete=False, source=Source.RESYNC), other)
    await reconcile(database, tenant_id, written)
    assert (await get(database, tenant_id, other.call_id)).call_id == call.call_id


async def test_a_part_of_another_call_does_not_come_back(database: Database, tenant_id: int, written: Path) -> None:
    (call,) = live("hold-and-resume")
    (other,) = live("queue-timeout")
    await put(database, tenant_id, call, other)
    async with database.unit(tenant_id) as unit:
        await store_merge(unit, call.call_id, other.call_id)
    tally = await reconcile(database, tenant_id, written)
    assert (tally.different, tally.missing) == (1, 3)
    assert (await get(database, tenant_id, call.call_id)).call_id == other.call_id


async def test_what_the_pbx_did_not_write_is_told(database: Database, tenant_id: int, written: Path) -> None:
    (call,) = live("queue-member-rejects")
    unreached = replace(call, call_id=UUID(int=7), caller=replace(call.caller, channel=None))
    await put(database, tenant_id, call, unreached)
    tally = await reconcile(database, tenant_id, written)
    assert [item.call_id for item in tally.items if item.finding is Finding.UNWRITTEN] == [call.call_id]
    assert (tally.pbx_calls, tally.service_calls) == (5, 1)


async def test_only_calls_that_ended_in_the_time_asked_for_are_compared(
    database: Database, tenant_id: int, written: Path
) -> None:
    (call,) = live("queue-timeout")
    assert call.ended_at is not None
    tally = await reconcile(database, tenant_id, written, since=call.ended_at - timedelta(seconds=5))
    wanted = [one for case in CASES for one in live(case) if one.ended_at and one.ended_at >= call.ended_at]
    assert tally.pbx_calls == len(wanted) < 5


async def test_a_file_that_is_not_there_is_said(database: Database, tenant_id: int, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="there is no file"):
        await reconcile(database, tenant_id, tmp_path)


async def test_a_damaged_file_is_said(database: Database, tenant_id: int, written: Path) -> None:
    path = written / "queue_log.1.gz"
    path.write_bytes(path.read_bytes()[:-30])
    os.utime(path, (UNTIL.timestamp() - 60, UNTIL.timestamp() - 60))
    with pytest.raises(BadFile, match=r"queue_log\.1\.gz cannot be read"):
        await reconcile(database, tenant_id, written)
