"""Missed calls that wait for a call back: the rule of `missedrule.py`, asked of the call log as it is.

Nothing is kept of what is open, so that a call that is corrected, merged, erased or found later cannot leave it wrong.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from callcenter.db import audit
from callcenter.db.unit import Unit
from callcenter.desk.missedrule import KINDS
from callcenter.model import Value

MOST: Final = 200


class MissedNumber(Value, frozen=True):
    """A number that waits for a call back. `in_hand_by` is the agent who has it on the phone, or calls it, now."""

    number: str
    name: str | None
    customer_id: UUID | None
    customer: str | None
    calls: int
    last_call_id: UUID
    last_at: datetime
    queue: str | None
    voicemail: bool
    in_hand: bool
    in_hand_by: str | None


async def open_numbers(
    unit: Unit,
    since: datetime,
    *,
    agent: str | None = None,
    within: Collection[str] | None = None,
    limit: int = 50,
) -> list[MissedNumber]:
    """The numbers that wait for a call back, those that called last first; of `agent`: calls offered to them.

    `within`: of these queues (`pbx/name`), and of calls that were in no queue.
    """
    queues = None if within is None else sorted(within)
    rows = await unit.fetch(_OPEN, since, agent, min(limit, MOST), [kind.value for kind in KINDS], queues)
    return [MissedNumber(**row) for row in rows]


async def settle(unit: Unit, number: str, *, actor: str) -> None:
    """Say that the missed calls of a number up to now need no call."""
    await unit.execute(
        "INSERT INTO missed_settled (tenant_id, number, settled_by) VALUES ($1, $2, $3)"
        " ON CONFLICT (tenant_id, number) DO UPDATE SET settled_at = now(), settled_by = excluded.settled_by",
        *(number, actor),
    )
    await audit.note(unit, actor=actor, action="missed.settle", subject_type="missed", subject_id="a number")


def reached(number: str, customer: str, since: str) -> str:
    """SQL of a condition: somebody has reached a number, or a customer, since a time. The arguments are SQL too."""
    ends = " OR ".join(
        f"EXISTS (SELECT FROM calls r WHERE r.tenant_id = $1 AND {end} AND r.answered_at >= {since}"
        " AND r.direction <> 'internal' AND r.merged_into IS NULL)"
        for end in (f"r.caller_e164 = {number}", f"r.callee_e164 = {number}", f"r.customer_id = {customer}")
    )
    return f"({ends})"


_OPEN = f"""
    WITH missed AS (
        SELECT c.caller_e164 AS number, c.call_id, c.started_at, c.customer_id, c.caller ->> 'name' AS name, c.status
        FROM calls c
        LEFT JOIN missed_settled s ON s.tenant_id = $1 AND s.number = c.caller_e164
        WHERE c.tenant_id = $1 AND c.direction = 'inbound' AND c.answered_at IS NULL AND c.ended_at IS NOT NULL
            AND c.merged_into IS NULL AND c.started_at >= $2 AND c.status = ANY($5::text[])
            AND c.caller_e164 IS NOT NULL AND c.caller ->> 'kind' = 'external'
            AND (s.settled_at IS NULL OR c.started_at >= s.settled_at)
            AND ($3::text IS NULL OR EXISTS (
                SELECT FROM call_agents a WHERE a.tenant_id = $1 AND a.call_id = c.call_id AND a.agent = $3))
            AND ($6::text[] IS NULL
                OR NOT EXISTS (SELECT FROM queue_visits q WHERE q.tenant_id = $1 AND q.call_id = c.call_id)
                OR EXISTS (
                    SELECT FROM queue_visits q
                    WHERE q.tenant_id = $1 AND q.call_id = c.call_id AND c.pbx || '/' || q.queue = ANY($6)))
            AND NOT {reached("c.caller_e164", "c.customer_id", "c.started_at")}
    ), numbers AS (
        SELECT DISTINCT ON (number) *, count(*) OVER (PARTITION BY number) AS calls
        FROM missed ORDER BY number, started_at DESC, call_id DESC
    )
    SELECT n.number, n.name, n.customer_id, k.name AS customer, n.calls, n.call_id AS last_call_id,
        n.started_at AS last_at, n.status = 'voicemail' AS voicemail,
        (SELECT v.queue FROM queue_visits v WHERE v.tenant_id = $1 AND v.call_id = n.call_id
            ORDER BY v.n DESC LIMIT 1) AS queue,
        p.call_id IS NOT NULL AS in_hand, p.agent AS in_hand_by
    FROM numbers n
    LEFT JOIN customers k ON k.tenant_id = $1 AND k.customer_id = n.customer_id
    LEFT JOIN LATERAL (
        SELECT o.call_id, (SELECT min(a.agent) FROM call_agents a WHERE a.tenant_id = $1 AND a.call_id = o.call_id)
            AS agent
        FROM calls o
        WHERE o.tenant_id = $1 AND o.status = 'in_progress' AND o.merged_into IS NULL
            AND (o.caller_e164 = n.number OR o.callee_e164 = n.number)
        LIMIT 1
    ) p ON true
    ORDER BY n.started_at DESC, n.call_id DESC LIMIT $4
"""
