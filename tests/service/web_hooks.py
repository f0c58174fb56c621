"""A stand-in for the webhooks of the web application's tests: one webhook, of any id, and one delivery."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.web.schemas.webhooks import (
    Delivery,
    DeliveryState,
    EventKind,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookSecret,
)

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def make_webhook(webhook_id: UUID, **changes: Any) -> Webhook:
    """A webhook that is well."""
    values: dict[str, Any] = {
        "id": webhook_id,
        "name": "CRM",
        "url": "https://crm.example.com/calls",
        "kinds": (EventKind.ENDED,),
        "paused": False,
        "paused_reason": None,
        "waiting": 0,
        "dead": 1,
        "failures": 0,
        "hold_until": None,
        "old_secret_until": None,
        "created_at": AT,
        "created_by": "admin",
    }
    return Webhook(**{**values, **changes})


def make_delivery(event_id: UUID) -> Delivery:
    """A delivery that went well."""
    return Delivery(
        event_id=event_id,
        seq=1,
        kind="call.ended",
        call_id=event_id,
        at=AT,
        state=DeliveryState.DONE,
        attempts=1,
        next_at=None,
        sent_at=AT,
        took_s=0.25,
        status=200,
        error=None,
        answer="ok",
    )


class Hooks:
    """Does as it is told, and forgets it."""

    async def listed(self, tenant_id: int) -> Sequence[Webhook]:
        return [make_webhook(UUID(int=1))]

    async def get(self, tenant_id: int, webhook_id: UUID) -> Webhook:
        return make_webhook(webhook_id)

    async def create(self, tenant_id: int, new: NewWebhook, by: str) -> WebhookSecret:
        made = make_webhook(UUID(int=2), name=new.name, url=new.url, kinds=new.kinds, created_by=by)
        return WebhookSecret(webhook=made, secret="whsec_bm90IGEgc2VjcmV0")

    async def change(self, tenant_id: int, webhook_id: UUID, change: WebhookChange, by: str) -> Webhook:
        return make_webhook(webhook_id, name=change.name or "CRM")

    async def delete(self, tenant_id: int, webhook_id: UUID, by: str) -> None:
        return None

    async def rotate(self, tenant_id: int, webhook_id: UUID, keep: timedelta, by: str) -> WebhookSecret:
        return WebhookSecret(webhook=make_webhook(webhook_id, old_secret_until=AT + keep), secret="whsec_bmV3")

    async def test(self, tenant_id: int, webhook_id: UUID, by: str) -> Delivery:
        return make_delivery(UUID(int=3))

    async def deliveries(
        self, tenant_id: int, webhook_id: UUID, state: DeliveryState | None, *, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        return [make_delivery(UUID(int=3))]

    async def delivery(self, tenant_id: int, webhook_id: UUID, event_id: UUID) -> tuple[Delivery, bytes | None]:
        return make_delivery(event_id), b'{"type":"call.ended"}'

    async def replay(self, tenant_id: int, webhook_id: UUID, after: int | None, by: str) -> int:
        return 1

    async def replay_one(self, tenant_id: int, webhook_id: UUID, event_id: UUID, by: str) -> Delivery:
        return make_delivery(event_id)
