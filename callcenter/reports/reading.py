"""Reads reports: sums grouped by what a report is about, in one statement each."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import asyncpg
import msgspec

from callcenter.db.unit import Unit
from callcenter.metrics.distribution import BUCKETS
from callcenter.reports.numbers import Sums
from callcenter.reports.summing import sums

MOST_CUSTOMERS: Final = 200


class Kind(StrEnum):
    """What the lines of a report are."""

    QUEUES = "queues"
    AGENTS = "agents"
    HOURS = "hours"
    DAYS = "days"
    WEEK = "week"
    """Hours of each weekday: `1-09` is Monday from nine on."""
    NUMBERS = "numbers"
    OUTCOMES = "outcomes"
    CUSTOMERS = "customers"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that began from `since` on and before `until`, told in the hours and days of `zone`."""

    since: datetime
    until: datetime
    zone: str
    queue: str | None = None
    agent: str | None = None


class Line(msgspec.Struct, frozen=True):
    """One line: what it is about, and a name where the key is none for people."""

    key: str
    sums: Sums
    name: str | None = None


def _added(column: str) -> str:
    """SQL of the sum of arrays."""
    return f"ARRAY[{', '.join(f'coalesce(sum({column}[{n + 1}]), 0)::int' for n in range(BUCKETS))}]"


_LOCAL = "(s.quarter AT TIME ZONE $4)"
_TIMES: Final = {
    Kind.HOURS: f"to_char({_LOCAL}, 'HH24')",
    Kind.DAYS: f"to_char({_LOCAL}, 'YYYY-MM-DD')",
    Kind.WEEK: f"to_char({_LOCAL}, 'ID-HH24')",
}
_QUEUE_SUMS = f"""
    sum(s.offered)::int AS offered, sum(s.refused)::int AS refused, {_added("s.answered_waits")} AS answered_waits,
    {_added("s.abandoned_waits")} AS abandoned_waits, sum(s.answered_wait_s) AS answered_wait_s,
    sum(s.handled)::int AS handled, sum(s.handle_s) AS handle_s
"""
_CALL_SUMS = f"""
    sum(s.calls)::int AS calls, sum(s.talked)::int AS talked, sum(s.talk_s) AS talk_s, {_added("s.talks")} AS talks,
    coalesce(sum(s.calls) FILTER (WHERE s.direction = 'inbound'), 0)::int AS inbound,
    coalesce(sum(s.calls) FILTER (WHERE s.direction = 'outbound'), 0)::int AS outbound,
    coalesce(sum(s.calls) FILTER (WHERE s.direction = 'internal'), 0)::int AS internal,
    coalesce(sum(s.calls) FILTER (WHERE s.status = 'answered'), 0)::int AS calls_answered,
    coalesce(sum(s.calls) FILTER (WHERE s.status = 'abandoned'), 0)::int AS calls_abandoned
"""
_AGENT_SUMS = """
    sum(s.answered)::int AS answered, sum(s.dialed)::int AS dialed, sum(s.missed)::int AS missed,
    sum(s.connected_s) AS connected_s
"""
_CUSTOMERS = f"""
    SELECT c.customer_id::text AS key, min(k.name) AS name, count(*)::int AS calls,
        count(*) FILTER (WHERE c.direction = 'inbound')::int AS inbound,
        count(*) FILTER (WHERE c.direction = 'outbound')::int AS outbound,
        count(*) FILTER (WHERE c.direction = 'internal')::int AS internal,
        count(*) FILTER (WHERE c.status = 'answered')::int AS calls_answered,
        count(*) FILTER (WHERE c.status = 'abandoned')::int AS calls_abandoned,
        count(*) FILTER (WHERE c.talk_s > 0)::int AS talked, coalesce(sum(c.talk_s), 0) AS talk_s
    FROM calls c JOIN customers k ON k.tenant_id = $1 AND k.customer_id = c.customer_id
    WHERE c.tenant_id = $1 AND c.started_at >= $2 AND c.started_at < $3 AND c.merged_into IS NULL
        AND c.status <> 'in_progress'
    GROUP BY c.customer_id ORDER BY count(*) DESC, c.customer_id LIMIT {MOST_CUSTOMERS}
"""


async def lines(unit: Unit, kind: Kind, wanted: Wanted, *, rolled: bool = True) -> list[Line]:
    """The lines of a report in the order of their keys, customers by their calls.

    Where `queue` is given, reports of times tell of its visits alone. Without `rolled` the calls are read instead of
    the roll-ups, which gives the same.
    """
    bounds = (wanted.since, wanted.until)
    match kind:
        case Kind.CUSTOMERS:
            return _lines(await unit.fetch(_CUSTOMERS, *bounds))
        case Kind.QUEUES:
            sql = _grouped("report_queues", "s.queue", _QUEUE_SUMS, "$4::text IS NULL OR s.queue = $4", rolled)
            return _lines(await unit.fetch(sql, *bounds, wanted.queue))
        case Kind.AGENTS:
            sql = _grouped("report_agents", "s.agent", _AGENT_SUMS, "$4::text IS NULL OR s.agent = $4", rolled)
            return _lines(await unit.fetch(sql, *bounds, wanted.agent))
        case Kind.NUMBERS:
            where = "s.direction = 'inbound' AND s.did <> ''"
            return _lines(await unit.fetch(_grouped("report_calls", "s.did", _CALL_SUMS, where, rolled), *bounds))
        case Kind.OUTCOMES:
            sql = _grouped("report_calls", "s.outcome", _CALL_SUMS, "s.outcome <> ''", rolled)
            return _lines(await unit.fetch(sql, *bounds))
        case Kind.HOURS | Kind.DAYS | Kind.WEEK:
            sql = _grouped("report_queues", _TIMES[kind], _QUEUE_SUMS, "$5::text IS NULL OR s.queue = $5", rolled)
            found = _lines(await unit.fetch(sql, *bounds, wanted.zone, wanted.queue))
            if wanted.queue is not None:
                return found
            sql = _grouped("report_calls", _TIMES[kind], _CALL_SUMS, "true", rolled)
            merged = {line.key: line.sums for line in found}
            for line in _lines(await unit.fetch(sql, *bounds, wanted.zone)):
                merged[line.key] = merged.get(line.key, Sums()) + line.sums
            return [Line(key, merged[key]) for key in sorted(merged)]


def _grouped(table: str, key: str, columns: str, where: str, rolled: bool) -> str:
    return f"""
        SELECT {key} AS key, {columns} FROM ({sums(table, rolled=rolled)}) s WHERE {where} GROUP BY 1 ORDER BY 1
    """


def _lines(rows: Sequence[asyncpg.Record]) -> list[Line]:
    return [
        Line(row["key"], Sums(**{n: v for n, v in row.items() if n not in ("key", "name")}), row.get("name"))
        for row in rows
    ]
