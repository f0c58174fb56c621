"""A customer as it is stored and shown: the card."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from callcenter.model import Value


class Phone(Value, frozen=True):
    """A number of a customer: as written, and as E.164 where it is a public number."""

    number: str
    e164: str | None = None
    label: str | None = None


class Card(Value, frozen=True):
    """A customer. `owner` is the agent in charge; `version` rises with each change."""

    id: UUID
    name: str
    company: str | None
    email: str | None
    language: str | None
    address: str | None
    owner: str | None
    tags: tuple[str, ...]
    fields: dict[str, str]
    phones: tuple[Phone, ...]
    version: int
    created_at: datetime
    updated_at: datetime
    note: str | None
    last_call_at: datetime | None = None
    external_ref: str | None = None


class Page(Value, frozen=True):
    """Cards in order of their names; `next_cursor` asks for the page after, None on the last one."""

    items: Sequence[Card]
    next_cursor: str | None
