"""Takes a person out of calls: the calls stay, with all that is counted, and say no longer who it was.

Where the customer's number stood is a token now, the same in all their calls and made at random, so that it can be
seen that one person called five times and not who. Gone are number, E.164, name and channel of their end, their number
wherever else it stood (transfers, devices, other ends), notes, outcome, tags, names of recordings, and the link to the
customer. The tracker does not know of it: what it writes of such a call later is blanked in the same transaction
(`blank_again`), and so are calls that began before and are written late (`blank_late`). There is no way back.

docs/retention.md says what is not ours to erase.
"""

import hashlib
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from callcenter.db.unit import Unit
from callcenter.model import Call, Direction

TOKEN = "erased-"
"""How what stands in the place of a number begins."""
BATCH = 500
"""Calls that one transaction blanks."""
WATCHED = timedelta(days=1)
"""How long after an erasure calls that began before it are looked for; a call written later than that is not found."""
SHORTEST = 7
"""Digits of the shortest number that is looked for within other texts; a shorter one might be part of anything."""


class Follower(Protocol):
    """Who keeps something of calls beside the call log: the outbox, deliveries."""

    async def calls_erased(self, unit: Unit, call_ids: Sequence[UUID]) -> None:
        """Take away what is kept of persons in these calls, in the transaction that blanks them."""


class Begun(msgspec.Struct, frozen=True):
    """An erasure: what stands for the customer, how many calls are blanked, and whether it is all done."""

    token: str
    calls: int
    done_at: datetime | None


class Blanked(msgspec.Struct, frozen=True):
    """Calls that were blanked, and the files in which they were recorded, which are the PBX's."""

    call_ids: tuple[UUID, ...]
    recordings: tuple[str, ...]


async def find(unit: Unit, customer_id: UUID) -> Begun | None:
    """The erasure of this customer; None where nobody asked for it."""
    row = await unit.fetchrow(
        "SELECT token, calls, done_at FROM erasures WHERE tenant_id = $1 AND customer_id = $2", customer_id
    )
    return Begun(**row) if row else None


async def begin(unit: Unit, customer_id: UUID, numbers: Iterable[str]) -> Begun:
    """Note that a customer is to be erased; where that was begun before, it goes on with the same token.

    `numbers` are those by which late calls are found, in every form: theirs, and nobody else's.
    """
    salt = secrets.token_bytes(16)
    await unit.execute(
        "INSERT INTO erasures (tenant_id, customer_id, token, salt, numbers) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (tenant_id, customer_id) DO NOTHING",
        *(customer_id, TOKEN + secrets.token_hex(8), salt, [_digest(salt, number) for number in numbers]),
    )
    begun = await find(unit, customer_id)
    assert begun is not None
    return begun


async def blank_some(
    unit: Unit,
    customer_id: UUID,
    token: str,
    numbers: Sequence[str],
    followers: Sequence[Follower] = (),
) -> Blanked:
    """Blank up to `BATCH` calls with the customer, and those merged with them; none is left where it gives none.

    `numbers` are E.164 numbers that are theirs alone: calls with these are theirs too, where nobody said otherwise. To
    be run by `callcenter.calllog.yielding.give_way`.
    """
    rows = await unit.fetch(_CHOOSE, customer_id, list(numbers), BATCH)
    call_ids = [row["call_id"] for row in rows]
    if not call_ids:
        return Blanked((), ())
    recordings = await _blank(unit, call_ids, token, numbers, again=False)
    for follower in followers:
        await follower.calls_erased(unit, call_ids)
    # what somebody wrote as the outcome of a call stands in the audit trail as well
    await unit.execute(_BLANK_AUDIT, [str(call_id) for call_id in call_ids])
    await unit.execute(
        "UPDATE erasures SET calls = calls + $3 WHERE tenant_id = $1 AND customer_id = $2", customer_id, len(call_ids)
    )
    return Blanked(tuple(call_ids), tuple(recordings))


async def finish(unit: Unit, customer_id: UUID) -> Begun:
    """Note that it is done."""
    await unit.execute(
        "UPDATE erasures SET done_at = now() WHERE tenant_id = $1 AND customer_id = $2 AND done_at IS NULL", customer_id
    )
    done = await find(unit, customer_id)
    assert done is not None
    return done


async def latest(unit: Unit) -> datetime | None:
    """When the last erasure was done; None where there was none."""
    at: datetime | None = await unit.fetchval("SELECT max(done_at) FROM erasures WHERE tenant_id = $1")
    return at


async def forget_numbers(unit: Unit, now: datetime) -> None:
    """Take away the hashed numbers of erasures that are long done: no call that began before them comes any more."""
    await unit.execute(
        "UPDATE erasures SET salt = NULL, numbers = '{}' WHERE tenant_id = $1 AND salt IS NOT NULL AND done_at < $2",
        now - WATCHED,
    )


async def blank_again(unit: Unit, tokens: Mapping[UUID, str]) -> None:
    """Blank calls that the tracker just wrote anew, though they are erased: `tokens` by call."""
    calls: dict[str, list[UUID]] = defaultdict(list)
    for call_id, token in tokens.items():
        calls[token].append(call_id)
    for token, call_ids in calls.items():
        await _blank(unit, call_ids, token, (), again=True)


async def blank_late(unit: Unit, calls: Iterable[Call]) -> None:
    """Blank those of the calls, just written and nobody's, that began before their person was erased."""
    watched = await unit.fetch(
        "SELECT token, salt, numbers, coalesce(done_at, now()) AS until FROM erasures"
        " WHERE tenant_id = $1 AND salt IS NOT NULL"
    )
    for call in calls:
        end = call.callee if call.direction is Direction.OUTBOUND else call.caller
        for row in watched:
            digests = {_digest(row["salt"], number) for number in (end.number, end.e164) if number}
            if call.started_at <= row["until"] and digests.intersection(row["numbers"]):
                await _blank(unit, [call.call_id], row["token"], (), again=True)


def pattern_of(numbers: Iterable[str | None]) -> str:
    """A regular expression of PostgreSQL for these numbers, with whatever is dialed before them.

    Of +442071838750 and 02071838750 the latter's digits are enough: they are the end of the former.
    """
    cores = {re.sub(r"[^0-9]", "", number).lstrip("0") for number in numbers if number and not number.startswith(TOKEN)}
    long = sorted(core for core in cores if len(core) >= SHORTEST)
    ends = [core for core in long if not any(core != other and core.endswith(other) for other in long)]
    # without any number: a character that stands in no text
    return rf"\+?[0-9]{{0,7}}({'|'.join(ends)})" if ends else "\x01"


def _digest(salt: bytes, number: str) -> bytes:
    return hashlib.blake2b(number.encode(), key=salt, digest_size=16).digest()


async def _blank(unit: Unit, call_ids: Sequence[UUID], token: str, numbers: Sequence[str], *, again: bool) -> list[str]:
    """Blank calls; gives the files of their recordings. `again`: within the write that gave them their `seq`."""
    ends = await unit.fetch(_ENDS, call_ids)
    pattern = pattern_of([*numbers, *(row["number"] for row in ends)])
    await unit.execute(_BLANK_OFFERS, call_ids, token, pattern)
    await unit.execute(_BLANK_CONNECTIONS, call_ids, token, pattern)
    files = await unit.fetch(_FILES, call_ids)
    # the feed's number last: who writes calls waits for it
    await unit.execute(_BLANK_AGAIN if again else _BLANK_CALLS, call_ids, token, pattern)
    return [row["file"] for row in files if row["file"]]


_CHOOSE = """
    WITH RECURSIVE theirs AS (
        (SELECT call_id FROM calls WHERE tenant_id = $1 AND customer_id = $2 AND erasure IS NULL LIMIT $4)
        UNION
        (SELECT call_id FROM calls WHERE tenant_id = $1 AND caller_e164 = ANY($3::text[]) AND erasure IS NULL
            AND customer_id IS NULL LIMIT $4)
        UNION
        (SELECT call_id FROM calls WHERE tenant_id = $1 AND callee_e164 = ANY($3::text[]) AND erasure IS NULL
            AND customer_id IS NULL LIMIT $4)
    ), parts AS (
        SELECT call_id FROM theirs
        UNION
        SELECT near.call_id FROM parts CROSS JOIN LATERAL (
            SELECT call_id FROM calls WHERE tenant_id = $1 AND merged_into = parts.call_id
            UNION ALL
            SELECT merged_into FROM calls WHERE tenant_id = $1 AND call_id = parts.call_id AND merged_into IS NOT NULL
        ) near
    )
    SELECT c.call_id FROM calls c
    WHERE c.tenant_id = $1 AND c.call_id = ANY(ARRAY(SELECT call_id FROM parts)) AND c.erasure IS NULL
        AND (c.customer_id IS NULL OR c.customer_id = $2)
    ORDER BY c.call_id
    FOR UPDATE OF c
"""

_END = "CASE c.direction WHEN 'outbound' THEN c.callee ELSE c.caller END"
_ENDS = f"""
    SELECT DISTINCT spelled.number FROM (
        SELECT {_END} AS party FROM calls c WHERE c.tenant_id = $1 AND c.call_id = ANY($2::uuid[])
    ) c CROSS JOIN LATERAL (VALUES (c.party ->> 'number'), (c.party ->> 'e164')) spelled (number)
    WHERE c.party ->> 'kind' = 'external'
"""
_FILES = """
    SELECT file ->> 'file' AS file FROM calls c CROSS JOIN LATERAL jsonb_array_elements(c.recordings) file
    WHERE c.tenant_id = $1 AND c.call_id = ANY($2::uuid[])
"""

_BLANK_OFFERS = """
    UPDATE offers SET interface = regexp_replace(interface, $4, $3, 'g')
    WHERE tenant_id = $1 AND call_id = ANY($2::uuid[]) AND interface ~ $4
"""
_BLANK_CONNECTIONS = """
    UPDATE connections SET
        number = CASE WHEN number ~ $4 THEN $3 ELSE number END, interface = regexp_replace(interface, $4, $3, 'g')
    WHERE tenant_id = $1 AND call_id = ANY($2::uuid[]) AND (number ~ $4 OR interface ~ $4)
"""


def _blanked(party: str, is_end: str) -> str:
    """SQL of one end: nobody's where it is the customer's or has their number, else as it was."""
    return f"""CASE
        WHEN {is_end} AND c.{party} ->> 'kind' = 'external'
            OR coalesce(c.{party} ->> 'number' ~ $4, false) OR coalesce(c.{party} ->> 'e164' ~ $4, false)
        THEN c.{party} || jsonb_build_object('number', $3::text, 'e164', NULL, 'name', NULL, 'channel', NULL)
        ELSE regexp_replace(c.{party}::text, $4, $3, 'g')::jsonb END"""


_ASSIGNMENTS = f"""
    caller = {_blanked("caller", "c.direction <> 'outbound'")},
    callee = {_blanked("callee", "c.direction = 'outbound'")},
    did = regexp_replace(c.did, $4, $3, 'g'),
    transfers = regexp_replace(c.transfers::text, $4, $3, 'g')::jsonb,
    holds = regexp_replace(c.holds::text, $4, $3, 'g')::jsonb,
    recordings = '[]', notes = '[]', tags = '{{}}', outcome = NULL, customer_id = NULL, erasure = $3
"""
_BLANK_AGAIN = f"UPDATE calls c SET {_ASSIGNMENTS} WHERE c.tenant_id = $1 AND c.call_id = ANY($2::uuid[])"
# seq: see calllog/store.py
_BLANK_CALLS = f"""
    WITH feed AS (
        INSERT INTO call_feeds AS f (tenant_id, last_seq) VALUES ($1, cardinality($2::uuid[]))
        ON CONFLICT (tenant_id) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq
        RETURNING last_seq - cardinality($2::uuid[]) AS base
    )
    UPDATE calls c SET {_ASSIGNMENTS}, seq = feed.base + given.n, version = c.version + (c.ended_at IS NOT NULL)::int
    FROM feed, unnest($2::uuid[]) WITH ORDINALITY AS given (call_id, n)
    WHERE c.tenant_id = $1 AND c.call_id = given.call_id
"""
_BLANK_AUDIT = """
    UPDATE audit SET detail = '{}' WHERE tenant_id = $1 AND subject_type = 'call' AND subject_id = ANY($2::text[])
"""
