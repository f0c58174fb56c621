"""Webhooks: who is told of calls, what was sent, and sending it again."""

from datetime import timedelta
from uuid import UUID

import msgspec

from callcenter.errors import NotFound
from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.webhooks import (
    Deliveries,
    Delivery,
    DeliveryBody,
    DeliveryQuery,
    NewWebhook,
    Replay,
    Replayed,
    SecretChange,
    Webhook,
    WebhookChange,
    Webhooks,
    WebhookSecret,
)


async def list_webhooks(exchange: Exchange[Nothing, Nothing]) -> Webhooks:
    """All of them: there are few."""
    return Webhooks(items=tuple(await exchange.services.webhooks.listed(exchange.principal.tenant_id)))


async def create_webhook(exchange: Exchange[Nothing, NewWebhook]) -> WebhookSecret:
    """Answers with the secret, which cannot be read again."""
    principal = exchange.principal
    made = await exchange.services.webhooks.create(principal.tenant_id, exchange.body, principal.actor)
    exchange.headers["Location"] = f"/api/v1/webhooks/{made.webhook.id}"
    return made


async def show_webhook(exchange: Exchange[Nothing, Nothing]) -> Webhook:
    """One webhook."""
    return await exchange.services.webhooks.get(exchange.principal.tenant_id, exchange.id)


async def change_webhook(exchange: Exchange[Nothing, WebhookChange]) -> Webhook:
    """A new URL, and the end of a pause, are tried at once."""
    principal = exchange.principal
    return await exchange.services.webhooks.change(principal.tenant_id, exchange.id, exchange.body, principal.actor)


async def delete_webhook(exchange: Exchange[Nothing, Nothing]) -> None:
    """Its delivery log goes too."""
    principal = exchange.principal
    await exchange.services.webhooks.delete(principal.tenant_id, exchange.id, principal.actor)


async def rotate_webhook_secret(exchange: Exchange[Nothing, SecretChange]) -> WebhookSecret:
    """Both secrets sign for a while, so that the receiver can be changed without losing an event."""
    principal = exchange.principal
    keep = timedelta(seconds=exchange.body.keep_old_s)
    return await exchange.services.webhooks.rotate(principal.tenant_id, exchange.id, keep, principal.actor)


async def send_test_event(exchange: Exchange[Nothing, Nothing]) -> Delivery:
    """Waits for the receiver's answer."""
    principal = exchange.principal
    return await exchange.services.webhooks.test(principal.tenant_id, exchange.id, principal.actor)


async def list_deliveries(exchange: Exchange[DeliveryQuery, Nothing]) -> Deliveries:
    """The newest first."""
    query = exchange.query
    found = await exchange.services.webhooks.deliveries(
        exchange.principal.tenant_id, exchange.id, query.state, before=query.before, limit=query.limit + 1
    )
    items = tuple(found[: query.limit])
    return Deliveries(items=items, next_before=items[-1].seq if len(found) > query.limit else None)


async def show_delivery(exchange: Exchange[Nothing, Nothing]) -> DeliveryBody:
    """With what is sent."""
    delivery, body = await exchange.services.webhooks.delivery(
        exchange.principal.tenant_id, exchange.id, _event(exchange)
    )
    return DeliveryBody(delivery=delivery, body=None if body is None else msgspec.json.decode(body))


async def replay_deliveries(exchange: Exchange[Nothing, Replay]) -> Replayed:
    """Under their ids, so that a receiver that has them passes them over."""
    principal = exchange.principal
    after = exchange.body.after
    events = await exchange.services.webhooks.replay(principal.tenant_id, exchange.id, after, principal.actor)
    return Replayed(events=events)


async def replay_delivery(exchange: Exchange[Nothing, Nothing]) -> Delivery:
    """Answers with how it stands before it is sent."""
    principal = exchange.principal
    return await exchange.services.webhooks.replay_one(
        principal.tenant_id, exchange.id, _event(exchange), principal.actor
    )


def _event(exchange: Exchange[Nothing, Nothing]) -> UUID:
    text = exchange.request.match_info["event"]
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"there is no event with the id {text[:60]!r}") from None
