"""Bodies about people as admins see them, and about sessions."""

from typing import Annotated, Literal

import msgspec

from callcenter.accounts.values import GivenQueue, Lock, Person, SessionView
from callcenter.web.schemas import Answer, Body

Login = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Kept in lower case; it never changes.")
]
PersonName = Annotated[str, msgspec.Meta(max_length=100)]
PersonRole = Literal["agent", "supervisor", "admin"]


QueueChoices = Annotated[tuple[GivenQueue, ...], msgspec.Meta(max_length=200)]


class NewUser(Body, frozen=True):
    """Somebody who is to log in. A supervisor sees and steers `queues` alone where not `every_queue`."""

    login: Login
    name: PersonName = ""
    role: PersonRole = "agent"
    every_queue: bool = True
    queues: QueueChoices = ()


class UserChange(Body, frozen=True):
    """What is to change; a field that is left out, or null, stays. Who is disabled is out at once."""

    name: PersonName | None = None
    role: PersonRole | None = None
    every_queue: bool | None = None
    queues: QueueChoices | None = None
    disabled: bool | None = None


class Users(Answer, frozen=True):
    """Everybody, by login."""

    items: tuple[Person, ...]


class Locks(Answer, frozen=True):
    """What is locked now, because passwords were wrong too often."""

    items: tuple[Lock, ...]


class Unlocking(Body, frozen=True):
    """The login, or the address, to be let in again."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class SessionViews(Answer, frozen=True):
    """Open sessions, the one last used first."""

    items: tuple[SessionView, ...]
