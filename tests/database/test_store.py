"""What is written to the call log, and that it comes back as the same record."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
from hypothesis import HealthCheck, given, settings

from callcenter.calllog import record
from callcenter.calllog.annotations import set_note
from callcenter.calllog.queries import get_call
from callcenter.calllog.store import store, store_merge
from callcenter.callrecord import CallRecord, CustomerRef
from callcenter.db.engine import Database
from callcenter.model import Call, CallStatus
from tests.fixtures.calls import any_calls, call_id, in_progress, queue_call


async def write(database: Database, tenant_id: int, *calls: Call) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})


async def read(database: Database, tenant_id: int, n: int = 0) -> CallRecord:
    async with database.unit(tenant_id) as unit:
        return await get_call(unit, call_id(n))


def without_numbers(found: CallRecord) -> CallRecord:
    """What the call log adds to a record made from the call alone."""
    return msgspec.structs.replace(found, seq=None, version=1)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(call=any_calls)
async def test_any_call_comes_back_as_its_record(database: Database, tenant_id: int, call: Call) -> None:
    await write(database, tenant_id, call)
    async with database.unit(tenant_id) as unit:
        found = await get_call(unit, call.call_id)
    # PostgreSQL's text holds no NUL; nothing else may be lost
    expected = _without_nul(msgspec.json.decode(msgspec.json.encode(record.of(call))))
    assert msgspec.json.decode(msgspec.json.encode(without_numbers(found))) == expected


def _without_nul(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {key: _without_nul(one) for key, one in value.items()}
    return value


async def test_a_queue_call_has_its_durations_and_numbers(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, queue_call())
    found = await read(database, tenant_id)
    assert (found.wait_s, found.ring_s, found.talk_s, found.hold_s, found.duration_s) == (
        8.25,
        7.25,
        50.125,
        10.125,
        69.5,
    )
    assert (found.version, found.seq, found.offers[0].ring_s, found.queue_visits[0].wait_s) == (1, 1, 7.25, 8.25)
    assert found.started_at == "2026-03-02T12:00:00.000000Z"


async def test_the_same_call_again_changes_nothing(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, queue_call(0), queue_call(1))
    before = [await read(database, tenant_id, n) for n in (0, 1)]
    await write(database, tenant_id, queue_call(1), queue_call(0))
    assert [await read(database, tenant_id, n) for n in (0, 1)] == before


async def test_version_rises_only_after_the_call_has_ended(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, in_progress())
    await write(database, tenant_id, queue_call())
    ended = await read(database, tenant_id)
    assert (ended.version, ended.seq) == (1, 2)
    await write(database, tenant_id, queue_call(complete=False))
    corrected = await read(database, tenant_id)
    assert (corrected.version, corrected.seq, corrected.complete) == (2, 3, False)


async def test_a_correction_with_fewer_parts_leaves_none_behind(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, queue_call())
    smaller = queue_call(offers=queue_call().offers[:1], queue_visits=(), connections=())
    await write(database, tenant_id, smaller)
    assert without_numbers(await read(database, tenant_id)) == record.of(smaller)


async def test_what_people_wrote_survives_the_trackers_writes(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, in_progress())
    async with database.unit(tenant_id) as unit:
        await set_note(unit, call_id(0), "wants a quote", actor="li")
    await write(database, tenant_id, queue_call())
    found = await read(database, tenant_id)
    assert [(note.by, note.text) for note in found.notes] == [("li", "wants a quote")]
    assert found.status is CallStatus.ANSWERED


async def test_a_matched_customer_is_linked_but_a_chosen_one_stays(database: Database, tenant_id: int) -> None:
    first, second, gone = uuid4(), uuid4(), uuid4()
    for customer in (first, second):
        await database.pool.execute(
            "INSERT INTO customers (tenant_id, customer_id, name) VALUES ($1, $2, 'Ada')", tenant_id, customer
        )
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0), queue_call(1)], {call_id(0): first, call_id(1): gone})
        await store(unit, [queue_call(0, complete=False)], {call_id(0): second})
    linked = await read(database, tenant_id)
    assert linked.customer == CustomerRef(id=first, name="Ada")
    assert (await read(database, tenant_id, 1)).customer is None
    last = await database.pool.fetchval("SELECT last_call_at FROM customers WHERE customer_id = $1", first)
    assert last == queue_call().started_at


async def test_a_customer_was_last_spoken_with_in_the_newest_of_their_calls(database: Database, tenant_id: int) -> None:
    ada = uuid4()
    await database.pool.execute(
        "INSERT INTO customers (tenant_id, customer_id, name) VALUES ($1, $2, 'Ada')", tenant_id, ada
    )
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(3), queue_call(1)], {call_id(3): ada, call_id(1): ada})
        await store(unit, [queue_call(2)], {call_id(2): ada})
    last = await database.pool.fetchval("SELECT last_call_at FROM customers WHERE customer_id = $1", ada)
    assert last == queue_call(3).started_at


async def test_a_merged_call_is_its_survivor_from_then_on(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, in_progress(0), in_progress(1))
    async with database.unit(tenant_id) as unit:
        await set_note(unit, call_id(1), "asked for Mo", actor="li")
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0)], {})
        await store_merge(unit, call_id(1), call_id(0))
    survivor = await read(database, tenant_id, 0)
    assert await read(database, tenant_id, 1) == survivor
    assert [note.text for note in survivor.notes] == ["asked for Mo"]


async def test_who_follows_seq_passes_over_no_call(database: Database, tenant_id: int) -> None:
    """Two writers and a slow transaction: a number is never seen before a smaller one."""
    seen: list[int] = []

    async def write_slowly(start: int) -> None:
        for n in range(start, start + 10):
            async with database.unit(tenant_id) as unit:
                await store(unit, [queue_call(n)], {})
                await asyncio.sleep(0.002)

    async def follow() -> None:
        while len(seen) < 20:
            rows = await database.pool.fetch(
                "SELECT seq FROM calls WHERE tenant_id = $1 AND seq > $2 ORDER BY seq", tenant_id, max(seen, default=0)
            )
            seen.extend(row["seq"] for row in rows)
            await asyncio.sleep(0.001)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(write_slowly(0))
        group.create_task(write_slowly(100))
        group.create_task(follow())
    assert seen == sorted(seen)
    assert len(set(seen)) == 20


async def test_tenants_do_not_see_each_other(database: Database, tenant_id: int) -> None:
    other = await database.ensure_tenant("other")
    await write(database, tenant_id, queue_call())
    await write(database, other, queue_call(hangup_cause=17))
    assert (await read(database, tenant_id)).hangup_cause == 16
    theirs = await read(database, other)
    assert (theirs.hangup_cause, theirs.tenant, theirs.seq) == (17, "other", 1)


def test_spans_are_rounded_to_milliseconds() -> None:
    assert record.seconds(timedelta(seconds=1, microseconds=4_600)) == 1.005
    assert record.seconds(None) is None
