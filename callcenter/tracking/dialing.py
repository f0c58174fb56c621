"""One channel rings another."""

from datetime import datetime

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import Direction, Party, PartyKind
from callcenter.tracking import direction, ending, ids, meeting, offers, queues, recall, transfers
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import party_of
from callcenter.tracking.states import LegState
from callcenter.tracking.world import World


def dial_begin(world: World, event: ev.DialBegin) -> None:
    """A channel starts to ring another; without a source, Asterisk itself does (Originate)."""
    leg = world.leg(event, event.dest_uniqueid)
    if leg is None or leg.dialed is not None:
        return
    source = world.leg(event, event.uniqueid) if event.uniqueid is not None else None
    if source is not None and source.call is not leg.call:
        # Who is dialed is made for the call that dials. What began a call of its own is not dialed by another.
        if world.resyncing:
            meeting.meet(world, source.call, leg.call, event.at)
        elif leg is leg.call.entry:
            world.anomaly(event, "a channel that began another call cannot be dialed", leg.channel, leg)
            return
        else:
            world.move(leg, source.call)
    leg.dialed = _dialed_number(event.dial_string, leg)
    if world.resyncing and recall.is_known(leg.call, leg):
        return
    if event.uniqueid is None:
        back = transfers.called_back(world, leg) if leg.call.direction is None else None
        if back is None:
            leg.originated = True
        else:
            meeting.meet(world, back, leg.call, event.at)
            offers.dialed(back, leg, None, event.at)
            if leg.state is LegState.RINGING:
                rings(world, leg, event.at)
        return
    if source is None:
        return
    call = source.call
    if call.entry is not None and call.entry.originated and call.caller.channel is None:
        _learn_caller(call, leg, source)
    if leg.originated:
        return
    if leg.side is Side.TRUNK:
        _dials_out(world, call, leg, event)
    elif leg.side is Side.DEVICE:
        _dials_device(world, call, leg, source, event)


def dial_state(world: World, event: ev.DialState) -> None:
    """A dialed channel makes progress; of interest is that it rings."""
    leg = world.leg(event, event.dest_uniqueid)
    if leg is not None and event.status == "RINGING":
        rings(world, leg, event.at)


def dial_end(world: World, event: ev.DialEnd) -> None:
    """A dialed channel answered, or was given up."""
    leg = world.leg(event, event.dest_uniqueid)
    if leg is None:
        return
    call = leg.call
    if leg.ring is not None:
        offers.dial_ended(call, leg.ring, event.status, event.at, world.emit)
    elif leg.side is Side.TRUNK and event.uniqueid is not None and call.answered_at is None:
        call.dial_status = ending.dial_status(event.status, leg)


def rings(world: World, leg: Leg, at: datetime) -> None:
    """A dialed channel rings: an offer is open, or the far end of an outbound call is reached."""
    call = leg.call
    if leg.ring is not None:
        offers.rang(call, leg.ring, at, world.emit)
    elif leg.dialed is not None and call.direction is Direction.OUTBOUND and call.ringing_at is None:
        call.ringing_at = at
        call.touch()
        world.emit(ch.CallUpdated, call, at)


def _learn_caller(call: CallFacts, leg: Leg, source: Leg) -> None:
    """Whose call an originate is: the first phone in it, which a Local channel may stand before."""
    through_local = source.half is not None and source.half.originated
    if through_local and leg.side is Side.DEVICE:
        leg.originated = True
        call.entry = leg
    if call.entry is not None and call.entry.is_real:
        call.caller = party_of(call, call.entry)


def _dials_out(world: World, call: CallFacts, leg: Leg, event: ev.DialBegin) -> None:
    directory = world.directory
    if call.direction is None:
        number = leg.dialed or event.exten
        call.callee = directory.outside_party(number, None, leg.channel, leg.interface)
        direction.decide(world, call, Direction.OUTBOUND, event.at)
    elif call.direction is Direction.OUTBOUND and call.callee.channel is None:
        callee = call.callee
        call.callee = directory.outside_party(callee.number or leg.dialed, callee.name, leg.channel, leg.interface)
        call.touch()
    if leg.state is LegState.RINGING:
        rings(world, leg, event.at)


def _dials_device(world: World, call: CallFacts, leg: Leg, source: Leg, event: ev.DialBegin) -> None:
    if call.direction is None:
        call.callee = Party(number=event.exten or leg.dialed, kind=PartyKind.EXTENSION)
        direction.decide(world, call, Direction.INTERNAL, event.at)
    # A member's Local channel goes on when they hand the caller on: what it dials then, no queue rings.
    through = source.half.queue if source.half is not None and queues.waits(call) else None
    queue = leg.queue or through
    if world.resyncing and queue is None and queues.waits(call):
        queue = call.visits[-1].queue  # a snapshot does not tell who rings a phone: it is what its caller waits in
    # A snapshot does not tell who rings a phone, so that its end is taken for the end of its time.
    offers.dialed(call, leg, queue, event.at, through_local=world.resyncing or not source.is_real)
    # Whom a queue rings is named as a queue's member by AgentCalled, which may come a moment later.
    rung_directly = queue is None and not queues.waits(call)
    if call.answered_at is None and rung_directly and call.direction is not Direction.OUTBOUND:
        _name_callee(call, leg)
    if leg.state is LegState.RINGING:
        rings(world, leg, event.at)


def _name_callee(call: CallFacts, leg: Leg) -> None:
    """The callee is the device that is rung, unless several are (a ring group): then it is what was dialed."""
    rung = {offer.interface for offer in call.offers if offer.queue is None}
    called = call.did or (call.entry.exten if call.entry is not None else None)
    call.callee = party_of(call, leg) if len(rung) == 1 else Party(number=called, kind=PartyKind.EXTENSION)
    call.touch()


def _dialed_number(dial_string: str | None, leg: Leg) -> str | None:
    """The number in a dial string: `0207@trunk`, `trunk/0207`, `trunk/sip:0207@host`; no endpoint's own name."""
    if not dial_string:
        return ""
    user, at, _ = dial_string.partition("@")
    if at:
        return user.rpartition("/")[2].removeprefix("sip:")
    last = dial_string.rpartition("/")[2]
    return "" if leg.side is Side.TRUNK and last == ids.resource(leg.interface) else last
