"""The outbox: entries are written with their cause, taken by one worker at a time, and tried until they are done.

An entry is delivered at least once; its `key` lets the receiver make the effect happen once. Whoever takes an
entry has a lease on it: when the worker dies, the lease ends and another one takes it. NOTIFY wakes a worker as
soon as the cause is committed; the worker polls as well, because a notification can be lost.
"""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from callcenter.db.unit import Unit

CHANNEL = "callcenter_outbox"
"""PostgreSQL's notification channel; the payload is the tenant's id."""

LEASE = timedelta(minutes=2)
FIRST_RETRY = timedelta(seconds=2)
LAST_RETRY = timedelta(hours=1)
ATTEMPTS = 24
"""After so many an entry is dead; with growing pauses that is most of a day."""

LONGEST_ERROR = 2000


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do, as a worker gets it. `attempts` counts this one."""

    outbox_id: int
    kind: str
    key: str
    call_id: UUID | None
    payload: dict[str, Any]
    attempts: int


class CallOutbox:
    """The outbox as the call log writes to it (`calllog.store.Outbox`)."""

    async def enqueue(self, unit: Unit, kind: str, keys: Sequence[str], call_ids: Sequence[UUID]) -> None:
        """Add an entry for each key in the transaction of `unit`; a key that is there already is passed over."""
        await unit.execute(_ENQUEUE, kind, keys, call_ids)
        await unit.execute(f"SELECT pg_notify('{CHANNEL}', $1::int::text)")

    async def calls_deleted(self, unit: Unit, call_ids: Sequence[UUID]) -> None:
        """Remove what was still to do, or was done, because of calls that are deleted."""
        await unit.execute("DELETE FROM outbox WHERE tenant_id = $1 AND call_id = ANY($2::uuid[])", call_ids)

    async def calls_erased(self, unit: Unit, call_ids: Sequence[UUID]) -> None:
        """Take away what entries say of calls whose person is erased; what is to be done with the calls stays."""
        await unit.execute(
            "UPDATE outbox SET payload = '{}', last_error = NULL WHERE tenant_id = $1 AND call_id = ANY($2::uuid[])"
            " AND (payload <> '{}' OR last_error IS NOT NULL)",
            call_ids,
        )


async def claim(unit: Unit, kind: str, *, limit: int = 20, lease: timedelta = LEASE) -> list[Entry]:
    """Take entries that are due, oldest first; nobody else gets them before the lease ends.

    Commit before working on them: the lease is what protects them, not the transaction.
    """
    rows = await unit.fetch(_CLAIM, kind, limit, lease)
    entries = [Entry(**row) for row in rows]
    return sorted(entries, key=lambda entry: entry.outbox_id)


async def finish(unit: Unit, entry: Entry) -> None:
    """Note that an entry is done. One whose lease was lost to another attempt is left to that."""
    await unit.execute(
        "UPDATE outbox SET state = 'done', done_at = now(), leased_until = NULL, last_error = NULL"
        " WHERE tenant_id = $1 AND outbox_id = $2 AND attempts = $3 AND state = 'waiting'",
        *(entry.outbox_id, entry.attempts),
    )


async def retry(unit: Unit, entry: Entry, error: str, *, after: timedelta | None = None) -> None:
    """Note that an attempt failed and may succeed later; `after` is the other side's own wish."""
    if entry.attempts >= ATTEMPTS:
        await bury(unit, entry, error)
        return
    await unit.execute(
        "UPDATE outbox SET next_at = now() + $4::interval, leased_until = NULL, last_error = $5"
        " WHERE tenant_id = $1 AND outbox_id = $2 AND attempts = $3 AND state = 'waiting'",
        *(entry.outbox_id, entry.attempts, pause_after(entry.attempts) if after is None else after),
        error[:LONGEST_ERROR],
    )


async def bury(unit: Unit, entry: Entry, error: str) -> None:
    """Note that an entry will never succeed: it stays for a person to look at."""
    await unit.execute(
        "UPDATE outbox SET state = 'dead', leased_until = NULL, last_error = $4"
        " WHERE tenant_id = $1 AND outbox_id = $2 AND attempts = $3 AND state = 'waiting'",
        *(entry.outbox_id, entry.attempts, error[:LONGEST_ERROR]),
    )


async def prune(unit: Unit, older_than: timedelta) -> int:
    """Remove entries that were done so long ago that nobody will send them again; gives their number."""
    tag = await unit.execute(
        "DELETE FROM outbox WHERE tenant_id = $1 AND state = 'done' AND done_at < now() - $2::interval", older_than
    )
    return int(tag.rsplit(" ", 1)[1])


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, at random by up to a quarter more or less.

    The randomness keeps entries that failed together from coming back together.
    """
    pause = min(FIRST_RETRY * (1 << min(attempts - 1, 30)), LAST_RETRY)
    return pause * random.uniform(0.75, 1.25)


_ENQUEUE = """
    INSERT INTO outbox (tenant_id, kind, key, call_id)
    SELECT $1, $2, key, call_id FROM unnest($3::text[], $4::uuid[]) AS given (key, call_id)
    ON CONFLICT (tenant_id, key) DO NOTHING
"""

# materialized: a plan that runs the inner part once for each row would pass the limit
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT outbox_id FROM outbox
        WHERE tenant_id = $1 AND kind = $2 AND state = 'waiting' AND next_at <= now()
        ORDER BY next_at, outbox_id LIMIT $3
        FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox o SET leased_until = now() + $4::interval, next_at = now() + $4::interval, attempts = attempts + 1
    FROM due
    WHERE o.tenant_id = $1 AND o.outbox_id = due.outbox_id
    RETURNING o.outbox_id, o.kind, o.key, o.call_id, o.payload, o.attempts
"""
