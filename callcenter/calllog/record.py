"""The call record: the JSON that the API returns, webhooks carry and `callcenter replay` prints.

docs/call-record.md describes it. It is made from the tracker's `Call` by `of`, and from PostgreSQL's rows by
`calllog.queries`; both give the same record. Times are RFC 3339 in UTC with microseconds; durations are seconds,
rounded to milliseconds, and null where they are not known.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from callcenter.metrics import durations
from callcenter.model import (
    Call,
    CallStatus,
    Connection,
    Direction,
    HangupBy,
    Hold,
    Offer,
    OfferResult,
    Party,
    PartyKind,
    QueueExit,
    QueueVisit,
    Recording,
    Source,
    Transfer,
    TransferKind,
)


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
    joined_at: str
    left_at: str | None
    exit: QueueExit | None
    wait_s: float | None
    position: int | None


class OfferRecord(Part, frozen=True):
    """One ring at one device; `ring_s` is null while it goes on."""

    agent: str | None
    interface: str
    queue: str | None
    rang_at: str
    ended_at: str | None
    ring_s: float | None
    result: OfferResult | None


class ConnectionRecord(Part, frozen=True):
    """Who talked, and when."""

    agent: str | None
    interface: str | None
    number: str | None
    from_: str = msgspec.field(name="from")
    to: str | None


class HoldRecord(Part, frozen=True):
    """Who was on hold when; kept by the call log, and not a part of the record."""

    interface: str | None
    from_: str = msgspec.field(name="from")
    to: str | None


class TransferRecord(Part, frozen=True):
    """A hand-over."""

    kind: TransferKind
    by: str | None
    to: str | None
    at: str


class RecordingRecord(Part, frozen=True):
    """A file that was recorded of the call."""

    file: str
    started_at: str
    ended_at: str | None


class CustomerRef(Part, frozen=True):
    """The customer that the call was with."""

    id: UUID
    name: str


class NoteRecord(Part, frozen=True):
    """What somebody wrote about the call: `by` a login."""

    by: str
    at: str
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
    started_at: str
    answered_at: str | None
    ended_at: str | None
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


def of(call: Call) -> CallRecord:
    """The record of a call as the tracker sees it: without what people add and the call log numbers."""
    took = durations.of(call)
    return CallRecord(
        call_id=call.call_id,
        tenant=call.tenant,
        pbx=call.pbx,
        linkedids=call.linkedids,
        direction=call.direction,
        caller=_party(call.caller),
        callee=_party(call.callee),
        did=call.did,
        status=call.status,
        started_at=stamp(call.started_at),
        answered_at=stamp_or_none(call.answered_at),
        ended_at=stamp_or_none(call.ended_at),
        queue_visits=tuple(_visit(visit, call.ended_at) for visit in call.queue_visits),
        offers=tuple(_offer(offer, call.ended_at) for offer in call.offers),
        connections=tuple(_connection(connection) for connection in call.connections),
        transfers=transfer_records(call.transfers),
        wait_s=seconds(took.wait),
        ring_s=seconds(took.ring),
        talk_s=seconds(took.talk),
        hold_s=seconds(took.hold),
        wrapup_s=None,
        duration_s=seconds(took.duration),
        hangup_by=call.hangup_by,
        hangup_cause=call.hangup_cause,
        recordings=recording_records(call.recordings),
        customer=None,
        campaign=None,
        outcome=None,
        notes=(),
        tags=(),
        complete=call.complete,
        source=call.source,
        version=1,
        seq=None,
    )


def to_json(record: CallRecord) -> dict[str, Any]:
    """The record as plain values, for a JSON writer; its keys are in the order of docs/call-record.md."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds: 2026-01-31T09:05:00.000000Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def stamp_or_none(at: datetime | None) -> str | None:
    """The same where there may be no time."""
    return None if at is None else stamp(at)


def seconds(span: timedelta | None) -> float | None:
    """Seconds, rounded to milliseconds."""
    return None if span is None else round(span.total_seconds(), 3)


def wait_s(visit: QueueVisit, call_ended_at: datetime | None) -> float | None:
    """How long a stay in a queue was; the call's end ends it, and before it is not known."""
    over = visit.left_at or call_ended_at
    return seconds(durations.wait_of(visit, over)) if over else None


def ring_s(offer: Offer, call_ended_at: datetime | None) -> float | None:
    """How long a device rang; the call's end ends it, and before it is not known."""
    over = offer.ended_at or call_ended_at
    return seconds(durations.ring_of(offer, over)) if over else None


def hold_records(holds: Sequence[Hold]) -> tuple[HoldRecord, ...]:
    """The holds of a call."""
    return tuple(
        HoldRecord(interface=hold.interface, from_=stamp(hold.from_), to=stamp_or_none(hold.to)) for hold in holds
    )


def transfer_records(transfers: Sequence[Transfer]) -> tuple[TransferRecord, ...]:
    """The hand-overs of a call."""
    return tuple(TransferRecord(kind=one.kind, by=one.by, to=one.to, at=stamp(one.at)) for one in transfers)


def recording_records(recordings: Sequence[Recording]) -> tuple[RecordingRecord, ...]:
    """The recordings of a call."""
    return tuple(
        RecordingRecord(file=one.file, started_at=stamp(one.started_at), ended_at=stamp_or_none(one.ended_at))
        for one in recordings
    )


def _party(party: Party) -> PartyRecord:
    return PartyRecord(number=party.number, e164=party.e164, name=party.name, channel=party.channel, kind=party.kind)


def _visit(visit: QueueVisit, call_ended_at: datetime | None) -> QueueVisitRecord:
    return QueueVisitRecord(
        queue=visit.queue,
        joined_at=stamp(visit.joined_at),
        left_at=stamp_or_none(visit.left_at),
        exit=visit.exit,
        wait_s=wait_s(visit, call_ended_at),
        position=visit.position,
    )


def _offer(offer: Offer, call_ended_at: datetime | None) -> OfferRecord:
    return OfferRecord(
        agent=offer.agent,
        interface=offer.interface,
        queue=offer.queue,
        rang_at=stamp(offer.rang_at),
        ended_at=stamp_or_none(offer.ended_at),
        ring_s=ring_s(offer, call_ended_at),
        result=offer.result,
    )


def _connection(connection: Connection) -> ConnectionRecord:
    return ConnectionRecord(
        agent=connection.agent,
        interface=connection.interface,
        number=connection.number,
        from_=stamp(connection.from_),
        to=stamp_or_none(connection.to),
    )
