"""Two calls meet and are one from then on: a consultation that was joined, a call that a colleague took."""

from datetime import datetime

from callcenter import changes as ch
from callcenter.model import Direction
from callcenter.tracking import offers
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.legs import Leg
from callcenter.tracking.world import World


def in_bridge(world: World, leg: Leg, at: datetime) -> None:
    """Whoever stands in one bridge is in one call. A holding bridge is a waiting room, and says nothing."""
    assert leg.bridge is not None
    for other in world.bridges[leg.bridge].values():
        if other.call is not leg.call:
            for call in (other.call, leg.call):
                if call.answered_at is None and call.rings:
                    # Nobody rang who came: they took the call from the phone that rings for it.
                    call.picked_up_at = at
                    offers.beaten(call, at, world.emit)
            meet(world, other.call, leg.call, at)
            return


def by_linkedid(world: World, leg: Leg, linkedid: str, at: datetime) -> None:
    """A leg goes by another linkedid than it was last seen with: while nobody looked, its call met the one of that."""
    if linkedid == leg.linkedid:
        return
    leg.linkedid = linkedid
    leg.call.add_linkedid(linkedid)
    meet(world, world.calls.setdefault(linkedid, leg.call), leg.call, at)


def meet(world: World, one: CallFacts, other: CallFacts, at: datetime) -> None:
    """Make one call of two: the one that matters more goes on and takes the other in."""
    if one is other:
        return
    if _precedence(other) < _precedence(one):
        one, other = other, one
    for leg in list(other.legs.values()):
        leg.held_since = None
        world.move(leg, one)
    one.absorb(other)
    told = other.direction is not None
    world.drop(other)
    for linkedid in one.linkedids:
        world.calls[linkedid] = one
    if told:
        world.emit(ch.CallMerged, one, at, merged=other.call_id)


def _precedence(call: CallFacts) -> tuple[bool, bool, datetime, str]:
    """The call with somebody outside before one between colleagues, one that was told of before another, the older."""
    internal = call.direction in (Direction.INTERNAL, None)
    return internal, call.direction is None, call.started_at, call.linkedids[0]
