"""Calls that nobody saw the end of."""

from datetime import timedelta

from msgspec.structs import replace

from callcenter.calllog.queries import get_call
from callcenter.calllog.recovery import end_lost
from callcenter.calllog.recovery import in_progress as read_in_progress
from callcenter.calllog.store import store
from callcenter.db.engine import Database
from callcenter.model import CallStatus, Connection, Hold, Offer, QueueVisit, Transfer, TransferKind
from crm_bridge.outbox import CallOutbox
from tests.fixtures.calls import NOON, call_id, in_progress, queue_call

LATER = NOON + timedelta(minutes=30)


async def test_only_calls_that_are_gone_are_ended(database: Database, tenant_id: int) -> None:
    waiting = QueueVisit(queue="sales", joined_at=NOON, position=1)
    rings = Offer(interface="PJSIP/1001", rang_at=NOON, queue="sales")
    talks = Connection(from_=NOON, interface="PJSIP/1001", number="1001")
    calls = [
        in_progress(0),
        queue_call(1, status=CallStatus.IN_PROGRESS, ended_at=None, connections=(talks,)),
        queue_call(
            2,
            status=CallStatus.IN_PROGRESS,
            ended_at=None,
            answered_at=None,
            queue_visits=(waiting,),
            offers=(rings,),
            connections=(),
        ),
        in_progress(3),  # goes on
        queue_call(4),  # has ended
        queue_call(5, status=CallStatus.IN_PROGRESS, ended_at=None, pbx="other"),
        in_progress(31),  # began after the snapshot
    ]
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})
        assert await end_lost(unit, "pbx", {call_id(3)}, LATER, CallOutbox()) == 3
        found = [await get_call(unit, call.call_id) for call in calls]
        keys = await unit.fetch("SELECT call_id FROM outbox WHERE tenant_id = $1")
    assert [one.status.value for one in found] == [
        "no_answer",
        "answered",
        "abandoned",
        "in_progress",
        "answered",
        "in_progress",
        "in_progress",
    ]
    lost = found[:3]
    assert {(one.complete, one.source.value, one.ended_at, one.duration_s) for one in lost} == {
        (False, "resync", "2026-03-02T12:30:00.000000Z", None)
    }
    assert [one.seq for one in lost] == [8, 9, 10]
    now = "2026-03-02T12:30:00.000000Z"
    assert [one.to for one in lost[1].connections] == [now]
    assert [(one.left_at, one.exit) for one in lost[2].queue_visits] == [(now, "abandoned")]
    assert [(one.ended_at, one.result) for one in lost[2].offers] == [(now, "no_answer")]
    assert {row["call_id"] for row in keys} == {call_id(n) for n in (0, 1, 2)}


async def test_what_is_known_later_is_taken_over(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [in_progress(0)], {})
        assert await end_lost(unit, "pbx", (), LATER) == 1
        assert await end_lost(unit, "pbx", (), LATER) == 0
        await store(unit, [queue_call(0)], {})
        found = await get_call(unit, call_id(0))
    assert (found.complete, found.duration_s, found.version) == (True, 69.5, 2)


async def test_what_goes_on_is_read_as_it_was_written(database: Database, tenant_id: int) -> None:
    going = queue_call(
        1,
        status=CallStatus.IN_PROGRESS,
        ended_at=None,
        holds=(Hold(from_=NOON, to=LATER, interface="PJSIP/1001"), Hold(from_=LATER, interface="PJSIP/1001")),
        transfers=(Transfer(kind=TransferKind.BLIND, at=NOON, by="PJSIP/1002", to="1001"),),
    )
    elsewhere = queue_call(2, status=CallStatus.IN_PROGRESS, ended_at=None, pbx="other")
    async with database.unit(tenant_id) as unit:
        await store(unit, [in_progress(0), going, elsewhere, queue_call(3)], {})
        found = await read_in_progress(unit, "pbx")
    # whose phone a party is at, the record tells by its offers and connections alone
    nobody = in_progress(0)
    assert found == [going, replace(nobody, callee=replace(nobody.callee, agent=None))]
