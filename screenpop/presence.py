"""What each agent is doing, derived from their seat, their presence and their calls."""

from datetime import datetime
from uuid import UUID

import msgspec

from screenpop.messages import AgentState, AgentStatus, CallState


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """Where an agent sits, and whether they pause: set by the service. The fields are those of `AgentState`."""

    agent: str
    name: str | None = None
    extension: str | None = None
    interface: str | None = None
    paused: bool = False
    reason: str | None = None
    since: datetime | None = None
    """Since when they are ready or pause, where that is known better than by what came to this module."""
    until: datetime | None = None
    call_id: UUID | None = None
    budget_s: int | None = None
    logged_in: bool | None = None


class Presence:
    """The state of every agent of a tenant. Each verb returns the new state where it changed, else None."""

    def __init__(self) -> None:
        self._agents: dict[str, _Agent] = {}

    def state(self, agent: str) -> AgentState | None:
        """The agent's state as told last."""
        known = self._agents.get(agent)
        return known.told if known else None

    def states(self) -> dict[str, AgentState]:
        """The state of every agent as told last."""
        return {name: agent.told for name, agent in self._agents.items() if agent.told is not None}

    def sit(self, seat: Seat, at: datetime) -> AgentState | None:
        """An agent's name, phone or pause changed."""
        agent = self._agent(seat.agent)
        agent.seat = seat
        return agent.tell(at)

    def arrive(self, name: str, at: datetime) -> AgentState | None:
        """The agent's first page connected."""
        agent = self._agent(name)
        agent.present = True
        return agent.tell(at)

    def leave(self, name: str, at: datetime) -> AgentState | None:
        """The agent's last page is gone for good."""
        agent = self._agent(name)
        agent.present = False
        return agent.tell(at)

    def engage(self, name: str, call: UUID, state: CallState, dialed: bool, at: datetime) -> AgentState | None:
        """A call of the agent has this state now; who `dialed` is busy from the start."""
        agent = self._agent(name)
        if state == "ended":
            agent.calls.pop(call, None)
        else:
            agent.calls[call] = "ringing" if state == "ringing" and not dialed else "busy"
        return agent.tell(at)

    def _agent(self, name: str) -> "_Agent":
        agent = self._agents.get(name)
        if agent is None:
            agent = self._agents[name] = _Agent(name)
        return agent


class _Agent:
    """One agent's facts, and what was told of them."""

    __slots__ = ("calls", "present", "seat", "told")

    def __init__(self, name: str) -> None:
        self.seat = Seat(agent=name)
        self.present = False
        self.calls: dict[UUID, AgentStatus] = {}
        self.told: AgentState | None = None

    def status(self) -> AgentStatus:
        """Calls weigh more than a pause, and a phone in use more than an absent page."""
        if "busy" in self.calls.values():
            return "busy"
        if self.calls:
            return "ringing"
        if not self.present:
            return "offline"
        return "paused" if self.seat.paused else "ready"

    def tell(self, at: datetime) -> AgentState | None:
        status, told, seat = self.status(), self.told, self.seat
        same = told is not None and told.state == status and (status != "paused" or told.reason == seat.reason)
        since = told.since if told is not None and same else at
        if seat.since is not None and status in ("ready", "paused"):
            since = seat.since
        now = AgentState(
            agent=seat.agent,
            name=seat.name,
            state=status,
            extension=seat.extension,
            interface=seat.interface,
            since=since,
            reason=seat.reason if seat.paused else None,
            until=seat.until,
            call_id=seat.call_id,
            budget_s=seat.budget_s,
            logged_in=seat.logged_in,
        )
        if now == told:
            return None
        self.told = now
        return now
