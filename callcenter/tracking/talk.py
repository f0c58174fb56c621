"""Who hears whom: connections and holds, from bridges.

Real legs talk when they stand in one bridge, or in bridges that a Local channel joins. A holding bridge is waiting.
A connection is one party's stretch of talking with the other side of the call: with the outside party, or on an
internal call with the caller.
"""

from datetime import datetime

from callcenter import changes as ch
from callcenter.model import Connection, Direction, Hold
from callcenter.tracking import queues
from callcenter.tracking.calls import CallFacts, Emit
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg


def update(call: CallFacts, at: datetime, emit: Emit) -> None:
    """Compare who talks now with the connections that are open; begin and end connections accordingly."""
    talking = _talking(call)
    for uniqueid in [u for u in call.open_talks if u not in talking]:
        ended = call.end_connection(call.open_talks.pop(uniqueid), at)
        if call.direction is not None:
            emit(ch.ConnectionEnded, call, at, connection=ended)
    for uniqueid, leg in talking.items():
        if uniqueid not in call.open_talks:
            _begin(call, leg, at, emit)


def hold(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    """A leg put its other side on hold, unless it had already."""
    if leg.held_since is None:
        leg.held_since = at
        held = Hold(from_=at, interface=_interface(leg))
        call.add_hold(held)
        emit(ch.CallHeld, call, at, hold=held)


def unhold(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    """A leg took its other side off hold, if it was."""
    if leg.held_since is None:
        return
    leg.held_since = None
    ended = call.end_hold(_interface(leg), at)
    if ended is not None:
        emit(ch.CallResumed, call, at, hold=ended)


def _begin(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    if queues.waits(call):
        # Who talks no longer waits, whatever was lost of the queue's own words.
        queues.connected(call, call.visits[-1].queue, at, emit)
    party = call.party_of(leg)
    connection = Connection(from_=at, agent=party.agent, interface=_interface(leg), number=party.number)
    call.open_talks[leg.uniqueid] = call.add_connection(connection)
    if call.answered_at is None:
        call.answered_at = at
        if leg is not call.entry and call.direction is not Direction.OUTBOUND:
            call.callee = party
    call.hangup_by = None
    call.touch()
    emit(ch.CallAnswered, call, at, connection=connection)


def _talking(call: CallFacts) -> dict[str, Leg]:
    """The legs that talk with the call's other side now."""
    rooms = _rooms(call)
    others = _other_side(call)
    theirs = {rooms[leg.uniqueid] for leg in others if leg.uniqueid in rooms}
    return {
        uniqueid: leg
        for uniqueid, room in rooms.items()
        if room in theirs and (leg := call.legs[uniqueid]) not in others
    }


def _other_side(call: CallFacts) -> list[Leg]:
    """The legs whose company makes a connection: outside parties on an outbound call, else the entry leg."""
    if call.direction is Direction.OUTBOUND:
        return [leg for leg in call.legs.values() if leg.side is Side.TRUNK]
    return [call.entry] if call.entry is not None else []


def _rooms(call: CallFacts) -> dict[str, str]:
    """Real legs that stand in a bridge → the bridge, bridges joined by a Local channel counting as one."""
    legs = [leg for leg in call.legs.values() if leg.bridge is not None and not leg.holding]
    joined: dict[str, str] = {}
    for leg in legs:
        half = leg.half
        if half is not None and half.bridge is not None and leg.bridge is not None and not half.holding:
            one, two = _root(joined, leg.bridge), _root(joined, half.bridge)
            if one != two:
                joined[max(one, two)] = min(one, two)
    return {leg.uniqueid: _root(joined, leg.bridge) for leg in legs if leg.is_real and leg.bridge is not None}


def _root(joined: dict[str, str], bridge: str) -> str:
    while bridge in joined:
        bridge = joined[bridge]
    return bridge


def _interface(leg: Leg) -> str | None:
    return leg.interface if leg.side is Side.DEVICE else None
