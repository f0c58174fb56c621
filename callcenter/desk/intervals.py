"""The agents' stretches in the database: written as they change, and taken up again after a restart."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from callcenter.db.unit import Unit
from callcenter.model import Value

LONGEST_GAP: Final = timedelta(minutes=2)
"""A service that was away for longer does not know what the agents did meanwhile."""


class StateRow(Value, frozen=True):
    """A stretch as it is stored; `to` is None while it goes on."""

    agent: str
    state: str
    from_: datetime
    to: datetime | None = None
    reason: str | None = None
    until: datetime | None = None
    call_id: UUID | None = None


async def write(unit: Unit, rows: Sequence[StateRow], seen_at: datetime) -> None:
    """Write stretches, each agent and beginning at most once; what is there of the same beginning is written over."""
    columns = zip(*(msgspec.structs.astuple(row) for row in rows), strict=True)
    agents, states, begun, ended, reasons, due, calls = columns
    await unit.execute(_WRITE, agents, begun, ended, states, reasons, due, calls, seen_at)


async def seen(unit: Unit, agents: Sequence[str], at: datetime) -> None:
    """Note that what goes on still does."""
    await unit.execute(
        "UPDATE agent_states SET seen_at = $3 WHERE tenant_id = $1 AND agent = ANY($2::text[]) AND to_at IS NULL",
        *(list(agents), at),
    )


async def take_up(unit: Unit, now: datetime) -> list[StateRow]:
    """What went on when an earlier run of the service ended a moment ago.

    After a longer time it ended when it was last seen, and what followed is not known.
    """
    await unit.execute(
        "DELETE FROM agent_states WHERE tenant_id = $1 AND to_at IS NULL AND seen_at < $2 AND seen_at <= from_at",
        now - LONGEST_GAP,
    )
    await unit.execute(
        "UPDATE agent_states SET to_at = seen_at WHERE tenant_id = $1 AND to_at IS NULL AND seen_at < $2",
        now - LONGEST_GAP,
    )
    rows = await unit.fetch(
        "SELECT DISTINCT ON (agent) agent, state, from_at, reason, until_at, call_id FROM agent_states"
        " WHERE tenant_id = $1 AND to_at IS NULL ORDER BY agent, from_at DESC"
    )
    return [
        StateRow(
            agent=row["agent"],
            state=row["state"],
            from_=row["from_at"],
            reason=row["reason"],
            until=row["until_at"],
            call_id=row["call_id"],
        )
        for row in rows
    ]


async def history(unit: Unit, agent: str, since: datetime, until: datetime) -> list[StateRow]:
    """An agent's stretches that touch a time, oldest first."""
    rows = await unit.fetch(
        "SELECT agent, state, from_at, to_at, reason, until_at, call_id FROM agent_states"
        " WHERE tenant_id = $1 AND agent = $2 AND from_at < $4 AND (to_at IS NULL OR to_at > $3) ORDER BY from_at",
        *(agent, since, until),
    )
    return [
        StateRow(
            agent=row["agent"],
            state=row["state"],
            from_=row["from_at"],
            to=row["to_at"],
            reason=row["reason"],
            until=row["until_at"],
            call_id=row["call_id"],
        )
        for row in rows
    ]


async def wrapped_up(unit: Unit, call_ids: Sequence[UUID]) -> dict[UUID, float]:
    """Seconds that calls were wrapped up by all their agents, as far as that is over."""
    rows = await unit.fetch(
        "SELECT call_id, sum(extract(epoch FROM to_at - from_at))::float8 AS seconds FROM agent_states"
        " WHERE tenant_id = $1 AND call_id = ANY($2::uuid[]) AND to_at IS NOT NULL GROUP BY call_id",
        list(call_ids),
    )
    return {row["call_id"]: round(row["seconds"], 3) for row in rows}


_WRITE = """
    INSERT INTO agent_states (tenant_id, agent, from_at, to_at, state, reason, until_at, call_id, seen_at)
    SELECT $1, given.*, $9 FROM unnest(
        $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[]
    ) AS given
    ON CONFLICT (tenant_id, agent, from_at) DO UPDATE SET
        to_at = excluded.to_at, state = excluded.state, reason = excluded.reason, until_at = excluded.until_at,
        call_id = excluded.call_id, seen_at = excluded.seen_at
"""


async def staffed(unit: Unit, since: datetime, until: datetime) -> dict[str, float]:
    """Seconds that each agent was logged in and not paused within a time; what goes on counts as far as it was seen."""
    rows = await unit.fetch(_STAFFED, since, until)
    return {row["agent"]: row["seconds"] for row in rows}


_STAFFED = """
    SELECT agent, sum(extract(epoch FROM least(ended_at, $3) - greatest(from_at, $2)))::float8 AS seconds
    FROM (SELECT *, coalesce(to_at, seen_at) AS ended_at FROM agent_states WHERE tenant_id = $1 AND from_at < $3) s
    WHERE ended_at > $2 AND state NOT IN ('offline', 'paused') GROUP BY agent
"""
