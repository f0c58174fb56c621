"""The queues as they are now, from changes of calls and from what queues say of their members. No I/O."""

from datetime import datetime
from uuid import UUID

import msgspec

from callcenter.changes import CallChange, CallEnded, CallMerged, CallQueued, QueueLeft
from callcenter.events import QueueMemberState

IN_USE = frozenset({2, 3, 7, 8})
"""Device states in which a member cannot take a call: in use, busy, ring + in use, on hold."""
RINGING = frozenset({6, 7})
REACHABLE = frozenset({1, 2, 3, 6, 7, 8})
"""`Status` of a member whose device is there; source: ast_device_state in asterisk/devicestate.h."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A device that a queue may ring."""

    interface: str
    device: str
    """What rings in the end: the state interface, where the interface is a Local channel."""
    name: str | None
    paused: bool
    pause_reason: str | None
    status: int | None


class Waiting(msgspec.Struct, frozen=True):
    """A caller in a queue."""

    call_id: UUID
    since: datetime


class QueueNow(msgspec.Struct, frozen=True, kw_only=True):
    """One queue at this moment; callers in the order in which they joined."""

    pbx: str
    name: str
    waiting: tuple[Waiting, ...]
    members: tuple[Member, ...]


class Board:
    """Keeps the queues of all PBXs of a tenant."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], dict[str, Member]] = {}
        self._waiting: dict[tuple[str, str], dict[UUID, Waiting]] = {}
        self._pauses: dict[tuple[str, str], dict[tuple[str, str], bool]] = {}
        """PBX and device → whether it is paused, for each queue and the interface by which it is a member there."""

    def take(self, change: CallChange) -> None:
        """A call changed: it may have joined or left a queue."""
        call = change.call
        if isinstance(change, CallQueued):
            waiting = self._waiting.setdefault((call.pbx, change.visit.queue), {})
            waiting[call.call_id] = Waiting(call.call_id, change.visit.joined_at)
        elif isinstance(change, QueueLeft):
            self._leave(call.pbx, change.visit.queue, call.call_id)
        elif isinstance(change, CallEnded):
            for visit in call.queue_visits:
                self._leave(call.pbx, visit.queue, call.call_id)
        elif isinstance(change, CallMerged):
            for (pbx, queue), waiting in list(self._waiting.items()):
                if pbx == call.pbx and change.merged in waiting:
                    self._leave(pbx, queue, change.merged)

    def member(self, pbx: str, state: QueueMemberState) -> str:
        """A queue said something of a member; returns the device that it is about."""
        members = self._members.setdefault((pbx, state.queue), {})
        device = _device(state)
        place = (state.queue, state.interface)
        before = members.get(state.interface)
        if before is not None:
            self._pauses.get((pbx, before.device), {}).pop(place, None)
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
        )
        self._pauses.setdefault((pbx, device), {})[place] = state.paused
        return device

    def queues(self) -> list[QueueNow]:
        """All queues that have members or callers, in order."""
        return [
            QueueNow(
                pbx=pbx,
                name=name,
                waiting=tuple(self._waiting.get((pbx, name), {}).values()),
                members=tuple(self._members.get((pbx, name), {}).values()),
            )
            for pbx, name in sorted(self._members.keys() | {key for key, calls in self._waiting.items() if calls})
        ]

    def paused(self, pbx: str, device: str) -> bool:
        """Whether a device is paused in each queue that it is a member of."""
        pauses = self._pauses.get((pbx, device))
        return pauses is not None and bool(pauses) and all(pauses.values())

    def _leave(self, pbx: str, queue: str, call_id: UUID) -> None:
        self._waiting.get((pbx, queue), {}).pop(call_id, None)


def _device(state: QueueMemberState) -> str:
    """`hint:200@ext-local` and Custom: states name no device; then the member's own interface stands for it."""
    device = state.state_interface
    return device if device and "/" in device else state.interface
