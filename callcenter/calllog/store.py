"""Writes a batch of calls, with all that belongs to them, in the transaction of a unit of work.

One statement for the calls and one for all their parts, each fed with arrays: about the speed of COPY, and
repeatable: the same call again changes nothing, neither its `version` nor its `seq`.

`seq` comes from the tenant's row in `call_feeds`, which stays locked until the transaction ends. Transactions
thus become visible in the order of their numbers, and who reads the feed by `seq` never passes over a call that
is committed later. `version` rises with each change after the call had ended.
"""

import asyncio
import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import msgspec

from callcenter.calllog import erasure, record
from callcenter.db.unit import Unit
from callcenter.metrics import durations
from callcenter.model import Call, OfferResult

ENDED = "call.ended"
"""Kind of the outbox entry that a call leaves when it has ended, and at each correction after that."""

SLICE: Final = 8
"""Rows that are made at a time: a batch takes milliseconds, in which a pop may not wait."""

_encoder: Final = msgspec.json.Encoder()


class Outbox(Protocol):
    """Where what must happen because of a call is written, in the call's own transaction."""

    async def enqueue(self, unit: Unit, kind: str, keys: Sequence[str], call_ids: Sequence[UUID]) -> None:
        """Add an entry for each key; one whose key is there already is not added again."""


async def store(
    unit: Unit, calls: Sequence[Call], customers: Mapping[UUID, UUID], outbox: Outbox | None = None
) -> None:
    """Write `calls`, each id at most once.

    `customers` names the customer of a call by its id; it is linked unless somebody chose another one.
    """
    kept = []
    rows = []
    for given in calls:
        call, encoded = _storable(given)
        kept.append(call)
        rows.append(_call_row(call, encoded, customers.get(call.call_id)))
        if not len(rows) % SLICE:
            await asyncio.sleep(0)
    columns = list(zip(*rows, strict=True))
    written = await unit.fetch(_UPSERT_CALLS, len(calls), *columns)
    if not written:
        return
    versions = {row["call_id"]: row["version"] for row in written}
    changed = [call for call in kept if call.call_id in versions]
    corrected = [row["call_id"] for row in written if not row["fresh"]]
    if corrected:
        await delete_parts(unit, corrected)
    await _insert_parts(unit, changed)
    erased = {row["call_id"]: row["erasure"] for row in written if row["erasure"] is not None}
    if erased:
        await erasure.blank_again(unit, erased)
    if written[0]["watched"]:
        nobodys = {row["call_id"] for row in written if row["customer_id"] is None} - erased.keys()
        await erasure.blank_late(unit, [call for call in changed if call.call_id in nobodys])
    spoke: dict[UUID, datetime] = {}
    customer_of = {row["call_id"]: row["customer_id"] for row in written if row["erasure"] is None}
    for call in changed:
        customer_id = customer_of.get(call.call_id)
        if customer_id is not None:
            spoke[customer_id] = max(call.started_at, spoke.get(customer_id, call.started_at))
    if spoke:
        await unit.execute(_TOUCH_CUSTOMERS, list(spoke), list(spoke.values()))
    ended = [call.call_id for call in changed if call.ended_at is not None]
    if ended and outbox is not None:
        await outbox.enqueue(unit, ENDED, [f"{ENDED}:{call_id}:{versions[call_id]}" for call_id in ended], ended)


async def store_merge(unit: Unit, merged: UUID, survivor: UUID) -> None:
    """Note that `merged` was a part of `survivor`: what people wrote moves over, and the feed says so."""
    row = await unit.fetchrow(_MERGE, merged, survivor)
    if row is None:
        return
    await delete_parts(unit, [merged])
    await unit.execute(_INHERIT, survivor, row["customer_id"], row["outcome"], row["notes"], row["tags"])


async def delete_parts(unit: Unit, call_ids: Sequence[UUID]) -> None:
    """Remove visits, offers, connections and agents of calls."""
    await unit.execute(_DELETE_PARTS, call_ids)


async def _insert_parts(unit: Unit, calls: Sequence[Call]) -> None:
    visits = [
        (call.call_id, n, v.queue, v.joined_at, v.left_at, v.exit, record.wait_s(v, call.ended_at), v.position)
        for call in calls
        for n, v in enumerate(call.queue_visits)
    ]
    offers = [
        (
            *(call.call_id, n, o.agent, o.interface, o.queue),
            *(o.rang_at, o.ended_at, record.ring_s(o, call.ended_at), o.result),
        )
        for call in calls
        for n, o in enumerate(call.offers)
    ]
    connections = [
        (call.call_id, n, c.agent, c.interface, c.number, c.from_, c.to)
        for call in calls
        for n, c in enumerate(call.connections)
    ]
    agents = [(call.call_id, agent, call.started_at) for call in calls for agent in _agents_of(call)]
    parts: tuple[Sequence[tuple[object, ...]], ...] = (visits, offers, connections, agents)
    if any(parts):
        columns = [
            column
            for rows, (_, names) in zip(parts, _PARTS, strict=True)
            for column in (zip(*rows, strict=True) if rows else ((),) * len(names))
        ]
        await unit.execute(_INSERT_PARTS, *columns)


def _agents_of(call: Call) -> list[str]:
    """Whose call it was, in a fixed order."""
    offered = (o.agent for o in call.offers if o.result is not OfferResult.ANSWERED_ELSEWHERE)
    talked = (c.agent for c in call.connections)
    return sorted({agent for agent in (call.caller.agent, call.callee.agent, *offered, *talked) if agent is not None})


_NUL = re.compile(rb"((?<!\\)(?:\\\\)*)\\u0000")
"""A NUL in JSON; what is before it is not the backslash that makes the rest of it plain text."""


def _storable(call: Call) -> tuple[Call, bytes]:
    """The call without NUL characters, which PostgreSQL's text cannot hold and nobody's name contains, and its JSON."""
    encoded = _encoder.encode(call)
    if b"\\u0000" not in encoded:
        return call, encoded
    call = msgspec.json.decode(_NUL.sub(rb"\1", encoded), type=Call)
    return call, _encoder.encode(call)


def _call_row(call: Call, encoded: bytes, customer_id: UUID | None) -> tuple[object, ...]:
    took = durations.of(call)
    return (
        *(call.call_id, call.pbx, "\x1f".join(call.linkedids), call.direction, call.status),
        *(_json(call.caller), _json(call.callee), call.did),
        *(call.started_at, call.answered_at, call.ended_at),
        *(record.seconds(span) for span in (took.wait, took.ring, took.talk, took.hold, took.duration)),
        _json(record.hold_records(call.holds)),
        _json(record.transfer_records(call.transfers)),
        _json(record.recording_records(call.recordings)),
        *(call.hangup_by, call.hangup_cause, call.complete, call.source),
        hashlib.blake2b(encoded, digest_size=16).digest(),
        customer_id,
    )


def _json(value: object) -> str:
    return _encoder.encode(value).decode()


_COLUMNS = (
    *("call_id uuid", "pbx text", "linkedids text", "direction text", "status text"),
    *("caller text", "callee text", "did text"),
    *("started_at timestamptz", "answered_at timestamptz", "ended_at timestamptz"),
    *("wait_s float8", "ring_s float8", "talk_s float8", "hold_s float8", "duration_s float8"),
    *("holds text", "transfers text", "recordings text"),
    *("hangup_by text", "hangup_cause int4", "complete bool", "source text"),
    *("digest bytea", "customer_id uuid"),
)
"""The columns that the tracker's facts fill, in the order of `_call_row`, with the type they travel in."""

_STORED_AS = {
    # arrays of arrays must not be ragged, so these travel as text
    "linkedids": "string_to_array(given.linkedids, E'\\x1f')",
    **{name: f"given.{name}::jsonb" for name in ("caller", "callee", "holds", "transfers", "recordings")},
    # a customer that was deleted meanwhile is none
    "customer_id": "(SELECT k.customer_id FROM customers k"
    " WHERE k.tenant_id = $1 AND k.customer_id = given.customer_id)",
}


def _upsert_calls() -> str:
    names = [column.split()[0] for column in _COLUMNS]
    arrays = ", ".join(f"${n}::{column.split()[1]}[]" for n, column in enumerate(_COLUMNS, start=3))
    values = ", ".join(_STORED_AS.get(name, f"given.{name}") for name in names)
    facts = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("call_id", "customer_id"))
    return f"""
        WITH feed AS (
            INSERT INTO call_feeds AS f (tenant_id, last_seq) VALUES ($1, $2)
            ON CONFLICT (tenant_id) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq
            RETURNING last_seq - $2 AS base
        )
        INSERT INTO calls AS c (tenant_id, seq, {", ".join(names)})
        SELECT $1, feed.base + given.n, {values}
        FROM feed, unnest({arrays}) WITH ORDINALITY AS given ({", ".join(names)}, n)
        ON CONFLICT (tenant_id, call_id) DO UPDATE SET
            {facts}, seq = excluded.seq,
            customer_id = coalesce(c.customer_id, excluded.customer_id),
            version = c.version + (c.ended_at IS NOT NULL)::int
        WHERE (c.digest <> excluded.digest OR (c.customer_id IS NULL AND excluded.customer_id IS NOT NULL))
            AND (c.erasure IS NULL OR c.ended_at IS NULL)
        RETURNING call_id, version, customer_id, (xmax = 0) AS fresh, erasure,
            EXISTS (SELECT FROM erasures e WHERE e.tenant_id = $1 AND e.salt IS NOT NULL) AS watched
    """


_PARTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "queue_visits",
        (
            *("call_id uuid", "n int4", "queue text", "joined_at timestamptz", "left_at timestamptz"),
            *("exit text", "wait_s float8", "position int4"),
        ),
    ),
    (
        "offers",
        (
            *("call_id uuid", "n int4", "agent text", "interface text", "queue text"),
            *("rang_at timestamptz", "ended_at timestamptz", "ring_s float8", "result text"),
        ),
    ),
    (
        "connections",
        (
            *("call_id uuid", "n int4", "agent text", "interface text", "number text"),
            *("from_at timestamptz", "to_at timestamptz"),
        ),
    ),
    ("call_agents", ("call_id uuid", "agent text", "started_at timestamptz")),
)
"""Tables of what belongs to calls, and their columns with the types they travel in."""


def _insert_parts_sql() -> str:
    """All parts in one statement: each more would be a round trip, while phones ring."""
    place = itertools.count(2)
    inserts = []
    for table, columns in _PARTS:
        names = ", ".join(column.split()[0] for column in columns)
        arrays = ", ".join(f"${next(place)}::{column.split()[1]}[]" for column in columns)
        inserts.append(f"INSERT INTO {table} (tenant_id, {names}) SELECT $1, * FROM unnest({arrays})")
    *others, last = inserts
    return f"WITH {', '.join(f'_{n} AS ({insert})' for n, insert in enumerate(others))} {last}"


_UPSERT_CALLS = _upsert_calls()
_INSERT_PARTS = _insert_parts_sql()

_DELETE_PARTS = """
    WITH visits AS (DELETE FROM queue_visits WHERE tenant_id = $1 AND call_id = ANY($2::uuid[])),
         agents AS (DELETE FROM call_agents WHERE tenant_id = $1 AND call_id = ANY($2::uuid[])),
         offered AS (DELETE FROM offers WHERE tenant_id = $1 AND call_id = ANY($2::uuid[]))
    DELETE FROM connections WHERE tenant_id = $1 AND call_id = ANY($2::uuid[])
"""

# What an agent wants to know of a caller: when we last spoke. It is not read from `calls`, of which PostgreSQL would
# read all, as long as it has not noticed how many there are.
_TOUCH_CUSTOMERS = """
    UPDATE customers k SET last_call_at = spoke.at
    FROM unnest($2::uuid[], $3::timestamptz[]) AS spoke (customer_id, at)
    WHERE k.tenant_id = $1 AND k.customer_id = spoke.customer_id
      AND (k.last_call_at IS NULL OR k.last_call_at < spoke.at)
"""

_MERGE = """
    WITH feed AS (
        INSERT INTO call_feeds AS f (tenant_id, last_seq) VALUES ($1, 1)
        ON CONFLICT (tenant_id) DO UPDATE SET last_seq = f.last_seq + 1
        RETURNING last_seq
    )
    UPDATE calls c SET merged_into = $3, seq = feed.last_seq, version = c.version + 1
    FROM feed
    WHERE c.tenant_id = $1 AND c.call_id = $2 AND c.merged_into IS NULL
    RETURNING c.customer_id, c.outcome, c.notes, c.tags
"""

# the call that goes on may have been read from the feed before it inherits, so it is told again
_INHERIT = """
    WITH feed AS (UPDATE call_feeds SET last_seq = last_seq + 1 WHERE tenant_id = $1 RETURNING last_seq)
    UPDATE calls c SET
        customer_id = coalesce(c.customer_id, $3),
        outcome = coalesce(c.outcome, $4),
        notes = c.notes || $5::jsonb,
        tags = ARRAY(SELECT DISTINCT unnest(c.tags || $6::text[]) ORDER BY 1),
        seq = feed.last_seq,
        version = c.version + (c.ended_at IS NOT NULL)::int
    FROM feed
    WHERE c.tenant_id = $1 AND c.call_id = $2
        AND ($3::uuid IS NOT NULL OR $4::text IS NOT NULL OR $5::jsonb <> '[]' OR $6::text[] <> '{}')
"""
