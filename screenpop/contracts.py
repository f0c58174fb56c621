"""What the screen-pop server needs of the rest of the service: joined in `callcenter.app`."""

from typing import Protocol
from uuid import UUID

import msgspec

from screenpop.messages import Match


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a ticket was given to. `agent` is the agent's id, as in `Offer.agent`."""

    tenant_id: int
    agent: str
    login: str
    role: str
    session: str
    """Names the log-in that asked for the ticket: when it is over, `ScreenpopServer.evict` closes its pages."""
    queues: frozenset[str] | None = None
    """The queues (`pbx/name`) that may be watched; None: all."""


class Tickets(Protocol):
    """Short-lived tickets, each good for one connection."""

    async def redeem(self, ticket: str) -> Identity | None:
        """Use a ticket up; None where it is unknown, used or too old."""
        ...


class Matcher(Protocol):
    """Finds the customers of a number."""

    async def match(self, tenant_id: int, number: str, pbx: str, trunk: str | None) -> Match:
        """Look a number up as the PBX gave it. May be slow or raise: the pop does not wait for long."""
        ...


class Overseer(Protocol):
    """Says who may watch the floor."""

    def scope(self, who: Identity) -> frozenset[str] | None:
        """Keys (`pbx/name`) of the queues that somebody may watch; None: all.

        Raises:
            Forbidden: they may not watch at all.
        """
        ...


class Dialer(Protocol):
    """Does what agents ask for. Refusals are `CallCenterError`s whose sentence is shown to the agent."""

    async def dial(self, who: Identity, number: str) -> None:
        """Call a number from the agent's phone; returns when the PBX took the order."""
        ...

    async def hangup(self, who: Identity, call_id: UUID) -> None:
        """End a call of the agent."""
        ...

    async def transfer(self, who: Identity, call_id: UUID, number: str, *, attended: bool) -> None:
        """Hand a call of the agent on to a number, at once or after they have talked with it."""
        ...

    async def cancel_transfer(self, who: Identity, call_id: UUID) -> None:
        """Give an attended transfer up: back to whoever waits."""
        ...

    async def park(self, who: Identity, call_id: UUID) -> None:
        """Park whoever the agent talks with; the agent's phone is free."""
        ...

    async def fetch(self, who: Identity, call_id: UUID) -> None:
        """Ring the agent's phone and, when it is picked up, give it a parked call."""
        ...


class Duty(Protocol):
    """What agents say of themselves. Refusals as in `Dialer`."""

    def present(self, tenant_id: int, agent: str, present: bool) -> None:
        """The agent's first page is open, or the last one is gone for good."""
        ...

    async def pause(self, who: Identity, reason: str) -> None:
        """Have no queue ring the agent."""
        ...

    async def ready(self, who: Identity) -> None:
        """Have queues ring the agent again, and end a wrap-up."""
        ...

    async def extend(self, who: Identity, seconds: int) -> None:
        """Give the agent more time to wrap up."""
        ...

    async def log_into_queues(self, who: Identity, logged_in: bool) -> None:
        """Make the agent's phone a member of their queues, or take it out."""
        ...
