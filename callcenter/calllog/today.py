"""What the call log knows of a day that has not ended: the queue visits, and what each agent did."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from callcenter.db.unit import Unit
from callcenter.model import QueueExit, QueueVisit

AT_ONCE = 2_000
LONGEST_CALL = timedelta(days=1)
"""A call that began longer before the day has no part of it in the day."""


class AgentSum(msgspec.Struct, frozen=True):
    """What an agent did."""

    agent: str
    answered: int
    dialed: int
    missed: int
    connected: timedelta


async def visits(
    unit: Unit, since: datetime, before: datetime, without: Collection[UUID]
) -> AsyncIterator[list[tuple[str, QueueVisit]]]:
    """The visits that began since a time, with their PBX, in portions; of calls that are over and began `before`.

    Calls in `without` are left out.
    """
    cursor = unit.connection.cursor(_VISITS, unit.tenant_id, since, before, list(without), since - LONGEST_CALL)
    found = []
    async for row in cursor:
        visit = QueueVisit(
            queue=row["queue"], joined_at=row["joined_at"], left_at=row["left_at"], exit=QueueExit(row["exit"])
        )
        found.append((row["pbx"], visit))
        if len(found) >= AT_ONCE:
            yield found
            found = []
    yield found


async def agents(unit: Unit, since: datetime, before: datetime, without: Collection[UUID]) -> list[AgentSum]:
    """What agents did since a time, in calls that are over and began `before`; those in `without` are left out."""
    rows = await unit.fetch(_AGENTS, since, before, list(without), since - LONGEST_CALL)
    return [
        AgentSum(row["agent"], row["answered"], row["dialed"], row["missed"], row["connected"] or timedelta(0))
        for row in rows
    ]


_CALLS = """
    SELECT call_id, pbx, direction, caller ->> 'agent' AS placed_by FROM calls
    WHERE tenant_id = $1 AND started_at >= $5 AND started_at < $3 AND merged_into IS NULL
      AND status <> 'in_progress' AND call_id <> ALL($4::uuid[])
"""
_VISITS = f"""
    SELECT c.pbx, v.queue, v.joined_at, v.left_at, v.exit FROM ({_CALLS}) c
    JOIN queue_visits v ON v.tenant_id = $1 AND v.call_id = c.call_id
    WHERE v.joined_at >= $2 AND v.exit IS NOT NULL
"""
_AGENTS = f"""
    WITH c AS MATERIALIZED ({_CALLS}), talks AS (
        SELECT t.agent, (c.direction = 'outbound' AND c.placed_by IS NOT DISTINCT FROM t.agent) AS dialed,
               greatest(t.to_at - t.from_at, interval '0') AS took
        FROM c JOIN connections t ON t.tenant_id = $1 AND t.call_id = c.call_id
        WHERE t.agent IS NOT NULL AND t.from_at >= $2
    ), missed AS (
        SELECT o.agent FROM c JOIN offers o ON o.tenant_id = $1 AND o.call_id = c.call_id
        WHERE o.agent IS NOT NULL AND o.rang_at >= $2 AND o.result IN ('no_answer', 'rejected')
    )
    SELECT agent, sum(answered)::int AS answered, sum(dialed)::int AS dialed, sum(missed)::int AS missed,
           sum(took) AS connected
    FROM (
        SELECT agent, (NOT dialed)::int AS answered, dialed::int AS dialed, 0 AS missed, took FROM talks
        UNION ALL
        SELECT agent, 0, 0, 1, interval '0' FROM missed
    ) parts GROUP BY agent
"""
