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


class Dialer(Protocol):
    """Does what agents ask for. Refusals are `CallCenterError`s whose sentence is shown to the agent."""

    async def dial(self, who: Identity, number: str) -> None:
        """Call a number from the agent's phone; returns when the PBX took the order."""
        ...

    async def hangup(self, who: Identity, call_id: UUID) -> None:
        """End a call of the agent."""
        ...
