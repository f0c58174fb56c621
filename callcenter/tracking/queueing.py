"""Events of queues, handed to the visits and offers of the call they are about."""

from callcenter import events as ev
from callcenter.tracking import direction, offers, queues
from callcenter.tracking.world import World


def caller_join(world: World, event: ev.QueueCallerJoin) -> None:
    """A caller waits in a queue."""
    leg = world.leg(event, event.uniqueid)
    if leg is None:
        return
    direction.stays_inside(world, leg.call, event.at)
    if not queues.joined(leg.call, event.queue, event.position, event.at, world.emit):
        world.anomaly(event, "the caller waits in a queue already", leg.channel, leg)


def caller_leave(world: World, event: ev.QueueCallerLeave) -> None:
    """A caller no longer waits."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None and not queues.left(leg.call, event.queue, event.at, world.emit):
        world.anomaly(event, "the caller does not wait in that queue", leg.channel, leg)


def caller_abandon(world: World, event: ev.QueueCallerAbandon) -> None:
    """A caller hung up while waiting, or the queue's time was up."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None and not queues.abandoned(leg.call, event.queue):
        world.anomaly(event, "the caller does not wait in that queue", leg.channel, leg)


def agent_called(world: World, event: ev.AgentCalled) -> None:
    """A queue rings a member: the channel it rings, and what is rung through it, is offered for that queue."""
    leg = world.leg(event, event.dest_uniqueid)
    if leg is None:
        return
    leg.queue = event.queue
    if leg.ring is not None:
        offers.name_queue(leg.call, leg.ring, event.queue)


def agent_connect(world: World, event: ev.AgentConnect) -> None:
    """A member took the caller."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None:
        queues.connected(leg.call, event.queue, event.at, world.emit)


def varset(world: World, event: ev.VarSet) -> None:
    """QUEUESTATUS tells how a caller left a queue, or that it let nobody in."""
    leg = world.leg(event, event.uniqueid)
    if leg is not None and event.variable == "QUEUESTATUS":
        direction.stays_inside(world, leg.call, event.at)
        queues.status_set(leg.call, event.value, event.at, world.emit)
