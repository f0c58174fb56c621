"""Cursors of pages, bound to the query they came from.

The stores make and check cursors of their own; here a fingerprint of the filters is put before them, because a
cursor that is used with other filters would silently leave things out. It grants nothing: every page is read
within the tenant of who asks.
"""

import hashlib

import msgspec

from callcenter.errors import BadInput


def write_cursor(cursor: str | None, query: msgspec.Struct) -> str | None:
    """The cursor to give out for a store's `cursor`; None after the last page."""
    return None if cursor is None else f"{_fingerprint(query)}.{cursor}"


def read_cursor(cursor: str | None, query: msgspec.Struct) -> str | None:
    """The store's cursor in one that `write_cursor` made for the same `query`, which may differ in its limit.

    Raises:
        BadInput: it is no cursor, or one of another query.
    """
    if cursor is None:
        return None
    fingerprint, dot, inner = cursor.partition(".")
    if not dot or not inner or not fingerprint.isalnum():
        raise BadInput("cursor: this is no cursor; take `next_cursor` of the page before, unchanged")
    if fingerprint != _fingerprint(query):
        raise BadInput("cursor: it belongs to other filters; begin again without a cursor")
    return inner


def _fingerprint(query: msgspec.Struct) -> str:
    """Of all filters: the query without its cursor and limit."""
    filters = {
        name: value
        for name, value in msgspec.structs.asdict(query).items()
        if name not in ("cursor", "limit") and value is not None
    }
    text = msgspec.json.encode([type(query).__name__, filters], order="sorted")
    return hashlib.sha256(text).hexdigest()[:12]
