"""Which way a call goes. Decided once, and only then is the call told of.

A call that comes from a trunk is inbound at once. One that begins at a phone is known by what is dialed first: a
trunk makes it outbound, anything else internal. One that we asked for is outbound or internal by its number.
"""

from datetime import datetime

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import Direction, Party, PartyKind
from callcenter.tracking import ids
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import party_of
from callcenter.tracking.states import LegState
from callcenter.tracking.world import World


def begin(world: World, call: CallFacts, leg: Leg, at: datetime) -> None:
    """The first leg of a call was seen: it tells who calls, and often the direction."""
    call.entry = leg
    number = world.dialed_by_us.pop(leg.uniqueid, None)
    if leg.uniqueid in world.spies or leg.uniqueid.startswith(ids.SPY):
        world.spies.discard(leg.uniqueid)
        leg.originated = call.supervises = True
    elif number is not None:
        leg.originated = True
        call.caller = party_of(call, leg)
        goes_to(world, call, number, at)
    elif leg.state is LegState.DOWN:
        # Asterisk dials it: an originate whose target is not known yet.
        leg.originated = True
    elif leg.side is not Side.LOCAL:
        call.caller = party_of(call, leg)
        call.callee = Party(number=leg.exten, kind=PartyKind.EXTENSION)
        if leg.side is Side.TRUNK:
            call.did = leg.exten
            decide(world, call, Direction.INBOUND, at)


def decide(world: World, call: CallFacts, direction: Direction, at: datetime) -> None:
    """The direction is this one, if it was not decided before."""
    if call.direction is None:
        call.direction = direction
        call.touch()
        world.emit(ch.CallStarted, call, at)


def goes_to(world: World, call: CallFacts, number: str, at: datetime) -> None:
    """The number that a call of ours goes to became known."""
    directory = world.directory
    if directory.is_outside(number):
        call.callee = directory.outside_party(directory.dialed(number), None, None, None)
        decide(world, call, Direction.OUTBOUND, at)
    else:
        call.callee = Party(number=number, kind=PartyKind.EXTENSION)
        decide(world, call, Direction.INTERNAL, at)


def stays_inside(world: World, call: CallFacts, at: datetime) -> None:
    """A call that began at a phone reached something of ours before any trunk."""
    if call.entry is not None and not call.entry.originated:
        decide(world, call, Direction.INTERNAL, at)


def joins(world: World, call: CallFacts, leg: Leg, at: datetime) -> None:
    """A leg that Asterisk dialed entered a conference: that is where its call goes, unless it was known before."""
    if call.direction is None and leg is call.entry and leg.originated and leg.exten_now:
        call.caller = party_of(call, leg)
        goes_to(world, call, leg.exten_now, at)


def listens(world: World, event: ev.SpyStarted) -> None:
    """A channel listens to another: where nothing else is known of its call, it is no call of anybody."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None and leg.call.direction is None:
        leg.call.supervises = True


def at_last(world: World, call: CallFacts) -> bool:
    """The call ends undecided: it reached nobody. False: no call, for it had no real channel or only listened."""
    entry = call.entry
    if call.direction is None:
        if call.supervises or entry is None or entry.side is Side.LOCAL:
            return False
        call.caller = party_of(call, entry)
        decide(world, call, Direction.OUTBOUND if entry.originated else Direction.INTERNAL, call.started_at)
    return True


def originate_response(world: World, event: ev.OriginateResponse) -> None:
    """An originate of somebody else's ended: it names the number, which nothing else does if nobody picked up."""
    leg = world.legs.get(event.uniqueid or "")
    if leg is not None and leg.call.direction is None and event.exten is not None and not leg.call.supervises:
        leg.call.caller = party_of(leg.call, leg)
        goes_to(world, leg.call, event.exten, event.at)
