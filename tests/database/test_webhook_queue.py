"""Deliveries in PostgreSQL: claimed once, in order, tried again, given up, sent again, removed."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from callcenter.calllog import erasure
from callcenter.calllog.bodies import read_texts
from callcenter.calllog.store import store
from callcenter.db.engine import Database
from callcenter.errors import NotFound
from crm_bridge.webhooks import log, queue, subscriptions
from crm_bridge.webhooks.values import Answer, DeliveryState, EventKind, Failure, Parcel, Target
from crm_bridge.webhooks.verdicts import judge
from tests.fixtures.calls import in_progress, queue_call
from tests.fixtures.locks import somebody_waits

LEASE = timedelta(minutes=1)
TOOK = timedelta(milliseconds=5)
NUMBER = "+442071838750"
"""The caller of `queue_call`."""
DOWN = Answer(took=TOOK, failure=Failure.UNREACHABLE, error="no connection")
WELCOME = Answer(took=TOOK, status=200, text="welcome, Zoë")


class Desk:
    """The queue of one subscription, as a worker uses it."""

    def __init__(self, database: Database, tenant_id: int, webhook: UUID) -> None:
        self.database, self.tenant_id, self.webhook = database, tenant_id, webhook

    async def target(self) -> Target:
        async with self.database.unit(self.tenant_id) as unit:
            found = await queue.target_of(unit, self.webhook)
        assert found is not None
        return found

    async def claim(self, limit: int = 20) -> list[Parcel]:
        async with self.database.unit(self.tenant_id) as unit:
            await queue.seal(unit, read_texts)
            found = await queue.target_of(unit, self.webhook)
            assert found is not None
            return await queue.claim(unit, found, limit=limit, lease=LEASE)

    async def note(self, parcel: Parcel, answer: Answer, attempts: int = 24) -> bool:
        target = await self.target()
        async with self.database.unit(self.tenant_id) as unit:
            return await queue.record(unit, target, parcel, answer, judge(answer), attempts=attempts)

    async def ready(self) -> bool:
        async with self.database.unit(self.tenant_id) as unit:
            return bool(await queue.ready(unit))

    async def call(self, *numbers: int) -> None:
        async with self.database.unit(self.tenant_id) as unit:
            await store(unit, [queue_call(n) for n in numbers], {})

    async def page(self, state: DeliveryState | None = None, before: int | None = None) -> list[tuple[str, str, int]]:
        async with self.database.unit(self.tenant_id) as unit:
            found = await log.page(unit, self.webhook, state, before=before, limit=50)
        return [(one.kind, one.state.value, one.attempts) for one in found]

    async def kinds(self, parcels: list[Parcel]) -> list[str]:
        rows = await self.database.pool.fetch("SELECT event_seq, kind FROM webhook_events")
        names = {row["event_seq"]: row["kind"] for row in rows}
        return [names[parcel.event_seq] for parcel in parcels]

    async def pass_time(self) -> None:
        """All pauses and leases are over."""
        await self.database.pool.execute(
            "UPDATE webhook_deliveries SET next_at = now() - interval '1 second';"
            "UPDATE webhook_subscriptions SET hold_until = NULL"
        )


@pytest.fixture
async def desk(database: Database, tenant_id: int) -> Desk:
    return await subscribe(database, tenant_id)


async def subscribe(database: Database, tenant_id: int, *kinds: EventKind) -> Desk:
    async with database.unit(tenant_id) as unit:
        made, _ = await subscriptions.create(
            unit, name="test", url="https://crm.example.com/", kinds=kinds or tuple(EventKind), actor="admin"
        )
    return Desk(database, tenant_id, made.subscription_id)


def ok(status: int = 200) -> Answer:
    return Answer(took=TOOK, status=status, text="fine")


async def test_of_each_call_one_event_goes_at_a_time_in_their_order(desk: Desk) -> None:
    await desk.call(0, 1)
    for kind in ("call.started", "call.answered", "call.ended"):
        parcels = await desk.claim()
        assert await desk.kinds(parcels) == [kind, kind]
        assert await desk.claim() == []
        for parcel in parcels:
            assert not await desk.note(parcel, ok())
    assert await desk.claim() == []
    assert not await desk.ready()


async def test_two_workers_never_get_the_same(desk: Desk) -> None:
    await desk.call(*range(6))
    async with desk.database.unit(desk.tenant_id) as unit:
        await queue.seal(unit, read_texts)
    target = await desk.target()
    async with desk.database.unit(desk.tenant_id) as first, desk.database.unit(desk.tenant_id) as second:
        ours = await queue.claim(first, target, limit=3, lease=LEASE)
        theirs = await queue.claim(second, target, limit=20, lease=LEASE)
    assert (len(ours), len(theirs)) == (3, 3)
    assert not {one.event_id for one in ours} & {one.event_id for one in theirs}


async def test_a_worker_that_died_leaves_its_events_to_another(desk: Desk) -> None:
    await desk.call(0)
    [lost] = await desk.claim()
    assert await desk.claim() == []
    await desk.pass_time()
    [again] = await desk.claim()
    assert (again.event_id, again.body, again.attempts) == (lost.event_id, lost.body, 2)
    # what the dead one may still say counts no more
    await desk.note(lost, ok(400))
    assert not await desk.note(again, ok())
    assert (await desk.page())[-1] == ("call.started", "done", 2)


async def test_what_fails_is_tried_again_later_and_the_rest_of_the_call_waits(desk: Desk) -> None:
    await desk.call(0)
    [parcel] = await desk.claim()
    await desk.note(parcel, ok(500))
    assert await desk.claim() == []
    assert await desk.page() == [
        ("call.ended", "waiting", 0),
        ("call.answered", "waiting", 0),
        ("call.started", "waiting", 1),
    ]
    await desk.pass_time()
    assert [one.event_id for one in await desk.claim()] == [parcel.event_id]


async def test_an_answer_that_comes_after_the_erasure_is_not_kept(desk: Desk) -> None:
    await desk.call(0)
    [parcel] = await desk.claim()
    await erase(desk)
    await desk.note(parcel, WELCOME)
    assert (await desk.page())[-1][:2] == ("call.started", "done")
    assert await desk.database.pool.fetchval("SELECT count(answer) FROM webhook_deliveries") == 0
    [following] = await desk.claim()
    await desk.note(following, ok())
    assert await desk.database.pool.fetchval("SELECT count(answer) FROM webhook_deliveries") == 1


async def test_a_body_that_is_being_sealed_is_forgotten_too(desk: Desk) -> None:
    """The erasure comes while the record was read, and its body is not committed."""
    await desk.call(0)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        async with desk.database.unit(desk.tenant_id) as unit:
            assert await queue.seal(unit, read_texts) == 3
            erased = group.create_task(erase(desk), name="erase")
            await somebody_waits(desk.database, unless=erased)
    [parcel] = await desk.claim()
    assert b"erased-" in parcel.body
    bodies = await desk.database.pool.fetch("SELECT body FROM webhook_events")
    assert [row["body"] for row in bodies if b"2071838750" in (row["body"] or b"")] == []


async def test_a_body_is_not_sealed_from_a_record_that_is_being_erased(desk: Desk) -> None:
    await desk.call(0)
    async with desk.database.unit(desk.tenant_id) as erasing:
        begun = await erasure.begin(erasing, UUID(int=1), [NUMBER])
        await erasure.blank_some(erasing, UUID(int=1), begun.token, [NUMBER])
        assert await desk.claim() == []
    [parcel] = await desk.claim()
    assert b"erased-" in parcel.body and b"2071838750" not in parcel.body


async def test_an_answer_that_is_being_noted_is_forgotten_too(desk: Desk) -> None:
    await desk.call(0)
    [parcel] = await desk.claim()
    target = await desk.target()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        async with desk.database.unit(desk.tenant_id) as unit:
            await queue.record(unit, target, parcel, WELCOME, judge(WELCOME), attempts=24)
            erased = group.create_task(erase(desk), name="erase")
            await somebody_waits(desk.database, unless=erased)
    assert (await desk.page())[-1][:2] == ("call.started", "done")
    assert await desk.database.pool.fetchval("SELECT count(answer) FROM webhook_deliveries") == 0


async def test_an_answer_waits_for_the_erasure_and_is_not_kept(desk: Desk) -> None:
    await desk.call(0)
    [parcel] = await desk.claim()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        async with desk.database.unit(desk.tenant_id) as erasing:
            begun = await erasure.begin(erasing, UUID(int=1), [NUMBER])
            await erasure.blank_some(erasing, UUID(int=1), begun.token, [NUMBER])
            noted = group.create_task(desk.note(parcel, WELCOME), name="note")
            await somebody_waits(desk.database, unless=noted)
    assert (await desk.page())[-1][:2] == ("call.started", "done")
    assert await desk.database.pool.fetchval("SELECT count(answer) FROM webhook_deliveries") == 0


async def erase(desk: Desk) -> None:
    """Take the caller of `queue_call` out of all calls."""
    async with desk.database.unit(desk.tenant_id) as unit:
        begun = await erasure.begin(unit, UUID(int=1), [NUMBER])
        await erasure.blank_some(unit, UUID(int=1), begun.token, [NUMBER])


async def test_after_its_last_attempt_an_event_is_dead_and_the_next_one_goes(desk: Desk) -> None:
    await desk.call(0)
    for attempt in (1, 2):
        [parcel] = await desk.claim()
        assert await desk.note(parcel, ok(500), attempts=2) is (attempt == 2)
        await desk.pass_time()
    assert await desk.page(DeliveryState.DEAD) == [("call.started", "dead", 2)]
    assert await desk.kinds(await desk.claim()) == ["call.answered"]


async def test_a_target_that_is_down_is_left_alone_for_a_while(desk: Desk) -> None:
    await desk.call(0, 1)
    one, other = await desk.claim()
    await desk.note(one, DOWN)
    await desk.note(other, DOWN)
    target = await desk.target()
    assert target.failures >= 1
    assert not await desk.ready()
    await desk.pass_time()
    assert await desk.ready()
    [again, _] = await desk.claim()
    await desk.note(again, ok())
    assert (await desk.target()).failures == 0


async def test_a_receiver_that_is_gone_pauses_its_subscription(desk: Desk) -> None:
    await desk.call(0, 1)
    [parcel, _] = await desk.claim()
    assert await desk.note(parcel, ok(410))
    assert not await desk.ready()
    async with desk.database.unit(desk.tenant_id) as unit:
        found = await subscriptions.get(unit, desk.webhook)
        assert found.paused_at is not None and "410" in (found.paused_reason or "")
        resumed = await subscriptions.change(unit, desk.webhook, paused=False, actor="admin")
    assert (resumed.paused_at, resumed.paused_reason) == (None, None)
    assert await desk.ready()


async def test_a_pause_keeps_events_and_its_end_sends_them(desk: Desk) -> None:
    async with desk.database.unit(desk.tenant_id) as unit:
        await subscriptions.change(unit, desk.webhook, paused=True, actor="admin")
    await desk.call(0)
    assert not await desk.ready()
    async with desk.database.unit(desk.tenant_id) as unit:
        found = await subscriptions.change(unit, desk.webhook, paused=False, actor="admin")
    assert found.waiting == 3
    assert await desk.ready()


async def test_the_old_secret_signs_until_its_time_is_over(desk: Desk) -> None:
    [first] = (await desk.target()).secrets
    async with desk.database.unit(desk.tenant_id) as unit:
        found, second = await subscriptions.rotate(unit, desk.webhook, timedelta(hours=1), actor="admin")
    assert found.previous_until is not None
    assert (await desk.target()).secrets == (second, first)
    await desk.database.pool.execute("UPDATE webhook_subscriptions SET previous_until = now()")
    assert (await desk.target()).secrets == (second,)
    async with desk.database.unit(desk.tenant_id) as unit:
        _, third = await subscriptions.rotate(unit, desk.webhook, timedelta(0), actor="admin")
    assert (await desk.target()).secrets == (third,)


async def test_dead_letters_are_sent_again_one_or_all(desk: Desk) -> None:
    await desk.call(0)
    sent: list[UUID] = []
    while parcels := await desk.claim():
        for parcel in parcels:
            sent.append(parcel.event_id)
            assert await desk.note(parcel, ok(400))
    assert len(sent) == 3
    async with desk.database.unit(desk.tenant_id) as unit:
        await log.replay_one(unit, desk.webhook, sent[2], actor="admin")
    [parcel] = await desk.claim()
    assert (parcel.event_id, parcel.attempts) == (sent[2], 1)
    await desk.note(parcel, ok())
    async with desk.database.unit(desk.tenant_id) as unit:
        assert await log.replay_dead(unit, desk.webhook, actor="admin") == 2
    assert [one.event_id for one in await desk.claim()] == [sent[0]]


async def test_all_after_a_cursor_is_sent_again_in_order(database: Database, tenant_id: int, desk: Desk) -> None:
    await desk.call(0, 1)
    seqs = [row[0] for row in await database.pool.fetch("SELECT event_seq FROM webhook_events ORDER BY 1")]
    await _deliver_all(desk)
    late = await subscribe(database, tenant_id, EventKind.ENDED)
    async with database.unit(tenant_id) as unit:
        assert await log.replay_after(unit, late.webhook, 0, actor="admin") == 2
        assert await log.replay_after(unit, desk.webhook, seqs[2], actor="admin") == 3
    assert await late.kinds(await late.claim()) == ["call.ended", "call.ended"]
    assert [one.event_seq for one in await desk.claim()] == [seqs[3]]


async def _deliver_all(desk: Desk) -> None:
    while parcels := await desk.claim():
        for parcel in parcels:
            await desk.note(parcel, ok())


async def test_an_event_that_is_being_sent_is_not_sent_a_second_time(desk: Desk) -> None:
    await desk.call(0)
    [parcel] = await desk.claim()
    async with desk.database.unit(desk.tenant_id) as unit:
        await log.replay_one(unit, desk.webhook, parcel.event_id, actor="admin")
        await subscriptions.change(unit, desk.webhook, url="https://other.example.com/", actor="admin")
    assert await desk.claim() == []


async def test_old_events_are_removed_with_their_deliveries(desk: Desk) -> None:
    await desk.call(0)
    await desk.database.pool.execute("UPDATE webhook_events SET created_at = now() - interval '31 days'")
    await desk.call(1)
    async with desk.database.unit(desk.tenant_id) as unit:
        assert await queue.prune(unit, timedelta(days=30)) == 3
        assert await queue.prune(unit, timedelta(days=30)) == 0
    assert len(await desk.page()) == 3


async def test_the_log_comes_in_pages(desk: Desk) -> None:
    await desk.call(0)
    async with desk.database.unit(desk.tenant_id) as unit:
        first = await log.page(unit, desk.webhook, None, before=None, limit=2)
        rest = await log.page(unit, desk.webhook, None, before=first[-1].event_seq, limit=2)
    assert [one.kind for one in (*first, *rest)] == ["call.ended", "call.answered", "call.started"]


async def test_another_tenant_sees_and_gets_nothing(desk: Desk, database: Database) -> None:
    other = await database.ensure_tenant("other")
    async with database.unit(other) as unit:
        await store(unit, [in_progress(5)], {})
        assert await subscriptions.listed(unit) == []
        with pytest.raises(NotFound):
            await subscriptions.get(unit, desk.webhook)
        with pytest.raises(NotFound):
            await log.page(unit, desk.webhook, None, before=None, limit=5)
    assert await desk.claim() == []
