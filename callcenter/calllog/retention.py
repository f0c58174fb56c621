"""Deletes calls that are older than the rules allow, a few at a time, beside the work of the day.

The log is walked from its oldest call on. Each step reads a bounded stretch of it and deletes what is due there in one
short transaction; then it rests for as long as the step took, so that half of the time is everybody else's. The change
feed's number is taken last in a step, because calls that come in wait for it; the step gives way to who has it. A call
that is deleted leaves a tombstone in the feed, and the calls that were merged into it go with it. Calls in progress are
never deleted.

`tests/database/test_retention.py` holds that every call is judged by the first rule that fits it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

import msgspec

from callcenter.calllog.store import delete_parts
from callcenter.calllog.yielding import give_way
from callcenter.db import audit
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.settings import RetentionRule

LOOKED_AT = 2_000
"""Calls that one step looks at."""
DELETED = 500
"""Calls that one transaction deletes."""
KEEP_TOMBSTONES = timedelta(days=400)
"""A reader of the change feed that comes less often does not learn of each deletion, and begins anew."""

_NONE = UUID(int=0)
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


class Follower(Protocol):
    """Who keeps something of calls beside the call log: the outbox, deliveries."""

    async def calls_deleted(self, unit: Unit, call_ids: Sequence[UUID]) -> None:
        """Let go of what belongs to these calls, in the transaction that deletes them."""


class Outcome(msgspec.Struct, frozen=True):
    """What was, or would be, deleted: calls by rule, in the order of the rules."""

    deleted: tuple[int, ...]

    @property
    def total(self) -> int:
        """Calls of all rules."""
        return sum(self.deleted)


class Reached(msgspec.Struct, frozen=True):
    """How far it is: all calls before `at` are looked at, from `oldest` on up to `until`."""

    oldest: datetime
    at: datetime
    until: datetime
    deleted: int


Progress = Callable[[Reached], None]


async def apply(
    database: Database,
    tenant_id: int,
    rules: Sequence[RetentionRule],
    now: datetime,
    *,
    actor: str,
    followers: Sequence[Follower] = (),
    progress: Progress | None = None,
    dry: bool = False,
    stretch: int = LOOKED_AT,
    batch: int = DELETED,
) -> Outcome:
    """Delete what the rules no longer allow at `now`; with `dry` only count it.

    What was deleted stays so when it is interrupted; the next run goes on. The audit trail says that it began and,
    at the end, how many calls each rule took.
    """
    found: Counter[int] = Counter()
    if not rules:
        return Outcome(())
    kept_from = [now - timedelta(days=rule.keep_days) for rule in rules]
    walk = Walk(rules, kept_from, stretch)
    oldest: datetime | None = None
    while True:
        begun = time.monotonic()
        async with database.unit(tenant_id) as unit:
            due = await walk.step(unit)
        if walk.ended:
            break
        if due and not dry:
            if not found:
                await _note(database, tenant_id, actor, "retention.begin", rules, None)
            for first in range(0, len(due), batch):
                part = due[first : first + batch]
                call_ids = [call_id for call_id, _ in part]
                gone = await give_way(database, tenant_id, partial(delete, call_ids=call_ids, followers=followers))
                found.update(rule for call_id, rule in part if call_id in gone)
        else:
            found.update(rule for _, rule in due)
        oldest = oldest or walk.at
        if progress is not None:
            progress(Reached(oldest, walk.at, max(kept_from), found.total()))
        await asyncio.sleep(time.monotonic() - begun if due and not dry else 0)
    if found and not dry:
        await _note(database, tenant_id, actor, "retention.end", rules, found)
    return Outcome(tuple(found[place] for place in range(len(rules))))


async def prune_tombstones(database: Database, tenant_id: int, now: datetime) -> int:
    """Remove tombstones that are older than `KEEP_TOMBSTONES`; gives their number."""
    removed = 0
    while True:
        async with database.unit(tenant_id) as unit:
            tag = await unit.execute(_PRUNE, now - KEEP_TOMBSTONES)
        count = int(tag.rsplit(" ", 1)[1])
        removed += count
        if not count:
            return removed


class Walk:
    """The way through the log from its oldest call on; `at` is the start of the last call that was looked at."""

    def __init__(self, rules: Sequence[RetentionRule], kept_from: Sequence[datetime], stretch: int) -> None:
        self._stretch = stretch
        self._kept_from = list(kept_from)
        self._values: list[object] = []
        conditions = [self._condition(rule) for rule in rules]
        self._sql = _LOOK.format(
            which=" ".join(f"WHEN {one} THEN {place}" for place, one in enumerate(conditions)),
            # which spares most calls of each night the question for their queues
            old=" OR ".join(
                f"(c.started_at < ($6::timestamptz[])[{place}] AND {one})"
                for place, one in enumerate(conditions, start=1)
            ),
        )
        self.at = _BEFORE_ALL
        self._last = _NONE
        self.ended = False

    async def step(self, unit: Unit) -> list[tuple[UUID, int]]:
        """The calls of the next stretch that are due, each with the place of its rule."""
        rows = await unit.fetch(
            self._sql, *(self.at, self._last, max(self._kept_from), self._stretch), self._kept_from, *self._values
        )
        self.ended = not rows
        if rows:
            self.at, self._last = rows[-1]["started_at"], rows[-1]["call_id"]
        return [(row["call_id"], row["rule"]) for row in rows if row["due"]]

    def _condition(self, rule: RetentionRule) -> str:
        """SQL of one rule on `calls c`; its values come after the six that each step has."""
        parts = ["true"]

        def add(value: object, sql: str) -> None:
            self._values.append(value)
            parts.append(sql.format(f"${len(self._values) + 6}"))

        if rule.direction:
            add(list(rule.direction), "c.direction = ANY({}::text[])")
        if rule.status:
            add(list(rule.status), "c.status = ANY({}::text[])")
        if rule.answered is not None:
            add(rule.answered, "(c.answered_at IS NOT NULL) = {}::boolean")
        if rule.queue:
            add(list(rule.queue), _IN_QUEUE)
        return " AND ".join(parts)


async def delete(unit: Unit, call_ids: Sequence[UUID], followers: Sequence[Follower]) -> set[UUID]:
    """Delete calls, and those that were merged into them; one that somebody writes at this moment is left for later.

    To be run by `give_way`.
    """
    locked = [row["call_id"] for row in await unit.fetch(_LOCK, call_ids)]
    if not locked:
        return set()
    await delete_parts(unit, locked)
    for follower in followers:
        await follower.calls_deleted(unit, locked)
    await unit.execute("DELETE FROM calls WHERE tenant_id = $1 AND call_id = ANY($2::uuid[])", locked)
    await unit.execute(_BURY, len(locked), locked)
    return set(locked)


async def _note(
    database: Database,
    tenant_id: int,
    actor: str,
    action: str,
    rules: Sequence[RetentionRule],
    found: Counter[int] | None,
) -> None:
    detail: dict[str, object] = {"rules": [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules]}
    if found is not None:
        detail["deleted"] = [found[place] for place in range(len(rules))]
    async with database.unit(tenant_id) as unit:
        await audit.note(unit, actor=actor, action=action, subject_type="calls", subject_id="", detail=detail)


_IN_QUEUE = """
    EXISTS (SELECT FROM queue_visits q WHERE q.tenant_id = $1 AND q.call_id = c.call_id AND q.queue = ANY({}::text[]))
"""

_LOOK = """
    SELECT r.call_id, r.started_at, coalesce(r.started_at < ($6::timestamptz[])[r.rule + 1], false) AS due, r.rule
    FROM (
        SELECT c.call_id, c.started_at,
            CASE WHEN c.status = 'in_progress' OR c.merged_into IS NOT NULL OR NOT ({old}) THEN NULL {which} END AS rule
        FROM (
            SELECT * FROM calls c
            WHERE c.tenant_id = $1 AND (c.started_at, c.call_id) > ($2, $3) AND c.started_at < $4
            ORDER BY c.started_at, c.call_id LIMIT $5
        ) c
    ) r
    ORDER BY r.started_at, r.call_id
"""

_LOCK = """
    WITH RECURSIVE gone AS (
        SELECT unnest($2::uuid[]) AS call_id
        UNION SELECT c.call_id FROM gone JOIN calls c ON c.tenant_id = $1 AND c.merged_into = gone.call_id
    )
    SELECT c.call_id FROM gone JOIN calls c ON c.tenant_id = $1 AND c.call_id = gone.call_id
    FOR UPDATE OF c SKIP LOCKED
"""

# seq: see calllog/store.py
_BURY = """
    WITH feed AS (
        INSERT INTO call_feeds AS f (tenant_id, last_seq) VALUES ($1, $2)
        ON CONFLICT (tenant_id) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq
        RETURNING last_seq - $2 AS base
    )
    INSERT INTO call_tombstones (tenant_id, seq, call_id)
    SELECT $1, feed.base + given.n, given.call_id
    FROM feed, unnest($3::uuid[]) WITH ORDINALITY AS given (call_id, n)
"""

_PRUNE = """
    DELETE FROM call_tombstones WHERE tenant_id = $1 AND deleted_at < $2 AND seq IN (
        SELECT seq FROM call_tombstones WHERE tenant_id = $1 ORDER BY seq LIMIT 10000
    )
"""
