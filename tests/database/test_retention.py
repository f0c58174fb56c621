"""Old calls are deleted by rule, leave tombstones in the feed, and nothing else goes with them."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.calllog import retention
from callcenter.calllog.feed import NOW as NOW_ON
from callcenter.calllog.feed import ChangeKind, read_changes
from callcenter.calllog.retention import Outcome, Reached
from callcenter.calllog.store import store, store_merge
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.model import CallStatus, Direction, QueueVisit
from callcenter.settings import RetentionRule, RetentionSettings
from tests.fixtures.calls import NOON, call_id, in_progress, queue_call
from tests.fixtures.locks import somebody_waits

NOW = NOON + timedelta(days=1000)
PARTS = ("queue_visits", "offers", "connections", "call_agents")


async def write(database: Database, tenant_id: int, ages: dict[int, int], **changes: object) -> None:
    """Calls by number, each as many days old as is said."""
    calls = [queue_call(n, started_at=NOW - timedelta(days=age), **changes) for n, age in ages.items()]
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})


async def left(database: Database, tenant_id: int) -> set[int]:
    rows = await database.pool.fetch("SELECT call_id FROM calls WHERE tenant_id = $1", tenant_id)
    found = {row["call_id"] for row in rows}
    return {n for n in range(2000) if call_id(n) in found}


async def run(database: Database, tenant_id: int, *rules: RetentionRule, dry: bool = False) -> Outcome:
    return await retention.apply(database, tenant_id, rules, NOW, actor="admin", dry=dry)


async def test_calls_older_than_their_rule_go_with_their_parts(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, {1: 400, 2: 366, 3: 364, 4: 1})
    rule = RetentionRule(keep_days=365)

    assert (await run(database, tenant_id, rule, dry=True)).deleted == (2,)
    assert await left(database, tenant_id) == {1, 2, 3, 4}
    assert (await run(database, tenant_id, rule)).deleted == (2,)

    assert await left(database, tenant_id) == {3, 4}
    for part in PARTS:
        owners = await database.pool.fetch(f"SELECT DISTINCT call_id FROM {part}")
        assert {row["call_id"] for row in owners} == {call_id(3), call_id(4)}, part
    assert (await run(database, tenant_id, rule)).deleted == (0,)


async def test_the_first_rule_that_fits_decides(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, {1: 100, 2: 20})
    await write(database, tenant_id, {3: 100, 4: 20}, direction=Direction.OUTBOUND)
    await write(database, tenant_id, {5: 100, 6: 20}, status=CallStatus.ABANDONED, answered_at=None)
    support = (QueueVisit(queue="support", joined_at=NOON),)
    await write(database, tenant_id, {7: 100, 8: 20, 9: 3000}, queue_visits=support)
    await write(database, tenant_id, {10: 3000}, direction=Direction.INTERNAL)
    rules = (
        RetentionRule(keep_days=365, queue=("support", "other")),
        RetentionRule(keep_days=10, answered=False),
        RetentionRule(keep_days=90, direction=(Direction.INBOUND,)),
        RetentionRule(keep_days=30, direction=(Direction.OUTBOUND,), status=(CallStatus.ANSWERED, CallStatus.BUSY)),
    )

    expected = (1, 2, 1, 1)
    assert (await run(database, tenant_id, *rules, dry=True)).deleted == expected
    assert (await run(database, tenant_id, *rules)).deleted == expected
    # no rule fits the internal one, which is kept for ever
    assert await left(database, tenant_id) == {2, 4, 7, 8, 10}


async def test_a_call_in_progress_stays_however_old(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [in_progress(1)], {})
    assert (await run(database, tenant_id, RetentionRule(keep_days=1))).total == 0
    assert await left(database, tenant_id) == {1}


async def test_what_was_merged_into_a_call_goes_with_it(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, {1: 400, 2: 1, 3: 400, 4: 400})
    async with database.unit(tenant_id) as unit:
        # 4 was merged into 3, which was merged into 1; 2 is young and does not count
        await store_merge(unit, call_id(4), call_id(3))
        await store_merge(unit, call_id(3), call_id(1))
    assert (await run(database, tenant_id, RetentionRule(keep_days=365))).deleted == (1,)
    assert await left(database, tenant_id) == {2}


async def test_what_was_merged_into_a_young_call_stays_with_it(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, {1: 1, 2: 400})
    async with database.unit(tenant_id) as unit:
        await store_merge(unit, call_id(2), call_id(1))
    assert (await run(database, tenant_id, RetentionRule(keep_days=365))).total == 0
    assert await left(database, tenant_id) == {1, 2}


async def test_the_change_feed_tells_of_each_deletion(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, {1: 400, 2: 399, 3: 1})
    last = await database.pool.fetchval("SELECT last_seq FROM call_feeds")
    async with database.unit(tenant_id) as unit:
        cursor = (await read_changes(unit, NOW_ON, limit=10)).cursor
    await run(database, tenant_id, RetentionRule(keep_days=365))

    async with database.unit(tenant_id) as unit:
        items = (await read_changes(unit, cursor, limit=10)).items
    assert {(item.call_id, item.kind) for item in items} == {(call_id(n), ChangeKind.DELETED) for n in (1, 2)}
    rows = await database.pool.fetch("SELECT seq, call_id FROM call_tombstones ORDER BY seq")
    assert [row["seq"] for row in rows] == [last + 1, last + 2]
    assert {row["call_id"] for row in rows} == {call_id(1), call_id(2)}
    assert await database.pool.fetchval("SELECT last_seq FROM call_feeds") == last + 2

    # they are not kept for ever either
    assert await retention.prune_tombstones(database, tenant_id, NOW - timedelta(days=5000)) == 0
    await database.pool.execute("UPDATE call_tombstones SET deleted_at = $1 WHERE seq = $2", NOON, last + 1)
    assert await retention.prune_tombstones(database, tenant_id, NOON + retention.KEEP_TOMBSTONES * 1.01) == 1


async def test_another_tenant_keeps_its_calls(database: Database, tenant_id: int) -> None:
    other = await database.ensure_tenant("other")
    await write(database, other, {1: 400})
    assert (await run(database, tenant_id, RetentionRule(keep_days=365))).total == 0
    assert await left(database, other) == {1}


async def test_the_audit_trail_has_the_rules_and_the_numbers(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, {1: 400})
    rules = (RetentionRule(keep_days=90, answered=False), RetentionRule(keep_days=365))
    await run(database, tenant_id, *rules, dry=True)
    assert await database.pool.fetchval("SELECT count(*) FROM audit") == 0
    await run(database, tenant_id, *rules)
    notes = await database.pool.fetch("SELECT actor, action, detail FROM audit ORDER BY audit_id")
    assert [(row["actor"], row["action"]) for row in notes] == [
        ("admin", "retention.begin"),
        ("admin", "retention.end"),
    ]
    assert notes[1]["detail"] == {
        "rules": [{"keep_days": 90, "answered": False}, {"keep_days": 365}],
        "deleted": [0, 1],
    }


async def test_a_call_that_is_being_written_is_left_for_the_next_night(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, {1: 400, 2: 400})
    rule = RetentionRule(keep_days=365)
    async with database.unit(tenant_id) as unit:
        await unit.execute("SELECT FROM calls WHERE tenant_id = $1 AND call_id = $2 FOR UPDATE", call_id(1))
        assert (await run(database, tenant_id, rule)).deleted == (1,)
    assert await left(database, tenant_id) == {1}
    assert (await run(database, tenant_id, rule)).deleted == (1,)


async def test_calls_can_be_written_while_a_batch_is_being_deleted(database: Database, tenant_id: int) -> None:
    """The feed's number, for which each writer waits, is taken after all that takes time."""

    class Writing:
        """Writes a call of today in the middle of the deletion."""

        written = 0

        async def calls_deleted(self, unit: Unit, call_ids: Sequence[UUID]) -> None:
            await write(database, tenant_id, {9: 0})
            self.written += len(call_ids)

    await write(database, tenant_id, {1: 400})
    writing = Writing()
    rules = [RetentionRule(keep_days=365)]
    await retention.apply(database, tenant_id, rules, NOW, actor="admin", followers=[writing])
    assert writing.written == 1
    assert await left(database, tenant_id) == {9}


async def test_many_are_deleted_in_many_steps(database: Database, tenant_id: int) -> None:
    # five at each moment, so that the time alone is no place to go on from
    await write(database, tenant_id, {n: 400 - n // 5 for n in range(100)})
    seen: list[Reached] = []
    rules = [RetentionRule(keep_days=390)]
    outcome = await retention.apply(
        database, tenant_id, rules, NOW, actor="admin", progress=seen.append, stretch=7, batch=3
    )
    # the calls that are exactly as old as the rule says are kept
    assert outcome.deleted == (50,)
    assert await left(database, tenant_id) == set(range(50, 100))
    assert len(seen) > 5
    assert [one.at for one in seen] == sorted(one.at for one in seen)


def test_what_a_rule_may_not_say_is_refused_with_the_mend() -> None:
    with pytest.raises(ValueError, match=r"rules.1.keep_days is 10, and minimum_days is 30: keep the calls longer"):
        RetentionSettings(rules=(RetentionRule(keep_days=30), RetentionRule(keep_days=10)))
    assert RetentionSettings(minimum_days=10, rules=(RetentionRule(keep_days=10),)).rules[0].keep_days == 10
    with pytest.raises(ValueError, match="a call in progress is never deleted"):
        RetentionRule(keep_days=10, status=(CallStatus.IN_PROGRESS,))
    with pytest.raises(ValueError, match="keep_days"):
        RetentionRule(keep_days=0)


async def test_a_deletion_and_a_correction_of_the_same_call_never_wait_for_each_other(
    database: Database, database_url: str, tenant_id: int
) -> None:
    """Who corrects has the feed's row, and wants the call that is about to be deleted."""
    await write(database, tenant_id, {1: 400, 2: 400})
    deleting = asyncio.Event()
    go_on = asyncio.Event()

    class Slow:
        """A follower of the deletion that takes until the writer waits for a lock."""

        async def calls_deleted(self, unit: Unit, call_ids: Sequence[UUID]) -> None:
            deleting.set()
            await go_on.wait()

    async def delete() -> Outcome:
        rule = RetentionRule(keep_days=365)
        return await retention.apply(database, tenant_id, [rule], NOW, actor="admin", followers=[Slow()])

    async def correct() -> None:
        await deleting.wait()
        async with database.unit(tenant_id) as unit:
            # the first takes the feed's row alone, the second the call as well
            await store(unit, [queue_call(3, started_at=NOW)], {})
            await store(unit, [queue_call(1, hangup_cause=21, started_at=NOW - timedelta(days=400))], {})

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        gone = group.create_task(delete(), name="delete")
        group.create_task(correct(), name="correct")
        await deleting.wait()
        await somebody_waits(database)
        go_on.set()
    assert gone.result().deleted == (2,)
    assert await left(database, tenant_id) == {3}
