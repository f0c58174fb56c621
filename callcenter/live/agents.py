"""What each agent does now, and since when: a state machine that is handed the time. No I/O.

It is driven by calls, by what queues say of the agent's device, by pages that come and go, and by the agent. An agent's
stretches follow each other without a gap, so that their sum is the shift. All times are of one clock, the service's
own: a shift is made of what happens at several PBXs and on pages.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from callcenter.changes import CallChange, CallMerged
from callcenter.engagement import Engagement, engagements, queue_taken
from callcenter.errors import Conflict
from callcenter.model import Value

WRAPUP: Final = "wrapup"
"""Reason of the pause on Asterisk that keeps queues from ringing an agent who wraps up."""
LONGEST_WRAPUP: Final = timedelta(hours=1)


class Activity(StrEnum):
    """What an agent does. A call weighs most; who has no page open is offline."""

    OFFLINE = "offline"
    READY = "ready"
    RINGING = "ringing"
    BUSY = "busy"
    PAUSED = "paused"
    WRAPUP = "wrapup"


class Stretch(Value, frozen=True):
    """A time in which an agent did one thing. `to` is None while it goes on.

    `reason` is the pause's, during a call that of the pause that follows. `until` is when a wrap-up ends by itself, and
    `call_id` the call that is wrapped up.
    """

    agent: str
    activity: Activity
    from_: datetime
    to: datetime | None = None
    reason: str | None = None
    until: datetime | None = None
    call_id: UUID | None = None


class _Wrapup(msgspec.Struct):
    call_id: UUID
    until: datetime
    confirmed: bool = False
    """Whether Asterisk was seen to pause the agent for it: a pause that goes away then was ended by somebody there."""


class _Agent:
    __slots__ = ("calls", "now", "owed", "pause", "present", "settled")

    def __init__(self) -> None:
        self.present = False
        self.settled = False
        self.calls: dict[UUID, Engagement] = {}
        self.pause: str | None = None
        self.owed: tuple[UUID, timedelta] | None = None
        """A wrap-up that begins when the agent's other calls are over too."""
        self.now: Stretch | None = None


class Agents:
    """The agents of a tenant. `wrapup_of` says how long a call from a queue is wrapped up.

    Each verb returns the stretches that are new or changed by it: one that was closed, then the one that goes on.
    Nothing is told of an agent before `settle`, since what is known by then is not all there is.
    """

    def __init__(self, wrapup_of: Callable[[str], timedelta]) -> None:
        self._wrapup_of = wrapup_of
        self._agents: dict[str, _Agent] = {}
        self._wrapups: dict[str, _Wrapup] = {}
        """Of the few who wrap up: what is looked at after each call must not cost more with each agent."""
        self._unsettled: dict[str, None] = {}
        self._engaged: dict[UUID, set[str]] = {}

    def now(self, agent: str) -> Stretch | None:
        """What an agent does; None while that is not known."""
        known = self._agents.get(agent)
        return known.now if known is not None and known.settled else None

    def all(self) -> dict[str, Stretch]:
        """What each agent does."""
        return {name: one.now for name, one in self._agents.items() if one.now is not None and one.settled}

    def wrapup(self, agent: str) -> tuple[UUID, datetime] | None:
        """The call that the agent wraps up and until when; the time runs during another call too."""
        known = self._wrapups.get(agent)
        return (known.call_id, known.until) if known is not None else None

    def paused(self, agent: str) -> str | None:
        """Why the agent pauses, or will when a call is over; empty where nobody said why, None where they do not."""
        known = self._agents.get(agent)
        return known.pause if known is not None and known.pause != WRAPUP else None

    @property
    def unsettled(self) -> list[str]:
        """Of whom nothing is told yet."""
        return list(self._unsettled)

    @property
    def due(self) -> datetime | None:
        """When the next wrap-up ends by itself."""
        return min((one.until for one in self._wrapups.values()), default=None)

    def restore(self, open_stretches: Iterable[Stretch]) -> None:
        """Go on with what an earlier run of the service knew, at the start."""
        for stretch in open_stretches:
            agent = self._agent(stretch.agent)
            agent.now = stretch
            agent.present = stretch.activity is not Activity.OFFLINE
            if stretch.activity is Activity.PAUSED:
                agent.pause = stretch.reason or ""
            if stretch.activity is Activity.WRAPUP and stretch.until is not None and stretch.call_id is not None:
                self._wrapups[stretch.agent] = _Wrapup(stretch.call_id, stretch.until)

    def settle(self, name: str, at: datetime) -> list[Stretch]:
        """All that goes on is known of an agent now."""
        self._agent(name).settled = True
        self._unsettled.pop(name, None)
        return self._move(name, at)

    def arrive(self, name: str, at: datetime) -> list[Stretch]:
        """The agent's first page is open."""
        self._agent(name).present = True
        return self._move(name, at)

    def leave(self, name: str, at: datetime) -> list[Stretch]:
        """The agent's last page is gone."""
        self._agent(name).present = False
        return self._move(name, at)

    def pause(self, name: str, reason: str | None, at: datetime) -> list[Stretch]:
        """Queues say that the agent is paused (`reason`, perhaps empty) or, None, that they may ring the agent.

        What was known already changes nothing. It is thus seen where somebody else ends a wrap-up, or makes a pause
        of it.
        """
        agent = self._agent(name)
        before, agent.pause = agent.pause, reason
        wrapup = self._wrapups.get(name)
        if wrapup is not None and reason == WRAPUP:
            wrapup.confirmed = True
        elif wrapup is not None and wrapup.confirmed and before == WRAPUP:
            del self._wrapups[name]
        return self._move(name, at)

    def take(self, change: CallChange, at: datetime) -> list[Stretch]:
        """A call changed: agents may have got or lost it."""
        call = change.call
        moved: list[str] = []
        if isinstance(change, CallMerged):
            for name in self._engaged.pop(change.merged, set()):
                self._agent(name).calls.pop(change.merged, None)
                moved.append(name)
        present = engagements(call)
        before = self._engaged.get(call.call_id, set())
        for name in before - present.keys():
            agent = self._agent(name)
            was = agent.calls.pop(call.call_id, None)
            queue = queue_taken(call, name)
            if was is Engagement.BUSY and queue is not None:
                rest = min(self._wrapup_of(queue), LONGEST_WRAPUP)
                agent.owed = (call.call_id, rest) if rest > timedelta(0) else agent.owed
            moved.append(name)
        for name, engagement in present.items():
            self._agent(name).calls[call.call_id] = engagement
            wrapup = self._wrapups.get(name)
            if wrapup is not None and wrapup.call_id == call.call_id:
                del self._wrapups[name]  # the call came back: there is nothing to wrap up yet
            moved.append(name)
        if present:
            self._engaged[call.call_id] = set(present)
        else:
            self._engaged.pop(call.call_id, None)
        return [stretch for name in dict.fromkeys(moved) for stretch in self._move(name, at)]

    def extend(self, name: str, by: timedelta, at: datetime) -> list[Stretch]:
        """Give the agent more time to wrap up.

        Raises:
            Conflict: there is no wrap-up, or it would take longer than an hour.
        """
        wrapup = self._wrapups.get(name)
        if wrapup is None:
            raise Conflict("there is nothing to wrap up")
        if wrapup.until + by - at > LONGEST_WRAPUP:
            raise Conflict("a wrap-up takes an hour at most: pause instead")
        wrapup.until += by
        return self._move(name, at)

    def finish(self, name: str, at: datetime) -> list[Stretch]:
        """The agent is done wrapping up; also of a call whose wrap-up is still to come."""
        self._agent(name).owed = None
        self._wrapups.pop(name, None)
        return self._move(name, at)

    def tick(self, at: datetime) -> list[Stretch]:
        """End the wrap-ups whose time is over."""
        over = [name for name, one in self._wrapups.items() if one.until <= at]
        moved: list[Stretch] = []
        for name in over:
            del self._wrapups[name]
            moved += self._move(name, at)
        return moved

    def _move(self, name: str, at: datetime) -> list[Stretch]:
        agent = self._agents[name]
        if agent.owed is not None and Engagement.BUSY not in agent.calls.values():
            call_id, rest = agent.owed
            agent.owed = None
            # Who works without a page sees no clock and cannot end it: their queues' own wrap-up time counts.
            if agent.present:
                self._wrapups[name] = _Wrapup(call_id, at + rest, agent.pause == WRAPUP)
        if not agent.settled:
            return []
        before = agent.now
        if before is not None and at < before.from_:
            at = before.from_
        after = _stretch(name, agent, self._wrapups.get(name), at)
        if before is None:
            agent.now = after
            return [after]
        same = msgspec.structs.replace(after, from_=before.from_)
        if same == before:
            return []
        is_one = (before.activity, before.reason, before.call_id) == (after.activity, after.reason, after.call_id)
        if is_one or at == before.from_:
            # The same stretch with another end, or one that took no time at all and is written over.
            agent.now = same
            return [same]
        agent.now = after
        return [msgspec.structs.replace(before, to=at), after]

    def _agent(self, name: str) -> _Agent:
        agent = self._agents.get(name)
        if agent is None:
            agent = self._agents[name] = _Agent()
            self._unsettled[name] = None
        return agent


def _stretch(name: str, agent: _Agent, wrapup: _Wrapup | None, at: datetime) -> Stretch:
    paused = agent.pause is not None and agent.pause != WRAPUP
    reason = (agent.pause or None) if paused else None
    if Engagement.BUSY in agent.calls.values():
        return Stretch(agent=name, activity=Activity.BUSY, from_=at)
    if agent.calls:
        return Stretch(agent=name, activity=Activity.RINGING, from_=at)
    if not agent.present:
        return Stretch(agent=name, activity=Activity.OFFLINE, from_=at)
    if wrapup is not None:
        return Stretch(agent=name, activity=Activity.WRAPUP, from_=at, until=wrapup.until, call_id=wrapup.call_id)
    return Stretch(agent=name, activity=Activity.PAUSED if paused else Activity.READY, from_=at, reason=reason)
