"""The outbox: written with the call, taken once at a time, tried again, given up in the end."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from callcenter.calllog.store import ENDED, store
from callcenter.calllog.writer import CallLogWriter
from callcenter.db.engine import Database
from crm_bridge import outbox
from crm_bridge.outbox import CHANNEL, CallOutbox, Entry
from tests.fixtures.calls import call_id, change, in_progress, queue_call

NOW = timedelta(0)


async def enqueue(database: Database, tenant_id: int, *keys: str) -> None:
    async with database.unit(tenant_id) as unit:
        await CallOutbox().enqueue(unit, "test", keys, [call_id(n) for n in range(len(keys))])


async def claim(database: Database, tenant_id: int, kind: str = "test", **how: Any) -> list[Entry]:
    async with database.unit(tenant_id) as unit:
        return await outbox.claim(unit, kind, **how)


async def states(database: Database) -> dict[str, tuple[str, int, str | None]]:
    rows = await database.pool.fetch("SELECT key, state, attempts, last_error FROM outbox")
    return {row["key"]: (row["state"], row["attempts"], row["last_error"]) for row in rows}


async def test_a_call_that_ended_leaves_one_entry_for_each_version(database: Database, tenant_id: int) -> None:
    writer = CallLogWriter(database, tenant_id, outbox=CallOutbox())
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(writer.run())
        for call in (in_progress(), queue_call(), queue_call(), queue_call(complete=False)):
            writer.put(change(call))
            await writer.flush()
        writer.stop(timedelta(seconds=5))
    entries = await claim(database, tenant_id, ENDED)
    assert [entry.key for entry in entries] == [f"{ENDED}:{call_id(0)}:1", f"{ENDED}:{call_id(0)}:2"]
    assert {entry.call_id for entry in entries} == {call_id(0)}


async def test_no_call_no_entry(database: Database, tenant_id: int) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.unit(tenant_id) as unit:
            await store(unit, [queue_call()], {}, CallOutbox())
            raise ZeroDivisionError
    assert await states(database) == {}


async def test_a_commit_rings_the_bell(database: Database, tenant_id: int) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await database.dedicated()
    try:
        await listener.add_listener(CHANNEL, lambda *message: heard.put_nowait(message[-1]))
        await enqueue(database, tenant_id, "a")
        assert await asyncio.wait_for(heard.get(), 5) == str(tenant_id)
    finally:
        await listener.close()


async def test_workers_at_the_same_time_get_different_entries(database: Database, tenant_id: int) -> None:
    await enqueue(database, tenant_id, *(f"k{n:02}" for n in range(30)))
    async with database.unit(tenant_id) as first, database.unit(tenant_id) as second:
        ours, theirs = await outbox.claim(first, "test", limit=20), await outbox.claim(second, "test", limit=20)
    assert [entry.key for entry in ours] == [f"k{n:02}" for n in range(20)]
    assert [entry.key for entry in theirs] == [f"k{n:02}" for n in range(20, 30)]
    assert await claim(database, tenant_id) == [], "all are leased"


async def test_an_entry_of_a_dead_worker_is_taken_again_and_its_late_answer_does_not_count(
    database: Database, tenant_id: int
) -> None:
    await enqueue(database, tenant_id, "a")
    (lost,) = await claim(database, tenant_id, lease=NOW)
    (again,) = await claim(database, tenant_id)
    assert (lost.attempts, again.attempts) == (1, 2)
    async with database.unit(tenant_id) as unit:
        await outbox.bury(unit, lost, "too late")
        await outbox.finish(unit, again)
    assert await states(database) == {"a": ("done", 2, None)}


async def test_failures_wait_longer_and_longer_and_end_as_dead(database: Database, tenant_id: int) -> None:
    await enqueue(database, tenant_id, "a")
    for attempt in range(1, outbox.ATTEMPTS + 1):
        (entry,) = await claim(database, tenant_id)
        assert entry.attempts == attempt
        async with database.unit(tenant_id) as unit:
            await outbox.retry(unit, entry, "no answer", after=NOW)
    assert await claim(database, tenant_id) == []
    assert await states(database) == {"a": ("dead", outbox.ATTEMPTS, "no answer")}
    pauses = [outbox.pause_after(n) for n in (1, 4, 24)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= outbox.FIRST_RETRY * 0.75 and pauses[-1] <= outbox.LAST_RETRY * 1.25


async def test_a_retry_waits_for_its_time(database: Database, tenant_id: int) -> None:
    await enqueue(database, tenant_id, "a")
    (entry,) = await claim(database, tenant_id)
    async with database.unit(tenant_id) as unit:
        await outbox.retry(unit, entry, "busy")
    assert await claim(database, tenant_id) == []
    await database.pool.execute("UPDATE outbox SET next_at = now() - interval '1 second'")
    assert [entry.key for entry in await claim(database, tenant_id)] == ["a"]


async def test_only_old_entries_that_are_done_are_pruned(database: Database, tenant_id: int) -> None:
    await enqueue(database, tenant_id, "done", "dead", "waiting")
    for entry in await claim(database, tenant_id, limit=2):
        async with database.unit(tenant_id) as unit:
            await (outbox.finish(unit, entry) if entry.key == "done" else outbox.bury(unit, entry, "no"))
    async with database.unit(tenant_id) as unit:
        assert await outbox.prune(unit, timedelta(days=1)) == 0
        await unit.execute(
            "UPDATE outbox SET done_at = now() - interval '2 days' WHERE tenant_id = $1 AND key = 'done'"
        )
        assert await outbox.prune(unit, timedelta(days=1)) == 1
    assert set(await states(database)) == {"dead", "waiting"}


async def test_tenants_have_outboxes_of_their_own(database: Database, tenant_id: int) -> None:
    other = await database.ensure_tenant("other")
    await enqueue(database, tenant_id, "a")
    await enqueue(database, other, "a")
    assert len(await claim(database, tenant_id)) == 1
    assert len(await claim(database, other)) == 1
