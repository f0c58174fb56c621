"""The values of webhooks: kinds of events, subscriptions, deliveries, and what came of an attempt. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

import msgspec


class EventKind(StrEnum):
    """What happened to a call."""

    STARTED = "call.started"
    ANSWERED = "call.answered"
    TRANSFERRED = "call.transferred"
    ENDED = "call.ended"
    CORRECTED = "call.corrected"
    """The record of a call that had ended became another one: by a person, or because more became known."""
    DELETED = "call.deleted"
    """The record is gone, or was found to be a part of another call."""
    QUEUE_ALERT = "queue.alert"
    """Something of a queue is near a limit that a supervisor set, beyond it, or well again. About no call."""


TEST_KIND = "webhook.test"
"""Kind of the event that the test button sends; nobody subscribes to it."""


class DeliveryState(StrEnum):
    """Waiting (to be sent, again perhaps), done, or dead: given up, for a person to look at."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Root of these values."""


class Subscription(Value, frozen=True):
    """Who is told of what. `waiting` and `dead` count deliveries; `hold_until` is set while the target is down."""

    subscription_id: UUID
    name: str
    url: str
    kinds: tuple[EventKind, ...]
    paused_at: datetime | None
    paused_reason: str | None
    previous_until: datetime | None
    failures: int
    hold_until: datetime | None
    created_at: datetime
    created_by: str
    waiting: int
    dead: int


class Target(Value, frozen=True):
    """A subscription as the sender needs it: `secrets` all sign, the newest first."""

    subscription_id: UUID
    url: str
    secrets: tuple[str, ...]
    failures: int = 0


class Parcel(Value, frozen=True):
    """An event that is to be sent now. `attempts` counts this one."""

    event_seq: int
    event_id: UUID
    body: bytes
    attempts: int


class Delivery(Value, frozen=True):
    """A line of the delivery log."""

    event_seq: int
    event_id: UUID
    kind: str
    call_id: UUID | None
    at: datetime
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    sent_at: datetime | None
    took_s: float | None
    status: int | None
    error: str | None
    answer: str | None


class Failure(StrEnum):
    """Why there was no answer."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    BROKEN = "broken"
    """What came back is not HTTP, or ended early."""
    NOT_ALLOWED = "not_allowed"
    """The rules of this service forbid the target."""


class Answer(Value, frozen=True):
    """What came of one attempt: a status, or a failure and what it says. `text` is how the answer begins."""

    took: timedelta
    status: int | None = None
    failure: Failure | None = None
    error: str | None = None
    text: str | None = None
    retry_after: timedelta | None = None


class TargetRules(Value, frozen=True):
    """Where webhooks may go."""

    allow_http: bool = False
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that are allowed although they are private, loopback or otherwise special."""
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})
