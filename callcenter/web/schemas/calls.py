"""Bodies about calls: the call record, its filters, and what may be done with a call."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.callrecord import CallRecord
from callcenter.model import CallStatus, Direction, QueueExit
from callcenter.web.schemas import Answer, Body, Cursor, Limit, NumberText

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
Outcome = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class CallConditions(Body, frozen=True):
    """Which calls; all that is given must hold."""

    customer: UUID | None = None
    agent: Annotated[str, msgspec.Meta(max_length=64, description="Login of an agent who was offered it.")] | None = (
        None
    )
    number: NumberText | None = None
    status: CallStatus | None = None
    direction: Direction | None = None
    queue: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    exit: (
        Annotated[QueueExit, msgspec.Meta(description="How its stay in `queue`, or else in any queue, ended.")] | None
    ) = None
    did: Annotated[str, msgspec.Meta(max_length=80, description="The number that was dialed to reach us.")] | None = (
        None
    )
    outcome: Outcome | None = None
    campaign: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    text: (
        Annotated[str, msgspec.Meta(max_length=200, description="What a note contains; capitals do not matter.")] | None
    ) = None
    since: Annotated[AwareTime, msgspec.Meta(description="Started at or after.")] | None = None
    until: Annotated[AwareTime, msgspec.Meta(description="Started before.")] | None = None


class CallQuery(CallConditions, frozen=True):
    """A page of these calls."""

    limit: Limit = 50
    cursor: Cursor | None = None


class Calls(Answer, frozen=True):
    """One page of calls, the newest first."""

    items: tuple[CallRecord, ...]
    next_cursor: str | None


class NoteText(Body, frozen=True):
    """One's own note about a call; an empty one removes it. What others wrote stays."""

    text: Annotated[str, msgspec.Meta(max_length=10_000)]


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
