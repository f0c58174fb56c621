"""Subscriptions: made, changed, paused, given new secrets and deleted by an admin, each with a note in the trail."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from callcenter.db import audit
from callcenter.db.unit import Unit
from callcenter.errors import BadInput, NotFound
from crm_bridge.webhooks.queue import CHANNEL
from crm_bridge.webhooks.signature import make_secret
from crm_bridge.webhooks.values import EventKind, Subscription

MOST: Final = 50
"""Subscriptions that a tenant may have."""

PAUSED_BY_HAND: Final = "paused by hand"


async def create(
    unit: Unit, *, name: str, url: str, kinds: Sequence[EventKind], actor: str
) -> tuple[Subscription, str]:
    """Add a subscription; the second value is its secret, which is never shown again.

    Raises:
        BadInput: there are too many.
    """
    if await unit.fetchval("SELECT count(*) FROM webhook_subscriptions WHERE tenant_id = $1") >= MOST:
        raise BadInput(f"at most {MOST} webhooks are allowed: delete one that is not used")
    secret = make_secret()
    subscription_id: UUID = await unit.fetchval(
        "INSERT INTO webhook_subscriptions (tenant_id, name, url, kinds, secret, created_by)"
        " VALUES ($1, $2, $3, $4, $5, $6) RETURNING subscription_id",
        *(name, url, _sorted(kinds), secret, actor),
    )
    await _note(unit, subscription_id, actor, "webhook.created", {"name": name, "url": url, "kinds": _sorted(kinds)})
    return await get(unit, subscription_id), secret


async def get(unit: Unit, subscription_id: UUID) -> Subscription:
    """One subscription.

    Raises:
        NotFound: there is none.
    """
    row = await unit.fetchrow(f"{_SELECT} AND s.subscription_id = $2", subscription_id)
    if row is None:
        raise _unknown(subscription_id)
    return msgspec.convert(dict(row), Subscription)


async def listed(unit: Unit) -> list[Subscription]:
    """All subscriptions, oldest first."""
    return [msgspec.convert(dict(row), Subscription) for row in await unit.fetch(f"{_SELECT} ORDER BY s.created_at")]


async def change(
    unit: Unit,
    subscription_id: UUID,
    *,
    name: str | None = None,
    url: str | None = None,
    kinds: Sequence[EventKind] | None = None,
    paused: bool | None = None,
    actor: str,
) -> Subscription:
    """Change what is given. A new URL, and the end of a pause, are tried at once.

    Raises:
        NotFound: there is no such subscription.
    """
    tag = await unit.execute(
        _CHANGE,
        *(subscription_id, name, url, None if kinds is None else _sorted(kinds), paused, PAUSED_BY_HAND),
    )
    if tag == "UPDATE 0":
        raise _unknown(subscription_id)
    if url is not None or paused is False:
        await unit.execute(_TRY_NOW, subscription_id)
    given = {"name": name, "url": url, "kinds": None if kinds is None else _sorted(kinds), "paused": paused}
    changed = {key: value for key, value in given.items() if value is not None}
    await _note(unit, subscription_id, actor, "webhook.changed", changed)
    return await get(unit, subscription_id)


async def rotate(unit: Unit, subscription_id: UUID, keep: timedelta, *, actor: str) -> tuple[Subscription, str]:
    """Give a subscription a new secret; for `keep` the old one signs as well.

    Raises:
        NotFound: there is no such subscription.
    """
    secret = make_secret()
    tag = await unit.execute(_ROTATE, subscription_id, secret, keep)
    if tag == "UPDATE 0":
        raise _unknown(subscription_id)
    await _note(unit, subscription_id, actor, "webhook.secret", {"keep_s": keep.total_seconds()})
    return await get(unit, subscription_id), secret


async def delete(unit: Unit, subscription_id: UUID, *, actor: str) -> None:
    """Delete a subscription with its deliveries; with the last one go all events.

    Raises:
        NotFound: there is no such subscription.
    """
    row = await unit.fetchrow(
        "DELETE FROM webhook_subscriptions WHERE tenant_id = $1 AND subscription_id = $2 RETURNING name, url",
        subscription_id,
    )
    if row is None:
        raise _unknown(subscription_id)
    await unit.execute("DELETE FROM webhook_deliveries WHERE tenant_id = $1 AND subscription_id = $2", subscription_id)
    await unit.execute(
        "DELETE FROM webhook_events WHERE tenant_id = $1"
        " AND NOT EXISTS (SELECT FROM webhook_subscriptions s WHERE s.tenant_id = $1)"
    )
    await _note(unit, subscription_id, actor, "webhook.deleted", dict(row))


async def _note(unit: Unit, subscription_id: UUID, actor: str, action: str, detail: dict[str, Any]) -> None:
    await audit.note(
        unit, actor=actor, action=action, subject_type="webhook", subject_id=str(subscription_id), detail=detail
    )
    await unit.execute(f"SELECT pg_notify('{CHANNEL}', $1::int::text)")


def _sorted(kinds: Sequence[EventKind]) -> list[str]:
    return [kind.value for kind in EventKind if kind in kinds]


def _unknown(subscription_id: UUID) -> NotFound:
    return NotFound(f"there is no webhook {subscription_id}")


_SELECT = """
    SELECT s.subscription_id, s.name, s.url, s.kinds, s.paused_at, s.paused_reason, s.failures,
        s.created_at, s.created_by,
        CASE WHEN s.previous_until > now() THEN s.previous_until END AS previous_until,
        CASE WHEN s.hold_until > now() THEN s.hold_until END AS hold_until,
        (SELECT count(*) FROM webhook_deliveries d WHERE d.tenant_id = $1
            AND d.subscription_id = s.subscription_id AND d.state = 'waiting') AS waiting,
        (SELECT count(*) FROM webhook_deliveries d WHERE d.tenant_id = $1
            AND d.subscription_id = s.subscription_id AND d.state = 'dead') AS dead
    FROM webhook_subscriptions s WHERE s.tenant_id = $1
"""

_CHANGE = """
    UPDATE webhook_subscriptions SET
        name = coalesce($3, name), url = coalesce($4, url), kinds = coalesce($5::text[], kinds),
        paused_at = CASE WHEN $6::bool IS NULL THEN paused_at WHEN $6 THEN coalesce(paused_at, now()) END,
        paused_reason = CASE WHEN $6::bool IS NULL THEN paused_reason WHEN $6 THEN coalesce(paused_reason, $7) END
    WHERE tenant_id = $1 AND subscription_id = $2
"""

_TRY_NOW = """
    WITH held AS (
        UPDATE webhook_subscriptions SET failures = 0, hold_until = NULL
        WHERE tenant_id = $1 AND subscription_id = $2
    )
    UPDATE webhook_deliveries SET next_at = now()
    WHERE tenant_id = $1 AND subscription_id = $2 AND state = 'waiting' AND next_at > now()
      AND (attempts = 0 OR took_s IS NOT NULL)
"""

_ROTATE = """
    UPDATE webhook_subscriptions SET
        secret = $3, previous_secret = CASE WHEN $4::interval > interval '0' THEN secret END,
        previous_until = CASE WHEN $4::interval > interval '0' THEN now() + $4::interval END
    WHERE tenant_id = $1 AND subscription_id = $2
"""
