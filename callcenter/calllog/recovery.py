"""Ends calls that went on when the service went away and were over when it came back.

Nobody saw how they ended, so that they are incomplete: the end is the time at which they were found missing, and
their durations are unknown. A back-fill from CDR or CEL may know better later, and then overwrites them.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from callcenter.calllog.store import ENDED, Outbox
from callcenter.db.unit import Unit


async def end_lost(
    unit: Unit, pbx: str, alive: Collection[UUID], before: datetime, outbox: Outbox | None = None
) -> int:
    """End the calls of a PBX that are in progress in the log and not in `alive`; gives their number.

    `alive` is what the tracker knows after its first snapshot of the PBX, and `before` the time of that snapshot:
    calls that began later are none of this function's business.
    """
    rows = await unit.fetch(_END_LOST, pbx, list(alive), before)
    if rows and outbox is not None:
        keys = [f"{ENDED}:{row['call_id']}:{row['version']}" for row in rows]
        await outbox.enqueue(unit, ENDED, keys, [row["call_id"] for row in rows])
    return len(rows)


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
