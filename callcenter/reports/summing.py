"""SQL that sums calls up by quarter of an hour: the same text fills the roll-ups and stands in for them.

Each of `SUMS` is a SELECT over a list of quarters, with the columns of its table without the tenant. Calls in progress
and calls that were merged into others are in none.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callcenter.metrics.distribution import EDGES_S

QUARTER: Final = "date_bin('15 minutes', {}, 'epoch'::timestamptz)"


def _buckets(span: str, condition: str) -> str:
    """An array of counts by bucket of an interval or of seconds, of the rows for which a condition holds."""
    lows = (None, *EDGES_S)
    parts = []
    for low, high in zip(lows, (*EDGES_S, None), strict=True):
        bounds = [f"{span} > {low}"] if low is not None else []
        bounds += [f"{span} <= {high}"] if high is not None else []
        parts.append(f"count(*) FILTER (WHERE {condition} AND {' AND '.join(bounds)})::int")
    return f"ARRAY[{', '.join(parts)}]"


_CALLS = """
    SELECT q.quarter, c.* FROM unnest({quarters}) q (quarter)
    JOIN calls c ON c.tenant_id = $1 AND c.started_at >= q.quarter AND c.started_at < q.quarter + interval '15 minutes'
    WHERE c.merged_into IS NULL AND c.status <> 'in_progress'
"""
_HANDLE = "coalesce(c.talk_s, 0) + coalesce(c.hold_s, 0) + coalesce(c.wrapup_s, 0)"
_WAIT = "greatest(extract(epoch FROM coalesce(v.left_at, v.joined_at) - v.joined_at), 0)"

_OF_CALLS = f"""
    SELECT c.quarter, c.direction, c.status, coalesce(c.did, '') AS did, coalesce(c.outcome, '') AS outcome,
        count(*)::int AS calls, count(*) FILTER (WHERE c.talk_s > 0)::int AS talked,
        coalesce(sum(c.talk_s), 0) AS talk_s, sum({_HANDLE}) AS handle_s,
        {_buckets("c.talk_s", "c.talk_s > 0")} AS talks
    FROM ({_CALLS}) c GROUP BY 1, 2, 3, 4, 5
"""
_OF_QUEUES = f"""
    SELECT v.quarter, v.pbx, v.queue,
        count(*) FILTER (WHERE v.exit NOT IN ('join_empty', 'full'))::int AS offered,
        count(*) FILTER (WHERE v.exit IN ('join_empty', 'full'))::int AS refused,
        {_buckets("v.waited", "v.exit = 'answered'")} AS answered_waits,
        {_buckets("v.waited", "v.exit = 'abandoned'")} AS abandoned_waits,
        coalesce(sum(v.waited) FILTER (WHERE v.exit = 'answered'), 0)::float8 AS answered_wait_s,
        count(*) FILTER (WHERE v.handles)::int AS handled,
        coalesce(sum(v.handle_s) FILTER (WHERE v.handles), 0) AS handle_s
    FROM (
        SELECT c.quarter, c.pbx, v.queue, v.exit, {_WAIT} AS waited, {_HANDLE} AS handle_s,
            v.exit = 'answered' AND NOT EXISTS (
                SELECT FROM queue_visits w WHERE w.tenant_id = $1 AND w.call_id = c.call_id
                    AND w.exit = 'answered' AND w.n > v.n
            ) AS handles
        FROM ({_CALLS}) c JOIN queue_visits v ON v.tenant_id = $1 AND v.call_id = c.call_id
        WHERE v.exit IS NOT NULL
    ) v GROUP BY 1, 2, 3
"""
_OF_AGENTS = f"""
    SELECT quarter, agent, sum(answered)::int AS answered, sum(dialed)::int AS dialed, sum(missed)::int AS missed,
        sum(connected_s)::float8 AS connected_s
    FROM (
        SELECT c.quarter, t.agent, (NOT placed)::int AS answered, placed::int AS dialed, 0 AS missed,
            coalesce(greatest(extract(epoch FROM t.to_at - t.from_at), 0), 0) AS connected_s
        FROM ({_CALLS}) c JOIN connections t ON t.tenant_id = $1 AND t.call_id = c.call_id,
            LATERAL (SELECT c.direction = 'outbound' AND c.caller ->> 'agent' IS NOT DISTINCT FROM t.agent) p (placed)
        WHERE t.agent IS NOT NULL
        UNION ALL
        SELECT c.quarter, o.agent, 0, 0, 1, 0
        FROM ({_CALLS}) c JOIN offers o ON o.tenant_id = $1 AND o.call_id = c.call_id
        WHERE o.agent IS NOT NULL AND o.result IN ('no_answer', 'rejected')
    ) parts GROUP BY 1, 2
"""

SUMS: Final[Mapping[str, str]] = MappingProxyType(
    {"report_calls": _OF_CALLS, "report_queues": _OF_QUEUES, "report_agents": _OF_AGENTS}
)
"""By table; `{quarters}` is to be filled in with SQL of an array."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "report_calls": (
            *("quarter", "direction", "status", "did", "outcome"),
            *("calls", "talked", "talk_s", "handle_s", "talks"),
        ),
        "report_queues": (
            *("quarter", "pbx", "queue", "offered", "refused", "answered_waits", "abandoned_waits"),
            *("answered_wait_s", "handled", "handle_s"),
        ),
        "report_agents": ("quarter", "agent", "answered", "dialed", "missed", "connected_s"),
    }
)


def summed(table: str, quarters: str) -> str:
    """SELECT that sums the calls of these quarters (SQL of an array) up, as they are."""
    return SUMS[table].replace("{quarters}", quarters)


def sums(table: str, *, rolled: bool = True) -> str:
    """SELECT of all sums from $2 on and before $3, as of this statement.

    Quarters that are marked are summed up on the spot, so that what was rolled up never shows what no longer is.
    Without `rolled` all are.
    """
    if not rolled:
        every = f"""ARRAY(SELECT DISTINCT {QUARTER.format("k.started_at")} FROM calls k
            WHERE k.tenant_id = $1 AND k.started_at >= $2 AND k.started_at < $3)"""
        return summed(table, every)
    marked = """ARRAY(SELECT DISTINCT m.quarter FROM report_marks m
        WHERE m.tenant_id = $1 AND m.quarter >= $2 AND m.quarter < $3)"""
    return f"""
        SELECT {", ".join(f"r.{name}" for name in COLUMNS[table])} FROM {table} r
        WHERE r.tenant_id = $1 AND r.quarter >= $2 AND r.quarter < $3
            AND NOT EXISTS (SELECT FROM report_marks m WHERE m.tenant_id = $1 AND m.quarter = r.quarter)
        UNION ALL
        ({summed(table, marked)})
    """
