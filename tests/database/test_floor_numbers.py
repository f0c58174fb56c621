"""The floor in PostgreSQL: today's calls as they are counted, limits, and alerts for webhooks."""

from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from callcenter.calllog import today
from callcenter.calllog.bodies import read_texts
from callcenter.calllog.store import store
from callcenter.changes import CallUpdated
from callcenter.db.engine import Database
from callcenter.live import limits
from callcenter.live.alerts import Limits
from callcenter.live.day import IDLE, Day
from callcenter.metrics.service_level import NOTHING, Formula, Goal, Tally, count
from callcenter.model import Call, Offer, OfferResult, QueueExit
from crm_bridge.webhooks import alerts, queue, subscriptions
from crm_bridge.webhooks.values import EventKind
from tests.fixtures.calls import NOON, call_id, in_progress, queue_call

BEGAN = NOON - timedelta(minutes=30)
LATER = NOON + timedelta(days=1)
SALES = ("pbx", "sales")


def missed(n: int) -> Call:
    """A call that an agent did not take, and whose caller gave up."""
    call = queue_call(n)
    visit = replace(call.queue_visits[0], exit=QueueExit.ABANDONED)
    offer = Offer(
        interface="PJSIP/1001",
        agent="li",
        queue="sales",
        rang_at=visit.joined_at,
        ended_at=visit.left_at,
        result=OfferResult.NO_ANSWER,
    )
    return replace(call, queue_visits=(visit,), offers=(offer,), connections=(), answered_at=None)


async def counted(database: Database, tenant_id: int, **wanted: Any) -> tuple[Tally, dict[str, today.AgentSum]]:
    asked = {"since": BEGAN, "before": LATER, "without": [], **wanted}
    async with database.unit(tenant_id) as unit:
        tally = NOTHING
        async for portion in today.visits(unit, **asked):
            for pbx, visit in portion:
                assert (pbx, visit.queue) == SALES
                tally += count(visit)
        found = await today.agents(unit, **asked)
    return tally, {one.agent: one for one in found}


async def test_the_log_counts_as_the_live_day_does(database: Database, tenant_id: int) -> None:
    calls = [queue_call(0), queue_call(1), missed(2), queue_call(-60), in_progress(3)]
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})
    day = Day(BEGAN)
    for call in calls:
        if call.ended_at is not None:
            day.take(CallUpdated(at=NOON, call=call))
    tally, sums = await counted(database, tenant_id)
    assert tally == day.tally(SALES)
    assert (tally.offered, tally.answered, tally.abandoned) == (3, 2, 1)
    assert sums
    for agent, found in sums.items():
        live = day.agent(agent)
        assert live != IDLE
        assert (found.answered, found.dialed, found.missed) == (live.answered, live.dialed, live.missed)
        assert found.connected == live.connected


async def test_calls_that_are_kept_live_or_began_later_are_left_out(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0), queue_call(1)], {})
    assert (await counted(database, tenant_id, without=[call_id(0)]))[0].offered == 1
    assert (await counted(database, tenant_id, before=NOON + timedelta(seconds=30)))[0].offered == 1
    assert (await counted(database, tenant_id, since=LATER))[0] == NOTHING


async def test_limits_are_kept_and_noted(database: Database, tenant_id: int) -> None:
    wanted = Limits(
        goal=Goal(threshold=timedelta(seconds=30), short=timedelta(seconds=3)),
        formula=Formula.LATE_ABANDONS,
        most_waiting=5,
        longest_wait=timedelta(minutes=2),
        least_level=0.8,
    )
    async with database.unit(tenant_id) as unit:
        await limits.save(unit, SALES, Limits(least_ready=2), "sue")
        await limits.save(unit, SALES, wanted, "sue")
    async with database.unit(tenant_id) as unit:
        assert await limits.load(unit) == {SALES: wanted}
        notes = await unit.fetch("SELECT actor, subject_id FROM audit WHERE tenant_id = $1 AND action = 'queue.limits'")
    assert [tuple(note) for note in notes] == [("sue", "pbx/sales")] * 2


async def test_an_alert_is_sent_to_those_who_subscribed_and_keeps_its_body(database: Database, tenant_id: int) -> None:
    data = {"pbx": "pbx", "queue": "sales", "kind": "waiting", "severity": "over", "value": 6, "limit": 5}
    async with database.unit(tenant_id) as unit:
        assert not await alerts.tell(unit, NOON, data)
        made, _ = await subscriptions.create(
            unit, name="Board", url="https://example.com/", kinds=[EventKind.QUEUE_ALERT], actor="admin"
        )
        await subscriptions.create(
            unit, name="Calls", url="https://example.com/", kinds=[EventKind.ENDED], actor="admin"
        )
        assert await alerts.tell(unit, NOON, data)
    async with database.unit(tenant_id) as unit:
        assert await queue.seal(unit, read_texts) == 0
        target = await queue.target_of(unit, made.subscription_id)
        assert target is not None
        (parcel,) = await queue.claim(unit, target, limit=5, lease=timedelta(minutes=1))
        assert await unit.fetchval("SELECT count(*) FROM webhook_deliveries WHERE tenant_id = $1") == 1
    body = msgspec.json.decode(parcel.body)
    assert (body["type"], body["data"]) == ("queue.alert", data)
