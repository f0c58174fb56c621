"""Bodies about customers, and about whose number it is."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.web.schemas import Answer, Body, Cursor, Limit, NumberText, PbxId, ShortText

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=20_000)]
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Tags = Annotated[tuple[Tag, ...], msgspec.Meta(max_length=50)]
FieldName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
FieldValue = Annotated[str, msgspec.Meta(max_length=2_000)] | bool | int | float | None
Fields = Annotated[dict[FieldName, FieldValue], msgspec.Meta(max_length=100)]
Version = Annotated[
    int, msgspec.Meta(ge=1, le=2**31 - 1, description="The `version` that was read; another one by now: 409.")
]


class NewPhone(Body, frozen=True):
    """A number of a customer, as somebody wrote it."""

    number: NumberText
    label: ShortText | None = None


Phones = Annotated[tuple[NewPhone, ...], msgspec.Meta(max_length=40)]


class NewCustomer(Body, frozen=True):
    """A customer to be created."""

    name: Name
    company: ShortText | None = None
    email: ShortText | None = None
    language: ShortText | None = None
    address: Annotated[str, msgspec.Meta(max_length=1_000)] | None = None
    owner: ShortText | None = None
    tags: Tags = ()
    fields: Fields = msgspec.field(default_factory=dict)
    phones: Phones = ()
    note: Note | None = None


class CustomerChange(Body, frozen=True):
    """What is to change; a field that is left out stays, `null` empties it. `phones` replaces all numbers."""

    version: Version
    name: Name | msgspec.UnsetType = msgspec.UNSET
    company: ShortText | msgspec.UnsetType | None = msgspec.UNSET
    email: ShortText | msgspec.UnsetType | None = msgspec.UNSET
    language: ShortText | msgspec.UnsetType | None = msgspec.UNSET
    address: Annotated[str, msgspec.Meta(max_length=1_000)] | msgspec.UnsetType | None = msgspec.UNSET
    owner: ShortText | msgspec.UnsetType | None = msgspec.UNSET
    tags: Tags | msgspec.UnsetType = msgspec.UNSET
    fields: Fields | msgspec.UnsetType = msgspec.UNSET
    phones: Phones | msgspec.UnsetType = msgspec.UNSET
    note: Note | msgspec.UnsetType | None = msgspec.UNSET


class Phone(Answer, frozen=True):
    """A number of a customer: as written, and as E.164 where it is a public number."""

    number: str
    e164: str | None
    label: str | None


class Customer(Answer, frozen=True):
    """A customer. `owner` is the login of the agent in charge."""

    id: UUID
    name: str
    company: str | None
    email: str | None
    language: str | None
    address: str | None
    owner: str | None
    tags: tuple[str, ...]
    fields: dict[str, str | bool | int | float | None]
    phones: tuple[Phone, ...]
    version: int
    created_at: datetime
    updated_at: datetime
    note: str | None


class Customers(Answer, frozen=True):
    """One page of customers."""

    items: tuple[Customer, ...]
    next_cursor: str | None


class CustomerQuery(Body, frozen=True):
    """Which customers: by text in name, company or e-mail, or by number."""

    q: Annotated[str, msgspec.Meta(max_length=100, description="Text to look for.")] | None = None
    number: NumberText | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class Erasure(Answer, frozen=True):
    """What was done: `calls` say no longer who it was; `recordings` are files that the PBX still has of them."""

    customer_id: UUID
    calls: int
    recordings: tuple[str, ...]


class MatchQuery(Body, frozen=True):
    """Whose number it is. `pbx` says by which rules it is read; without: the first PBX."""

    number: NumberText
    pbx: PbxId | None = None


class MatchStatus(StrEnum):
    """What is known about a number. `incomplete`: not everyone could be asked."""

    NONE = "none"
    ONE = "one"
    SEVERAL = "several"
    IGNORED = "ignored"
    INCOMPLETE = "incomplete"


class Candidate(Answer, frozen=True):
    """A customer whose number it may be. `reason` is how the number fits, `reasons` all that speaks for this one."""

    customer_id: UUID
    name: str
    company: str | None
    email: str | None
    phone: str | None
    phone_label: str | None
    tags: tuple[str, ...]
    owner: str | None
    last_call_at: datetime | None
    reason: str
    reasons: tuple[str, ...]
    score: float


class Match(Answer, frozen=True):
    """Whose number it is, best candidate first."""

    status: MatchStatus
    number: str
    candidates: tuple[Candidate, ...]
