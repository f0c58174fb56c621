"""Events and their deliveries in PostgreSQL: sealed, claimed by one worker at a time, and what came of them noted.

An event's body is put together once, just after the call's transaction, and then stays: each attempt and each replay
sends the same bytes under the same id. Only when a call is deleted, or its customer is taken off it, is it made anew,
so that nothing is kept here that was erased there.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from callcenter.db.unit import Unit
from crm_bridge.outbox import pause_after
from crm_bridge.webhooks.values import Answer, Parcel, Target
from crm_bridge.webhooks.verdicts import Fate, Verdict

CHANNEL = "callcenter_webhooks"
"""PostgreSQL's notification channel; the payload is the tenant's id."""

SEALED_AT_ONCE = 100
LARGEST_BODY = 512 * 1024
"""In bytes; a record that is longer is left out, and the receiver asks for it by its id."""

Records = Callable[[Unit, Sequence[UUID]], Awaitable[Mapping[UUID, bytes]]]
"""The records of calls as JSON, in the unit's transaction; a call that is no more is missing."""


async def seal(unit: Unit, records: Records, *, limit: int = SEALED_AT_ONCE) -> int:
    """Put the bodies of new events together, oldest first; gives how many."""
    events = await unit.fetch(_UNSEALED, limit)
    if not events:
        return 0
    found = await records(unit, list({event["call_id"] for event in events if event["call_id"] is not None}))
    bodies = [make_body(event, found.get(event["call_id"])) for event in events]
    await unit.execute(_SEAL, [event["event_seq"] for event in events], bodies)
    return len(events)


async def seal_with(unit: Unit, event: asyncpg.Record, data: Mapping[str, object]) -> None:
    """Put the body of an event together that is about no call."""
    body = msgspec.json.encode({**_head(event), "data": data})
    await unit.execute(_SEAL, [event["event_seq"]], [body])


def make_body(event: asyncpg.Record, record: bytes | None) -> bytes:
    """The JSON that is sent: what happened, when, and the record of the call."""
    data: object
    if record is not None:
        data = msgspec.Raw(record)
    else:
        data = {"call_id": event["call_id"], "deleted": True, "merged_into": event["merged_into"]}
    head = _head(event)
    body = msgspec.json.encode({**head, "data": data})
    if len(body) > LARGEST_BODY:
        body = msgspec.json.encode({**head, "data": {"call_id": event["call_id"], "too_large": True}})
    return body


def _head(event: asyncpg.Record) -> dict[str, object]:
    return {"id": event["event_id"], "type": event["kind"], "timestamp": _stamp(event["at"]), "seq": event["event_seq"]}


async def ready(unit: Unit) -> list[Target]:
    """The subscriptions that may be sent to now and have something due."""
    return [_target(row) for row in await unit.fetch(_READY)]


async def target_of(unit: Unit, subscription_id: UUID) -> Target | None:
    """One subscription, whether it is paused or not."""
    row = await unit.fetchrow(f"{_TARGET} WHERE s.tenant_id = $1 AND s.subscription_id = $2", subscription_id)
    return None if row is None else _target(row)


async def claim(unit: Unit, target: Target, *, limit: int, lease: timedelta) -> list[Parcel]:
    """Take events that are due for a subscription; of each call the oldest alone, so that their order is kept.

    Commit before sending them: the lease is what protects them. When it ends, somebody else takes them.
    """
    rows = await unit.fetch(_CLAIM, target.subscription_id, limit, lease)
    return sorted((msgspec.convert(dict(row), Parcel) for row in rows), key=lambda parcel: parcel.event_seq)


async def record(
    unit: Unit, target: Target, parcel: Parcel, answer: Answer, verdict: Verdict, *, attempts: int
) -> bool:
    """Note what came of an attempt, and what follows; gives whether the delivery is dead now.

    An attempt whose lease was lost to another one is left to that.
    """
    dead = verdict.fate is Fate.DEAD or (verdict.fate is Fate.AGAIN and parcel.attempts >= attempts)
    state = "done" if verdict.fate is Fate.DELIVERED else "dead" if dead else "waiting"
    pause = verdict.after if verdict.after is not None else pause_after(parcel.attempts)
    noted = await unit.fetchval(
        _RECORD,
        *(target.subscription_id, parcel.event_seq, parcel.attempts, state, pause),
        *(answer.took.total_seconds(), answer.status, verdict.reason, answer.text),
        # it may repeat what was sent, and somebody may have been erased from that meanwhile
        hashlib.sha256(parcel.body).digest(),
    )
    if not noted:
        return False
    await _note_target(unit, target, verdict)
    return dead


async def release(unit: Unit, claims: Sequence[tuple[UUID, Parcel]]) -> int:
    """Give claims back whose attempts were broken off: they are due again at once. Gives how many still were ours."""
    columns = (
        [subscription_id for subscription_id, _ in claims],
        [parcel.event_seq for _, parcel in claims],
        [parcel.attempts for _, parcel in claims],
    )
    given_back: int = await unit.fetchval(_RELEASE, *columns, CHANNEL)
    return given_back


async def _note_target(unit: Unit, target: Target, verdict: Verdict) -> None:
    if verdict.pause:
        await unit.execute(_PAUSE, target.subscription_id, verdict.reason)
    elif verdict.target_down:
        pause = verdict.after if verdict.after is not None else pause_after(target.failures + 1)
        await unit.execute(_HOLD, target.subscription_id, target.failures, pause)
    elif target.failures:
        await unit.execute(_UNHOLD, target.subscription_id)


async def waiting(unit: Unit) -> tuple[int, int]:
    """How many deliveries wait, and how many are dead."""
    row = await unit.fetchrow(
        """SELECT (SELECT count(*) FROM webhook_deliveries WHERE tenant_id = $1 AND state = 'waiting'),
                  (SELECT count(*) FROM webhook_deliveries WHERE tenant_id = $1 AND state = 'dead')"""
    )
    assert row is not None
    return row[0], row[1]


async def prune(unit: Unit, keep: timedelta, *, limit: int = 5000) -> int:
    """Remove events that are older than `keep`, with their deliveries, delivered or not; gives how many, of `limit`."""
    tag = await unit.execute(_PRUNE, keep, limit)
    await unit.execute(_ORPHANS, limit)
    return int(tag.rsplit(" ", 1)[1])


def _target(row: asyncpg.Record) -> Target:
    secrets = (row["secret"],) if row["previous_secret"] is None else (row["secret"], row["previous_secret"])
    return Target(subscription_id=row["subscription_id"], url=row["url"], secrets=secrets, failures=row["failures"])


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


_UNSEALED = """
    SELECT event_seq, event_id, kind, call_id, at, merged_into FROM webhook_events
    WHERE tenant_id = $1 AND body IS NULL ORDER BY event_seq LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_SEAL = """
    UPDATE webhook_events e SET body = given.body
    FROM unnest($2::bigint[], $3::bytea[]) AS given (event_seq, body)
    WHERE e.tenant_id = $1 AND e.event_seq = given.event_seq
"""

_TARGET = """
    SELECT s.subscription_id, s.url, s.failures, s.secret,
        CASE WHEN s.previous_until > now() THEN s.previous_secret END AS previous_secret
    FROM webhook_subscriptions s
"""

_READY = f"""
    {_TARGET}
    WHERE s.tenant_id = $1 AND s.paused_at IS NULL AND (s.hold_until IS NULL OR s.hold_until <= now()) AND EXISTS (
        SELECT FROM webhook_deliveries d
        WHERE d.tenant_id = $1 AND d.subscription_id = s.subscription_id AND d.state = 'waiting' AND d.next_at <= now()
    )
    ORDER BY s.created_at
"""

# materialized: a plan that runs the inner part once for each row would pass the limit
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT d.event_seq FROM webhook_deliveries d
        JOIN webhook_events e ON e.tenant_id = $1 AND e.event_seq = d.event_seq AND e.body IS NOT NULL
        WHERE d.tenant_id = $1 AND d.subscription_id = $2 AND d.state = 'waiting' AND d.next_at <= now()
          AND NOT EXISTS (
            SELECT FROM webhook_deliveries b
            WHERE b.tenant_id = $1 AND b.subscription_id = $2 AND b.call_id = d.call_id
              AND b.state = 'waiting' AND b.event_seq < d.event_seq
          )
        ORDER BY d.next_at, d.event_seq LIMIT $3
        FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE webhook_deliveries d SET
        next_at = now() + $4::interval, attempts = d.attempts + 1, sent_at = now(), took_s = NULL
    FROM webhook_events e, due
    WHERE d.tenant_id = $1 AND d.subscription_id = $2 AND d.event_seq = due.event_seq
      AND e.tenant_id = $1 AND e.event_seq = due.event_seq
    RETURNING d.event_seq, e.event_id, e.body, d.attempts
"""

# sent: waits for who erases at this moment, and has who comes after wait for us. What waits behind an event of the same
# call need not be looked at before that one's time.
_RECORD = """
    WITH sent AS MATERIALIZED (
        SELECT e.body FROM webhook_events e WHERE e.tenant_id = $1 AND e.event_seq = $3 FOR SHARE
    ), noted AS (
        UPDATE webhook_deliveries SET
            state = $5, took_s = $7, status = $8, error = $9,
            answer = CASE WHEN (SELECT sha256(body) FROM sent) = $11 THEN $10::text END,
            next_at = CASE WHEN $5 = 'waiting' THEN now() + $6::interval ELSE next_at END,
            done_at = CASE WHEN $5 = 'waiting' THEN NULL ELSE now() END
        WHERE tenant_id = $1 AND subscription_id = $2 AND event_seq = $3 AND attempts = $4 AND state = 'waiting'
        RETURNING call_id, next_at, state
    ), behind AS (
        UPDATE webhook_deliveries b SET next_at = greatest(b.next_at, noted.next_at) FROM noted
        WHERE b.tenant_id = $1 AND b.subscription_id = $2 AND b.call_id = noted.call_id AND b.event_seq > $3
          AND b.state = 'waiting' AND noted.state = 'waiting'
    )
    SELECT count(*) FROM noted
"""

# one claim at a time has a number of attempts, so that a lease that was lost meanwhile is not touched
_RELEASE = """
    WITH released AS (
        UPDATE webhook_deliveries d SET next_at = now()
        FROM unnest($2::uuid[], $3::bigint[], $4::int[]) AS given (subscription_id, event_seq, attempts)
        WHERE d.tenant_id = $1 AND d.subscription_id = given.subscription_id AND d.event_seq = given.event_seq
          AND d.attempts = given.attempts AND d.state = 'waiting' AND d.took_s IS NULL
        RETURNING 1
    )
    SELECT count(*), pg_notify($5, $1::int::text) FROM released
"""

_HOLD = """
    UPDATE webhook_subscriptions SET failures = failures + 1, hold_until = now() + $4::interval
    WHERE tenant_id = $1 AND subscription_id = $2 AND failures = $3
"""
_UNHOLD = """
    UPDATE webhook_subscriptions SET failures = 0, hold_until = NULL WHERE tenant_id = $1 AND subscription_id = $2
"""
_PAUSE = """
    UPDATE webhook_subscriptions SET paused_at = now(), paused_reason = $3
    WHERE tenant_id = $1 AND subscription_id = $2 AND paused_at IS NULL
"""

_PRUNE = """
    DELETE FROM webhook_events WHERE tenant_id = $1 AND event_seq IN (
        SELECT event_seq FROM webhook_events WHERE tenant_id = $1 AND created_at < now() - $2::interval
        ORDER BY created_at LIMIT $3
    )
"""
# deliveries that were noted at the very moment in which their subscription was deleted
_ORPHANS = """
    DELETE FROM webhook_deliveries WHERE tenant_id = $1 AND state = 'waiting' AND (subscription_id, event_seq) IN (
        SELECT d.subscription_id, d.event_seq FROM webhook_deliveries d
        WHERE d.tenant_id = $1 AND d.state = 'waiting' AND NOT EXISTS (
            SELECT FROM webhook_subscriptions s WHERE s.tenant_id = $1 AND s.subscription_id = d.subscription_id
        ) LIMIT $2
    )
"""
