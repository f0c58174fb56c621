"""Bodies about sessions, extensions, agents and queues."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from callcenter.accounts.roles import Role
from callcenter.accounts.values import Extension
from callcenter.web.schemas import Answer, Body, PbxId, Slug

Language = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$", description="Such as `zh-TW`.")
]
ExtensionName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_*#.-]{1,40}$", description="Such as `1001`.")]


class LogIn(Body, frozen=True):
    """Login and password of a person."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class PasswordChange(Body, frozen=True):
    """The password one has, and the one to have from now on: ten characters at least, and not guessed first."""

    current: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    new: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class LanguageChoice(Body, frozen=True):
    """The language of the pages, for this person, on every device."""

    language: Language


class User(Answer, frozen=True):
    """The person who is logged in. `agent` is the id used everywhere else."""

    login: str
    name: str
    role: Role
    agent: str
    language: str | None
    must_change_password: bool
    """Whether nothing else is possible before: an admin chose the one that there is."""


class Extensions(Answer, frozen=True):
    """All extensions that can be chosen."""

    items: tuple[Extension, ...]


class Session(Answer, frozen=True):
    """Who is logged in, and at which extension. `expires_at` is when a new log-in is needed."""

    user: User
    extension: Extension | None
    expires_at: datetime


class SeatChoice(Body, frozen=True):
    """The extension to sit at. `force` takes it from another agent, which only a supervisor may."""

    pbx: PbxId
    extension: ExtensionName
    force: bool = False


class Ticket(Answer, frozen=True):
    """Opens the screen-pop's WebSocket at `url` once, until `expires_at`."""

    ticket: str
    url: str
    expires_at: datetime


class AgentState(StrEnum):
    """What an agent is doing, as the screen-pop shows it."""

    OFFLINE = "offline"
    READY = "ready"
    RINGING = "ringing"
    BUSY = "busy"
    PAUSED = "paused"


class Agent(Answer, frozen=True):
    """An agent, the seat, and what the agent is doing since when.

    A supervisor who is given some queues is told the name alone (`state` is null) of who works in none of them.
    """

    agent: Slug
    name: str
    role: Role
    state: AgentState | None
    since: datetime | None
    pbx: str | None
    extension: str | None
    interface: str | None


class Agents(Answer, frozen=True):
    """All agents of the tenant."""

    items: tuple[Agent, ...]


class QueueMember(Answer, frozen=True):
    """A device that a queue may ring."""

    interface: str
    name: str | None
    agent: str | None
    state: AgentState
    paused: bool


class Queue(Answer, frozen=True):
    """A queue at this moment. `longest_wait_s`: seconds that the first caller has been waiting."""

    pbx: str
    name: str
    waiting: int
    longest_wait_s: float | None
    members: tuple[QueueMember, ...]


class Queues(Answer, frozen=True):
    """All queues of all PBXs."""

    items: tuple[Queue, ...]
