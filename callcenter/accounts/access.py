"""How people and machines get in: log-in, sessions, keys, seats and tickets, joined.

This is what the web layer talks to; it is built once, by the application.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from callcenter.accounts.administration import Administration
from callcenter.accounts.apikeys import ApiKeys
from callcenter.accounts.locks import Locks
from callcenter.accounts.passwords import Passwords, check_new_password
from callcenter.accounts.roles import Permission, Principal
from callcenter.accounts.seats import SeatBook, SeatListener, Seats
from callcenter.accounts.sessions import Owner, Sessions
from callcenter.accounts.store import Credentials, People
from callcenter.accounts.throttle import LoginThrottle
from callcenter.accounts.tickets import Grant, TicketBox
from callcenter.accounts.values import Extension, OpenSession, Person
from callcenter.db.engine import Database
from callcenter.errors import BadInput, Forbidden, Unauthenticated

_WRONG = "the login or the password is wrong"


class SessionListener(Protocol):
    """Whoever keeps something open for a session and ends it with the session: the screen-pop its sockets."""

    def session_ended(self, tenant_id: int, agent: str, session: str) -> None:
        """`session` is the hash that the session's tickets carry."""
        ...

    def connected(self) -> Collection[Grant]:
        """The grants with which something is open now."""
        ...


class Access:
    """Everything by which somebody gets in to one tenant.

    The database may hold other companies too, each served by a process of its own. What opens theirs opens nothing
    here: PBXs, queues and agents' pages of this process are this tenant's alone, whatever a principal says.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: int,
        *,
        session_life: timedelta,
        ticket_life: timedelta,
        seats_changed: SeatListener,
        session_ended: SessionListener,
        passwords: Passwords | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticker: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` tells the time, `ticker` seconds that never go back."""
        self._tenant_id = tenant_id
        self._listener = session_ended
        self._clock = clock
        self._ticket_life = ticket_life
        self._people = People(database)
        self.keys = ApiKeys(database, clock)
        """API keys, to make and revoke them."""
        self._sessions = Sessions(database, session_life, clock)
        self._seats = Seats(database)
        self._passwords = passwords or Passwords()
        self._throttle = LoginThrottle(ticker)
        self._locks = Locks(database, clock)
        self._tickets = TicketBox(ticker, ticket_life)
        self.on_queues: Callable[[str], None] = lambda agent: None
        """Told of an agent who is given other queues."""
        self.administration = Administration(
            database, self._people, self._sessions, self._passwords, self._locks, self, clock
        )
        """What admins do with people."""
        self.seat_book = SeatBook(self._seats, tenant_id, seats_changed)
        """Who sits where; `refresh` it at the start, and now and then."""

    def close(self) -> None:
        """Let the threads go that hash passwords."""
        self._passwords.close()

    async def log_in(self, login: str, password: str, address: str, replaces: str | None) -> OpenSession:
        """Open a session with a new token; the session of the token `replaces` ends.

        Raises:
            Unauthenticated: login or password is wrong; which one is not told.
            TooMany: it was tried too often.
        """
        login = login.strip().casefold()
        found, hashed = await self._prove(login, password, address)
        if found.one_time_until is not None and found.one_time_until <= self._clock():
            raise Unauthenticated("this password was for one log-in, and its time is over: ask the admin for another")
        rehashed = await self._passwords.hash(password) if self._passwords.is_outdated(hashed) else None
        await self._people.note_login(self._tenant_id, login, right=True, rehashed=rehashed)
        owner = Owner(
            tenant_id=self._tenant_id,
            login=login,
            name=found.name,
            role=found.role,
            language=found.language,
            queues=found.queues,
            must_change=found.one_time_until is not None,
        )
        return await self._sessions.open(owner, address, replaces)

    async def change_password(self, principal: Principal, current: str, new: str, address: str) -> OpenSession:
        """Choose another password; all sessions of the person end, and this opens a new one.

        Raises:
            BadInput: the new one is too easy to guess, or the same, or the current one is wrong.
            TooMany: it was tried too often.
        """
        login = _agent_of(principal)
        check_new_password(new, login)
        if new == current:
            raise BadInput("choose another password than the one you have")
        try:
            await self._prove(login, current, address)
        except Unauthenticated:
            raise BadInput("the current password is wrong") from None
        hashed = await self._passwords.hash(new)
        await self._people.set_password(self._tenant_id, login, hashed, by=principal.actor)
        await self.end_lapsed()
        return await self.log_in(login, new, address, None)

    async def _prove(self, login: str, password: str, address: str) -> tuple[Credentials, str]:
        """Check a password; raises `Unauthenticated`, `TooMany`."""
        attempt = self._throttle.enter(login, address)
        await self._locks.check(self._tenant_id, attempt)
        found = await self._people.credentials(self._tenant_id, login)
        hashed = found.password_hash if found is not None else None
        right = await self._passwords.verify(password, hashed)
        if found is None or hashed is None or not right:
            await self._people.note_login(self._tenant_id, login, right=False)
            await self._locks.failed(self._tenant_id, attempt)
            raise Unauthenticated(_WRONG)
        self._throttle.succeeded(attempt)
        await self._locks.succeeded(self._tenant_id, attempt)
        return found, hashed

    async def session(self, token: str) -> OpenSession:
        """The session that `token` opens; raises `Unauthenticated`."""
        return await self._sessions.find(self._tenant_id, token)

    async def log_out(self, principal: Principal) -> None:
        """End the session of `principal`, its tickets, and what was opened with them."""
        if principal.session is None or principal.agent is None:
            return
        await self._sessions.end(principal.tenant_id, principal.session)
        self._tickets.revoke(principal.session)
        self._listener.session_ended(principal.tenant_id, principal.agent, principal.session)

    async def end_lapsed(self) -> None:
        """End what is open for sessions that are over; call it every moment.

        Another process may have ended them (`callcenter user disable`, `passwd`), they may have expired, or the person
        may have another role now.
        """
        held = self._listener.connected()
        if not held:
            return
        gone = await self._sessions.over(self._tenant_id, {(grant.session, grant.role) for grant in held})
        if not gone:
            return
        over = [grant for grant in held if (grant.session, grant.role) in gone]
        for grant in over:
            self._tickets.revoke(grant.session)
            self._listener.session_ended(grant.tenant_id, grant.agent, grant.session)
        await self.seat_book.refresh()  # who was shut out left the seat

    def queues_changed(self, agent: str) -> None:
        """Let the pages of somebody come back, to see other queues; tickets for the queues before are void."""
        self._tickets.revoke_all(agent)
        self.on_queues(agent)

    async def api_key(self, key: str) -> Principal:
        """The integration that `key` is for; raises `Unauthenticated`."""
        return await self.keys.find(self._tenant_id, key)

    async def set_language(self, principal: Principal, language: str) -> None:
        """Keep the language that a person reads."""
        await self._people.set_language(principal.tenant_id, _agent_of(principal), language)

    async def extensions(self, tenant_id: int) -> Sequence[Extension]:
        """All extensions and who sits there, in order."""
        return await self._seats.list(tenant_id)

    async def seat(self, principal: Principal) -> Extension | None:
        """Where the person sits."""
        return await self._seats.of(principal.tenant_id, _agent_of(principal))

    async def take_seat(self, principal: Principal, pbx: str, extension: str, *, force: bool) -> Extension:
        """Sit down there, leaving any other seat.

        Raises:
            NotFound: there is no such extension.
            Conflict: another agent sits there, and not `force`.
            Forbidden: `force` is not allowed for this role.
        """
        if force and not principal.may(Permission.SEAT_FORCE):
            raise Forbidden("only a supervisor may take an extension from somebody else")
        agent = _agent_of(principal)
        seat = await self._seats.take(principal.tenant_id, agent, pbx, extension, by=principal.actor, force=force)
        await self.seat_book.refresh()
        return seat

    async def leave_seat(self, principal: Principal) -> None:
        """Leave the seat, if there is one."""
        await self._seats.leave(principal.tenant_id, _agent_of(principal))
        await self.seat_book.refresh()

    async def unseat(self, tenant_id: int, agent: str) -> None:
        """Free somebody's seat."""
        await self._seats.leave(tenant_id, agent)
        await self.seat_book.refresh()

    async def agents(self, tenant_id: int) -> Sequence[Person]:
        """All people who can take calls: who is disabled cannot."""
        return [person for person in await self._people.list(tenant_id) if not person.disabled]

    def issue(self, principal: Principal) -> tuple[str, datetime]:
        """A ticket that opens the screen-pop once, and until when."""
        if principal.session is None:
            raise Forbidden("only a person who is logged in gets a ticket")
        grant = Grant(
            tenant_id=principal.tenant_id,
            agent=_agent_of(principal),
            role=principal.role,
            session=principal.session,
            queues=principal.queues,
        )
        return self._tickets.issue(grant), self._clock() + self._ticket_life

    def redeem(self, ticket: str) -> Grant:
        """Whom `ticket` lets in, once; raises `Unauthenticated`."""
        return self._tickets.redeem(ticket)


def _agent_of(principal: Principal) -> str:
    if principal.agent is None:
        raise Forbidden("only a person can do this, not an API key")
    return principal.agent
