"""The writer: quick, coalescing, patient with PostgreSQL, and never in the tracker's way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from callcenter.calllog.writer import CallLogWriter
from callcenter.changes import Anomaly, CallMerged
from callcenter.db.engine import Database, connect
from tests.fixtures.calls import NOON, call_id, change, in_progress, queue_call
from tests.fixtures.database import run_as_admin

SOON = timedelta(seconds=5)


@asynccontextmanager
async def running(writer: CallLogWriter, grace: timedelta = SOON) -> AsyncIterator[CallLogWriter]:
    """The writer at work; stopped, and waited for, at the end."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(writer.run(), name="call log")
        try:
            yield writer
        finally:
            writer.stop(grace)


async def until(condition: Callable[[], Awaitable[bool]], deadline_s: float = 5) -> None:
    """Wait for a condition, at most so many seconds."""
    async with asyncio.timeout(deadline_s):
        while not await condition():  # noqa: ASYNC110 — the condition is another process's
            await asyncio.sleep(0.005)


async def statuses(database: Database) -> dict[UUID, str]:
    return {row["call_id"]: row["status"] for row in await database.pool.fetch("SELECT call_id, status FROM calls")}


async def test_a_call_that_ended_is_written_at_once(database: Database, tenant_id: int) -> None:
    clock = asyncio.get_running_loop().time
    async with running(CallLogWriter(database, tenant_id, progress_every=timedelta(hours=1))) as writer:
        # the first write of a process prepares its statements
        writer.put(change(queue_call(0)))
        await writer.flush()
        begun = clock()
        writer.put(change(queue_call(1)))

        async def written() -> bool:
            return call_id(1) in await statuses(database)

        await until(written)
        assert clock() - begun < 1, "an ended call must not wait for the interval of calls in progress"


async def test_a_call_in_progress_is_written_in_intervals_and_with_its_newest_state(
    database: Database, tenant_id: int
) -> None:
    async with running(CallLogWriter(database, tenant_id, progress_every=timedelta(milliseconds=50))) as writer:
        for cause in range(20):
            writer.put_call(in_progress(0) if cause % 2 else queue_call(0, ended_at=None, hangup_cause=cause))
        writer.put_call(queue_call(0, ended_at=None, hangup_cause=99))

        async def written() -> bool:
            return call_id(0) in await statuses(database)

        await until(written)
        row = await database.pool.fetchrow("SELECT hangup_cause, seq FROM calls")
        assert row is not None and tuple(row) == (99, 1)


async def test_all_that_waits_is_written_before_the_end(database: Database, tenant_id: int) -> None:
    async with running(CallLogWriter(database, tenant_id, progress_every=timedelta(hours=1))) as writer:
        for n in range(120):
            writer.put(change(queue_call(n) if n % 3 else in_progress(n)))
        writer.put(Anomaly(at=NOON, event="Hangup", reason="no such channel"))
    assert len(await statuses(database)) == 120
    assert (writer.waiting, writer.counters.written) == (0, 120)


async def test_a_merge_is_written_after_the_call_that_goes_on(database: Database, tenant_id: int) -> None:
    async with running(CallLogWriter(database, tenant_id)) as writer:
        writer.put(change(in_progress(0)))
        writer.put(change(in_progress(1)))
        await writer.flush()
        writer.put(CallMerged(at=NOON, call=in_progress(0), merged=call_id(1)))
        writer.put(change(queue_call(0)))
        await writer.flush()
        merged_into = await database.pool.fetchval("SELECT merged_into FROM calls WHERE call_id = $1", call_id(1))
        assert merged_into == call_id(0)


async def test_a_merged_call_that_was_never_written_leaves_no_row(database: Database, tenant_id: int) -> None:
    async with running(CallLogWriter(database, tenant_id, progress_every=timedelta(hours=1))) as writer:
        writer.put(change(in_progress(1)))
        writer.put(CallMerged(at=NOON, call=in_progress(0), merged=call_id(1)))
    assert set(await statuses(database)) == {call_id(0)}


async def test_the_matched_customer_is_written_with_the_call(database: Database, tenant_id: int) -> None:
    customer = uuid4()
    await database.pool.execute("INSERT INTO customers (tenant_id, customer_id) VALUES ($1, $2)", tenant_id, customer)
    async with running(CallLogWriter(database, tenant_id)) as writer:
        writer.put(change(in_progress(0)))
        await writer.flush()
        writer.link(call_id(0), customer)
        writer.put(change(queue_call(0)))
    assert await database.pool.fetchval("SELECT customer_id FROM calls") == customer


async def test_a_customer_who_is_found_while_the_call_is_being_written_is_written_too(
    database: Database, tenant_id: int
) -> None:
    """A caller whom a busy phone sends away is gone before their look-up is back."""
    customer_id = uuid4()
    customer = "INSERT INTO customers (tenant_id, customer_id, name) VALUES ($1, $2, 'Zoë')"
    await database.pool.execute(customer, tenant_id, customer_id)
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    async def is_writing() -> bool:
        return bool(await database.pool.fetchval(blocked))

    async with running(CallLogWriter(database, tenant_id)) as writer:
        # who holds the tenant's row keeps the write from its end
        async with database.unit(tenant_id) as unit:
            await unit.execute(
                "INSERT INTO call_feeds (tenant_id, last_seq) VALUES ($1, 1)"
                " ON CONFLICT (tenant_id) DO UPDATE SET last_seq = call_feeds.last_seq + 1"
            )
            writer.put_call(queue_call(0))
            await until(is_writing)
            writer.link(call_id(0), customer_id)
            writer.put_call(queue_call(0))
        await writer.flush()
        assert await database.pool.fetchval("SELECT customer_id FROM calls") == customer_id


async def test_one_unfit_call_does_not_stop_the_others(database: Database, tenant_id: int) -> None:
    async with running(CallLogWriter(database, tenant_id)) as writer:
        for n in range(10):
            # a Q.850 cause of 2**40 fits into no column
            writer.put(change(queue_call(n, hangup_cause=2**40 if n == 4 else 16)))
    assert set(await statuses(database)) == {call_id(n) for n in range(10) if n != 4}
    assert (writer.counters.written, writer.counters.refused) == (9, 1)


async def test_calls_wait_while_postgresql_is_away(database: Database, tenant_id: int, postgres_url: str) -> None:
    name = await database.pool.fetchval("SELECT current_database()")
    async with running(CallLogWriter(database, tenant_id), timedelta(seconds=20)) as writer:
        writer.put(change(queue_call(0)))
        await writer.flush()
        await run_as_admin(
            postgres_url,
            f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        for n in range(1, 60):
            writer.put(change(queue_call(n)))

        async def noticed() -> bool:
            return writer.failures > 1

        await until(noticed)
        # newer states replace older ones while they wait
        writer.put(change(queue_call(1, complete=False)))
        assert writer.waiting == 59
        await run_as_admin(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    found = await database.pool.fetch("SELECT call_id, complete, version FROM calls")
    assert len(found) == 60
    assert [(row["complete"], row["version"]) for row in found if row["call_id"] == call_id(1)] == [(False, 1)]
    assert writer.overflowed == 0


async def test_a_stop_without_postgresql_ends_when_its_grace_is_over(
    database: Database, tenant_id: int, postgres_url: str
) -> None:
    name = await database.pool.fetchval("SELECT current_database()")
    await run_as_admin(
        postgres_url,
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    async with running(CallLogWriter(database, tenant_id), timedelta(milliseconds=300)) as writer:
        writer.put(change(queue_call(0)))
    assert writer.waiting == 1
    async with asyncio.timeout(1):
        await writer.flush()


async def test_what_finds_no_room_is_lost_oldest_first_and_counted(database: Database, tenant_id: int) -> None:
    writer = CallLogWriter(database, tenant_id, limit=3)
    writer.put(change(in_progress(9)))
    for n in range(4):
        writer.put(change(queue_call(n)))
    assert (writer.waiting, writer.overflowed) == (3, 1)
    async with running(writer):
        pass
    assert set(await statuses(database)) == {call_id(n) for n in (1, 2, 3)}


async def test_a_wrong_schema_stops_the_service(empty_url: str) -> None:
    database = await connect(empty_url, pool_size=1)
    try:
        writer = CallLogWriter(database, 1)
        writer.put(change(queue_call(0)))
        with pytest.raises(Exception, match="call_feeds"):
            await asyncio.wait_for(writer.run(), 10)
    finally:
        await database.close()
