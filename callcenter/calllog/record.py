"""Makes the call record of what the tracker knows of a call."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from callcenter.callrecord import (
    CallRecord,
    ConnectionRecord,
    OfferRecord,
    Part,
    PartyRecord,
    QueueVisitRecord,
    RecordingRecord,
    TransferRecord,
)
from callcenter.metrics import durations
from callcenter.model import (
    Call,
    Connection,
    Hold,
    Offer,
    Party,
    PartyKind,
    QueueVisit,
    Recording,
    Transfer,
)


class HoldRecord(Part, frozen=True):
    """Who was on hold when; kept by the call log, and not a part of the record."""

    interface: str | None
    from_: str = msgspec.field(name="from")
    to: str | None


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


def call_of(record: CallRecord, holds: Sequence[HoldRecord]) -> Call:
    """The call that a record was made of, as far as a record tells."""
    agents = {one.interface: one.agent for one in record.offers} | {
        one.interface: one.agent for one in record.connections if one.interface is not None
    }

    def party(one: PartyRecord) -> Party:
        interface = (one.channel or "").rpartition("-")[0]
        agent = agents.get(interface) if one.kind is PartyKind.AGENT else None
        return Party(**msgspec.structs.asdict(one), agent=agent)

    return Call(
        call_id=record.call_id,
        tenant=record.tenant,
        pbx=record.pbx,
        linkedids=record.linkedids,
        direction=record.direction,
        caller=party(record.caller),
        callee=party(record.callee),
        status=record.status,
        started_at=_time(record.started_at),
        did=record.did,
        answered_at=_time_or_none(record.answered_at),
        ended_at=_time_or_none(record.ended_at),
        queue_visits=tuple(
            QueueVisit(
                queue=one.queue,
                joined_at=_time(one.joined_at),
                left_at=_time_or_none(one.left_at),
                exit=one.exit,
                position=one.position,
            )
            for one in record.queue_visits
        ),
        offers=tuple(
            Offer(
                interface=one.interface,
                rang_at=_time(one.rang_at),
                agent=one.agent,
                queue=one.queue,
                ended_at=_time_or_none(one.ended_at),
                result=one.result,
            )
            for one in record.offers
        ),
        connections=tuple(
            Connection(
                from_=_time(one.from_),
                to=_time_or_none(one.to),
                agent=one.agent,
                interface=one.interface,
                number=one.number,
            )
            for one in record.connections
        ),
        holds=tuple(Hold(from_=_time(one.from_), to=_time_or_none(one.to), interface=one.interface) for one in holds),
        transfers=tuple(Transfer(kind=one.kind, at=_time(one.at), by=one.by, to=one.to) for one in record.transfers),
        recordings=tuple(
            Recording(file=one.file, started_at=_time(one.started_at), ended_at=_time_or_none(one.ended_at))
            for one in record.recordings
        ),
        hangup_by=record.hangup_by,
        hangup_cause=record.hangup_cause,
        complete=record.complete,
        source=record.source,
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


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at)


def _time_or_none(at: str | None) -> datetime | None:
    return None if at is None else _time(at)


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
