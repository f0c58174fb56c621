"""Reconciliations that people ask for: each has a name from the beginning, and leaves a row whatever becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from callcenter.backfill.report import Reason, Reconciliation
from callcenter.customers.index import CustomerIndex
from callcenter.db.engine import Database
from callcenter.errors import Conflict, NotFound
from callcenter.joints.reconciling import LONGEST, Reconciler
from callcenter.joints.watching import MOST, Watch
from callcenter.pbx import Pbx
from callcenter.settings import PbxSettings, Settings
from tests.replay.backfilled import DIRECTORY
from tests.traces import REPLAY

DAY = timedelta(days=1)


async def at_once() -> None:
    """Nothing waits on the disk."""


@asynccontextmanager
async def watching(
    database: Database, tenant_id: int, cel: Path, pbxs: Mapping[str, Pbx] | None = None
) -> AsyncIterator[Watch]:
    """A watch on a PBX that writes into a file; it does nothing before it is run."""
    settings = Settings(pbx=(PbxSettings(region="GB", trunks=("trunk",), cel=SecretStr(str(cel))),))
    index = CustomerIndex(database.pool)
    async with index.ready():
        yield Watch(Reconciler(settings, database, tenant_id, index, lambda pbx: {}), pbxs or {}, "", at_once)


@asynccontextmanager
async def running(watch: Watch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run(), name="watch of the test")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def ended(watch: Watch, name: UUID) -> Reconciliation:
    async with asyncio.timeout(20):
        while (one := await watch.get(name)).ended_at is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    return one


@pytest.fixture
def cel(tmp_path: Path) -> Path:
    path = tmp_path / "cel.csv"
    path.write_text((REPLAY / "hold-and-resume" / "cel.csv").read_text("utf-8"), "utf-8")
    return path


async def test_what_is_asked_for_is_found_by_its_name_before_and_after(
    database: Database, tenant_id: int, cel: Path
) -> None:
    async with watching(database, tenant_id, cel) as watch:
        first = watch.ask("pbx", datetime.now(UTC) - 300 * DAY, None, dry_run=True)
        second = watch.ask("pbx", datetime.now(UTC) - DAY, None, dry_run=False)
        waits = await watch.get(second)
        assert (waits.reconciliation_id, waits.ended_at, waits.dry_run) == (second, None, False)
        assert watch.current is not None
        assert watch.current.reconciliation_id == first
        async with running(watch):
            assert (await ended(watch, second)).problem is None
        assert {one.reconciliation_id: one.dry_run for one in await watch.newest(9)} == {first: True, second: False}
        assert watch.current is None
        with pytest.raises(NotFound):
            await watch.get(uuid4())


async def test_one_that_is_refused_when_its_turn_comes_leaves_a_row_that_says_why(
    database: Database, tenant_id: int, cel: Path
) -> None:
    async with watching(database, tenant_id, cel) as watch:
        since = datetime.now(UTC) - LONGEST + timedelta(milliseconds=300)
        name = watch.ask("pbx", since, None, dry_run=True)
        async with asyncio.timeout(10):
            while datetime.now(UTC) - since <= LONGEST:  # noqa: ASYNC110 - it is the clock
                await asyncio.sleep(0.01)
        async with running(watch):
            one = await ended(watch, name)
        assert "at most ten years ago" in str(one.problem)
        assert [row.reconciliation_id for row in await watch.newest(9)] == [name]


async def test_too_many_are_refused_with_the_one_that_goes_on(database: Database, tenant_id: int, cel: Path) -> None:
    """The one that goes on waits for a lock on what it wants to read."""
    async with watching(database, tenant_id, cel) as watch, database.pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE calls")
        since = datetime.now(UTC) - 10 * DAY
        name = watch.ask("pbx", since, None, dry_run=True)
        stop = asyncio.create_task(watch.run(), name="watch of the test")
        async with asyncio.timeout(10):
            while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        for _ in range(MOST):
            watch.ask("pbx", since, None, dry_run=True)
        with pytest.raises(Conflict, match=f"behind {name}, of pbx since {since.date()}.*which goes on since"):
            watch.ask("pbx", since, None, dry_run=True)
        stop.cancel()
        await asyncio.wait([stop])


def followed() -> Pbx:
    """A PBX of which a snapshot was just taken."""
    settings = PbxSettings(region="GB", trunks=("trunk",))
    pbx = Pbx(settings, DIRECTORY, lambda change, at: None, lambda member: None, lambda alive, at: None)
    pbx.synced = True
    pbx.counters.resyncs = 1
    return pbx


async def gap_of(database: Database, tenant_id: int) -> tuple[datetime, datetime] | None:
    row = await database.pool.fetchrow("SELECT gap_since, gap_until FROM pbx_watch WHERE tenant_id = $1", tenant_id)
    return None if row is None or row["gap_since"] is None else (row["gap_since"], row["gap_until"])


async def until_true(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_a_gap_outlives_whoever_noted_it(database: Database, tenant_id: int, cel: Path) -> None:
    """The service is killed before the calls of the gap are settled, and so before anything is compared."""
    last = datetime.now(UTC) - 5 * DAY
    await database.pool.execute("INSERT INTO pbx_watch VALUES ($1, 'pbx', $2)", tenant_id, last)
    async with watching(database, tenant_id, cel, {"pbx": followed()}) as watch, running(watch):
        await until_true(lambda: noted(database, tenant_id))
        assert await watch.newest(9) == []
    async with watching(database, tenant_id, cel, {"pbx": followed()}) as watch:
        found = await gap_of(database, tenant_id)
        assert found is not None
        assert found[0] < last
        # as if the second start came a minute later
        await database.pool.execute(
            "UPDATE pbx_watch SET seen_at = seen_at - $1::interval, gap_until = gap_until - $1::interval",
            timedelta(minutes=1),
        )
        pbx = followed()
        pbx.synced = False
        async with watching(database, tenant_id, cel, {"pbx": pbx}) as second, running(second):
            await until_true(lambda: closed(database, tenant_id))
            (one,) = await second.newest(9)
        assert (one.reason, one.problem, one.since) == (Reason.GAP, None, found[0])


async def test_a_gap_is_compared_again_until_the_pbx_can_be_read(
    database: Database, tenant_id: int, cel: Path, tmp_path: Path
) -> None:
    away = await asyncio.to_thread(cel.rename, tmp_path / "not yet there")
    now = datetime.now(UTC)
    await database.pool.execute(
        "INSERT INTO pbx_watch VALUES ($1, 'pbx', $2, $3, $2)", tenant_id, now - timedelta(minutes=1), now - 300 * DAY
    )
    async with watching(database, tenant_id, cel) as watch, running(watch):
        await until_true(lambda: has_problem(watch))
        assert await gap_of(database, tenant_id) is not None
        await asyncio.to_thread(away.rename, cel)
        await until_true(lambda: closed(database, tenant_id))
        (one,) = await watch.newest(9)
    assert one.problem is None
    assert (
        await database.pool.fetchval("SELECT count(*) FROM calls WHERE tenant_id = $1", tenant_id)
        == one.result.missing
        > 0
    )


async def noted(database: Database, tenant_id: int) -> bool:
    return await gap_of(database, tenant_id) is not None


async def closed(database: Database, tenant_id: int) -> bool:
    return await gap_of(database, tenant_id) is None


async def has_problem(watch: Watch) -> bool:
    return any(one.problem for one in await watch.newest(9))
