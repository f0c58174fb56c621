"""What admins do with people: add them, change what they are, shut them out, and give them passwords for one log-in."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from callcenter.accounts.locks import Locks
from callcenter.accounts.passwords import Passwords, generate_password
from callcenter.accounts.roles import Principal, Role, read_role
from callcenter.accounts.sessions import Sessions
from callcenter.accounts.store import People, read_login
from callcenter.accounts.values import GivenQueue, Lock, OneTimePassword, Person, SessionView
from callcenter.db.audit import note
from callcenter.db.engine import Database
from callcenter.errors import Conflict, NotFound

ONE_TIME: Final = timedelta(days=3)
"""How long a password that an admin gave is good."""


class Door(Protocol):
    """What is open for people, to be closed at once when they may no longer: `callcenter.accounts.access.Access`."""

    async def end_lapsed(self) -> None:
        """End what is open for sessions that are over, or that another role has now."""
        ...

    def queues_changed(self, agent: str) -> None:
        """Let the pages of somebody come back, to see other queues."""
        ...


class UserDraft(Protocol):
    """Somebody to be added."""

    @property
    def login(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def every_queue(self) -> bool: ...
    @property
    def queues(self) -> tuple[GivenQueue, ...]: ...


class UserChange(Protocol):
    """What is to change; None stays."""

    @property
    def name(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def every_queue(self) -> bool | None: ...
    @property
    def queues(self) -> tuple[GivenQueue, ...] | None: ...
    @property
    def disabled(self) -> bool | None: ...


class Administration:
    """People, their sessions and the locks of one tenant; all changes are in the audit trail."""

    def __init__(
        self,
        database: Database,
        people: People,
        sessions: Sessions,
        passwords: Passwords,
        locks: Locks,
        door: Door,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._people = people
        self._sessions = sessions
        self._passwords = passwords
        self._locks = locks
        self._door = door
        self._clock = clock

    async def users(self, tenant_id: int) -> Sequence[Person]:
        """Everybody, by login."""
        return await self._people.list(tenant_id)

    async def user(self, tenant_id: int, login: str) -> Person:
        """One person, raises `NotFound`."""
        for person in await self._people.list(tenant_id):
            if person.agent == login:
                return person
        raise NotFound(f"there is no user {login[:64]!r}")

    async def add_user(self, tenant_id: int, new: UserDraft, by: str) -> OneTimePassword:
        """Add somebody, who logs in once with the password that this gives; raises `BadInput`, `Conflict`."""
        login = read_login(new.login)
        role = read_role(new.role)
        made, hashed = await self._one_time(login)
        await self._people.add(tenant_id, login, new.name, role, hashed, by, one_time_until=made.until)
        if not new.every_queue or new.queues:
            await self._people.give_queues(tenant_id, login, new.every_queue, new.queues, by)
        return made

    async def change_user(self, tenant_id: int, login: str, change: UserChange, by: Principal) -> Person:
        """Change what somebody is; what is open for them ends or comes back with it.

        Raises:
            NotFound: there is no such person. Conflict: one would shut oneself out, or no admin would be left.
        """
        before = await self.user(tenant_id, login)
        role = None if change.role is None else read_role(change.role)
        demoted = role not in (None, Role.ADMIN) and before.role is Role.ADMIN
        if login == by.agent and (demoted or change.disabled):
            raise Conflict("you would shut yourself out: have another admin do it")
        async with self._database.unit(tenant_id) as unit:
            await self._people.change(unit, login, change.name, role, change.disabled, by.actor)
        if change.every_queue is not None or change.queues is not None:
            every = before.every_queue if change.every_queue is None else change.every_queue
            queues = before.queues if change.queues is None else change.queues
            await self._people.give_queues(tenant_id, login, every, queues, by.actor)
            self._door.queues_changed(login)
        await self._door.end_lapsed()
        return await self.user(tenant_id, login)

    async def reset_password(self, tenant_id: int, login: str, by: str) -> OneTimePassword:
        """A new password for one log-in; whoever had the old one is out. Raises `NotFound`."""
        made, hashed = await self._one_time(login)
        await self._people.set_password(tenant_id, login, hashed, by, one_time_until=made.until)
        await self._door.end_lapsed()
        return made

    async def locked(self, tenant_id: int) -> Sequence[Lock]:
        """What is locked now, because passwords were wrong too often."""
        return await self._locks.list(tenant_id)

    async def unlock(self, tenant_id: int, login: str | None, address: str | None, by: str) -> None:
        """Take the lock of a login, or of an address, off; raises `NotFound`."""
        await self._locks.release(tenant_id, by, login=login, address=address)

    async def sessions(self, by: Principal, login: str | None) -> Sequence[SessionView]:
        """The open sessions of a person, or of everybody."""
        return await self._sessions.list(by.tenant_id, login, by.session)

    async def end_session(self, by: Principal, session: str, *, anybodys: bool) -> None:
        """End a session, and what is open with it.

        Raises:
            NotFound: there is none, or it is another's and not `anybodys`.
        """
        owner = await self._sessions.owner_of(by.tenant_id, session)
        if owner is None or (owner != by.agent and not anybodys):
            raise NotFound("there is no such session: it may be over already")
        await self._sessions.end(by.tenant_id, session)
        async with self._database.unit(by.tenant_id) as unit:
            await note(unit, actor=by.actor, action="session.end", subject_type="user", subject_id=owner)
        await self._door.end_lapsed()

    async def _one_time(self, login: str) -> tuple[OneTimePassword, str]:
        password = generate_password()
        made = OneTimePassword(login=login, password=password, until=self._clock() + ONE_TIME)
        return made, await self._passwords.hash(password)
