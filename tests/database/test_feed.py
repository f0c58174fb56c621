"""The change feed: nothing is left out, whoever writes in which order, and deletions are told."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.calllog import retention
from callcenter.calllog.annotations import set_note
from callcenter.calllog.bell import POLL, Bell
from callcenter.calllog.feed import CHANGES, GOOD_FOR, NOW, ChangeKind, FeedItem, cursor_at, read_changes
from callcenter.calllog.queries import get_call
from callcenter.calllog.store import store, store_merge
from callcenter.db.engine import Database
from callcenter.errors import BadInput, NotFound, TooMany
from tests.fixtures.calls import call_id, in_progress, queue_call


async def read_all(database: Database, tenant_id: int, after: str | None, limit: int) -> tuple[list[FeedItem], str]:
    """All pages after a cursor, and the cursor behind them."""
    items: list[FeedItem] = []
    while True:
        async with database.unit(tenant_id) as unit:
            page = await read_changes(unit, after, limit=limit)
        items += page.items
        after = page.cursor
        if not page.more:
            return items, after


class Copy:
    """What another system has, that does with each item what the documentation says."""

    def __init__(self) -> None:
        self.calls: dict[UUID, tuple[int, int | None]] = {}
        self.last = 0

    def take(self, items: list[FeedItem]) -> None:
        for item in items:
            assert item.seq > self.last
            self.last = item.seq
            if item.kind is ChangeKind.CHANGED:
                assert item.call is not None and item.call.seq == item.seq and item.merged_into is None
                self.calls[item.call_id] = (item.call.version, item.call.seq)
            else:
                assert item.call is None and (item.merged_into is not None) == (item.kind is ChangeKind.MERGED)
                self.calls.pop(item.call_id, None)


async def stored(database: Database, tenant_id: int) -> dict[UUID, tuple[int, int | None]]:
    rows = await database.pool.fetch(
        "SELECT call_id, version, seq FROM calls WHERE tenant_id = $1 AND merged_into IS NULL", tenant_id
    )
    return {row["call_id"]: (row["version"], row["seq"]) for row in rows}


# What one writer does, one transaction each: a kind of change, which call, how long it takes before it commits.
_steps = st.lists(
    st.tuples(st.sampled_from(["progress", "end", "correct", "note", "merge", "delete"]), st.integers(0, 5)),
    min_size=1,
    max_size=6,
)


async def write(database: Database, tenant_id: int, kind: str, n: int, turn: int) -> None:
    async with database.unit(tenant_id) as unit:
        await unit.connection.execute("SET LOCAL deadlock_timeout = '10ms'")
        if kind == "progress":
            await store(unit, [in_progress(n)], {})
        elif kind == "end":
            await store(unit, [queue_call(n), queue_call(n + 10)], {})
        elif kind == "correct":
            await store(unit, [queue_call(n, hangup_cause=turn)], {})
        elif kind == "note":
            try:
                await set_note(unit, call_id(n), f"note {turn}", actor="li")
            except NotFound:
                return
        elif kind == "merge":
            await store_merge(unit, call_id(n), call_id(n + 10))
        else:
            await retention.delete(unit, [call_id(n)], [])
        # the numbers are taken; what another writer does meanwhile comes to a later one
        await asyncio.sleep(0)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(writers=st.lists(_steps, min_size=2, max_size=4), limit=st.integers(1, 4))
async def test_a_copy_that_follows_is_the_log_whoever_writes(
    database: Database, tenant_id: int, writers: list[list[tuple[str, int]]], limit: int
) -> None:
    copy, cursor, writing = Copy(), None, True

    async def run(steps: list[tuple[str, int]]) -> None:
        for turn, (kind, n) in enumerate(steps):
            # a deletion takes its number last, and who changes the same call first: PostgreSQL may end one of the two
            while True:
                try:
                    await write(database, tenant_id, kind, n, turn)
                    break
                except asyncpg.DeadlockDetectedError:
                    continue

    async def follow() -> None:
        nonlocal cursor
        while writing:
            items, cursor = await read_all(database, tenant_id, cursor, limit)
            copy.take(items)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        follower = group.create_task(follow())
        done = [group.create_task(run(steps)) for steps in writers]
        await asyncio.wait(done)
        writing = False
        await follower
    items, _ = await read_all(database, tenant_id, cursor, limit)
    copy.take(items)
    assert copy.calls == await stored(database, tenant_id)
    fresh = Copy()
    fresh.take((await read_all(database, tenant_id, None, limit))[0])
    assert fresh.calls == copy.calls


async def test_a_number_that_is_not_committed_holds_back_those_after_it(database: Database, tenant_id: int) -> None:
    """The slow writer has the smaller number: the quick one's call is not to be seen before."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        async with database.unit(tenant_id) as unit:
            await store(unit, [queue_call(0)], {})
            begun.set()
            await go_on.wait()

    async def quickly() -> None:
        await begun.wait()
        async with database.unit(tenant_id) as unit:
            await store(unit, [queue_call(1)], {})

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(slowly())
        second = group.create_task(quickly())
        await begun.wait()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while not await database.pool.fetchval(waiting):  # noqa: ASYNC110 — PostgreSQL tells nobody
            await asyncio.sleep(0.01)
        items, cursor = await read_all(database, tenant_id, None, 10)
        assert items == [] and not second.done()
        go_on.set()
    items, _ = await read_all(database, tenant_id, cursor, 10)
    assert [item.call_id for item in items] == [call_id(0), call_id(1)]


async def test_a_call_that_inherits_a_note_is_told_again(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0), in_progress(1)], {})
        await set_note(unit, call_id(1), "asked for Mo", actor="li")
    _, cursor = await read_all(database, tenant_id, None, 10)
    async with database.unit(tenant_id) as unit:
        await store_merge(unit, call_id(1), call_id(0))
    merged, changed = (await read_all(database, tenant_id, cursor, 10))[0]
    assert (merged.kind, merged.call_id, merged.merged_into) == (ChangeKind.MERGED, call_id(1), call_id(0))
    assert (changed.kind, changed.call_id) == (ChangeKind.CHANGED, call_id(0))
    assert changed.call is not None and [note.text for note in changed.call.notes] == ["asked for Mo"]
    assert changed.call.version == 2


async def test_an_item_has_the_record_that_is_asked_for_by_its_id(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0)], {})
        [item] = (await read_changes(unit, None, limit=5)).items
        assert item.call == await get_call(unit, call_id(0))


async def test_who_begins_now_gets_only_what_is_to_come(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        assert (await read_changes(unit, NOW, limit=5)).items == []
        await store(unit, [queue_call(0)], {})
        page = await read_changes(unit, NOW, limit=5)
        assert (page.items, page.more) == ([], False)
        await store(unit, [queue_call(1)], {})
        later = await read_changes(unit, page.cursor, limit=5)
        assert [item.call_id for item in later.items] == [call_id(1)]


async def test_a_cursor_that_the_feed_did_not_give_is_refused(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        for cursor in ("", "x", "!!!", "AAAA", "AQAAAAAAAAAFAAAA", "AQAAAAAAAAAF", "now ", "é", "A" * 100):
            with pytest.raises(BadInput, match="no cursor of the change feed"):
                await read_changes(unit, cursor, limit=5)


async def test_a_cursor_from_before_the_oldest_deletion_that_is_told_is_refused(
    database: Database, tenant_id: int
) -> None:
    now = datetime.now(UTC)
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0)], {})
        young = cursor_at(0, now - GOOD_FOR + timedelta(days=1))
        assert [item.call_id for item in (await read_changes(unit, young, limit=5)).items] == [call_id(0)]
        with pytest.raises(BadInput, match="more than 398 days ago"):
            await read_changes(unit, cursor_at(0, now - GOOD_FOR - timedelta(days=2)), limit=5)


async def test_a_cursor_ahead_of_a_restored_database_is_refused(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0), queue_call(1)], {})
        cursor = (await read_changes(unit, None, limit=5)).cursor
        await unit.execute("DELETE FROM calls WHERE tenant_id = $1")
        await unit.execute("UPDATE call_feeds SET last_seq = 1 WHERE tenant_id = $1")
        with pytest.raises(BadInput, match="ahead of the change feed"):
            await read_changes(unit, cursor, limit=5)


async def test_a_page_is_read_by_the_index_of_numbers(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0)], {})
        await unit.execute(
            "INSERT INTO calls (tenant_id, call_id, pbx, linkedids, direction, status, caller, callee, started_at,"
            " digest, seq) SELECT $1, gen_random_uuid(), pbx, linkedids, direction, status, caller, callee, started_at,"
            " digest, seq + n FROM calls, generate_series(1, 20000) n WHERE tenant_id = $1"
        )
        await unit.execute("UPDATE call_feeds SET last_seq = 20001 WHERE tenant_id = $1")
        await unit.connection.execute("ANALYZE calls")
        plan = "\n".join(row[0] for row in await unit.fetch(f"EXPLAIN {CHANGES}", 10_000, 50))
    assert "uq_calls_seq" in plan and "Seq Scan on calls" not in plan, plan


async def test_the_bell_rings_at_a_commit(database: Database, tenant_id: int) -> None:
    bell = Bell(database)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        listening = group.create_task(bell.run())
        # until it listens, a commit may go unheard: write until one is heard
        for n in range(1000):
            rung = bell.ready(tenant_id)
            async with database.unit(tenant_id) as unit:
                await store(unit, [queue_call(n)], {})
            await bell.wait(rung, timedelta(milliseconds=50))
            if rung.is_set():
                break
        assert rung.is_set()
        quiet = bell.ready(tenant_id)
        other = bell.ready(tenant_id + 1)
        async with database.unit(tenant_id) as unit:
            await store(unit, [queue_call(2000)], {})
        await quiet.wait()
        assert not other.is_set()
        listening.cancel()


async def test_who_waits_is_let_go_without_a_bell_too(database: Database, tenant_id: int) -> None:
    bell = Bell(database)
    clock = asyncio.get_running_loop().time
    began = clock()
    await bell.wait(bell.ready(tenant_id), timedelta(milliseconds=20))
    assert clock() - began < POLL.total_seconds()
    rung = bell.ready(tenant_id)
    bell.close()
    assert rung.is_set() and bell.closed


async def test_only_so_many_wait_at_a_time(database: Database, tenant_id: int) -> None:
    bell = Bell(database, most=2)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        rung = bell.ready(tenant_id)
        waiting = [group.create_task(bell.wait(rung, POLL)) for _ in range(2)]
        while bell.waiting < 2:  # noqa: ASYNC110 — the tasks have to get their turn
            await asyncio.sleep(0)
        with pytest.raises(TooMany, match="without `wait`"):
            await bell.wait(rung, POLL)
        rung.set()
        await asyncio.wait(waiting)
    assert bell.waiting == 0
