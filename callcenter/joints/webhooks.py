"""The webhooks, as the web needs them and as the application runs them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from callcenter.calllog.bodies import read_texts
from callcenter.db.engine import Database
from callcenter.settings import WebhookSettings
from callcenter.web.schemas import webhooks as web
from callcenter.web.telemetry import Meter, one
from crm_bridge.webhooks import log, subscriptions
from crm_bridge.webhooks.targets import check_url
from crm_bridge.webhooks.values import Delivery, DeliveryState, EventKind, Subscription, TargetRules
from crm_bridge.webhooks.worker import Counters, Policy, WebhookWorker


def policy_of(settings: WebhookSettings) -> Policy:
    """How the settings want webhooks to be delivered."""
    return Policy(
        rules=TargetRules(
            allow_http=settings.allow_http,
            allow_networks=settings.allow_networks,
            ports=frozenset(settings.ports),
        ),
        timeout=timedelta(seconds=settings.timeout_s),
        concurrency=settings.concurrency,
        attempts=settings.attempts,
        keep=timedelta(days=settings.keep_days),
    )


def worker_of(database: Database, tenant_id: int, settings: WebhookSettings) -> WebhookWorker:
    """The worker, with the call log's records."""
    return WebhookWorker(database, tenant_id, read_texts, policy_of(settings))


class WebWebhooks:
    """`callcenter.web.services.Webhooks` on `crm_bridge.webhooks`."""

    def __init__(self, database: Database, worker: WebhookWorker) -> None:
        self._database = database
        self._worker = worker

    async def listed(self, tenant_id: int) -> Sequence[web.Webhook]:
        """All subscriptions."""
        async with self._database.unit(tenant_id) as unit:
            return [_webhook(found) for found in await subscriptions.listed(unit)]

    async def get(self, tenant_id: int, webhook_id: UUID) -> web.Webhook:
        """One subscription."""
        async with self._database.unit(tenant_id) as unit:
            return _webhook(await subscriptions.get(unit, webhook_id))

    async def create(self, tenant_id: int, new: web.NewWebhook, by: str) -> web.WebhookSecret:
        """Add one."""
        check_url(new.url, self._worker.policy.rules)
        async with self._database.unit(tenant_id) as unit:
            made, secret = await subscriptions.create(
                unit, name=new.name, url=new.url, kinds=_kinds(new.kinds), actor=by
            )
        return web.WebhookSecret(webhook=_webhook(made), secret=secret)

    async def change(self, tenant_id: int, webhook_id: UUID, change: web.WebhookChange, by: str) -> web.Webhook:
        """Change one."""
        if change.url is not None:
            check_url(change.url, self._worker.policy.rules)
        async with self._database.unit(tenant_id) as unit:
            changed = await subscriptions.change(
                unit,
                webhook_id,
                name=change.name,
                url=change.url,
                kinds=None if change.kinds is None else _kinds(change.kinds),
                paused=change.paused,
                actor=by,
            )
        return _webhook(changed)

    async def delete(self, tenant_id: int, webhook_id: UUID, by: str) -> None:
        """Delete one."""
        async with self._database.unit(tenant_id) as unit:
            await subscriptions.delete(unit, webhook_id, actor=by)

    async def rotate(self, tenant_id: int, webhook_id: UUID, keep: timedelta, by: str) -> web.WebhookSecret:
        """Give it a new secret."""
        async with self._database.unit(tenant_id) as unit:
            changed, secret = await subscriptions.rotate(unit, webhook_id, keep, actor=by)
        return web.WebhookSecret(webhook=_webhook(changed), secret=secret)

    async def test(self, tenant_id: int, webhook_id: UUID, by: str) -> web.Delivery:
        """Send a test event."""
        return _delivery(await self._worker.test(webhook_id, actor=by))

    async def deliveries(
        self, tenant_id: int, webhook_id: UUID, state: web.DeliveryState | None, *, before: int | None, limit: int
    ) -> Sequence[web.Delivery]:
        """A page of the delivery log."""
        wanted = None if state is None else DeliveryState(state.value)
        async with self._database.unit(tenant_id) as unit:
            return [_delivery(found) for found in await log.page(unit, webhook_id, wanted, before=before, limit=limit)]

    async def delivery(self, tenant_id: int, webhook_id: UUID, event_id: UUID) -> tuple[web.Delivery, bytes | None]:
        """One delivery."""
        async with self._database.unit(tenant_id) as unit:
            found, body = await log.get(unit, webhook_id, event_id)
        return _delivery(found), body

    async def replay(self, tenant_id: int, webhook_id: UUID, after: int | None, by: str) -> int:
        """Send many again."""
        async with self._database.unit(tenant_id) as unit:
            if after is None:
                return await log.replay_dead(unit, webhook_id, actor=by)
            return await log.replay_after(unit, webhook_id, after, actor=by)

    async def replay_one(self, tenant_id: int, webhook_id: UUID, event_id: UUID, by: str) -> web.Delivery:
        """Send one again."""
        async with self._database.unit(tenant_id) as unit:
            await log.replay_one(unit, webhook_id, event_id, actor=by)
            found, _ = await log.get(unit, webhook_id, event_id)
        return _delivery(found)


def webhook_meters(counters: Counters) -> tuple[Meter, ...]:
    """The metrics of webhooks."""
    return (
        Meter(
            name="webhook_attempts",
            kind="counter",
            help="Webhook requests, by what came of them.",
            labels=("outcome",),
            read=lambda: [((outcome,), float(count)) for outcome, count in counters.attempts.items()],
        ),
        Meter(name="webhook_dead", kind="counter", help="Events given up.", read=lambda: one(counters.dead)),
        Meter(
            name="webhook_removed",
            kind="counter",
            help="Events removed because they were too old.",
            read=lambda: one(counters.removed),
        ),
        Meter(
            name="webhook_waiting",
            kind="gauge",
            help="Events that wait to be delivered, as last counted.",
            read=lambda: one(counters.waiting),
        ),
        Meter(
            name="webhook_dead_letters",
            kind="gauge",
            help="Dead letters in the delivery log, as last counted.",
            read=lambda: one(counters.dead_letters),
        ),
    )


def _kinds(kinds: Sequence[web.EventKind]) -> tuple[EventKind, ...]:
    return tuple(EventKind(kind.value) for kind in kinds)


def _webhook(found: Subscription) -> web.Webhook:
    return web.Webhook(
        id=found.subscription_id,
        name=found.name,
        url=found.url,
        kinds=tuple(web.EventKind(kind.value) for kind in found.kinds),
        paused=found.paused_at is not None,
        paused_reason=found.paused_reason,
        waiting=found.waiting,
        dead=found.dead,
        failures=found.failures,
        hold_until=found.hold_until,
        old_secret_until=found.previous_until,
        created_at=found.created_at,
        created_by=found.created_by,
    )


def _delivery(found: Delivery) -> web.Delivery:
    values = msgspec.structs.asdict(found)
    seq = values.pop("event_seq")
    return web.Delivery(**{**values, "seq": seq, "state": web.DeliveryState(found.state.value)})
