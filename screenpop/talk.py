"""The facts that the audience keeps of a call in progress: plain records, changed by `audience` alone."""

from datetime import datetime
from uuid import UUID

import msgspec

from callcenter.model import Call, Offer
from screenpop import views
from screenpop.messages import CallView, Match


class Ring(msgspec.Struct, frozen=True, gc=False):
    """What made a pop due."""

    at: datetime
    rang_at: datetime
    interface: str | None
    queue: str | None


class Part:
    """What one agent has to do with one call."""

    __slots__ = ("answered", "connected", "dialed", "match", "open", "popped", "view", "wanted")

    def __init__(self) -> None:
        self.open: dict[str, Offer] = {}
        self.answered = self.connected = self.dialed = False
        self.popped: UUID | None = None
        """The call id under which a pop was sent."""
        self.match: Match | None = None
        self.wanted: Ring | None = None
        self.view: CallView | None = None

    @property
    def rings(self) -> bool:
        """A device rings, or was just picked up and is not through yet."""
        return bool(self.open) or (self.answered and not self.connected)

    def is_kept(self, call: Call, agent: str) -> bool:
        """Whether the pop stays: another device still rings, or the agent placed or took the call."""
        return bool(self.open) or self.answered or self.dialed or bool(views.devices(call, agent))


class Talk:
    """A call in progress, and the agents in it."""

    __slots__ = ("asked", "asked_at", "call", "left", "match", "parts", "placed")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.parts: dict[str, Part] = {}
        self.left: dict[str, CallView] = {}
        """How the call looked last to those for whom it is over."""
        self.placed = False
        self.asked: str | None = None
        """The number that was asked for last."""
        self.asked_at = call.started_at
        self.match: Match | None = None

    @property
    def number(self) -> str | None:
        """The customer's number as the PBX gave it."""
        party = views.customer_party(self.call)
        return (party.number or party.e164) if party is not None else None

    def is_stale(self, oldest: datetime) -> bool:
        """Whether what was answered before anybody has the pop is worth asking again: too old, or incomplete."""
        if self.match is None or any(part.popped for part in self.parts.values()):
            return False
        return self.asked_at < oldest or self.match.status == "incomplete"

    def part(self, agent: str) -> Part:
        """The agent's part, made where there is none."""
        part = self.parts.get(agent)
        if part is None:
            part = self.parts[agent] = Part()
        return part
