"""From AMI events to what happened to calls: the heart of the service.

`Tracker.apply(event)` returns changes. It does no I/O, reads no clock, logs nothing: the same trace always gives the
same calls. An event that cannot be, given what is known, changes nothing and comes back as an `Anomaly`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import Call, Direction, Party, PartyKind
from callcenter.tracking import ending, ids, offers, queues, resync, states, talk
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Directory, Side
from callcenter.tracking.legs import Leg

REMEMBERED: Final = 8192
"""How many channels that are gone are remembered, so that a late event about one is no anomaly."""


class Tracker:
    """Follows the calls of one PBX."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._legs: dict[str, Leg] = {}
        self._calls: dict[str, CallFacts] = {}
        """linkedid → call; a call that has had several linkedids is there under each."""
        self._gone: set[str] = set()
        self._gone_order: deque[str] = deque()
        self._dialed_by_us: dict[str, str] = {}
        self._out: list[ch.Change] = []
        self._handlers: Mapping[type[ev.Event], Callable[[Any], None]] = {
            ev.Newchannel: self._newchannel,
            ev.Newstate: self._newstate,
            ev.NewCallerid: self._new_callerid,
            ev.NewConnectedLine: self._new_connected_line,
            ev.Newexten: self._newexten,
            ev.VarSet: self._varset,
            ev.DialBegin: self._dial_begin,
            ev.DialState: self._dial_state,
            ev.DialEnd: self._dial_end,
            ev.BridgeEnter: self._bridge_enter,
            ev.BridgeLeave: self._bridge_leave,
            ev.Hold: self._hold,
            ev.Unhold: self._unhold,
            ev.LocalBridge: self._local_bridge,
            ev.QueueCallerJoin: self._queue_join,
            ev.QueueCallerLeave: self._queue_leave,
            ev.QueueCallerAbandon: self._queue_abandon,
            ev.AgentCalled: self._agent_called,
            ev.AgentConnect: self._agent_connect,
            ev.OriginateResponse: self._originate_response,
            ev.HangupRequest: self._hangup_request,
            ev.Hangup: self._hangup,
        }

    def apply(self, event: ev.Event) -> list[ch.Change]:
        """Take one event; say what it changed. Events of no concern to calls change nothing."""
        handler = self._handlers.get(type(event))
        if handler is None:
            return []
        out: list[ch.Change] = []
        self._out = out
        handler(event)
        return out

    def resync(self, snapshot: ev.Snapshot) -> list[ch.Change]:
        """Take what goes on now, after a time in which nobody listened.

        Calls that are gone are ended, calls that go on continue, unknown ones begin. All of them are marked as
        incomplete: what happened in between is not known.
        """
        changes: list[ch.Change] = []
        for call in {id(call): call for call in self._calls.values()}.values():
            call.mark_resynced()
        before = set(self._calls)
        for event in resync.missed(self._legs, snapshot):
            if isinstance(event, ev.QueueCallerJoin) and self._waits(event.uniqueid):
                continue
            changes += self.apply(event)
        for linkedid in self._calls.keys() - before:
            self._calls[linkedid].mark_resynced()
        return changes

    def _waits(self, uniqueid: str) -> bool:
        leg = self._legs.get(uniqueid)
        return leg is None or queues.waits(leg.call)

    def originate(self, channel_id: str, number: str) -> None:
        """Note that we are about to ask Asterisk for a call whose first channel will be `channel_id`.

        The call is then known as an outbound one from its first event on. Call `forget` if Asterisk refuses.
        """
        self._dialed_by_us[channel_id] = number

    def forget(self, channel_id: str) -> None:
        """An originate that was noted did not come about."""
        self._dialed_by_us.pop(channel_id, None)

    def calls(self) -> Iterable[Call]:
        """The calls that go on and were told of, oldest first."""
        seen = {id(facts): facts for facts in self._calls.values() if facts.direction is not None}
        return [facts.record() for facts in seen.values()]

    def call_id(self, uniqueid: str) -> UUID:
        """The id that the call of a first channel has or will have."""
        return ids.call_id(self.directory.pbx, uniqueid)

    def channels(self, call_id: UUID) -> Mapping[str, str]:
        """Interface → channel name of the real legs of a call that goes on: what can be hung up."""
        for facts in self._calls.values():
            if facts.call_id == call_id:
                return {leg.interface: leg.channel for leg in facts.legs.values() if leg.is_real}
        return {}

    @property
    def size(self) -> tuple[int, int]:
        """Calls and channels that go on."""
        return len({id(facts) for facts in self._calls.values()}), len(self._legs)

    # What is said.

    def _emit(self, kind: type[ch.CallChange], call: CallFacts, at: datetime, **details: Any) -> None:
        if call.direction is not None:
            self._out.append(kind(at=at, call=call.record(), **details))

    def _anomaly(self, event: ev.Event, reason: str, channel: str | None = None, leg: Leg | None = None) -> None:
        self._out.append(
            ch.Anomaly(
                at=event.at,
                event=type(event).__name__,
                reason=reason,
                channel=channel,
                call_id=leg.call.call_id if leg is not None else None,
            )
        )

    def _leg(self, event: ev.Event, uniqueid: str) -> Leg | None:
        leg = self._legs.get(uniqueid)
        if leg is None and uniqueid not in self._gone:
            self._anomaly(event, "the channel is not known", uniqueid)
        return leg

    # Channels.

    def _newchannel(self, event: ev.Newchannel) -> None:
        if event.uniqueid in self._legs or event.uniqueid in self._gone:
            self._anomaly(event, "the channel exists already", event.uniqueid)
            return
        self.add_leg(event)

    def add_leg(self, event: ev.Newchannel) -> Leg:
        """Make the facts of a channel, and of its call if it is the first."""
        call = self._calls.get(event.linkedid)
        if call is None:
            call_id = ids.call_id(self.directory.pbx, event.linkedid)
            call = self._calls[event.linkedid] = CallFacts(call_id, event.linkedid, self.directory, event.at)
        interface = ids.interface(event.channel)
        leg = Leg(
            uniqueid=event.uniqueid,
            linkedid=event.linkedid,
            channel=event.channel,
            interface=interface,
            side=self.directory.side(interface, event.context),
            state=states.leg_state(event.state),
            number=event.caller_num,
            name=event.caller_name,
            context=event.context,
            exten=event.exten,
            call=call,
        )
        self._legs[event.uniqueid] = call.legs[event.uniqueid] = leg
        if call.entry is None:
            self._enter(call, leg, event.at)
        return leg

    def _enter(self, call: CallFacts, leg: Leg, at: datetime) -> None:
        """The first leg of a call: what it is tells the direction, or at least who calls."""
        call.entry = leg
        number = self._dialed_by_us.pop(leg.uniqueid, None)
        if number is not None:
            leg.originated = True
            call.caller = call.party_of(leg)
            self._goes_to(call, number, at)
        elif leg.state is states.LegState.DOWN:
            # Asterisk dials it: an originate whose target is not known yet.
            leg.originated = True
        elif leg.side is Side.TRUNK:
            call.did = leg.exten
            call.caller = call.party_of(leg)
            call.callee = Party(number=leg.exten, kind=PartyKind.EXTENSION)
            self._decide(call, Direction.INBOUND, at)
        elif leg.side is Side.DEVICE:
            call.caller = call.party_of(leg)
            call.callee = Party(number=leg.exten, kind=PartyKind.EXTENSION)

    def _goes_to(self, call: CallFacts, number: str, at: datetime) -> None:
        """The number that a call of ours goes to became known."""
        if self.directory.is_outside(number):
            call.callee = self.directory.outside_party(self.directory.dialed(number), None, None, None)
            self._decide(call, Direction.OUTBOUND, at)
        else:
            call.callee = Party(number=number, kind=PartyKind.EXTENSION)
            self._decide(call, Direction.INTERNAL, at)

    def _decide(self, call: CallFacts, direction: Direction, at: datetime) -> None:
        """The direction is decided, once; from now on the call is told of."""
        if call.direction is None:
            call.direction = direction
            call.touch()
            self._emit(ch.CallStarted, call, at)

    def _newstate(self, event: ev.Newstate) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        state = states.leg_state(event.state)
        if state is leg.state:
            return
        if not states.may_move(leg.state, state):
            self._anomaly(event, f"a leg cannot go from {leg.state.value} to {state.value}", leg.channel, leg)
            return
        leg.state = state
        if state is states.LegState.RINGING:
            self._rings(leg, event.at)

    def _rings(self, leg: Leg, at: datetime) -> None:
        call = leg.call
        if leg.ring is not None:
            offers.rang(call, leg.ring, at, self._emit)
        elif leg.dialed is not None and call.direction is Direction.OUTBOUND and call.ringing_at is None:
            call.ringing_at = at
            call.touch()
            self._emit(ch.CallUpdated, call, at)

    def _new_callerid(self, event: ev.NewCallerid) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        leg.number = event.caller_num or leg.number
        leg.name = event.caller_name or leg.name
        call = leg.call
        # A dialed leg is given the name of who calls it; only the entry leg's own id is news.
        if leg is call.entry and not leg.originated and leg.dialed is None:
            party = call.party_of(leg)
            if party != call.caller:
                call.caller = party
                call.touch()
                self._emit(ch.CallUpdated, call, event.at)

    def _new_connected_line(self, event: ev.NewConnectedLine) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        call = leg.call
        callee = call.callee
        shown = event.connected_name
        if leg is call.entry and shown and callee.name is None and event.connected_num == callee.number:
            call.callee = replace(callee, name=shown)
            call.touch()
            self._emit(ch.CallUpdated, call, event.at)

    def _newexten(self, event: ev.Newexten) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        call = leg.call
        if event.application == "Queue":
            call.asked_queue = (event.data or "").partition(",")[0] or None
        elif event.application == "VoiceMail" and call.answered_at is None:
            call.reached_voicemail = True
            call.callee = Party(number=call.callee.number, kind=PartyKind.VOICEMAIL)
            call.touch()

    def _varset(self, event: ev.VarSet) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is not None and event.variable == "QUEUESTATUS":
            self._decide_internal(leg.call, event.at)
            queues.status_set(leg.call, event.value, event.at, self._emit)

    # Dialing.

    def _dial_begin(self, event: ev.DialBegin) -> None:
        leg = self._leg(event, event.dest_uniqueid)
        if leg is None or leg.dialed is not None:
            return
        leg.dialed = _dialed_number(event.dial_string, leg)
        if event.uniqueid is None:
            leg.originated = True
            return
        source = self._leg(event, event.uniqueid)
        if source is None:
            return
        call = source.call
        if leg.side is Side.TRUNK:
            self._dials_out(call, leg, event)
        elif leg.side is Side.DEVICE:
            self._dials_device(call, leg, source, event)

    def _dials_out(self, call: CallFacts, leg: Leg, event: ev.DialBegin) -> None:
        if call.direction is None:
            number = leg.dialed or event.exten
            call.callee = self.directory.outside_party(number, None, leg.channel, leg.interface)
            if call.entry is not None and call.caller.channel is None:
                call.caller = call.party_of(call.entry)
            self._decide(call, Direction.OUTBOUND, event.at)
        elif call.direction is Direction.OUTBOUND and call.callee.channel is None:
            call.callee = self.directory.outside_party(
                call.callee.number or leg.dialed, call.callee.name, leg.channel, leg.interface
            )
            call.touch()

    def _dials_device(self, call: CallFacts, leg: Leg, source: Leg, event: ev.DialBegin) -> None:
        if source.half is not None and source.half.originated and call.caller.channel is None:
            # An originate through a Local channel: this device is the caller's.
            leg.originated = True
            call.entry = leg
            call.caller = call.party_of(leg)
            return
        if call.entry is not None and call.entry.originated and call.caller.channel is None:
            call.caller = call.party_of(call.entry)
        if call.direction is None:
            call.callee = Party(number=event.exten or leg.dialed, kind=PartyKind.EXTENSION)
            self._decide(call, Direction.INTERNAL, event.at)
        queue = leg.queue or (source.half.queue if source.half is not None else None)
        offers.dialed(call, leg, queue, event.at)
        if call.answered_at is None and queue is None:
            self._calls_one_device(call, leg)
        if leg.state is states.LegState.RINGING:
            self._rings(leg, event.at)

    def _calls_one_device(self, call: CallFacts, leg: Leg) -> None:
        """The callee is the device that is rung, unless several are (a ring group): then it is what was dialed."""
        if call.direction is Direction.OUTBOUND:
            return
        rung = {offer.interface for offer in call.offers if offer.queue is None}
        called = call.did or (call.entry.exten if call.entry is not None else None)
        call.callee = call.party_of(leg) if len(rung) == 1 else Party(number=called, kind=PartyKind.EXTENSION)
        call.touch()

    def _dial_state(self, event: ev.DialState) -> None:
        leg = self._leg(event, event.dest_uniqueid)
        if leg is not None and event.status == "RINGING":
            self._rings(leg, event.at)

    def _dial_end(self, event: ev.DialEnd) -> None:
        leg = self._leg(event, event.dest_uniqueid)
        if leg is None:
            return
        call = leg.call
        if leg.ring is not None:
            offers.dial_ended(call, leg.ring, event.status, event.at, self._emit)
        elif leg.side is Side.TRUNK and event.uniqueid is not None and call.answered_at is None:
            call.dial_status = ending.dial_status(event.status, leg)

    # Bridges.

    def _bridge_enter(self, event: ev.BridgeEnter) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        call = leg.call
        if event.linkedid != leg.linkedid:
            leg.linkedid = event.linkedid
            call.add_linkedid(event.linkedid)
            self._calls.setdefault(event.linkedid, call)
        leg.bridge = event.bridge
        leg.holding = event.technology == "holding_bridge"
        self._decide_internal(call, event.at)
        talk.update(call, event.at, self._emit)

    def _decide_internal(self, call: CallFacts, at: datetime) -> None:
        """A call that began at a phone and went to no trunk is internal."""
        if call.direction is None and call.entry is not None and not call.entry.originated:
            self._decide(call, Direction.INTERNAL, at)

    def _bridge_leave(self, event: ev.BridgeLeave) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is not None and leg.bridge == event.bridge:
            leg.bridge = None
            leg.holding = False
            talk.update(leg.call, event.at, self._emit)

    def _hold(self, event: ev.Hold) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is not None:
            talk.hold(leg.call, leg, event.at, self._emit)

    def _unhold(self, event: ev.Unhold) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is not None:
            talk.unhold(leg.call, leg, event.at, self._emit)

    def _local_bridge(self, event: ev.LocalBridge) -> None:
        one = self._leg(event, event.one_uniqueid)
        two = self._leg(event, event.two_uniqueid)
        if one is not None and two is not None:
            one.half, two.half = two, one

    # Queues.

    def _queue_join(self, event: ev.QueueCallerJoin) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        self._decide_internal(leg.call, event.at)
        if not queues.joined(leg.call, event.queue, event.position, event.at, self._emit):
            self._anomaly(event, "the caller waits in a queue already", leg.channel, leg)

    def _queue_leave(self, event: ev.QueueCallerLeave) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is not None and not queues.left(leg.call, event.queue, event.at, self._emit):
            self._anomaly(event, "the caller does not wait in that queue", leg.channel, leg)

    def _queue_abandon(self, event: ev.QueueCallerAbandon) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is not None and not queues.abandoned(leg.call, event.queue):
            self._anomaly(event, "the caller does not wait in that queue", leg.channel, leg)

    def _agent_called(self, event: ev.AgentCalled) -> None:
        leg = self._leg(event, event.dest_uniqueid)
        if leg is None:
            return
        leg.queue = event.queue
        if leg.ring is not None:
            offers.name_queue(leg.call, leg.ring, event.queue)

    def _agent_connect(self, event: ev.AgentConnect) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is not None:
            queues.connected(leg.call, event.queue, event.at, self._emit)

    def _originate_response(self, event: ev.OriginateResponse) -> None:
        leg = self._legs.get(event.uniqueid or "")
        if leg is not None and leg.call.direction is None and event.exten is not None:
            leg.call.caller = leg.call.party_of(leg)
            self._goes_to(leg.call, event.exten, event.at)

    # The end.

    def _hangup_request(self, event: ev.HangupRequest) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        call = leg.call
        if not event.soft and leg.hangup_asked_at is None:
            leg.hangup_asked_at = event.at
            leg.asked_cause = event.cause
            if call.hangup_by is None and (leg is call.entry or leg.uniqueid in call.open_talks or _refuses(leg)):
                call.hangup_by = ending.hangup_side(call, leg)
                call.touch()

    def _hangup(self, event: ev.Hangup) -> None:
        leg = self._leg(event, event.uniqueid)
        if leg is None:
            return
        call = leg.call
        if leg.held_since is not None:
            talk.unhold(call, leg, event.at, self._emit)
        if leg.bridge is not None:
            leg.bridge = None
            talk.update(call, event.at, self._emit)
        if leg.ring is not None:
            offers.leg_gone(call, leg.ring, event.cause, event.at, self._emit)
        if leg is call.entry:
            call.hangup_cause = event.cause
            call.touch()
        leg.state = states.LegState.GONE
        del self._legs[leg.uniqueid]
        del call.legs[leg.uniqueid]
        self._remember(leg.uniqueid)
        if not call.legs:
            self._end(call, event.at)

    def _end(self, call: CallFacts, at: datetime) -> None:
        if call.direction is None:
            entry = call.entry
            if entry is None or entry.side is Side.LOCAL:
                self._drop(call)
                return
            call.caller = call.party_of(entry)
            self._decide(call, Direction.OUTBOUND if entry.originated else Direction.INTERNAL, call.started_at)
        queues.close(call, at, self._emit)
        call.ended_at = at
        call.hangup_by = call.hangup_by or ending.unanswered_side(call)
        call.status = ending.status(call)
        call.touch()
        self._emit(ch.CallEnded, call, at)
        self._drop(call)

    def _drop(self, call: CallFacts) -> None:
        for linkedid in call.linkedids:
            if self._calls.get(linkedid) is call:
                del self._calls[linkedid]

    def _remember(self, uniqueid: str) -> None:
        self._gone.add(uniqueid)
        self._gone_order.append(uniqueid)
        if len(self._gone_order) > REMEMBERED:
            self._gone.discard(self._gone_order.popleft())


def _refuses(leg: Leg) -> bool:
    """Whether the leg is the far end of an outbound call that refuses it."""
    outside = leg.side is Side.TRUNK and leg.call.direction is Direction.OUTBOUND
    return outside and leg.asked_cause in ending.REFUSALS


def _dialed_number(dial_string: str | None, leg: Leg) -> str | None:
    """The number in a dial string: `0207@trunk`, `trunk/0207`, `1001`; an endpoint's own name is none."""
    if not dial_string:
        return None
    user, at, _ = dial_string.partition("@")
    if at:
        return user.rpartition("/")[2] or None
    last = dial_string.rpartition("/")[2]
    return None if leg.side is Side.TRUNK and last == ids.resource(leg.interface) else last
