"""Channels come, change and go."""

from datetime import datetime

from msgspec.structs import replace

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import Direction, Party, PartyKind
from callcenter.tracking import dialing, direction, ending, ids, offers, queues, recall, states, talk, transfers
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import party_of
from callcenter.tracking.world import World


def newchannel(world: World, event: ev.Newchannel) -> None:
    """A channel came into being, and with it maybe a call."""
    if world.has_been(event.uniqueid):
        world.anomaly(event, "the channel exists already", event.uniqueid)
        return
    call = world.call_for(event.linkedid, event.at)
    interface = ids.interface(event.channel)
    leg = Leg(
        uniqueid=event.uniqueid,
        linkedid=event.linkedid,
        channel=event.channel,
        interface=interface,
        side=world.directory.side(interface, event.context),
        state=states.leg_state(event.state),
        number=event.caller_num,
        name=event.caller_name,
        exten=event.exten,
        call=call,
    )
    world.legs[event.uniqueid] = call.legs[event.uniqueid] = leg
    if call.entry is None and call.direction is None:
        direction.begin(world, call, leg, event.at)
    elif world.resyncing:
        recall.leg_found(call, leg)


def newstate(world: World, event: ev.Newstate) -> None:
    """A channel's state changed."""
    leg = world.leg(event, event.uniqueid)
    if leg is None:
        return
    state = states.leg_state(event.state)
    if state is leg.state:
        return
    if not leg.move(state):
        world.anomaly(event, f"a leg cannot go from {leg.state.value} to {state.value}", leg.channel, leg)
        return
    if state is states.LegState.RINGING:
        dialing.rings(world, leg, event.at)


def new_callerid(world: World, event: ev.NewCallerid) -> None:
    """A channel's caller id changed. A dialed leg is given its caller's: only the entry leg's own is news.

    A dialplan sets a caller's number right before it offers the call. Later it only says what whoever the call is
    sent on to shall see.
    """
    leg = world.leg(event, event.uniqueid)
    if leg is None or leg.call.answered_at is not None:
        return
    call = leg.call
    if leg is call.entry and call.offers:
        return
    leg.number = event.caller_num or leg.number
    leg.name = event.caller_name or leg.name
    if leg is call.entry and not leg.originated and leg.dialed is None:
        party = party_of(call, leg)
        if party != call.caller:
            call.caller = party
            call.touch()
            world.emit(ch.CallUpdated, call, event.at)


def new_connected_line(world: World, event: ev.NewConnectedLine) -> None:
    """The caller is shown whom they reach: that names a callee of whom only the number was known."""
    leg = world.leg(event, event.uniqueid)
    if leg is None:
        return
    leg.shown = event.connected_num
    call = leg.call
    callee = call.callee
    shown = event.connected_name
    if leg is call.entry and shown and callee.name is None and event.connected_num == callee.number:
        call.callee = replace(callee, name=shown)
        call.touch()
        world.emit(ch.CallUpdated, call, event.at)


def newexten(world: World, event: ev.Newexten) -> None:
    """A leg was sent to an application that matters, or in the middle of a talk to another extension."""
    leg = world.leg(event, event.uniqueid)
    if leg is None:
        return
    call = leg.call
    if leg is call.entry:
        queues.moved_on(call, event.at, world.emit)
    if event.exten is not None and event.exten != leg.exten_now:
        if leg.bridge is not None and not leg.holding:
            transfers.redirected(world, leg, event.exten, event.at)
            return
        leg.exten_now = event.exten
    if event.application == "Queue":
        call.asked_queue = (event.data or "").partition(",")[0] or None
    elif event.application == "VoiceMail" and call.answered_at is None:
        call.reached_voicemail = True
        call.callee = Party(number=call.callee.number, kind=PartyKind.VOICEMAIL)
        call.touch()


def hangup_request(world: World, event: ev.HangupRequest) -> None:
    """The far side of a channel asks to hang up: while it talks, or calls, it is the one who ends the call."""
    leg = world.leg(event, event.uniqueid)
    if leg is None or event.soft or leg.hangup_asked_at is not None:
        return
    leg.hangup_asked_at = event.at
    leg.asked_cause = event.cause
    call = leg.call
    speaks = leg is call.customer or leg.uniqueid in call.open_talks
    if call.hangup_by is None and (leg is call.entry or speaks or _refuses(leg)):
        call.hangup_by = ending.hangup_side(call, leg)
        call.touch()


def hangup(world: World, event: ev.Hangup) -> None:
    """A channel is gone, and with the last one its call."""
    leg = world.leg(event, event.uniqueid)
    if leg is None:
        return
    call = leg.call
    talk.take_back(call, leg, event.at, world.emit)
    if leg.ring is not None:
        offers.leg_gone(call, leg.ring, event.cause, event.at, world.emit)
    if leg is call.entry:
        call.hangup_cause = event.cause
        call.touch()
    leg.move(states.LegState.GONE)
    talked = leg.bridge is not None or leg is call.customer
    others = world.confers(leg)
    world.remove(leg)
    for one in (call, *others) if talked else ():
        talk.update(one, event.at, world.emit)
    transfers.kept(call, leg)
    # Of a call that lost all legs that were known, a snapshot may show others: who is left is asked at its end.
    if not call.legs and not world.resyncing:
        end(world, call, event.at)


def end(world: World, call: CallFacts, at: datetime) -> None:
    """A call has no leg any more: say how it ended, and forget it."""
    if direction.at_last(world, call):
        queues.close(call, at, world.emit)
        call.ended_at = at
        # First the status, which asks whether the caller hung up: an agent who refused a colleague's call did not.
        call.status = ending.status(call)
        call.hangup_by = call.hangup_by or ending.unanswered_side(call)
        call.touch()
        world.emit(ch.CallEnded, call, at)
    world.drop(call)


def _refuses(leg: Leg) -> bool:
    """Whether the leg is the far end of an outbound call that refuses it."""
    outside = leg.side is Side.TRUNK and leg.call.direction is Direction.OUTBOUND
    return outside and leg.asked_cause in ending.REFUSALS
