"""The queues as they are now, from changes of calls and from what queues say of their members. No I/O."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from callcenter.changes import CallChange, CallEnded, CallMerged, CallQueued, QueueLeft
from callcenter.events import QueueList, QueueMemberState
from callcenter.model import Call

IN_USE = frozenset({2, 3, 7, 8})
"""Device states in which a member cannot take a call: in use, busy, ring + in use, on hold."""
RINGING = frozenset({6, 7})
REACHABLE = frozenset({1, 2, 3, 6, 7, 8})
"""`Status` of a member whose device is there; source: ast_device_state in asterisk/devicestate.h."""

QueueKey = tuple[str, str]
"""PBX and name of a queue."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A device that a queue may ring."""

    interface: str
    device: str
    """What rings in the end: the state interface, where the interface is a Local channel."""
    name: str | None
    paused: bool
    pause_reason: str | None
    status: int | None
    penalty: int = 0
    calls_taken: int = 0
    last_call: datetime | None = None
    dynamic: bool = False
    """Added while Asterisk runs: only such a member can be removed."""


class Waiting(msgspec.Struct, frozen=True):
    """A caller in a queue."""

    call_id: UUID
    since: datetime


class QueueNow(msgspec.Struct, frozen=True, kw_only=True):
    """One queue at this moment; callers in the order in which they will be taken."""

    pbx: str
    name: str
    waiting: tuple[Waiting, ...]
    members: tuple[Member, ...]
    strategy: str = ""


class Board:
    """Keeps the queues of all PBXs of a tenant. What is touched since the last `drain` is remembered."""

    def __init__(self) -> None:
        self._members: dict[QueueKey, dict[str, Member]] = {}
        self._waiting: dict[QueueKey, list[Waiting]] = {}
        self._strategies: dict[QueueKey, str] = {}
        """Queues that Asterisk was heard to have, and how they choose; a queue without members is one too."""
        self._pauses: dict[tuple[str, str], dict[tuple[str, str], bool]] = {}
        """PBX and device → whether it is paused, for each queue and the interface by which it is a member there."""
        self._calls: dict[UUID, Call] = {}
        self._touched: set[QueueKey] = set()

    def take(self, change: CallChange) -> None:
        """A call changed: it may have joined or left a queue."""
        call = change.call
        if isinstance(change, CallQueued):
            place = change.visit.position
            self._join((call.pbx, change.visit.queue), Waiting(call.call_id, change.visit.joined_at), place)
        elif isinstance(change, QueueLeft):
            self._leave((call.pbx, change.visit.queue), call.call_id)
        elif isinstance(change, CallEnded):
            for visit in call.queue_visits:
                self._leave((call.pbx, visit.queue), call.call_id)
        elif isinstance(change, CallMerged):
            self._merge(call, change.merged)
        if call.ended_at is not None:
            self._calls.pop(call.call_id, None)
        else:
            self._calls[call.call_id] = call
        if call.queue_visits and call.queue_visits[-1].left_at is None:
            self._touched.add((call.pbx, call.queue_visits[-1].queue))

    def member(self, pbx: str, state: QueueMemberState) -> str:
        """A queue said something of a member; returns the device that it is about."""
        key = (pbx, state.queue)
        members = self._members.setdefault(key, {})
        self._touched.add(key)
        device = _device(state)
        before = members.get(state.interface)
        if before is not None and (state.removed or before.device != device):
            self._forget_pause(pbx, state.queue, before)
        if state.removed:
            members.pop(state.interface, None)
            return device
        members[state.interface] = Member(
            interface=state.interface,
            device=device,
            name=state.member,
            paused=state.paused,
            pause_reason=state.pause_reason,
            status=state.status,
            penalty=state.penalty,
            calls_taken=state.calls_taken,
            last_call=state.last_call,
            dynamic=state.dynamic,
        )
        self._pauses.setdefault((pbx, device), {})[(state.queue, state.interface)] = state.paused
        return device

    def learn(self, pbx: str, listed: QueueList, call_of: Callable[[str], UUID | None], *, whole: bool) -> set[str]:
        """Take what Asterisk says of its queues; returns the devices of which something is different.

        `call_of` gives the call of a channel. With `whole`, queues that are not listed are gone: renamed or removed.
        """
        named = {(pbx, queue.name) for queue in listed.queues}
        changed: set[str] = set()
        for queue in listed.queues:
            if self._strategies.get((pbx, queue.name)) != queue.strategy:
                self._strategies[(pbx, queue.name)] = queue.strategy
                self._touched.add((pbx, queue.name))
        present: dict[QueueKey, set[str]] = {}
        for state in listed.members:
            key = (pbx, state.queue)
            present.setdefault(key, set()).add(state.interface)
            before = self._members.get(key, {}).get(state.interface)
            device = self.member(pbx, state)
            if before != self._members[key][state.interface]:
                changed.add(device)
        order: dict[QueueKey, list[UUID]] = {}
        for entry in listed.entries:
            call_id = call_of(entry.uniqueid)
            if call_id is not None:
                order.setdefault((pbx, entry.queue), []).append(call_id)
        for key in named:
            changed |= self._drop_members(key, self._members.get(key, {}).keys() - present.get(key, set()))
            self._sort(key, order.get(key, []))
        known = {key for key in self._members.keys() | self._strategies.keys() if key[0] == pbx}
        for key in known - named if whole else ():
            changed |= self._drop_members(key, list(self._members.get(key, {})))
            self._members.pop(key, None)
            self._strategies.pop(key, None)
            self._touched.add(key)
        return changed

    def queues(self) -> list[QueueNow]:
        """All queues that there are or that somebody waits in, in order."""
        return [
            self.queue(key) for key in sorted(self._members.keys() | self._strategies.keys() | self._waiting.keys())
        ]

    def knows(self, key: QueueKey) -> bool:
        """Whether there is such a queue, or somebody waits in one of this name."""
        return key in self._members or key in self._strategies or key in self._waiting

    def queue(self, key: QueueKey) -> QueueNow:
        """One queue; empty where there is none of this name."""
        return QueueNow(
            pbx=key[0],
            name=key[1],
            waiting=tuple(self._waiting.get(key, ())),
            members=tuple(self._members.get(key, {}).values()),
            strategy=self._strategies.get(key, ""),
        )

    def call(self, call_id: UUID) -> Call | None:
        """A call that goes on, as it was told last."""
        return self._calls.get(call_id)

    def waits_in(self, call_id: UUID) -> QueueKey | None:
        """The queue that a caller waits in."""
        call = self._calls.get(call_id)
        if call is None or not call.queue_visits:
            return None
        key = (call.pbx, call.queue_visits[-1].queue)
        return key if any(one.call_id == call_id for one in self._waiting.get(key, ())) else None

    def memberships(self, pbx: str, device: str) -> list[tuple[QueueKey, Member]]:
        """The queues that a device is a member of, and how."""
        places = self._pauses.get((pbx, device), {})
        return [((pbx, queue), self._members[(pbx, queue)][interface]) for queue, interface in sorted(places)]

    def paused(self, pbx: str, device: str) -> bool:
        """Whether a device is paused in each queue that it is a member of."""
        pauses = self._pauses.get((pbx, device))
        return pauses is not None and bool(pauses) and all(pauses.values())

    def pause(self, pbx: str, device: str) -> str | None:
        """Why a device is paused in all its queues, perhaps for no reason that is known; None where it is not."""
        members = [member for _, member in self.memberships(pbx, device)]
        if not members or not all(member.paused for member in members):
            return None
        return next((member.pause_reason for member in members if member.pause_reason), "")

    def drain(self) -> set[QueueKey]:
        """The queues in which something happened since the last time."""
        touched, self._touched = self._touched, set()
        return touched

    def _join(self, key: QueueKey, caller: Waiting, position: int | None) -> None:
        self._leave(key, caller.call_id)
        waiting = self._waiting.setdefault(key, [])
        # Who comes with a priority is let in before others: Asterisk says at which place.
        place = len(waiting) if position is None else min(max(position - 1, 0), len(waiting))
        waiting.insert(place, caller)
        self._touched.add(key)

    def _leave(self, key: QueueKey, call_id: UUID) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            return
        self._waiting[key] = [one for one in waiting if one.call_id != call_id]
        if not self._waiting[key]:
            del self._waiting[key]
        self._touched.add(key)

    def _merge(self, call: Call, merged: UUID) -> None:
        """A call became part of another, and who waits in its name waits in that one's."""
        self._calls.pop(merged, None)
        for key, waiting in list(self._waiting.items()):
            place = next((place for place, one in enumerate(waiting) if one.call_id == merged), None)
            if place is None or key[0] != call.pbx:
                continue
            since = waiting[place].since
            self._leave(key, merged)
            last = call.queue_visits[-1] if call.queue_visits else None
            if last is not None and last.queue == key[1] and last.left_at is None:
                self._join(key, Waiting(call.call_id, since), place + 1)

    def _sort(self, key: QueueKey, order: list[UUID]) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            return
        places = {call_id: place for place, call_id in enumerate(order)}
        # Who is not listed joined after the list was made.
        arranged = sorted(waiting, key=lambda one: places.get(one.call_id, len(places)))
        if arranged != waiting:
            self._waiting[key] = arranged
            self._touched.add(key)

    def _drop_members(self, key: QueueKey, interfaces: Iterable[str]) -> set[str]:
        gone = [self._members[key].pop(interface) for interface in list(interfaces)]
        for member in gone:
            self._forget_pause(*key, member)
            self._touched.add(key)
        return {member.device for member in gone}

    def _forget_pause(self, pbx: str, queue: str, member: Member) -> None:
        places = self._pauses.get((pbx, member.device), {})
        places.pop((queue, member.interface), None)
        if not places:
            self._pauses.pop((pbx, member.device), None)


def _device(state: QueueMemberState) -> str:
    """`hint:200@ext-local` and Custom: states name no device; then the member's own interface stands for it."""
    device = state.state_interface
    return device if device and "/" in device else state.interface
