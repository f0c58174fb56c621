"""Calls that went on when the service went away: what the log knows of them, and the end of those that are over.

A call that goes on is continued with what was written of it. Of one that is over, nobody saw how it ended, so that it
is incomplete: the end is the time at which it was found missing, and its durations are unknown. A back-fill from CDR
or CEL may know better later, and then overwrites it.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from callcenter.calllog.queries import LONGEST_PAGE, CallFilter, list_calls
from callcenter.calllog.record import HoldRecord, call_of
from callcenter.calllog.store import ENDED, Outbox
from callcenter.db.unit import Unit
from callcenter.model import Call, CallStatus

MOST_PAGES = 40
"""Of calls in progress that are read; beyond, a PBX has more than any that we know."""


async def in_progress(unit: Unit, pbx: str) -> list[Call]:
    """The calls of a PBX that are in progress in the log, as they were written last."""
    calls: list[Call] = []
    cursor = None
    for _ in range(MOST_PAGES):
        page = await list_calls(unit, CallFilter(status=CallStatus.IN_PROGRESS), limit=LONGEST_PAGE, cursor=cursor)
        ours = [record for record in page.items if record.pbx == pbx]
        rows = await unit.fetch(_HOLDS, [record.call_id for record in ours])
        holds = {row["call_id"]: msgspec.convert(row["holds"], list[HoldRecord]) for row in rows}
        calls += [call_of(record, holds.get(record.call_id, ())) for record in ours]
        cursor = page.next_cursor
        if cursor is None:
            break
    return calls


async def end_lost(
    unit: Unit, pbx: str, alive: Collection[UUID], before: datetime, outbox: Outbox | None = None
) -> int:
    """End the calls of a PBX that are in progress in the log and not in `alive`; gives their number.

    `alive` is what the tracker knows after its first snapshot of the PBX, and `before` the time of that snapshot:
    calls that began later are none of this function's business.
    """
    rows = await unit.fetch(_END_LOST, pbx, list(alive), before)
    if rows:
        await unit.execute(_END_PARTS, [row["call_id"] for row in rows], before)
    if rows and outbox is not None:
        keys = [f"{ENDED}:{row['call_id']}:{row['version']}" for row in rows]
        await outbox.enqueue(unit, ENDED, keys, [row["call_id"] for row in rows])
    return len(rows)


_HOLDS = "SELECT call_id, holds FROM calls WHERE tenant_id = $1 AND call_id = ANY($2::uuid[])"

# seq: see calllog/store.py. The digest becomes one that no call has, so that whatever is known later is taken over.
_END_LOST = """
    WITH lost AS (
        SELECT call_id, row_number() OVER (ORDER BY started_at, call_id) AS n
        FROM calls
        WHERE tenant_id = $1 AND pbx = $2 AND status = 'in_progress' AND merged_into IS NULL
          AND started_at < $4 AND call_id <> ALL($3::uuid[])
    ), feed AS (
        INSERT INTO call_feeds AS f (tenant_id, last_seq) SELECT $1, count(*) FROM lost
        ON CONFLICT (tenant_id) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq
        RETURNING last_seq - (SELECT count(*) FROM lost) AS base
    )
    UPDATE calls c SET
        status = CASE
            WHEN c.answered_at IS NOT NULL THEN 'answered'
            WHEN EXISTS (
                SELECT FROM queue_visits q
                WHERE q.tenant_id = $1 AND q.call_id = c.call_id AND q.left_at IS NULL
            ) THEN 'abandoned'
            ELSE 'no_answer'
        END,
        ended_at = $4, complete = false, source = 'resync', digest = ''::bytea, seq = feed.base + lost.n
    FROM lost, feed
    WHERE c.tenant_id = $1 AND c.call_id = lost.call_id
    RETURNING c.call_id, c.version
"""

# what rang, waited or talked when it was last seen has stopped, at the latest now
_END_PARTS = """
    WITH visits AS (
        UPDATE queue_visits q SET left_at = $3, exit = CASE
            WHEN q.exit IS NOT NULL THEN q.exit WHEN c.status = 'abandoned' THEN 'abandoned' ELSE 'other'
        END
        FROM calls c
        WHERE c.tenant_id = $1 AND c.call_id = q.call_id
          AND q.tenant_id = $1 AND q.call_id = ANY($2::uuid[]) AND q.left_at IS NULL
    ), offered AS (
        UPDATE offers o SET ended_at = $3,
            result = CASE WHEN c.answered_at IS NULL THEN 'no_answer' ELSE 'answered_elsewhere' END
        FROM calls c
        WHERE c.tenant_id = $1 AND c.call_id = o.call_id
          AND o.tenant_id = $1 AND o.call_id = ANY($2::uuid[]) AND o.result IS NULL
    )
    UPDATE connections SET to_at = $3 WHERE tenant_id = $1 AND call_id = ANY($2::uuid[]) AND to_at IS NULL
"""
