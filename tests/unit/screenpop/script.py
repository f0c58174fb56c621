"""Writes calls down as the tracker would tell of them: each verb returns one change."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from msgspec.structs import replace

from callcenter import changes
from callcenter.model import (
    Call,
    CallStatus,
    Connection,
    Direction,
    Hold,
    Offer,
    OfferResult,
    Party,
    PartyKind,
    QueueVisit,
)
from screenpop.messages import Candidate, Match, MatchStatus

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = UUID(int=7)


def agent_party(agent: str) -> Party:
    """One of our agents at the end of a call."""
    return Party(number=extension(agent), name=agent.title(), kind=PartyKind.AGENT, agent=agent)


def extension(agent: str) -> str:
    """A fixed extension for an agent's name."""
    return str(1000 + sum(agent.encode()) % 9000)


def found(number: str, *names: str) -> Match:
    """A match with these customers."""
    status: MatchStatus = "none" if not names else "one" if len(names) == 1 else "several"
    candidates = tuple(Candidate(customer_id=uuid5(NAMES, name), name=name) for name in names)
    return Match(status=status, number=number, candidates=candidates)


class Script:
    """One call. Its clock moves a second with each verb."""

    def __init__(
        self,
        name: str = "call",
        *,
        direction: Direction = Direction.INBOUND,
        caller: Party | None = None,
        callee: Party | None = None,
        tenant: str = "default",
    ) -> None:
        self.now = EPOCH
        self.call = Call(
            call_id=uuid5(NAMES, name),
            tenant=tenant,
            pbx="pbx",
            linkedids=("1.1",),
            direction=direction,
            caller=caller or Party(number="+12025550123", name="Ada", channel="PJSIP/trunk-00000001"),
            callee=callee or Party(number="4000", kind=PartyKind.EXTENSION),
            status=CallStatus.IN_PROGRESS,
            started_at=EPOCH,
        )

    def started(self) -> changes.CallStarted:
        return changes.CallStarted(at=self._tick(), call=self.call)

    def updated(self, **fields: object) -> changes.CallUpdated:
        at = self._tick()
        self.call = replace(self.call, **fields)
        return changes.CallUpdated(at=at, call=self.call)

    def queued(self, queue: str = "sales") -> changes.CallQueued:
        visit = QueueVisit(queue=queue, joined_at=self._tick())
        self.call = replace(self.call, queue_visits=(*self.call.queue_visits, visit))
        return changes.CallQueued(at=self.now, call=self.call, visit=visit)

    def rings(self, agent: str | None, interface: str | None = None) -> changes.AgentRinging:
        device = interface or f"PJSIP/{extension(agent or 'x')}"
        queue = self.call.queue_visits[-1].queue if self.call.queue_visits else None
        offer = Offer(interface=device, rang_at=self._tick(), agent=agent, queue=queue)
        self.call = replace(self.call, offers=(*self.call.offers, offer))
        return changes.AgentRinging(at=self.now, call=self.call, offer=offer)

    def stops(self, agent: str, result: OfferResult, interface: str | None = None) -> changes.OfferEnded:
        device = interface or f"PJSIP/{extension(agent)}"
        at = self._tick()
        offers = list(self.call.offers)
        for place, offer in enumerate(offers):
            if offer.interface == device and offer.ended_at is None:
                offers[place] = replace(offer, ended_at=at, result=result)
                self.call = replace(self.call, offers=tuple(offers))
                return changes.OfferEnded(at=at, call=self.call, offer=offers[place])
        raise AssertionError(f"{device} does not ring")

    def talks(self, agent: str, interface: str | None = None) -> changes.CallAnswered:
        device = interface or f"PJSIP/{extension(agent)}"
        connection = Connection(from_=self._tick(), agent=agent, interface=device, number=extension(agent))
        self.call = replace(
            self.call,
            connections=(*self.call.connections, connection),
            answered_at=self.call.answered_at or self.now,
            status=CallStatus.ANSWERED,
        )
        return changes.CallAnswered(at=self.now, call=self.call, connection=connection)

    def leaves(self, agent: str) -> changes.ConnectionEnded:
        at = self._tick()
        connections = list(self.call.connections)
        for place, connection in enumerate(connections):
            if connection.agent == agent and connection.to is None:
                connections[place] = replace(connection, to=at)
                self.call = replace(self.call, connections=tuple(connections))
                return changes.ConnectionEnded(at=at, call=self.call, connection=connections[place])
        raise AssertionError(f"{agent} does not talk")

    def holds(self, agent: str) -> changes.CallHeld:
        hold = Hold(from_=self._tick(), interface=f"PJSIP/{extension(agent)}")
        self.call = replace(self.call, holds=(*self.call.holds, hold))
        return changes.CallHeld(at=self.now, call=self.call, hold=hold)

    def resumes(self) -> changes.CallResumed:
        hold = replace(self.call.holds[-1], to=self._tick())
        self.call = replace(self.call, holds=(*self.call.holds[:-1], hold))
        return changes.CallResumed(at=self.now, call=self.call, hold=hold)

    def merges(self, other: "Script") -> changes.CallMerged:
        at = self._tick()
        self.call = replace(self.call, connections=self.call.connections + other.call.connections)
        return changes.CallMerged(at=at, call=self.call, merged=other.call.call_id)

    def ends(self, status: CallStatus = CallStatus.ANSWERED) -> changes.CallEnded:
        at = self._tick()
        connections = tuple(c if c.to else replace(c, to=at) for c in self.call.connections)
        self.call = replace(self.call, ended_at=at, status=status, connections=connections)
        return changes.CallEnded(at=at, call=self.call)

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now
