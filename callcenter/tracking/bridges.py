"""Channels join and leave bridges, hold and resume, and Local channels have two halves."""

from callcenter import events as ev
from callcenter.tracking import direction, meeting, talk
from callcenter.tracking.world import World


def bridge_enter(world: World, event: ev.BridgeEnter) -> None:
    """A channel joined a bridge; there it may have got another call's linkedid."""
    leg = world.leg(event, event.uniqueid)
    if leg is None:
        return
    world.enter(leg, event.bridge, holding=event.technology == "holding_bridge", conference=event.conference)
    if not leg.holding and not event.conference:
        meeting.in_bridge(world, leg, event.at)
    call = leg.call
    if event.linkedid != leg.linkedid:
        leg.linkedid = event.linkedid
        call.add_linkedid(event.linkedid)
        world.calls.setdefault(event.linkedid, call)
    if event.conference:
        direction.joins(world, call, leg, event.at)
    direction.stays_inside(world, call, event.at)
    for one in (call, *world.confers(leg)):
        talk.update(one, event.at, world.emit)


def bridge_leave(world: World, event: ev.BridgeLeave) -> None:
    """A channel left a bridge."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None and leg.bridge == event.bridge:
        others = world.confers(leg)
        world.leave(leg)
        for one in (leg.call, *others):
            talk.update(one, event.at, world.emit)


def hold(world: World, event: ev.Hold) -> None:
    """A channel put its other side on hold."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None:
        talk.hold(leg.call, world.person(leg), event.at, world.emit)


def unhold(world: World, event: ev.Unhold) -> None:
    """A channel took its other side off hold."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None:
        talk.unhold(leg.call, world.person(leg), event.at, world.emit)


def local_bridge(world: World, event: ev.LocalBridge) -> None:
    """Two channels are the halves of one Local channel."""
    one = world.leg(event, event.one_uniqueid)
    two = world.leg(event, event.two_uniqueid)
    if one is not None and two is not None:
        one.half, two.half = two, one
