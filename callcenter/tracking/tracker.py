"""From AMI events to what happened to calls: the heart of the service.

`Tracker.apply(event)` returns changes. It does no I/O, reads no clock, logs nothing: the same trace always gives the
same calls. An event that cannot be, given what is known, changes nothing and comes back as an `Anomaly`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import Call, Direction
from callcenter.tracking import (
    bridges,
    channels,
    dialing,
    direction,
    ids,
    meeting,
    queueing,
    queues,
    recall,
    resync,
    talk,
    transfers,
)
from callcenter.tracking.directory import Directory
from callcenter.tracking.world import World

HANDLERS: Final[Mapping[type[ev.Event], Callable[[World, Any], None]]] = {
    ev.Newchannel: channels.newchannel,
    ev.Newstate: channels.newstate,
    ev.NewCallerid: channels.new_callerid,
    ev.NewConnectedLine: channels.new_connected_line,
    ev.Newexten: channels.newexten,
    ev.HangupRequest: channels.hangup_request,
    ev.Hangup: channels.hangup,
    ev.DialBegin: dialing.dial_begin,
    ev.DialState: dialing.dial_state,
    ev.DialEnd: dialing.dial_end,
    ev.OriginateResponse: direction.originate_response,
    ev.SpyStarted: direction.listens,
    ev.BridgeEnter: bridges.bridge_enter,
    ev.BridgeLeave: bridges.bridge_leave,
    ev.Hold: bridges.hold,
    ev.Unhold: bridges.unhold,
    ev.LocalBridge: bridges.local_bridge,
    ev.Pickup: transfers.picked_up,
    ev.BlindTransfer: transfers.blind,
    ev.AttendedTransfer: transfers.attended,
    ev.QueueCallerJoin: queueing.caller_join,
    ev.QueueCallerLeave: queueing.caller_leave,
    ev.QueueCallerAbandon: queueing.caller_abandon,
    ev.AgentCalled: queueing.agent_called,
    ev.AgentConnect: queueing.agent_connect,
    ev.VarSet: queueing.varset,
}
"""What each event means for calls; the others are of no concern to them."""


class Tracker:
    """Follows the calls of one PBX."""

    def __init__(self, directory: Directory) -> None:
        self._world = World(directory)

    def apply(self, event: ev.Event) -> list[ch.Change]:
        """Take one event; say what it changed."""
        handler = HANDLERS.get(type(event))
        if handler is None:
            return []
        world = self._world
        out: list[ch.Change] = []
        world.out = out
        handler(world, event)
        return out

    def resync(self, snapshot: ev.Snapshot, known: Sequence[Call] = ()) -> list[ch.Change]:
        """Take what goes on now, after a time in which nobody listened.

        Calls that are gone are ended, calls that go on continue, unknown ones begin. All of them are marked as
        incomplete: what happened in between is not known. `known` is what an earlier run of the service knew: those of
        it that go on are taken up as they were left.
        """
        world = self._world
        for call in world.open_calls():
            call.mark_resynced()
        changes = world.out = []
        for channel in snapshot.channels:
            leg = world.legs.get(channel.uniqueid)
            if leg is not None:
                meeting.by_linkedid(world, leg, channel.linkedid, snapshot.at)
        world.spies |= {one.uniqueid for one in snapshot.channels if one.application == "ChanSpy"} - world.legs.keys()
        world.resyncing = True
        try:
            taken_up = recall.take_up(world, known, snapshot)
            changes += [ch.CallStarted(at=snapshot.at, call=call.record()) for call in taken_up]
            for event in resync.missed(world.legs, snapshot):
                if not (isinstance(event, ev.QueueCallerJoin) and self._waits(event)):
                    changes += self.apply(event)
            world.out = changes
            waiting = {world.legs[one.uniqueid].call for one in snapshot.waiting if one.uniqueid in world.legs}
            for call in (one for one in taken_up if one.legs):
                recall.settle(world, call, call in waiting, snapshot.at)
        finally:
            world.resyncing = False
        world.out = changes
        for call in world.open_calls():
            if not call.legs:
                channels.end(world, call, snapshot.at)
        return changes

    def learn(self, directory: Directory) -> None:
        """What is known of the PBX changed: somebody sat down at a phone, a trunk was added. For new calls only."""
        self._world.directory = directory

    def originate(self, channel_id: str, number: str) -> None:
        """Note that we are about to ask Asterisk for a call whose first channel will be `channel_id`.

        The call is then known as an outbound one from its first event on. Call `forget` if Asterisk refuses.
        """
        self._world.dialed_by_us[channel_id] = number

    def forget(self, channel_id: str) -> None:
        """An originate that was noted did not come about."""
        self._world.dialed_by_us.pop(channel_id, None)

    def calls(self) -> list[Call]:
        """The calls that go on and were told of, oldest first."""
        return [call.record() for call in self._world.open_calls() if call.direction is not None]

    def call_id(self, uniqueid: str) -> UUID:
        """The id that the call of a first channel has or will have."""
        return ids.call_id(self._world.directory.pbx, uniqueid)

    def channels(self, call_id: UUID) -> Mapping[str, str]:
        """Interface → channel name of the real legs of a call that goes on: what can be hung up."""
        for call in self._world.open_calls():
            if call.call_id == call_id:
                return {leg.interface: leg.channel for leg in call.legs.values() if leg.is_real}
        return {}

    def partner(self, call_id: UUID, interface: str) -> str | None:
        """Channel name of the one that a device talks with in a call; None where it talks with nobody, or several."""
        for call in self._world.open_calls():
            if call.call_id == call_id:
                return talk.partner(call, interface)
        return None

    def legs(self, call_id: UUID) -> int:
        """How many channels a call has, Local ones counted."""
        return sum(len(call.legs) for call in self._world.open_calls() if call.call_id == call_id)

    def holds(self, call_id: UUID, interface: str) -> bool:
        """Whether a device has the other side of a call on hold, also while it consults somebody."""
        return any(
            leg.interface == interface and leg.held_since is not None
            for call in self._world.open_calls()
            if call.call_id == call_id
            for leg in call.legs.values()
        )

    def call_of(self, uniqueid: str) -> UUID | None:
        """The id of the call that a channel is in now."""
        leg = self._world.legs.get(uniqueid)
        return leg.call.call_id if leg is not None else None

    def customer_channel(self, call_id: UUID) -> str | None:
        """Name of the channel at whose end the customer is, or whoever called a colleague: what can be sent on."""
        for call in self._world.open_calls():
            if call.call_id == call_id:
                leg = call.customer or (call.entry if call.direction is not Direction.OUTBOUND else None)
                return leg.channel if leg is not None and leg.uniqueid in call.legs and leg.is_real else None
        return None

    @property
    def open_calls(self) -> int:
        """How many calls go on."""
        return len(self._world.open_calls())

    @property
    def open_channels(self) -> int:
        """How many channels there are."""
        return len(self._world.legs)

    def _waits(self, event: ev.QueueCallerJoin) -> bool:
        leg = self._world.legs.get(event.uniqueid)
        return leg is None or (queues.waits(leg.call) and leg.call.visits[-1].queue == event.queue)
