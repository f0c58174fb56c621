"""Calls of which an earlier run of the service knew more than a snapshot tells: taken up again where they were left."""

from collections.abc import Iterable
from datetime import datetime

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import Call, Direction, OfferResult, QueueExit, TransferKind
from callcenter.tracking import offers, queues
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import party_of
from callcenter.tracking.states import OfferState
from callcenter.tracking.world import World


def take_up(world: World, known: Iterable[Call], snapshot: ev.Snapshot) -> list[CallFacts]:
    """Begin the calls of which a channel is still there, with all that was known."""
    present = {channel.linkedid for channel in snapshot.channels}
    taken: list[CallFacts] = []
    for call in known:
        if present.isdisjoint(call.linkedids) or any(one in world.calls for one in call.linkedids):
            continue
        facts = world.call_for(call.linkedids[0], snapshot.at)
        facts.recall(call)
        for linkedid in call.linkedids:
            world.calls[linkedid] = facts
        for transfer in call.transfers[-1:]:
            if transfer.kind is TransferKind.BLONDE and transfer.by is not None:
                world.handed_on[transfer.by] = facts
        taken.append(facts)
    return taken


def leg_found(call: CallFacts, leg: Leg) -> None:
    """A channel of the snapshot belongs to a known call: it may be its caller, and may have somebody on hold."""
    if call.entry is None and leg.channel == call.caller.channel:
        call.entry = leg
    for hold in call.holds:
        if hold.to is None and hold.interface == leg.interface and leg.side is Side.DEVICE:
            # A snapshot tells nothing of holds: it goes on until somebody says that it is over.
            leg.held_since = hold.from_
            talk = call.cut_connection(leg.interface, party_of(call, leg).number, hold.from_)
            if talk is not None and call.connections[talk].to is None:
                # who has the customer on hold talks with them still, wherever they stand
                call.open_talks[leg.uniqueid] = talk


def is_known(call: CallFacts, leg: Leg) -> bool:
    """Whether it was known before the snapshot that this leg was dialed: then it is not a new offer."""
    if leg.side is Side.TRUNK and leg.channel == call.callee.channel:
        leg.dialed = call.callee.number
        return call.direction is Direction.OUTBOUND
    if leg.side is Side.TRUNK:
        outside = [one.number for one in call.connections if one.interface is None and one.to is None]
        # The only outside party that talked, besides the customer: a snapshot does not tell what was dialed.
        leg.dialed = outside[0] if len(outside) == 1 else leg.dialed
    for index in range(len(call.offers) - 1, -1, -1):
        offer = call.offers[index]
        if offer.interface == leg.interface:
            if offer.result is None and not any(ring.index == index for ring in call.rings):
                # Who rings it is not known: an end of it that nobody explains is taken for the end of its time.
                leg.ring = offers.Ring(leg, offer, index, through_local=True)
                leg.ring.state = OfferState.RINGING
                call.rings.append(leg.ring)
                return True
            if offer.result in (OfferResult.ANSWERED, OfferResult.ANSWERED_ELSEWHERE):
                return True
    return False


def settle(world: World, call: CallFacts, is_waiting: bool, at: datetime) -> None:
    """End what was open when the call was last seen, and what the snapshot does not show."""
    if queues.waits(call) and not is_waiting:
        visit = call.change_visit(left_at=at, exit=QueueExit.OTHER)
        world.emit(ch.QueueLeft, call, at, visit=visit)
    rung = {ring.index for ring in call.rings}
    for index, offer in enumerate(call.offers):
        if offer.result is None and index not in rung:
            result = OfferResult.ANSWERED_ELSEWHERE if call.answered_at is not None else OfferResult.NO_ANSWER
            world.emit(ch.OfferEnded, call, at, offer=call.change_offer(index, ended_at=at, result=result))
    for index, connection in enumerate(call.connections):
        if connection.to is None and index not in call.open_talks.values():
            world.emit(ch.ConnectionEnded, call, at, connection=call.end_connection(index, at))
    holding = {leg.interface for leg in call.legs.values() if leg.held_since is not None}
    for hold in list(call.holds):
        if hold.to is None and hold.interface not in holding:
            ended = call.end_hold(hold.interface, at)
            world.emit(ch.CallResumed, call, at, hold=ended)
