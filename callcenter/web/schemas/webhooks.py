"""Bodies about webhooks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec

from callcenter.web.schemas import Answer, Body, Limit

WebhookName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
WebhookUrl = Annotated[
    str, msgspec.Meta(min_length=1, max_length=2_000, description="Where events are sent, such as https://….")
]


class EventKind(StrEnum):
    """What happened to a call."""

    STARTED = "call.started"
    ANSWERED = "call.answered"
    TRANSFERRED = "call.transferred"
    ENDED = "call.ended"
    CORRECTED = "call.corrected"
    DELETED = "call.deleted"
    QUEUE_ALERT = "queue.alert"


EventKinds = Annotated[tuple[EventKind, ...], msgspec.Meta(min_length=1, max_length=7)]


class DeliveryState(StrEnum):
    """Waiting to be sent, done, or dead: given up."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class NewWebhook(Body, frozen=True):
    """A system to be told of events of these kinds."""

    name: WebhookName
    url: WebhookUrl
    kinds: EventKinds


class WebhookChange(Body, frozen=True):
    """What is to change; a field that is left out stays. `paused`: events are kept and sent when it ends."""

    name: WebhookName | None = None
    url: WebhookUrl | None = None
    kinds: EventKinds | None = None
    paused: bool | None = None


class Webhook(Answer, frozen=True):
    """Who is told of what.

    `waiting` and `dead` count events. Until `hold_until` nothing is sent, because the target could not be reached
    `failures` times in a row. Until `old_secret_until` the secret before signs too.
    """

    id: UUID
    name: str
    url: str
    kinds: tuple[EventKind, ...]
    paused: bool
    paused_reason: str | None
    waiting: int
    dead: int
    failures: int
    hold_until: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    created_by: str


class Webhooks(Answer, frozen=True):
    """All webhooks, oldest first."""

    items: tuple[Webhook, ...]


class WebhookSecret(Answer, frozen=True):
    """A webhook and its new secret, which is shown this once."""

    webhook: Webhook
    secret: str


class SecretChange(Body, frozen=True):
    """A new secret. For `keep_old_s` seconds, at most a week, the old one signs as well."""

    keep_old_s: Annotated[float, msgspec.Meta(ge=0, le=7 * 86_400)] = 86_400


class Delivery(Answer, frozen=True):
    """An event for a webhook and how its last attempt went.

    `seq` is the event's place, a cursor to replay from. `status` and `answer` are what the receiver said, `error` why
    the attempt failed, `took_s` how long it took in seconds; `next_at` is when it is tried (again).
    """

    event_id: UUID
    seq: int
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


class DeliveryQuery(Body, frozen=True):
    """Which deliveries. `before`: the `seq` of the last one of the page before."""

    state: DeliveryState | None = None
    before: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    limit: Limit = 50


class Deliveries(Answer, frozen=True):
    """Deliveries, the newest first; `next_before` asks for the page after, null on the last one."""

    items: tuple[Delivery, ...]
    next_before: int | None


class DeliveryBody(Answer, frozen=True):
    """A delivery and what is sent: `body` is null as long as it was not put together."""

    delivery: Delivery
    body: dict[str, Any] | None


class Replay(Body, frozen=True):
    """What to send again: all events after the one with this `seq`; without it all dead letters."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


class Replayed(Answer, frozen=True):
    """How many events are sent again."""

    events: int
