"""The delivery log: what was sent to a subscription, what came of it, and sending it again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from callcenter.db import audit
from callcenter.db.unit import Unit
from callcenter.errors import NotFound
from crm_bridge.webhooks.queue import CHANNEL, make_body
from crm_bridge.webhooks.values import TEST_KIND, Delivery, DeliveryState, Parcel


async def page(
    unit: Unit, subscription_id: UUID, state: DeliveryState | None, *, before: int | None, limit: int
) -> list[Delivery]:
    """Deliveries of a subscription, the newest first; `before` is the `event_seq` of the last one of the page before.

    Raises:
        NotFound: there is no such subscription.
    """
    await _check(unit, subscription_id)
    rows = await unit.fetch(
        f"{_SELECT} AND ($3::text IS NULL OR d.state = $3) AND ($4::bigint IS NULL OR d.event_seq < $4)"
        " ORDER BY d.event_seq DESC LIMIT $5",
        *(subscription_id, state, before, limit),
    )
    return [_delivery(row) for row in rows]


async def get(unit: Unit, subscription_id: UUID, event_id: UUID) -> tuple[Delivery, bytes | None]:
    """One delivery, and the body that is sent, once it was put together.

    Raises:
        NotFound: there is none.
    """
    row = await unit.fetchrow(f"{_SELECT} AND e.event_id = $3", subscription_id, event_id)
    if row is None:
        raise NotFound(f"there is no delivery {event_id}")
    return _delivery(row), row["body"]


async def replay_one(unit: Unit, subscription_id: UUID, event_id: UUID, *, actor: str) -> None:
    """Send an event again, under its id; one that waits is sent at once.

    Raises:
        NotFound: there is no such delivery.
    """
    delivery, _ = await get(unit, subscription_id, event_id)
    await unit.execute(f"{_AGAIN} AND event_seq = $3", subscription_id, delivery.event_seq)
    await _replayed(unit, subscription_id, actor, {"event": str(event_id)})


async def replay_dead(unit: Unit, subscription_id: UUID, *, actor: str) -> int:
    """Send all dead letters of a subscription again; gives their number.

    Raises:
        NotFound: there is no such subscription.
    """
    await _check(unit, subscription_id)
    tag = await unit.execute(f"{_AGAIN} AND state = 'dead'", subscription_id)
    return await _replayed(unit, subscription_id, actor, {"dead": _count(tag)})


async def replay_after(unit: Unit, subscription_id: UUID, after: int, *, actor: str) -> int:
    """Send every event after the cursor `after` (an event's `seq`) again, whatever came of it; gives their number.

    Events that others were told of before this subscription was made are sent too, of the kinds that it has now.

    Raises:
        NotFound: there is no such subscription.
    """
    await _check(unit, subscription_id)
    tag = await unit.execute(_REPLAY_AFTER, subscription_id, after, TEST_KIND)
    return await _replayed(unit, subscription_id, actor, {"after": after, "events": _count(tag)})


async def begin_test(unit: Unit, subscription_id: UUID, *, actor: str, lease: timedelta) -> Parcel:
    """Note a test event, as one that is being sent already.

    Raises:
        NotFound: there is no such subscription.
    """
    await _check(unit, subscription_id)
    event = await unit.fetchrow(
        "INSERT INTO webhook_events (tenant_id, kind, at) VALUES ($1, $2, now())"
        " RETURNING event_seq, event_id, kind, call_id, at, merged_into",
        TEST_KIND,
    )
    assert event is not None
    body = make_body(event, b'{"message":"This is a test. Somebody pressed the button."}')
    await unit.execute(
        "UPDATE webhook_events SET body = $3 WHERE tenant_id = $1 AND event_seq = $2", event["event_seq"], body
    )
    await unit.execute(
        "INSERT INTO webhook_deliveries (tenant_id, subscription_id, event_seq, attempts, next_at, sent_at)"
        " VALUES ($1, $2, $3, 1, now() + $4::interval, now())",
        *(subscription_id, event["event_seq"], lease),
    )
    await audit.note(
        unit, actor=actor, action="webhook.tested", subject_type="webhook", subject_id=str(subscription_id)
    )
    return Parcel(event_seq=event["event_seq"], event_id=event["event_id"], body=body, attempts=1)


async def _check(unit: Unit, subscription_id: UUID) -> None:
    if not await unit.fetchval(
        "SELECT true FROM webhook_subscriptions WHERE tenant_id = $1 AND subscription_id = $2", subscription_id
    ):
        raise NotFound(f"there is no webhook {subscription_id}")


async def _replayed(unit: Unit, subscription_id: UUID, actor: str, detail: dict[str, Any]) -> int:
    await audit.note(
        unit,
        actor=actor,
        action="webhook.replayed",
        subject_type="webhook",
        subject_id=str(subscription_id),
        detail=detail,
    )
    await unit.execute(f"SELECT pg_notify('{CHANNEL}', $1::int::text)")
    return int(detail.get("dead", detail.get("events", 1)))


def _count(tag: str) -> int:
    return int(tag.rsplit(" ", 1)[1])


def _delivery(row: asyncpg.Record) -> Delivery:
    return msgspec.convert({name: row[name] for name in Delivery.__struct_fields__}, Delivery)


_SELECT = """
    SELECT d.event_seq, e.event_id, e.kind, e.call_id, e.at, d.state, d.attempts,
        CASE WHEN d.state = 'waiting' THEN d.next_at END AS next_at,
        d.sent_at, d.took_s, d.status, d.error, d.answer, e.body
    FROM webhook_deliveries d
    JOIN webhook_events e ON e.tenant_id = d.tenant_id AND e.event_seq = d.event_seq
    WHERE d.tenant_id = $1 AND d.subscription_id = $2
"""

# one that is being sent (it has no `took_s`) is left alone
_AGAIN = """
    UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = now(), done_at = NULL
    WHERE tenant_id = $1 AND subscription_id = $2 AND (state <> 'waiting' OR attempts = 0 OR took_s IS NOT NULL)
"""

_REPLAY_AFTER = """
    INSERT INTO webhook_deliveries AS d (tenant_id, subscription_id, event_seq, call_id)
    SELECT $1, $2, e.event_seq, e.call_id
    FROM webhook_events e
    JOIN webhook_subscriptions s ON s.tenant_id = $1 AND s.subscription_id = $2
    WHERE e.tenant_id = $1 AND e.event_seq > $3 AND e.kind = ANY (s.kinds) AND e.kind <> $4
    ON CONFLICT (tenant_id, subscription_id, event_seq) DO UPDATE SET
        state = 'waiting', attempts = 0, next_at = now(), done_at = NULL
    WHERE d.state <> 'waiting'
"""
