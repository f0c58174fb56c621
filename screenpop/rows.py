"""What a supervisor's page is told of the floor: four tables of rows, whole at first and then by their changes.

The schema of these messages is a part of docs/screenpop-protocol.md, as are those of `messages`.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from screenpop.messages import Customer, Moment, Wire

Step = Literal["near", "over"]


class AlertRow(Wire, frozen=True, kw_only=True):
    """A limit of a queue that is near or passed. `value` and `limit`: callers, seconds, a share of 1, or agents."""

    kind: Literal["waiting", "longest_wait", "service_level", "ready"]
    severity: Step
    value: float
    limit: float


class LevelRow(Wire, frozen=True, kw_only=True):
    """Today's service level, by its formula: `numerator` ÷ `denominator`."""

    formula: str
    threshold_s: float
    numerator: int
    denominator: int


class LimitsRow(Wire, frozen=True, kw_only=True):
    """What a supervisor set; null is no limit."""

    most_waiting: int | None = None
    longest_wait_s: float | None = None
    least_level: float | None = None
    least_ready: int | None = None
    short_s: float = 5.0


class QueueRow(Wire, frozen=True, kw_only=True):
    """A queue. Its numbers are today's, but for those of now: `waiting`, `oldest` and the members by state.

    `offered` counts who left the queue; who still waits comes on top.
    """

    pbx: str
    name: str
    strategy: str
    waiting: int
    oldest: Moment | None
    offered: int
    answered: int
    abandoned: int
    short_abandons: int
    refused: int
    level: LevelRow
    ready: int
    ringing: int
    busy: int
    paused: int
    offline: int
    limits: LimitsRow
    alerts: tuple[AlertRow, ...]


class CallerRow(Wire, frozen=True, kw_only=True):
    """Somebody who waits. `place` counts from 1; `ringing` are the members who are rung for this caller now.

    `next` are those who would get the call if nothing else happened: all of them where `sure`, else one of them.
    """

    queue: str
    place: int
    since: Moment
    number: str | None
    name: str | None
    customer: Customer | None
    ringing: tuple[str, ...]
    next: tuple[str, ...]
    sure: bool


class MemberRow(Wire, frozen=True, kw_only=True):
    """A device in a queue. `dynamic`: it can be removed, others only paused."""

    queue: str
    interface: str
    device: str
    name: str | None
    agent: str | None
    state: str
    paused: bool
    reason: str | None
    penalty: int
    dynamic: bool


class WithWhom(Wire, frozen=True, kw_only=True):
    """A call that an agent is in, or that rings at their phone."""

    call_id: UUID
    state: Literal["ringing", "talking", "held"]
    direction: str
    since: Moment
    queue: str | None
    number: str | None
    name: str | None
    customer: Customer | None


class AgentRow(Wire, frozen=True, kw_only=True):
    """An agent: what they do since when, with whom, and today's numbers. `listeners`: who listens to their call."""

    agent: str
    name: str
    state: str
    since: Moment | None
    reason: str | None
    extension: str | None
    call: WithWhom | None
    answered: int
    dialed: int
    missed: int
    connected_s: float
    listeners: tuple[str, ...]


Row = QueueRow | CallerRow | MemberRow | AgentRow
TABLES: tuple[Literal["queues", "callers", "members", "agents"], ...] = ("queues", "callers", "members", "agents")
Fields = dict[str, Any]


class Floor(Wire, tag="floor", frozen=True, kw_only=True):
    """The whole floor as of `at`. Keys: `pbx/queue`, the call's id, `pbx/queue/interface`, the agent."""

    n: int
    at: datetime
    queues: dict[str, QueueRow]
    callers: dict[str, CallerRow]
    members: dict[str, MemberRow]
    agents: dict[str, AgentRow]


class FloorUpdate(Wire, tag="floor_update", frozen=True, kw_only=True):
    """What is different: by table and key the fields that changed, all fields of a new row, or null: it is gone."""

    n: int
    queues: dict[str, Fields | None]
    callers: dict[str, Fields | None]
    members: dict[str, Fields | None]
    agents: dict[str, Fields | None]
