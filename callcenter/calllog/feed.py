"""The change feed: calls in the order in which they changed, corrected, merged and deleted ones too.

One statement reads a page, so that calls and tombstones are seen at one instant. Numbers become visible in their order
(calllog/store.py), so whoever has read up to a number has missed nothing below it.
"""

import base64
import binascii
import hashlib
import struct
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from callcenter.calllog.queries import LONGEST_PAGE, RECORD
from callcenter.calllog.retention import KEEP_TOMBSTONES
from callcenter.callrecord import CallRecord
from callcenter.db.unit import Unit
from callcenter.errors import BadInput

NOW = "now"
"""In place of a cursor: only what changes from now on."""
GOOD_FOR = KEEP_TOMBSTONES - timedelta(days=2)
"""How long a cursor leads on: who comes back later would not learn of all deletions."""


class ChangeKind(StrEnum):
    """What happened to a call."""

    CHANGED = "changed"
    MERGED = "merged"
    DELETED = "deleted"


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """The newest state of one call: its record, the call that it became a part of, or that it is gone."""

    seq: int
    kind: ChangeKind
    call_id: UUID
    call: CallRecord | None = None
    merged_into: UUID | None = None


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Changes in their order; `cursor` asks for what comes after them, and `more` says that it is there already."""

    items: list[FeedItem]
    cursor: str
    more: bool


async def read_changes(unit: Unit, after: str | None, *, limit: int) -> FeedPage:
    """What changed after a cursor; from the beginning without one, and nothing yet with `now`.

    Raises:
        BadInput: `after` did not come from a page before, or too long ago, or `limit` is no number from 1 to 500.
    """
    if not 1 <= limit <= LONGEST_PAGE:
        raise BadInput(f"limit must be from 1 to {LONGEST_PAGE}")
    now = datetime.now(UTC)
    if after == NOW:
        return FeedPage(items=[], cursor=cursor_at(await _last_seq(unit), now), more=False)
    seen = 0 if after is None else _read_cursor(after, now)
    rows = await unit.fetch(CHANGES, seen, limit + 1)
    if not rows and seen > await _last_seq(unit):
        raise BadInput(
            "after: this cursor is ahead of the change feed, which was restored from a backup or is another one:"
            " begin again without it"
        )
    items = [
        FeedItem(
            seq=row["seq"],
            kind=_kind(row["deleted"], row["merged_into"]),
            call_id=row["call_id"],
            call=msgspec.json.decode(row["record"], type=CallRecord) if row["record"] is not None else None,
            merged_into=row["merged_into"],
        )
        for row in rows[:limit]
    ]
    return FeedPage(items=items, cursor=cursor_at(items[-1].seq if items else seen, now), more=len(rows) > limit)


async def _last_seq(unit: Unit) -> int:
    return int(await unit.fetchval("SELECT last_seq FROM call_feeds WHERE tenant_id = $1") or 0)


def _kind(deleted: bool, merged_into: UUID | None) -> ChangeKind:
    if deleted:
        return ChangeKind.DELETED
    return ChangeKind.CHANGED if merged_into is None else ChangeKind.MERGED


CHANGES = f"""
    SELECT p.seq, p.call_id, p.merged_into, p.deleted, r.record
    FROM (
        SELECT * FROM (
            (SELECT seq, call_id, merged_into, false AS deleted FROM calls
                WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
            UNION ALL
            (SELECT seq, call_id, NULL, true FROM call_tombstones
                WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
        ) news ORDER BY seq LIMIT $3
    ) p
    LEFT JOIN LATERAL (
        {RECORD} WHERE c.tenant_id = $1 AND c.call_id = p.call_id AND p.merged_into IS NULL AND NOT p.deleted
    ) r ON true
    ORDER BY p.seq
"""

_SHAPE = struct.Struct(">BQH")
"""Format, number, and the day on which the cursor was given, counted from 1970."""
_FORMAT = 1
_CHECK_BYTES = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cursor_at(seq: int, at: datetime) -> str:
    """The cursor of who has read up to a number at that time."""
    data = _SHAPE.pack(_FORMAT, seq, (at - _EPOCH).days)
    return base64.urlsafe_b64encode(data + _check(data)).decode()


def _read_cursor(text: str, now: datetime) -> int:
    try:
        data = base64.b64decode(text, altchars=b"-_", validate=True)
        head, check = data[: _SHAPE.size], data[_SHAPE.size :]
        kind, seq, days = _SHAPE.unpack(head)
        if kind != _FORMAT or check != _check(head) or seq >= 2**63:
            raise ValueError
    except (ValueError, struct.error, binascii.Error):
        raise BadInput(
            "after: this is no cursor of the change feed; take `cursor` of the answer before, unchanged,"
            " or begin again without it"
        ) from None
    if _EPOCH + timedelta(days=days) < now - GOOD_FOR:
        raise BadInput(
            f"after: this cursor was given more than {GOOD_FOR.days} days ago, and older deletions are forgotten:"
            " throw away what you have and begin again without it"
        )
    return int(seq)


def _check(data: bytes) -> bytes:
    """A few bytes against a cursor that was cut or typed; nothing that it would protect is secret."""
    return hashlib.blake2b(data, digest_size=_CHECK_BYTES).digest()
