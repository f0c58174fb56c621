"""Bodies about what agents choose from, whom they have to call, and what they do."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.callrecord import CallRecord
from callcenter.web.schemas import Answer, Body, Limit, NumberText, PbxId
from callcenter.web.schemas.calls import AwareTime
from callcenter.web.schemas.customers import Customer

WordName = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Names = Annotated[
    dict[Annotated[str, msgspec.Meta(max_length=10)], WordName],
    msgspec.Meta(min_length=1, max_length=3, description="Language (`en`, `zh-CN`, `zh-TW`) → name."),
]
Place = Annotated[int, msgspec.Meta(ge=0, le=10_000, description="Entries are in this order.")]
Login = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
QueueName = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=3600)]


class OutcomeKind(StrEnum):
    """What an outcome means for reports."""

    SUCCESS = "success"
    CALLBACK = "callback"
    FAILURE = "failure"
    NO_CONTACT = "no_contact"
    OTHER = "other"


class FieldKind(StrEnum):
    """What a field of a customer's card holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


class PauseReasonDraft(Body, frozen=True):
    """Why an agent pauses; beyond `budget_s` seconds it is too long."""

    names: Names
    budget_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] | None = None
    place: Place = 0
    active: bool = True


class PauseReason(Answer, frozen=True):
    """Why an agent pauses. `code` is what Asterisk is told as the reason."""

    code: str
    names: dict[str, str]
    budget_s: int | None
    place: int
    active: bool


class PauseReasons(Answer, frozen=True):
    """All reasons in order, those out of use too."""

    items: tuple[PauseReason, ...]


class OutcomeDraft(Body, frozen=True):
    """What a call may come to."""

    names: Names
    kind: OutcomeKind
    place: Place = 0
    active: bool = True


class Outcome(Answer, frozen=True):
    """What a call may come to. `code` is the record's `outcome`."""

    code: str
    names: dict[str, str]
    kind: OutcomeKind
    place: int
    active: bool


class Outcomes(Answer, frozen=True):
    """All outcomes in order, those out of use too."""

    items: tuple[Outcome, ...]


class FieldDraft(Body, frozen=True):
    """A field of the customers' cards; one of the kind `choice` needs `choices`."""

    names: Names
    kind: FieldKind
    choices: Annotated[tuple[WordName, ...], msgspec.Meta(max_length=100)] = ()
    place: Place = 0
    active: bool = True


class FieldDefinition(Answer, frozen=True):
    """A field of the customers' cards. `code` is its key in a customer's `fields`."""

    code: str
    names: dict[str, str]
    kind: FieldKind
    choices: tuple[str, ...]
    place: int
    active: bool


class FieldDefinitions(Answer, frozen=True):
    """All fields in order, those out of use too."""

    items: tuple[FieldDefinition, ...]


class DeskSettingsDraft(Body, frozen=True):
    """Seconds to wrap a queue's call up, 0 for none; `wrapup_queues` has the queues that differ."""

    wrapup_s: Seconds
    wrapup_queues: Annotated[dict[QueueName, Seconds], msgspec.Meta(max_length=100)] = msgspec.field(
        default_factory=dict
    )


class DeskSettings(Answer, frozen=True):
    """Seconds to wrap a queue's call up, 0 for none; `wrapup_queues` has the queues that differ."""

    wrapup_s: int
    wrapup_queues: dict[str, int]


class QueueRight(Body, frozen=True):
    """A queue that an agent may log in to."""

    pbx: PbxId
    queue: QueueName
    penalty: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0


class QueueRights(Body, frozen=True):
    """All queues that an agent may log in to."""

    items: Annotated[tuple[QueueRight, ...], msgspec.Meta(max_length=100)]


class OwnQueue(Answer, frozen=True):
    """One of one's queues. A `fixed` membership is written into the PBX's queues and cannot be left."""

    queue: str
    logged_in: bool
    paused: bool
    fixed: bool


class OwnQueues(Answer, frozen=True):
    """One's queues at the PBX where one sits."""

    items: tuple[OwnQueue, ...]


class QueueLogIn(Body, frozen=True):
    """Whether to be in one's queues."""

    logged_in: bool


class Activity(StrEnum):
    """What an agent does."""

    OFFLINE = "offline"
    READY = "ready"
    RINGING = "ringing"
    BUSY = "busy"
    PAUSED = "paused"
    WRAPUP = "wrapup"


class OwnState(Answer, frozen=True):
    """What one does since when; `reason` of a pause, `until` and `call_id` of a wrap-up. Null: not known yet."""

    state: Activity | None
    since: datetime | None
    reason: str | None
    until: datetime | None
    call_id: UUID | None


class PauseChoice(Body, frozen=True):
    """Why one pauses: a code of `GET /api/v1/pause-reasons`."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class MoreTime(Body, frozen=True):
    """How much longer one wraps up."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)]


class MissedQuery(Body, frozen=True):
    """Which missed calls: of so many days, of all or only those that were offered to an agent."""

    days: Annotated[int, msgspec.Meta(ge=1, le=31)] = 7
    agent: Login | None = None
    limit: Limit = 50


class Missed(Answer, frozen=True):
    """A number that called in vain and waits for a call back; `in_hand_by`: the agent who has it on the phone now."""

    number: str
    name: str | None
    customer_id: UUID | None
    customer: str | None
    calls: int
    last_call_id: UUID
    last_at: datetime
    queue: str | None
    voicemail: bool
    in_hand: bool
    in_hand_by: str | None


class MissedCalls(Answer, frozen=True):
    """Numbers that wait for a call back, those that called last first."""

    items: tuple[Missed, ...]


class Settling(Body, frozen=True):
    """A number whose missed calls need no call back."""

    number: NumberText


class CallbackQuery(Body, frozen=True):
    """Which callbacks: an agent's and anybody's, a customer's; open ones, or those that are done."""

    agent: Login | None = None
    customer: UUID | None = None
    done: bool = False
    limit: Limit = 50


class NewCallback(Body, frozen=True):
    """Somebody to be called; without `agent` by anybody. `call_id` is the call in which it was promised."""

    number: NumberText
    due_at: AwareTime
    agent: Login | None = None
    customer_id: UUID | None = None
    call_id: UUID | None = None
    note: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class CallbackChange(Body, frozen=True):
    """Another time or another agent for an open callback."""

    due_at: AwareTime
    agent: Login | None


class Callback(Answer, frozen=True):
    """Somebody to be called. It is done by the first answered call with them, which `done_call_id` names."""

    id: UUID
    number: str
    customer_id: UUID | None
    customer: str | None
    agent: str | None
    due_at: datetime
    note: str
    call_id: UUID | None
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str | None
    done_call_id: UUID | None


class Callbacks(Answer, frozen=True):
    """Callbacks, the first due first."""

    items: tuple[Callback, ...]


class FindQuery(Body, frozen=True):
    """What to look for: a name, a company, a number, words of a note."""

    q: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=20)] = 6


class Found(Answer, frozen=True):
    """What was found. `number` is the text as a number that can be dialed, where it is one."""

    number: str | None
    customers: tuple[Customer, ...]
    calls: tuple[CallRecord, ...]
