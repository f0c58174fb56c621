"""A call and its parts, as frozen values: the words that the whole project shares.

`Call` is the call record of docs/call-record.md before it becomes JSON. It holds facts only; durations
are derived from them by `callcenter.metrics.durations`, and JSON is made by `callcenter.calllog.record`.
All datetimes are aware and in UTC, and come from Asterisk's clock.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class Direction(StrEnum):
    """Which way a call crosses the company's border; decided once."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class PartyKind(StrEnum):
    """What stands at one end of a call."""

    EXTERNAL = "external"
    AGENT = "agent"
    EXTENSION = "extension"
    IVR = "ivr"
    VOICEMAIL = "voicemail"


class CallStatus(StrEnum):
    """How a call ended, or that it has not."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELED = "canceled"
    VOICEMAIL = "voicemail"
    IN_PROGRESS = "in_progress"


class OfferResult(StrEnum):
    """How one ring at one device ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    CALLER_GAVE_UP = "caller_gave_up"


class QueueExit(StrEnum):
    """How a caller left a queue."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMEOUT = "timeout"
    JOIN_EMPTY = "join_empty"
    LEAVE_EMPTY = "leave_empty"
    FULL = "full"
    OTHER = "other"


class TransferKind(StrEnum):
    """Blind: unannounced. Attended: announced. Blonde: announced, completed while still ringing."""

    BLIND = "blind"
    ATTENDED = "attended"
    BLONDE = "blonde"


class HangupBy(StrEnum):
    """Who ended the call."""

    CALLER = "caller"
    CALLEE = "callee"
    AGENT = "agent"
    SYSTEM = "system"


class Source(StrEnum):
    """Where the facts of a call come from."""

    LIVE = "live"
    RESYNC = "resync"
    BACKFILL = "backfill"


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Root of the frozen values: compared by content, changed by `msgspec.structs.replace`."""


class Party(Value, frozen=True):
    """One end of a call. `number` is as Asterisk gave it, `e164` only where it is a public number."""

    number: str | None = None
    e164: str | None = None
    name: str | None = None
    channel: str | None = None
    kind: PartyKind = PartyKind.EXTERNAL
    agent: str | None = None
    """The agent's id where the party is one of ours."""


class QueueVisit(Value, frozen=True):
    """One stay in one queue. `position` is the one given at joining."""

    queue: str
    joined_at: datetime
    left_at: datetime | None = None
    exit: QueueExit | None = None
    position: int | None = None


class Offer(Value, frozen=True):
    """One ring at one device. `interface` is the device (`PJSIP/1001`), never a Local channel."""

    interface: str
    rang_at: datetime
    agent: str | None = None
    queue: str | None = None
    ended_at: datetime | None = None
    result: OfferResult | None = None


class Connection(Value, frozen=True):
    """A stretch of time in which one of our devices, or an outside party, talked within this call.

    `agent` is set where the device belongs to an agent; `number` is the dialed or shown number of that end.
    """

    from_: datetime = msgspec.field(name="from")
    to: datetime | None = None
    agent: str | None = None
    interface: str | None = None
    number: str | None = None


class Hold(Value, frozen=True):
    """A stretch of time in which a device kept the other side on hold."""

    from_: datetime = msgspec.field(name="from")
    to: datetime | None = None
    interface: str | None = None


class Transfer(Value, frozen=True):
    """A hand-over. `by` is an interface, `to` a number, queue or interface."""

    kind: TransferKind
    at: datetime
    by: str | None = None
    to: str | None = None


class Recording(Value, frozen=True):
    """A file that Asterisk wrote of this call."""

    file: str
    started_at: datetime
    ended_at: datetime | None = None


class Call(Value, frozen=True):
    """A call as far as it is known: what docs/call-record.md calls the call record, without derived fields."""

    call_id: UUID
    tenant: str
    pbx: str
    linkedids: tuple[str, ...]
    direction: Direction
    caller: Party
    callee: Party
    status: CallStatus
    started_at: datetime
    did: str | None = None
    ringing_at: datetime | None = None
    """When the far end of an outbound call began to ring."""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    queue_visits: tuple[QueueVisit, ...] = ()
    offers: tuple[Offer, ...] = ()
    connections: tuple[Connection, ...] = ()
    holds: tuple[Hold, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    recordings: tuple[Recording, ...] = ()
    hangup_by: HangupBy | None = None
    hangup_cause: int | None = None
    complete: bool = True
    source: Source = Source.LIVE
