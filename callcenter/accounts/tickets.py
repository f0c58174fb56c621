"""Short-lived tickets that open the screen-pop's WebSocket once, so that no password or cookie is in a URL.

Kept in memory, hashed: a ticket is worthless after seconds, and a restart closes the sockets anyway.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from callcenter.accounts.roles import Role
from callcenter.accounts.scope import Scope
from callcenter.errors import Unauthenticated

_TICKET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Whom a ticket lets in."""

    tenant_id: int
    agent: str
    role: Role
    session: str
    """Hash of the token of the session that asked; names the session when it is logged out."""
    queues: Scope = None
    """The queues that they may watch; None: all."""


class TicketBox:
    """Gives tickets out and takes each back at most once."""

    def __init__(
        self,
        clock: Callable[[], float],
        life: timedelta,
        *,
        limit: int = 10_000,
        limit_each: int = 8,
    ) -> None:
        """`clock` gives seconds that never go back; `limit_each` bounds the open tickets of one session."""
        self._clock = clock
        self._life_s = life.total_seconds()
        self._limit = limit
        self._limit_each = limit_each
        self._open: OrderedDict[str, tuple[float, Grant]] = OrderedDict()

    def __len__(self) -> int:
        """How many tickets are open."""
        return len(self._open)

    def issue(self, grant: Grant) -> str:
        """A new ticket for `grant`; the oldest ones give way where a bound is reached."""
        self._forget_old()
        same = [key for key, (_, other) in self._open.items() if other.session == grant.session]
        for key in same[: len(same) - self._limit_each + 1]:
            del self._open[key]
        while len(self._open) >= self._limit:
            self._open.popitem(last=False)
        ticket = secrets.token_urlsafe(_TICKET_BYTES)
        self._open[_hash(ticket)] = (self._clock() + self._life_s, grant)
        return ticket

    def redeem(self, ticket: str) -> Grant:
        """Whom `ticket` lets in; it is used up by this.

        Raises:
            Unauthenticated: the ticket is unknown, used or too old.
        """
        found = self._open.pop(_hash(ticket), None)
        if found is None or found[0] < self._clock():
            raise Unauthenticated("the ticket is used up or too old: ask for a new one")
        return found[1]

    def revoke(self, session: str) -> None:
        """Forget all tickets of a session, because it ended."""
        for key in [key for key, (_, grant) in self._open.items() if grant.session == session]:
            del self._open[key]

    def revoke_all(self, agent: str) -> None:
        """Forget all tickets of an agent, who may see something else now."""
        for key in [key for key, (_, grant) in self._open.items() if grant.agent == agent]:
            del self._open[key]

    def _forget_old(self) -> None:
        now = self._clock()
        while self._open:
            key, (until, _) = next(iter(self._open.items()))
            if until >= now:
                return
            del self._open[key]


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()
