"""Bodies about what supervisors do: callers, members, agents, listening, limits."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.metrics.service_level import Formula
from callcenter.web.schemas import Answer, Body, PbxId, ShortText, Slug

QueueName = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Interface = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{2,20}/[^\s,|&\x00-\x1f]{1,100}$", description="Such as `PJSIP/1001`.")
]
Penalty = Annotated[int, msgspec.Meta(ge=0, le=1000)]
SpyId = Annotated[str, msgspec.Meta(pattern=r"^ccspy-[0-9a-f]{32}$")]


class Move(Body, frozen=True):
    """Where a caller is sent: a queue of the same PBX, or an agent; exactly one of them."""

    queue: QueueName | None = None
    agent: Slug | None = None

    def __post_init__(self) -> None:
        if (self.queue is None) == (self.agent is None):
            raise ValueError("name a queue or an agent, one of them")


class PauseChange(Body, frozen=True):
    """Pause an agent in all queues, or end the pause."""

    agent: Slug
    paused: bool
    reason: ShortText | None = None


class LogOut(Body, frozen=True):
    """The agent to be logged out of all queues."""

    agent: Slug


class NewMember(Body, frozen=True):
    """An agent who is to be rung by a queue. The lowest penalty is rung first."""

    pbx: PbxId
    queue: QueueName
    agent: Slug
    penalty: Penalty = 0


class MemberChange(Body, frozen=True):
    """What is to be different of a member in this queue; null stays."""

    pbx: PbxId
    queue: QueueName
    interface: Interface
    penalty: Penalty | None = None
    paused: bool | None = None
    reason: ShortText | None = None


class MemberQuery(Body, frozen=True):
    """A member of a queue."""

    pbx: PbxId
    queue: QueueName
    interface: Interface


class SpyMode(StrEnum):
    """Listen: nobody hears the supervisor. Whisper: the agent does. Barge: both do."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"


class SpyState(StrEnum):
    """The supervisor's phone rings, or it was picked up."""

    RINGING = "ringing"
    LISTENING = "listening"


class SpyWish(Body, frozen=True):
    """To whose part in the call one wants to listen, and how."""

    agent: Slug
    mode: SpyMode = SpyMode.LISTEN


class SpyChange(Body, frozen=True):
    """Another way of listening, on the same phone."""

    spy_id: SpyId
    mode: SpyMode


class SpyQuery(Body, frozen=True):
    """The listening that is to end."""

    spy_id: SpyId


class TakeOver(Body, frozen=True):
    """The agent whose place in the call one takes."""

    agent: Slug


class SpyView(Answer, frozen=True):
    """A call that one listens to."""

    spy_id: str
    call_id: UUID
    agent: str
    mode: SpyMode
    state: SpyState


class SpyViews(Answer, frozen=True):
    """The calls that one listens to."""

    items: tuple[SpyView, ...]


class QueueLimits(Body, frozen=True):
    """What a queue is measured by, and when to be told; null is no limit.

    A caller who is answered within `threshold_s` is in time, one who leaves within `short_s` does not count.
    `least_level` is a share of 1.
    """

    pbx: PbxId
    queue: QueueName
    threshold_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 20.0
    short_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 5.0
    formula: Formula = Formula.OFFERED_LESS_SHORT
    most_waiting: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    longest_wait_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] | None = None
    least_level: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    least_ready: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None


class Done(Answer, frozen=True):
    """The PBX took the order; what comes of it is seen on the floor."""

    done: bool = True
