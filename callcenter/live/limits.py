"""The limits of queues in PostgreSQL."""

from datetime import timedelta

from callcenter.db.audit import note
from callcenter.db.unit import Unit
from callcenter.live.alerts import Limits
from callcenter.live.board import QueueKey
from callcenter.metrics.service_level import Formula, Goal


async def load(unit: Unit) -> dict[QueueKey, Limits]:
    """The limits of all queues that have some."""
    rows = await unit.fetch("SELECT * FROM queue_limits WHERE tenant_id = $1")
    return {
        (row["pbx"], row["queue"]): Limits(
            goal=Goal(threshold=timedelta(seconds=row["threshold_s"]), short=timedelta(seconds=row["short_s"])),
            formula=Formula(row["formula"]),
            most_waiting=row["most_waiting"],
            longest_wait=None if row["longest_wait_s"] is None else timedelta(seconds=row["longest_wait_s"]),
            least_level=row["least_level"],
            least_ready=row["least_ready"],
        )
        for row in rows
    }


async def save(unit: Unit, key: QueueKey, limits: Limits, by: str) -> None:
    """Set the limits of a queue, with a note in the trail."""
    longest = None if limits.longest_wait is None else limits.longest_wait.total_seconds()
    values = {
        "threshold_s": limits.goal.threshold.total_seconds(),
        "short_s": limits.goal.short.total_seconds(),
        "formula": limits.formula.value,
        "most_waiting": limits.most_waiting,
        "longest_wait_s": longest,
        "least_level": limits.least_level,
        "least_ready": limits.least_ready,
    }
    await unit.execute(
        """INSERT INTO queue_limits (tenant_id, pbx, queue, threshold_s, short_s, formula, most_waiting,
               longest_wait_s, least_level, least_ready, changed_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (tenant_id, pbx, queue) DO UPDATE SET threshold_s = $4, short_s = $5, formula = $6,
               most_waiting = $7, longest_wait_s = $8, least_level = $9, least_ready = $10, changed_by = $11,
               changed_at = now()""",
        *(*key, *values.values(), by),
    )
    await note(unit, actor=by, action="queue.limits", subject_type="queue", subject_id="/".join(key), detail=values)
