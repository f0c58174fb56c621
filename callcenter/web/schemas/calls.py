"""Bodies about calls: the call record, its filters, and what may be done with a call."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.model import (
    CallStatus,
    Direction,
    HangupBy,
    OfferResult,
    PartyKind,
    QueueExit,
    Source,
    TransferKind,
)
from callcenter.web.schemas import Answer, Body, Cursor, Limit, NumberText

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
Outcome = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class CallQuery(Body, frozen=True):
    """Which calls; all that is given must hold. `status` and `direction` may be repeated."""

    customer: UUID | None = None
    agent: Annotated[str, msgspec.Meta(max_length=64, description="Login of an agent who was offered it.")] | None = (
        None
    )
    number: NumberText | None = None
    status: Annotated[tuple[CallStatus, ...], msgspec.Meta(max_length=8)] = ()
    direction: Annotated[tuple[Direction, ...], msgspec.Meta(max_length=3)] = ()
    since: Annotated[AwareTime, msgspec.Meta(description="Started at or after.")] | None = None
    until: Annotated[AwareTime, msgspec.Meta(description="Started before.")] | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class Party(Answer, frozen=True):
    """One end of a call."""

    number: str | None
    e164: str | None
    name: str | None
    channel: str | None
    kind: PartyKind
    agent: str | None = None


class QueueVisit(Answer, frozen=True):
    """One stay in one queue."""

    queue: str
    joined_at: datetime
    left_at: datetime | None
    exit: QueueExit | None
    wait_s: float | None
    position: int | None


class Offer(Answer, frozen=True):
    """One ring at one device."""

    agent: str | None
    interface: str
    queue: str | None
    rang_at: datetime
    ended_at: datetime | None
    ring_s: float | None
    result: OfferResult | None


class Connection(Answer, frozen=True):
    """Who talked, and when."""

    agent: str | None
    interface: str | None
    number: str | None
    from_: datetime = msgspec.field(name="from")
    to: datetime | None


class Transfer(Answer, frozen=True):
    """A hand-over of the call."""

    kind: TransferKind
    by: str | None
    to: str | None
    at: datetime


class Recording(Answer, frozen=True):
    """A file that Asterisk wrote of the call."""

    file: str
    started_at: datetime
    ended_at: datetime | None


class CallCustomer(Answer, frozen=True):
    """The customer that the call was with."""

    id: UUID
    name: str | None = None


class CallRecord(Answer, frozen=True):
    """One call: docs/call-record.md says what each field means. Times in UTC; `…_s` in seconds."""

    call_id: UUID
    tenant: str
    pbx: str
    linkedids: tuple[str, ...]
    direction: Direction
    caller: Party
    callee: Party
    did: str | None
    status: CallStatus
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    queue_visits: tuple[QueueVisit, ...]
    offers: tuple[Offer, ...]
    connections: tuple[Connection, ...]
    transfers: tuple[Transfer, ...]
    wait_s: float | None
    ring_s: float | None
    talk_s: float | None
    hold_s: float | None
    wrapup_s: float | None
    duration_s: float | None
    hangup_by: HangupBy | None
    hangup_cause: int | None
    recordings: tuple[Recording, ...]
    customer: CallCustomer | None
    campaign: str | None
    outcome: str | None
    notes: str | None
    tags: tuple[str, ...]
    complete: bool
    source: Source
    version: int
    seq: int


class Calls(Answer, frozen=True):
    """One page of calls, the newest first."""

    items: tuple[CallRecord, ...]
    next_cursor: str | None


class NoteText(Body, frozen=True):
    """The note of a call; an empty one removes it."""

    text: Annotated[str, msgspec.Meta(max_length=20_000)]


class CustomerChoice(Body, frozen=True):
    """The customer that the call was with; null: nobody known."""

    customer_id: UUID | None


class OutcomeChoice(Body, frozen=True):
    """What the agent says the call came to."""

    outcome: Outcome | None


class Dial(Body, frozen=True):
    """A number to call from the extension of the session."""

    number: NumberText


class Dialing(Answer, frozen=True):
    """The call that was asked for. Whether it is answered is told by the call itself."""

    call_id: UUID
    action_id: str
    pbx: str


class HangingUp(Answer, frozen=True):
    """The call whose end was asked for."""

    call_id: UUID
