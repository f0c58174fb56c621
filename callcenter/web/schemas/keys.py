"""Bodies about API keys, and about the audit trail."""

from datetime import datetime
from typing import Annotated

import msgspec

from callcenter.accounts.values import ApiKey, AuditView
from callcenter.web.schemas import Answer, Body, Cursor, Limit, Slug

Scope = Annotated[str, msgspec.Meta(max_length=64)]


class NewKey(Body, frozen=True):
    """A key for another system: what it is for, what it may do, and until when. Without `expires_at` until revoked."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1, max_length=40)]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class MadeKey(Answer, frozen=True):
    """The key, which is shown this once."""

    key_id: str
    key: str


class Keys(Answer, frozen=True):
    """All keys, the newest first, and what a key can be given."""

    items: tuple[ApiKey, ...]
    scopes: tuple[str, ...]


class TrailQuery(Body, frozen=True):
    """Which entries; `action` is one, or what it begins with, such as `user.`."""

    actor: Slug | None = None
    action: Slug | None = None
    subject_type: Slug | None = None
    subject_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class AuditTrail(Answer, frozen=True):
    """Who did, or saw, what; the newest first."""

    items: tuple[AuditView, ...]
    next_cursor: str | None
