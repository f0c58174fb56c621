"""Which events the writes of a call leave, in which order, and what is sent of them."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec

from callcenter.calllog import annotations, erasure, recovery
from callcenter.calllog.bodies import read_texts
from callcenter.calllog.store import store, store_merge
from callcenter.db.engine import Database
from callcenter.model import Call, Source, Transfer, TransferKind
from crm_bridge.webhooks import queue, subscriptions
from crm_bridge.webhooks.values import EventKind
from tests.fixtures.calls import NOON, in_progress, queue_call

ALL = tuple(EventKind)
BLIND = Transfer(kind=TransferKind.BLIND, at=NOON + timedelta(seconds=30), by="PJSIP/1001", to="1002")


async def subscribe(database: Database, tenant_id: int, *kinds: EventKind) -> UUID:
    async with database.unit(tenant_id) as unit:
        made, _ = await subscriptions.create(
            unit, name="test", url="https://crm.example.com/", kinds=kinds or ALL, actor="admin"
        )
    return made.subscription_id


async def write(database: Database, tenant_id: int, *calls: Call) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})


async def kinds(database: Database) -> list[str]:
    return [row["kind"] for row in await database.pool.fetch("SELECT kind FROM webhook_events ORDER BY event_seq")]


async def sealed(database: Database, tenant_id: int) -> list[dict[str, object]]:
    async with database.unit(tenant_id) as unit:
        await queue.seal(unit, read_texts)
    rows = await database.pool.fetch("SELECT body FROM webhook_events ORDER BY event_seq")
    return [msgspec.json.decode(row["body"]) for row in rows]


async def test_nothing_is_noted_while_nobody_wants_to_know(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, queue_call(0))
    assert await kinds(database) == []


async def test_a_life_of_a_call_is_told_in_its_order(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    whole = queue_call(0)
    answered = msgspec.structs.replace(in_progress(0), answered_at=whole.answered_at)
    for call in (in_progress(0), answered, msgspec.structs.replace(answered, transfers=(BLIND,)), whole):
        await write(database, tenant_id, call)
    assert await kinds(database) == ["call.started", "call.answered", "call.transferred", "call.ended"]


async def test_what_came_about_between_two_writes_is_told_one_by_one(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    await write(database, tenant_id, queue_call(0, transfers=(BLIND, BLIND)))
    assert await kinds(database) == [
        "call.started",
        "call.answered",
        "call.transferred",
        "call.transferred",
        "call.ended",
    ]
    times = await database.pool.fetch("SELECT at FROM webhook_events ORDER BY event_seq")
    assert [row["at"] for row in times] == [
        NOON,
        NOON + timedelta(seconds=9.25),
        BLIND.at,
        BLIND.at,
        NOON + timedelta(seconds=69.5),
    ]


async def test_the_same_call_again_is_no_event(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    await write(database, tenant_id, queue_call(0))
    before = await kinds(database)
    await write(database, tenant_id, queue_call(0))
    assert await kinds(database) == before


async def test_a_call_that_is_rebuilt_later_only_ends(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    await write(database, tenant_id, queue_call(0, source=Source.BACKFILL))
    assert await kinds(database) == ["call.ended"]


async def test_who_wants_one_kind_gets_that_one(database: Database, tenant_id: int) -> None:
    wants = await subscribe(database, tenant_id, EventKind.ENDED)
    other = await subscribe(database, tenant_id, EventKind.ANSWERED, EventKind.ENDED)
    await write(database, tenant_id, queue_call(0))
    rows = await database.pool.fetch(
        "SELECT d.subscription_id, e.kind FROM webhook_deliveries d JOIN webhook_events e USING (tenant_id, event_seq)"
    )
    found = {(row["subscription_id"], row["kind"]) for row in rows}
    assert found == {(wants, "call.ended"), (other, "call.ended"), (other, "call.answered")}


async def test_what_people_add_later_corrects_the_call(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    await write(database, tenant_id, in_progress(0))
    async with database.unit(tenant_id) as unit:
        await annotations.set_note(unit, in_progress(0).call_id, "calls back", actor="li")
    assert await kinds(database) == ["call.started"]
    await write(database, tenant_id, queue_call(0))
    async with database.unit(tenant_id) as unit:
        await annotations.set_outcome(unit, in_progress(0).call_id, "sold", actor="li")
    assert (await kinds(database))[-2:] == ["call.ended", "call.corrected"]


async def test_a_call_that_becomes_part_of_another_is_deleted(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id, EventKind.DELETED)
    await write(database, tenant_id, queue_call(0), in_progress(1))
    merged, survivor = in_progress(1).call_id, queue_call(0).call_id
    async with database.unit(tenant_id) as unit:
        await store_merge(unit, merged, survivor)
    (body,) = await sealed(database, tenant_id)
    assert body["type"] == "call.deleted"
    assert body["data"] == {"call_id": str(merged), "deleted": True, "merged_into": str(survivor)}


async def test_calls_that_an_earlier_run_left_open_end(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id, EventKind.ENDED)
    await write(database, tenant_id, in_progress(0))
    async with database.unit(tenant_id) as unit:
        assert await recovery.end_lost(unit, "pbx", [], NOON + timedelta(hours=1)) == 1
    assert await kinds(database) == ["call.ended"]


async def test_the_body_is_the_record_with_id_kind_and_time(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id, EventKind.ENDED)
    await write(database, tenant_id, queue_call(0))
    (body,) = await sealed(database, tenant_id)
    async with database.unit(tenant_id) as unit:
        record = (await read_texts(unit, [queue_call(0).call_id]))[queue_call(0).call_id]
    row = await database.pool.fetchrow("SELECT event_id, event_seq FROM webhook_events")
    assert row is not None
    assert body == {
        "id": str(row["event_id"]),
        "type": "call.ended",
        "timestamp": "2026-03-02T12:01:09.500000Z",
        "seq": row["event_seq"],
        "data": msgspec.json.decode(record),
    }


async def test_a_body_that_is_too_large_says_so(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id, EventKind.ENDED)
    await write(database, tenant_id, queue_call(0, did="9" * queue.LARGEST_BODY))
    (body,) = await sealed(database, tenant_id)
    assert body["data"] == {"call_id": str(queue_call(0).call_id), "too_large": True}


async def test_nothing_of_a_deleted_call_is_kept(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    await write(database, tenant_id, queue_call(0))
    await sealed(database, tenant_id)
    await database.pool.execute("DELETE FROM calls")
    bodies = await sealed(database, tenant_id)
    assert [body["type"] for body in bodies] == ["call.started", "call.answered", "call.ended", "call.deleted"]
    assert all(
        body["data"] == {"call_id": str(queue_call(0).call_id), "deleted": True, "merged_into": None} for body in bodies
    )


async def test_a_person_who_is_erased_is_in_no_body_and_in_no_answer(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id, EventKind.ENDED)
    await write(database, tenant_id, queue_call(0))
    assert "Zoë" in str(await sealed(database, tenant_id))
    await database.pool.execute("UPDATE webhook_deliveries SET answer = 'welcome, Zoë'")
    customer, number = UUID(int=1), "+442071838750"
    async with database.unit(tenant_id) as unit:
        begun = await erasure.begin(unit, customer, [number])
        blanked = await erasure.blank_some(unit, customer, begun.token, [number])
    assert blanked.call_ids == (queue_call(0).call_id,)
    bodies = str(await sealed(database, tenant_id))
    assert begun.token in bodies
    assert "Zoë" not in bodies and "2071838750" not in bodies
    assert await database.pool.fetchval("SELECT answer FROM webhook_deliveries") is None


async def test_a_call_whose_transaction_fails_leaves_no_event(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    try:
        async with database.unit(tenant_id) as unit:
            await store(unit, [queue_call(0)], {})
            await unit.execute("SELECT 1 / ($1::int - $1)")
    except asyncpg.DivisionByZeroError:
        pass
    assert await kinds(database) == []


async def test_the_last_subscription_takes_all_events_along(database: Database, tenant_id: int) -> None:
    first = await subscribe(database, tenant_id)
    second = await subscribe(database, tenant_id)
    await write(database, tenant_id, queue_call(0))
    async with database.unit(tenant_id) as unit:
        await subscriptions.delete(unit, first, actor="admin")
    assert await database.pool.fetchval("SELECT count(DISTINCT subscription_id) FROM webhook_deliveries") == 1
    async with database.unit(tenant_id) as unit:
        await subscriptions.delete(unit, second, actor="admin")
    assert await kinds(database) == []
    trail = await database.pool.fetch("SELECT action FROM audit WHERE subject_type = 'webhook' ORDER BY at, audit_id")
    assert sorted(row["action"] for row in trail) == ["webhook.created"] * 2 + ["webhook.deleted"] * 2


async def test_a_tenant_can_be_deleted_with_its_calls(database: Database, tenant_id: int) -> None:
    await subscribe(database, tenant_id)
    await write(database, tenant_id, queue_call(0))
    await database.pool.execute("DELETE FROM tenants WHERE id = $1", tenant_id)
    assert await kinds(database) == []
