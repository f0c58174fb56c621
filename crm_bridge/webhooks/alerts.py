"""Events of queues for the webhooks: something is near or beyond a limit, or is well again."""

from collections.abc import Mapping
from datetime import datetime

from callcenter.db.unit import Unit
from crm_bridge.webhooks.queue import CHANNEL, seal_with
from crm_bridge.webhooks.values import EventKind


async def tell(unit: Unit, at: datetime, data: Mapping[str, object]) -> bool:
    """Have an alert sent to everybody who subscribed to alerts; gives whether there is somebody."""
    kind = EventKind.QUEUE_ALERT.value
    event = await unit.fetchrow(_EVENT, kind, at)
    if event is None:
        return False
    await seal_with(unit, event, data)
    await unit.execute(_DELIVERIES, kind, event["event_seq"])
    await unit.execute(f"SELECT pg_notify('{CHANNEL}', $1::int::text)")
    return True


_EVENT = """
    INSERT INTO webhook_events (tenant_id, kind, at)
    SELECT $1, $2, $3 WHERE EXISTS (
        SELECT FROM webhook_subscriptions s WHERE s.tenant_id = $1 AND $2 = ANY (s.kinds)
    )
    RETURNING event_seq, event_id, kind, at
"""
_DELIVERIES = """
    INSERT INTO webhook_deliveries (tenant_id, subscription_id, event_seq)
    SELECT $1, s.subscription_id, $3 FROM webhook_subscriptions s WHERE s.tenant_id = $1 AND $2 = ANY (s.kinds)
"""
