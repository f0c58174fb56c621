"""SQL of the reconciliation: what was compared, when a PBX was last seen, which calls the log has."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from callcenter.backfill.report import Reconciliation
from callcenter.calllog.queries import RECORD
from callcenter.callrecord import CallRecord
from callcenter.db.unit import Unit

LONGEST_PAGE = 200


async def last_seen(unit: Unit, pbx: str) -> datetime | None:
    """When the service last followed a PBX; None where it never did."""
    found: datetime | None = await unit.fetchval("SELECT seen_at FROM pbx_watch WHERE tenant_id = $1 AND pbx = $2", pbx)
    return found


async def saw(unit: Unit, pbx: str, at: datetime) -> None:
    """Note that the service follows a PBX now."""
    await unit.execute(
        "INSERT INTO pbx_watch AS w (tenant_id, pbx, seen_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, pbx)"
        " DO UPDATE SET seen_at = greatest(w.seen_at, excluded.seen_at)",
        pbx,
        at,
    )


class Gap(NamedTuple):
    """A time in which calls of a PBX may have been missed, and that was not compared yet."""

    pbx: str
    since: datetime
    until: datetime


async def open_gap(unit: Unit, gap: Gap) -> None:
    """Keep that a time is to be compared; two gaps of a PBX become one with what lies between them."""
    await unit.execute(
        "INSERT INTO pbx_watch AS w (tenant_id, pbx, seen_at, gap_since, gap_until) VALUES ($1, $2, $4, $3, $4)"
        " ON CONFLICT (tenant_id, pbx) DO UPDATE SET gap_since = least(w.gap_since, excluded.gap_since),"
        " gap_until = greatest(w.gap_until, excluded.gap_until)",
        *gap,
    )


async def gaps(unit: Unit) -> list[Gap]:
    """What is to be compared."""
    rows = await unit.fetch(
        "SELECT pbx, gap_since, gap_until FROM pbx_watch WHERE tenant_id = $1 AND gap_since IS NOT NULL ORDER BY pbx"
    )
    return [Gap(*row) for row in rows]


async def close_gap(unit: Unit, gap: Gap) -> None:
    """Forget a gap that was compared, unless it has grown meanwhile."""
    await unit.execute(
        "UPDATE pbx_watch SET gap_since = NULL, gap_until = NULL"
        " WHERE tenant_id = $1 AND pbx = $2 AND gap_since = $3 AND gap_until = $4",
        *gap,
    )


async def write(unit: Unit, one: Reconciliation) -> None:
    """Keep a comparison, or what became of it."""
    await unit.execute(
        "INSERT INTO reconciliations (tenant_id, reconciliation_id, pbx, reason, since, until, dry_run, started_at,"
        " ended_at, problem, result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (tenant_id, reconciliation_id)"
        " DO UPDATE SET ended_at = excluded.ended_at, problem = excluded.problem, result = excluded.result",
        *(one.reconciliation_id, one.pbx, one.reason, one.since, one.until, one.dry_run, one.started_at),
        *(one.ended_at, one.problem, msgspec.to_builtins(one.result)),
    )


async def newest(unit: Unit, limit: int) -> list[Reconciliation]:
    """The newest comparisons."""
    rows = await unit.fetch(
        f"{_READ} WHERE tenant_id = $1 ORDER BY started_at DESC LIMIT $2",
        min(limit, LONGEST_PAGE),
    )
    return [msgspec.convert(dict(row), type=Reconciliation) for row in rows]


async def get(unit: Unit, reconciliation_id: UUID) -> Reconciliation | None:
    """One comparison; None where there is none, or it has not ended yet."""
    row = await unit.fetchrow(f"{_READ} WHERE tenant_id = $1 AND reconciliation_id = $2", reconciliation_id)
    return None if row is None else msgspec.convert(dict(row), type=Reconciliation)


_READ = """
    SELECT reconciliation_id, pbx, reason, since, until, dry_run, started_at, ended_at, problem, result
    FROM reconciliations
"""


async def hold_writers(unit: Unit) -> None:
    """Let nobody else write calls of the tenant until the end of this unit: they take the same row first."""
    await unit.execute("SELECT FROM call_feeds WHERE tenant_id = $1 FOR UPDATE")


async def records(unit: Unit, call_ids: Collection[UUID]) -> dict[UUID, CallRecord]:
    """The records that the log has of these calls; one that was merged into another is not a call."""
    rows = await unit.fetch(
        f"{RECORD} WHERE c.tenant_id = $1 AND c.call_id = ANY($2::uuid[]) AND c.merged_into IS NULL",
        list(call_ids),
    )
    found = (msgspec.json.decode(row["record"], type=CallRecord) for row in rows)
    return {record.call_id: record for record in found}


async def holds(unit: Unit, call_ids: Collection[UUID]) -> dict[UUID, object]:
    """Who was on hold when, as the log keeps it for calls that had any hold."""
    rows = await unit.fetch(
        "SELECT call_id, holds FROM calls WHERE tenant_id = $1 AND call_id = ANY($2::uuid[]) AND holds <> '[]'",
        list(call_ids),
    )
    return {row["call_id"]: row["holds"] for row in rows}


async def merged(unit: Unit, call_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, datetime | None]]:
    """Those of the calls that the log has as a part of another: which, and when that one ended."""
    rows = await unit.fetch(
        "SELECT c.call_id, s.call_id AS survivor, s.ended_at FROM calls c"
        " JOIN calls s ON s.tenant_id = $1 AND s.call_id = c.merged_into"
        " WHERE c.tenant_id = $1 AND c.call_id = ANY($2::uuid[])",
        list(call_ids),
    )
    return {row["call_id"]: (row["survivor"], row["ended_at"]) for row in rows}


async def in_window(unit: Unit, pbx: str, since: datetime, until: datetime) -> list[tuple[UUID, datetime]]:
    """The calls of the log that ended from `since` on and before `until`, with their beginnings, oldest first.

    A click-to-dial whose phone could not be reached never had a channel, so that nothing can be written of it.
    """
    rows = await unit.fetch(
        "SELECT call_id, started_at FROM calls WHERE tenant_id = $1 AND pbx = $2"
        " AND started_at >= $3::timestamptz - interval '12 hours' AND started_at < $4 AND ended_at >= $3"
        " AND ended_at < $4 AND merged_into IS NULL AND caller ->> 'channel' IS NOT NULL ORDER BY 2, 1",
        *(pbx, since, until),
    )
    return [(row["call_id"], row["started_at"]) for row in rows]
