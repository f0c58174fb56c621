"""Today's numbers of each queue and agent, kept up to date by each change of a call. Pure.

What a call adds is worked out from the whole call as it is, and takes the place of what it added before. So it does
not matter how often or in which order a call is told of, and each change costs as much as the call has parts. Calls
that ended before, or in an earlier run of the service, come as sums from the call log (`load`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from callcenter.changes import CallChange, CallMerged
from callcenter.live.board import QueueKey
from callcenter.metrics.service_level import NOTHING, Goal, Tally, count
from callcenter.model import Call, Direction, OfferResult

ZERO: Final = timedelta(0)
MISSED: Final = frozenset({OfferResult.NO_ANSWER, OfferResult.REJECTED})
"""Results of an offer that the agent could have taken and did not."""
MOST_CALLS: Final = 50_000
"""Calls that are kept one by one; beyond, the oldest are only summed up."""


class AgentDay(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent did today."""

    answered: int = 0
    """Talks that began with somebody calling us, or handing the call on."""
    dialed: int = 0
    """Talks of outbound calls that the agent placed."""
    missed: int = 0
    """Offers that rang out or were declined."""
    connected: timedelta = ZERO
    """In talks that are over, hold included."""

    def __add__(self, other: "AgentDay") -> "AgentDay":
        return AgentDay(
            answered=self.answered + other.answered,
            dialed=self.dialed + other.dialed,
            missed=self.missed + other.missed,
            connected=self.connected + other.connected,
        )

    def __sub__(self, other: "AgentDay") -> "AgentDay":
        return AgentDay(
            answered=self.answered - other.answered,
            dialed=self.dialed - other.dialed,
            missed=self.missed - other.missed,
            connected=self.connected - other.connected,
        )


IDLE: Final = AgentDay()


class Share(msgspec.Struct, frozen=True):
    """What one call adds to the day."""

    queues: dict[QueueKey, Tally]
    agents: dict[str, AgentDay]


class _Kept(msgspec.Struct):
    call: Call
    share: Share


class Day:
    """The numbers since `began`."""

    def __init__(self, began: datetime, goals: Mapping[QueueKey, Goal] | None = None) -> None:
        self.began = began
        self._goals: dict[QueueKey, Goal] = dict(goals or {})
        self._queues: dict[QueueKey, Tally] = {}
        self._agents: dict[str, AgentDay] = {}
        self._kept: dict[UUID, _Kept] = {}
        self._touched_queues: set[QueueKey] = set()
        self._touched_agents: set[str] = set()

    def tally(self, key: QueueKey) -> Tally:
        """What has happened in a queue; nothing of those who still wait."""
        return self._queues.get(key, NOTHING)

    def agent(self, agent: str) -> AgentDay:
        """What an agent has done."""
        return self._agents.get(agent, IDLE)

    def queues(self) -> set[QueueKey]:
        """The queues in which something has happened."""
        return {key for key, tally in self._queues.items() if tally != NOTHING}

    def take(self, change: CallChange) -> None:
        """A call changed."""
        if isinstance(change, CallMerged):
            merged = self._kept.pop(change.merged, None)
            if merged is not None:
                self._replace(merged.share, Share({}, {}))
        call = change.call
        share = self.share_of(call)
        kept = self._kept.pop(call.call_id, None)
        self._replace(kept.share if kept is not None else Share({}, {}), share)
        self._kept[call.call_id] = _Kept(call, share)
        if len(self._kept) > MOST_CALLS:
            self._kept.pop(next(iter(self._kept)))  # its share stays in the sums

    def share_of(self, call: Call) -> Share:
        """What a call adds, by what it is now."""
        queues: dict[QueueKey, Tally] = {}
        for visit in call.queue_visits:
            if visit.joined_at >= self.began:
                key = (call.pbx, visit.queue)
                queues[key] = queues.get(key, NOTHING) + count(visit, self._goals.get(key, Goal()))
        agents: dict[str, AgentDay] = {}
        for one in call.connections:
            if one.agent is not None and one.from_ >= self.began:
                dialed = call.direction is Direction.OUTBOUND and call.caller.agent == one.agent
                took = max(one.to - one.from_, ZERO) if one.to is not None else ZERO
                part = AgentDay(answered=int(not dialed), dialed=int(dialed), connected=took)
                agents[one.agent] = agents.get(one.agent, IDLE) + part
        for offer in call.offers:
            if offer.agent is not None and offer.rang_at >= self.began and offer.result in MISSED:
                agents[offer.agent] = agents.get(offer.agent, IDLE) + AgentDay(missed=1)
        return Share(queues, agents)

    def settle(self, before: datetime) -> frozenset[UUID]:
        """Let go of calls that ended before a time and stand in the log; gives those that are still kept.

        To be followed by `load` with what the log says of all others.
        """
        for call_id, kept in list(self._kept.items()):
            if kept.call.ended_at is not None and kept.call.ended_at < before:
                del self._kept[call_id]
        return frozenset(self._kept)

    def load(self, queues: Mapping[QueueKey, Tally], agents: Mapping[str, AgentDay]) -> None:
        """Begin anew with these sums, of calls that are not kept, and add those that are."""
        self._touched_queues |= self._queues.keys() | queues.keys()
        self._touched_agents |= self._agents.keys() | agents.keys()
        self._queues, self._agents = dict(queues), dict(agents)
        for kept in self._kept.values():
            kept.share = self.share_of(kept.call)
            self._replace(Share({}, {}), kept.share)

    def begin(self, began: datetime, goals: Mapping[QueueKey, Goal]) -> None:
        """Another day, or other goals. To be followed by `load`."""
        self.began, self._goals = began, dict(goals)

    def drain(self) -> tuple[set[QueueKey], set[str]]:
        """The queues and agents of which a number changed since the last time."""
        touched = self._touched_queues, self._touched_agents
        self._touched_queues, self._touched_agents = set(), set()
        return touched

    def _replace(self, old: Share, new: Share) -> None:
        for key in old.queues.keys() | new.queues.keys():
            more, less = new.queues.get(key, NOTHING), old.queues.get(key, NOTHING)
            if more != less:
                self._queues[key] = self.tally(key) + more - less
                self._touched_queues.add(key)
        for agent in old.agents.keys() | new.agents.keys():
            gained, lost = new.agents.get(agent, IDLE), old.agents.get(agent, IDLE)
            if gained != lost:
                self._agents[agent] = self.agent(agent) + gained - lost
                self._touched_agents.add(agent)
