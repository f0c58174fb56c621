"""Every message of screen-pop protocol 1, in both directions: the one place that knows its JSON.

The page for people who write clients is docs/screenpop-protocol.md; its schema is generated from here.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from callcenter.errors import BadInput

PROTOCOL = 1
MAX_MESSAGE = 4096
"""Bytes that a client's message may have at most."""

Moment = Annotated[datetime, Meta(tz=True)]
Sequence = Annotated[int, Meta(ge=0, le=2**53 - 1, description="A number of the agent's stream.")]
VerbId = Annotated[str, Meta(min_length=1, max_length=64, description="Chosen by the client, random.")]
MatchStatus = Literal["none", "one", "several", "ignored", "incomplete"]
CallState = Literal["ringing", "queued", "talking", "held", "ended"]
AgentStatus = Literal["offline", "ready", "ringing", "busy", "paused"]
Reason = Literal["answered_elsewhere", "caller_gave_up", "no_answer", "busy", "rejected", "unavailable", "ended"]


class Wire(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Root of what goes over the wire; every field is always present, null where nothing is known."""


class Resume(Wire, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where a client that comes back left off: its session, and the last number that it has seen."""

    session: Annotated[str, Meta(min_length=1, max_length=64)]
    seq: Sequence


class Hello(Wire, tag="hello", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The first message of a client: a ticket from `POST /api/v1/screenpop/ticket`, valid once."""

    ticket: Annotated[str, Meta(min_length=1, max_length=256)]
    resume: Resume | None = None


class Watch(Wire, tag="watch", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The first message of a supervisor's page that shows the floor: such a connection gets nothing else."""

    ticket: Annotated[str, Meta(min_length=1, max_length=256)]


class Ack(Wire, tag="ack", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The person is done with the pop that has this number; other pops are not touched."""

    seq: Sequence


class Dial(Wire, tag="dial", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Call this number from the agent's phone."""

    id: VerbId
    number: Annotated[str, Meta(min_length=1, max_length=64)]


class Hangup(Wire, tag="hangup", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """End this call of the agent."""

    id: VerbId
    call_id: UUID


class Pause(Wire, tag="pause", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Take no calls from queues, for this reason: a code of `GET /api/v1/pause-reasons`."""

    id: VerbId
    reason: Annotated[str, Meta(min_length=1, max_length=40)]


class Ready(Wire, tag="ready", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Take calls again: ends a pause, and a wrap-up."""

    id: VerbId


class Extend(Wire, tag="extend", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Take so much more time to wrap up."""

    id: VerbId
    seconds: Annotated[int, Meta(ge=1, le=3600)]


class LogIntoQueues(Wire, tag="queues", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Log in to all one's queues, or out of them."""

    id: VerbId
    logged_in: bool


class Transfer(Wire, tag="transfer", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Hand this call of the agent on. `attended`: the agent talks with the target first, and hangs up to join them."""

    id: VerbId
    call_id: UUID
    number: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: Literal["blind", "attended"] = "blind"


class TransferCancel(Wire, tag="transfer_cancel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Give an attended transfer up, and go back to whoever waits."""

    id: VerbId
    call_id: UUID


class Park(Wire, tag="park", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Park whoever the agent talks with in this call."""

    id: VerbId
    call_id: UUID


class Fetch(Wire, tag="fetch", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Ring the agent's phone and give it this call, which is parked."""

    id: VerbId
    call_id: UUID


class Person(Wire, frozen=True, kw_only=True):
    """One end of a call."""

    number: str | None = None
    e164: str | None = None
    name: str | None = None


class Customer(Wire, frozen=True, kw_only=True):
    """The customer of a call, where exactly one matches."""

    id: UUID
    name: str


class Candidate(Wire, frozen=True, kw_only=True):
    """A customer who may be the caller. `reason` is how the number fits: `exact`, `national` or `suffix`.

    `reasons` begins with it and tells what else speaks for this customer: `your_customer`, `recent` and others.
    """

    customer_id: UUID
    name: str
    company: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_label: str | None = None
    tags: tuple[str, ...] = ()
    owner: str | None = None
    last_call_at: Moment | None = None
    reason: str = "exact"
    reasons: tuple[str, ...] = ()
    score: float = 0.0


class Match(Wire, frozen=True, kw_only=True):
    """Who the number belongs to. `none`: nobody found; `incomplete`: not everybody could be asked."""

    status: MatchStatus
    number: str | None = None
    candidates: tuple[Candidate, ...] = ()


class CallView(Wire, frozen=True, kw_only=True):
    """A call as one agent sees it; `number` and `name` are the other side's, `ended`: over for this agent.

    `merged_into`: it was found to be the same as this other call, as a consultation is once the customer is handed on.
    """

    call_id: UUID
    direction: Literal["inbound", "outbound", "internal"]
    status: str
    state: CallState
    caller: Person
    callee: Person
    number: str | None = None
    name: str | None = None
    queue: str | None = None
    customer: Customer | None = None
    started_at: Moment
    answered_at: Moment | None = None
    ended_at: Moment | None = None
    merged_into: UUID | None = None


class Pop(Wire, tag="pop", frozen=True, kw_only=True):
    """Show who calls. `caller` is the other side: who is called, where `direction` is `outbound`."""

    call_id: UUID
    at: Moment
    rang_at: Moment
    interface: str | None
    queue: str | None
    did: str | None
    direction: Literal["inbound", "outbound", "internal"]
    caller: Person
    match: Match


class PopUpdate(Wire, tag="pop_update", frozen=True, kw_only=True):
    """More is known about who calls."""

    call_id: UUID
    match: Match


class PopWithdrawn(Wire, tag="pop_withdrawn", frozen=True, kw_only=True):
    """Take the pop away: this agent does not get the call."""

    call_id: UUID
    reason: Reason


class PopAcknowledged(Wire, tag="pop_acknowledged", frozen=True, kw_only=True):
    """The agent is done with the pop, perhaps in another tab."""

    call_id: UUID


class CallChanged(Wire, tag="call", frozen=True, kw_only=True):
    """A call of this agent looks like this now; with state `ended` it is to be forgotten."""

    call: CallView


class AgentState(Wire, tag="agent", frozen=True, kw_only=True):
    """What the agent is doing, since when, and at which phone.

    `reason` is why they pause, during a call why they will. It is `wrapup` while they wrap the call `call_id` up, which
    ends by itself at `until`. A pause is too long after `budget_s` seconds. `logged_in` says whether a queue may ring
    their phone, when they do not pause.
    """

    agent: str
    name: str | None
    state: AgentStatus
    extension: str | None
    interface: str | None
    since: Moment
    reason: str | None = None
    until: Moment | None = None
    call_id: UUID | None = None
    budget_s: int | None = None
    logged_in: bool | None = None


class Notice(Wire, tag="notice", frozen=True, kw_only=True):
    """A sentence for the person. With `id`: how the verb went (`code` is `done` or `failed`)."""

    level: Literal["info", "warning", "error"]
    code: str
    text: str
    id: str | None = None


class Snapshot(Wire, frozen=True, kw_only=True):
    """Everything as of the welcome's `seq`. Each pop looks exactly as it was sent, with its own `seq`."""

    agent: AgentState | None
    calls: tuple[CallView, ...]
    pops: tuple[msgspec.Raw, ...]


class Welcome(Wire, tag="welcome", frozen=True, kw_only=True):
    """The answer to `hello`. The next numbered message is `seq` + 1, or the first missed one if resumed."""

    protocol: int = PROTOCOL
    session: str
    seq: Sequence
    resumed: bool
    snapshot: Snapshot | None


Verb = Dial | Hangup | Transfer | TransferCancel | Park | Fetch | Pause | Ready | Extend | LogIntoQueues
ClientMessage = Hello | Watch | Ack | Verb
Numbered = Pop | PopUpdate | PopWithdrawn | PopAcknowledged | CallChanged | AgentState | Notice

_decoder = msgspec.json.Decoder(ClientMessage)
_encoder = msgspec.json.Encoder()


def decode(text: str | bytes) -> Hello | Watch | Ack | Verb:
    """Read one message of a client.

    Raises:
        BadInput: it is no message of protocol 1; the sentence says why and where.
    """
    if len(text) > MAX_MESSAGE:
        raise BadInput(f"a message may have {MAX_MESSAGE} bytes at most")
    try:
        message: Hello | Watch | Ack | Verb = _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as problem:
        sentence = str(problem) if isinstance(problem, msgspec.ValidationError) else "it is not JSON"
        raise BadInput(f"not a message of protocol {PROTOCOL}: {sentence}") from None
    return message


def encode(message: Numbered | Welcome) -> bytes:
    """JSON of a message, still without its number: encoded once however many agents get it."""
    return _encoder.encode(message)


def number(seq: int, body: bytes) -> bytes:
    """Put a stream's number in front of an encoded message."""
    return b'{"seq":%d,%b' % (seq, body[1:])
