"""All that a tracker knows at one moment, and the two things it can say: a change, or an anomaly."""

from collections import deque
from datetime import datetime
from typing import Any, Final

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.tracking import ids
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Directory
from callcenter.tracking.legs import Leg

LOCAL_CHAIN: Final = 8
"""How many Local channels may stand one behind the other."""
REMEMBERED: Final = 8192
"""How many channels that are gone are remembered, so that a late event about one is no anomaly."""


class World:
    """The legs and calls of one PBX. `out` gathers what is said while one event is taken."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.legs: dict[str, Leg] = {}
        self.calls: dict[str, CallFacts] = {}
        """linkedid → call; a call that has had several linkedids is there under each."""
        self.bridges: dict[str, dict[str, Leg]] = {}
        """Bridge → the legs that stand in it, by uniqueid."""
        self.dialed_by_us: dict[str, str] = {}
        """Channel id of an originate of ours that has not begun yet → number to be called."""
        self.spies: set[str] = set()
        """Channels of a snapshot that listen to a call, until they are taken in."""
        self.handed_on: dict[str, CallFacts] = {}
        """Device → the call that it handed on last before anybody had answered."""
        self.resyncing = False
        self.out: list[ch.Change] = []
        self._gone: set[str] = set()
        self._gone_order: deque[str] = deque()

    def emit(self, kind: type[ch.CallChange], call: CallFacts, at: datetime, **details: Any) -> None:
        """Say that a call changed; nothing is said of a call whose direction is not decided."""
        if call.direction is not None:
            self.out.append(kind(at=at, call=call.record(), **details))

    def anomaly(self, event: ev.Event, reason: str, channel: str | None = None, leg: Leg | None = None) -> None:
        """Say that an event cannot be."""
        self.out.append(
            ch.Anomaly(
                at=event.at,
                event=type(event).__name__,
                reason=reason,
                channel=channel,
                call_id=leg.call.call_id if leg is not None else None,
            )
        )

    def leg(self, event: ev.Event, uniqueid: str) -> Leg | None:
        """The leg that an event is about. None: it is gone already, or was never seen, which is an anomaly."""
        leg = self.legs.get(uniqueid)
        if leg is None and uniqueid not in self._gone:
            self.anomaly(event, "the channel is not known", uniqueid)
        return leg

    def call_for(self, linkedid: str, at: datetime) -> CallFacts:
        """The call that goes by a linkedid; a new one where there is none.

        A linkedid is the uniqueid of a channel. Where that one is in a call by another name, the two met unseen.
        """
        call = self.calls.get(linkedid)
        named = self.legs.get(linkedid)
        if call is None and named is not None:
            call = self.calls[linkedid] = named.call
            call.add_linkedid(linkedid)
        elif call is None:
            call_id = ids.call_id(self.directory.pbx, linkedid)
            call = self.calls[linkedid] = CallFacts(call_id, linkedid, self.directory, at)
            if self.resyncing:
                call.mark_resynced()
        return call

    def has_been(self, uniqueid: str) -> bool:
        """Whether a channel is there, or was until lately."""
        return uniqueid in self.legs or uniqueid in self._gone

    def enter(self, leg: Leg, bridge: str, *, holding: bool, conference: bool) -> None:
        """A channel stands in a bridge now, and in no other."""
        self.leave(leg)
        leg.bridge = bridge
        leg.holding = holding
        inside = self.bridges.setdefault(bridge, {})
        inside[leg.uniqueid] = leg
        if conference:
            leg.conference = inside

    def leave(self, leg: Leg) -> None:
        """A channel stands in no bridge now."""
        bridge, leg.bridge, leg.holding, leg.conference = leg.bridge, None, False, {}
        if bridge is not None:
            inside = self.bridges[bridge]
            del inside[leg.uniqueid]
            if not inside:
                del self.bridges[bridge]

    def confers(self, leg: Leg) -> list[CallFacts]:
        """The other calls in the conference that a channel stands in."""
        calls = {id(other.call): other.call for other in leg.conference.values()}
        calls.pop(id(leg.call), None)
        return list(calls.values())

    def person(self, leg: Leg) -> Leg:
        """The leg that a person is at: behind a Local channel, whoever stands alone with its other half."""
        for _ in range(LOCAL_CHAIN):
            half = leg.half
            if leg.is_real or half is None or half.bridge is None:
                break
            others = [other for other in self.bridges[half.bridge].values() if other is not half]
            if len(others) != 1:
                break
            leg = others[0]
        return leg

    def remove(self, leg: Leg) -> None:
        """A channel is gone."""
        self.leave(leg)
        del self.legs[leg.uniqueid]
        del leg.call.legs[leg.uniqueid]
        leg.ring = None
        half, leg.half = leg.half, None
        if half is not None:
            half.half = None
        self._gone.add(leg.uniqueid)
        self._gone_order.append(leg.uniqueid)
        if len(self._gone_order) > REMEMBERED:
            self._gone.discard(self._gone_order.popleft())

    def move(self, leg: Leg, call: CallFacts) -> None:
        """A channel turned out to belong to another call than its linkedid said."""
        del leg.call.legs[leg.uniqueid]
        leg.call = call
        call.legs[leg.uniqueid] = leg

    def drop(self, call: CallFacts) -> None:
        """A call is over, or turned out to be none."""
        for transfer in call.transfers:
            if transfer.by is not None and self.handed_on.get(transfer.by) is call:
                del self.handed_on[transfer.by]
        for linkedid in call.linkedids:
            if self.calls.get(linkedid) is call:
                del self.calls[linkedid]
        call.release()

    def open_calls(self) -> list[CallFacts]:
        """Each call that goes on, once, oldest first."""
        return list({id(call): call for call in self.calls.values()}.values())
