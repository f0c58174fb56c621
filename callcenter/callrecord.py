"""The call record: the JSON that the API returns, webhooks carry and `callcenter replay` prints, as values.

docs/call-record.md says what each field means. `calllog.record` makes it of the tracker's `Call`, `calllog.queries` of
PostgreSQL's rows; both give the same. Times are RFC 3339 in UTC with microseconds, always with all their digits;
durations are seconds, rounded to milliseconds, and null where they are not known.
"""

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

Stamp = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A time as text, because a JSON writer would leave out microseconds that are zero."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the record and its parts: compared by content; unknown keys are passed over when decoding."""


class PartyRecord(Part, frozen=True):
    """One end of the call."""

    number: str | None
    e164: str | None
    name: str | None
    channel: str | None
    kind: PartyKind


class QueueVisitRecord(Part, frozen=True):
    """One stay in a queue; `wait_s` is null while it goes on."""

    queue: str
    joined_at: Stamp
    left_at: Stamp | None
    exit: QueueExit | None
    wait_s: float | None
    position: int | None


class OfferRecord(Part, frozen=True):
    """One ring at one device; `ring_s` is null while it goes on."""

    agent: str | None
    interface: str
    queue: str | None
    rang_at: Stamp
    ended_at: Stamp | None
    ring_s: float | None
    result: OfferResult | None


class ConnectionRecord(Part, frozen=True):
    """Who talked, and when."""

    agent: str | None
    interface: str | None
    number: str | None
    from_: Stamp = msgspec.field(name="from")
    to: Stamp | None


class TransferRecord(Part, frozen=True):
    """A hand-over."""

    kind: TransferKind
    by: str | None
    to: str | None
    at: Stamp


class RecordingRecord(Part, frozen=True):
    """A file that was recorded of the call."""

    file: str
    started_at: Stamp
    ended_at: Stamp | None


class CustomerRef(Part, frozen=True):
    """The customer that the call was with."""

    id: UUID
    name: str


class NoteRecord(Part, frozen=True):
    """What somebody wrote about the call: `by` a login."""

    by: str
    at: Stamp
    text: str


class CallRecord(Part, frozen=True):
    """One call. `seq` is null where the call was never stored (`callcenter replay`)."""

    call_id: UUID
    tenant: str
    pbx: str
    linkedids: tuple[str, ...]
    direction: Direction
    caller: PartyRecord
    callee: PartyRecord
    did: str | None
    status: CallStatus
    started_at: Stamp
    answered_at: Stamp | None
    ended_at: Stamp | None
    queue_visits: tuple[QueueVisitRecord, ...]
    offers: tuple[OfferRecord, ...]
    connections: tuple[ConnectionRecord, ...]
    transfers: tuple[TransferRecord, ...]
    wait_s: float | None
    ring_s: float | None
    talk_s: float | None
    hold_s: float | None
    wrapup_s: float | None
    duration_s: float | None
    hangup_by: HangupBy | None
    hangup_cause: int | None
    recordings: tuple[RecordingRecord, ...]
    customer: CustomerRef | None
    campaign: str | None
    outcome: str | None
    notes: tuple[NoteRecord, ...]
    tags: tuple[str, ...]
    complete: bool
    source: Source
    version: int
    seq: int | None
