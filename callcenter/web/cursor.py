"""Cursors of pages: opaque to the client, bound to the query they came from.

A cursor holds the position after which the next page begins. It grants nothing (every page is read within the
tenant of who asks), so it is checked, not signed: the check finds a cursor used with other filters.
"""

import base64
import binascii
import hashlib
from uuid import UUID

import msgspec

from callcenter.errors import BadInput
from callcenter.web.services import Position


class _Content(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    check: str
    key: str
    id: UUID


def write_cursor(position: Position | None, query: msgspec.Struct) -> str | None:
    """The cursor of the page that begins after `position`; None after the last page."""
    if position is None:
        return None
    content = msgspec.json.encode(_Content(_check(query), position.key, position.id))
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def read_cursor(cursor: str | None, query: msgspec.Struct) -> Position | None:
    """The position in a cursor that `write_cursor` made for the same `query`, which may differ in its limit.

    Raises:
        BadInput: it is no cursor, or one of another query.
    """
    if cursor is None:
        return None
    try:
        content = msgspec.json.decode(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True), type=_Content
        )
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise BadInput("cursor: this is no cursor; take `next_cursor` of the page before, unchanged") from None
    if content.check != _check(query):
        raise BadInput("cursor: it belongs to other filters; begin again without a cursor")
    if "\0" in content.key:
        raise BadInput("cursor: this is no cursor; take `next_cursor` of the page before, unchanged")
    return Position(content.key, content.id)


def _check(query: msgspec.Struct) -> str:
    """A short fingerprint of all filters: the query without its cursor and limit."""
    filters = {
        name: value
        for name, value in msgspec.structs.asdict(query).items()
        if name not in ("cursor", "limit") and value not in (None, ())
    }
    text = msgspec.json.encode([type(query).__name__, filters], order="sorted")
    return hashlib.sha256(text).hexdigest()[:12]
