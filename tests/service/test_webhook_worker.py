"""The worker on a real PostgreSQL and a real receiver: woken, in order, again after a failure, once per id."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from aiohttp import web

from callcenter.calllog.bodies import read_texts
from callcenter.calllog.store import store
from callcenter.db.engine import Database
from callcenter.errors import Conflict
from crm_bridge.webhooks import log, subscriptions
from crm_bridge.webhooks.values import DeliveryState, EventKind, TargetRules
from crm_bridge.webhooks.worker import Policy, WebhookWorker
from tests.fixtures.calls import queue_call
from tests.fixtures.receiver import Receiver, accept, open_receiver, say

MANY: Final = 10_000
UNDONE: Final = "SELECT count(*) FROM webhook_deliveries WHERE state <> 'done'"
CUT: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE quote_ident(datname) = $1 AND pid <> $2
"""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as running:
        yield running


def policy(receiver: Receiver, **changes: Any) -> Policy:
    rules = TargetRules(allow_http=True, allow_networks=(ip_network("127.0.0.0/8"),), ports=frozenset({receiver.port}))
    return Policy(**{"rules": rules, "timeout": timedelta(seconds=2), **changes})


@asynccontextmanager
async def working(database: Database, tenant_id: int, policy: Policy) -> AsyncIterator[WebhookWorker]:
    """A worker that runs for the time of the block."""
    worker = WebhookWorker(database, tenant_id, read_texts, policy)
    task = asyncio.create_task(worker.run(), name="worker of the test")
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def subscribe(database: Database, tenant_id: int, url: str, *kinds: EventKind) -> UUID:
    async with database.unit(tenant_id) as unit:
        made, _ = await subscriptions.create(unit, name="test", url=url, kinds=kinds or tuple(EventKind), actor="admin")
    return made.subscription_id


async def call(database: Database, tenant_id: int, *numbers: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(n) for n in numbers], {})


async def until_state(
    database: Database, tenant_id: int, webhook: UUID, state: DeliveryState, number: int
) -> list[UUID]:
    """Wait until so many deliveries are in a state; gives the ids of their events."""
    async with asyncio.timeout(20):
        while True:
            async with database.unit(tenant_id) as unit:
                found = await log.page(unit, webhook, state, before=None, limit=200)
            if len(found) >= number:
                return [one.event_id for one in found]
            await asyncio.sleep(0.05)


async def hurry(database: Database) -> None:
    """Let all pauses be over now."""
    await database.pool.execute(
        "UPDATE webhook_deliveries SET next_at = now() WHERE state = 'waiting' AND took_s IS NOT NULL;"
        "UPDATE webhook_subscriptions SET hold_until = NULL"
    )


async def test_events_come_as_soon_as_the_call_is_written_and_in_its_order(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    webhook = await subscribe(database, tenant_id, receiver.url)
    async with working(database, tenant_id, policy(receiver)):
        await call(database, tenant_id, *range(5))
        got = await receiver.until_count(15)
        await until_state(database, tenant_id, webhook, DeliveryState.DONE, 15)
    assert set(receiver.times.values()) == {1}
    for n in range(5):
        mine = [one.json["type"] for one in got if one.json["data"]["call_id"] == str(queue_call(n).call_id)]
        assert mine == ["call.started", "call.answered", "call.ended"]


async def test_without_any_notification_events_come_too(database: Database, tenant_id: int, receiver: Receiver) -> None:
    """As when the wake-up is lost: the trigger's notification is taken away."""
    definition = await database.pool.fetchval("SELECT pg_get_functiondef('webhook_emit'::regproc)")
    silent = definition.replace("PERFORM pg_notify('callcenter_webhooks', the_tenant::text);", "")
    assert silent != definition
    await database.pool.execute(silent)
    await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    async with working(database, tenant_id, policy(receiver)) as worker:
        await receiver_idle(worker)
        await call(database, tenant_id, 0)
        await receiver.until_count(1)


async def receiver_idle(worker: WebhookWorker) -> None:
    """Wait until the worker has nothing in hand."""
    async with asyncio.timeout(10):
        while worker.in_flight:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_what_failed_comes_again_with_the_same_id_and_bytes(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    receiver.manner = say(500, "out of order")
    webhook = await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    async with working(database, tenant_id, policy(receiver)) as worker:
        await call(database, tenant_id, 0)
        await receiver.until_count(1)
        await receiver_idle(worker)
        receiver.manner = accept
        await hurry(database)
        first, second = await receiver.until_count(2)
        await until_state(database, tenant_id, webhook, DeliveryState.DONE, 1)
    assert (first.id, first.body) == (second.id, second.body)
    assert worker.counters.attempts == {"again": 1, "delivered": 1}


async def test_a_target_that_is_down_keeps_no_other_waiting(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    async with open_receiver() as other:
        rules = TargetRules(
            allow_http=True,
            allow_networks=(ip_network("127.0.0.0/8"),),
            ports=frozenset({receiver.port, other.port}),
        )

        async def hang(request: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            return web.Response()

        receiver.manner = hang
        await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
        await subscribe(database, tenant_id, other.url, EventKind.ENDED)
        async with working(database, tenant_id, Policy(rules=rules, timeout=timedelta(seconds=60))):
            await call(database, tenant_id, *range(30))
            await other.until_count(30)
    assert receiver.most_open <= 4


async def test_requests_to_one_target_at_a_time_are_bounded(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    async def slowly(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.02)
        return web.Response(status=204)

    receiver.manner = slowly
    await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    async with working(database, tenant_id, policy(receiver, concurrency=2)):
        await call(database, tenant_id, *range(20))
        await receiver.until_count(20)
    assert receiver.most_open == 2


async def test_a_worker_that_is_killed_in_the_middle_is_followed_by_one_that_sends_it_again(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    held = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        held.set()
        await asyncio.Event().wait()
        return web.Response()

    receiver.manner = hang
    webhook = await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    short = policy(receiver, timeout=timedelta(seconds=1))
    async with working(database, tenant_id, short):
        await call(database, tenant_id, 0)
        await asyncio.wait_for(held.wait(), 10)
    receiver.manner = accept
    # its lease ends before long, here at once
    await database.pool.execute("UPDATE webhook_deliveries SET next_at = now()")
    async with working(database, tenant_id, short):
        await until_state(database, tenant_id, webhook, DeliveryState.DONE, 1)
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)


async def test_two_workers_send_each_event_once(database: Database, tenant_id: int, receiver: Receiver) -> None:
    webhook = await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    async with working(database, tenant_id, policy(receiver)), working(database, tenant_id, policy(receiver)):
        await call(database, tenant_id, *range(40))
        await until_state(database, tenant_id, webhook, DeliveryState.DONE, 40)
    assert len(receiver.times) == 40
    assert set(receiver.times.values()) == {1}


async def test_a_test_is_sent_at_once_and_never_again(database: Database, tenant_id: int, receiver: Receiver) -> None:
    receiver.manner = say(418, "I am a teapot")
    webhook = await subscribe(database, tenant_id, receiver.url)
    async with database.unit(tenant_id) as unit:
        await subscriptions.change(unit, webhook, paused=True, actor="admin")
    async with working(database, tenant_id, policy(receiver)) as worker:
        await receiver_ready(worker, webhook)
    [*_, got] = receiver.got
    assert got.json["type"] == "webhook.test"
    async with database.unit(tenant_id) as unit:
        [line, *_] = await log.page(unit, webhook, None, before=None, limit=5)
    assert (line.kind, line.state, line.status, line.answer) == ("webhook.test", "dead", 418, "I am a teapot")


async def receiver_ready(worker: WebhookWorker, webhook: UUID) -> None:
    """Test as soon as the worker runs."""
    async with asyncio.timeout(10):
        while True:
            try:
                await worker.test(webhook, actor="admin")
            except Conflict:
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_forbidden_target_is_a_dead_letter_that_says_why(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    webhook = await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    async with working(database, tenant_id, Policy(rules=TargetRules(allow_http=True))) as worker:
        await call(database, tenant_id, 0)
        await until_state(database, tenant_id, webhook, DeliveryState.DEAD, 1)
        await worker.measure()
        assert (worker.counters.waiting, worker.counters.dead_letters) == (0, 1)
    async with database.unit(tenant_id) as unit:
        [line] = await log.page(unit, webhook, None, before=None, limit=5)
    assert line.error is not None and "127.0.0.1 is not a public address" in line.error
    assert receiver.got == []


async def test_a_worker_that_is_stopped_gives_back_what_it_was_sending(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    """The lease would be a minute and more: the next worker does not wait for it."""
    slow = policy(receiver, timeout=timedelta(seconds=30), concurrency=3)
    answered = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        if len(receiver.got) < 3:
            return web.Response(status=204)
        answered.set()
        await asyncio.Event().wait()
        return web.Response()

    receiver.manner = hang
    webhook = await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    async with working(database, tenant_id, slow):
        await call(database, tenant_id, *range(8))
        async with asyncio.timeout(20):
            await answered.wait()
        await receiver.until_count(5)
    assert (
        await database.pool.fetchval(
            "SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting' AND next_at > now()"
        )
        == 0
    )
    receiver.manner = accept
    async with working(database, tenant_id, slow):
        await until_state(database, tenant_id, webhook, DeliveryState.DONE, 8)
    assert max(receiver.times.values()) <= 2
    assert len(receiver.times) == 8


async def test_ten_thousand_events_that_wait_all_come_and_each_once(
    database: Database, tenant_id: int, receiver: Receiver
) -> None:
    """As after a receiver's long weekend; what is held in memory meanwhile is what is being sent."""
    await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    for first in range(0, MANY, 500):
        await call(database, tenant_id, *range(first, first + 500))
    async with working(database, tenant_id, policy(receiver, concurrency=32)) as worker:
        await receiver.until(lambda found: len(found.times) == MANY, 180.0)
        async with asyncio.timeout(20):
            while await database.pool.fetchval(UNDONE):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
    assert set(receiver.times.values()) == {1}
    assert receiver.most_open <= 32
    assert worker.counters.attempts == {"delivered": MANY}


async def test_a_database_that_goes_away_amid_deliveries_loses_none_and_repeats_few(
    database: Database, database_url: str, tenant_id: int, receiver: Receiver
) -> None:
    """It cuts every connection off, twice, and the second time takes no new one until answers wait to be noted."""
    await subscribe(database, tenant_id, receiver.url, EventKind.ENDED)
    await call(database, tenant_id, *range(300))
    ours: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(database_url)
    # who closes a database must not be in it
    outside: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(database_url, database="postgres")
    theirs = await ours.fetchval("SELECT quote_ident(current_database())"), ours.get_server_pid()
    try:
        async with working(database, tenant_id, policy(receiver)) as worker, asyncio.timeout(120):
            await receiver.until(lambda found: len(found.times) >= 50)
            assert await outside.fetchval(CUT, *theirs)
            await receiver.until(lambda found: len(found.times) >= 100)
            await outside.execute(f"ALTER DATABASE {theirs[0]} ALLOW_CONNECTIONS false")
            assert await outside.fetchval(CUT, *theirs)
            noted = await ours.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'done'")
            while worker.counters.attempts["delivered"] <= noted:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
            await outside.execute(f"ALTER DATABASE {theirs[0]} ALLOW_CONNECTIONS true")
            while await ours.fetchval(UNDONE):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
    finally:
        await outside.execute(f"ALTER DATABASE {theirs[0]} ALLOW_CONNECTIONS true")
        await outside.close()
        await ours.close()
    assert len(receiver.times) == 300
    again = sum(times - 1 for times in receiver.times.values())
    assert again <= 2 * worker.policy.concurrency, "only what was on the way at a cut may come twice"
