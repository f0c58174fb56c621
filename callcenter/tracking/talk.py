"""Who hears whom: connections and holds, from bridges.

Real legs talk when they stand in one bridge, or in bridges that a Local channel joins. A holding bridge is waiting.
In a conference they talk with those of other calls too, and each call keeps its own account of it.
A connection is one party's stretch of talking with the call's customer: whoever called in, on an outbound call the
outside party that was reached, on an internal call the caller and, once they have handed it on, who stayed.
"""

from datetime import datetime, timedelta
from typing import Final

from callcenter import changes as ch
from callcenter.model import Connection, Direction, Hold
from callcenter.tracking import queues
from callcenter.tracking.calls import CallFacts, Emit
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import party_of
from callcenter.tracking.states import LegState

MOMENT: Final = timedelta(milliseconds=100)
"""Asterisk moves a talk to another bridge within this time; who talks on after it has not stopped talking."""


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
    if leg.held_since is None and not _is_apart(call, leg):
        leg.held_since = at
        held = Hold(from_=at, interface=_interface(leg))
        call.add_hold(held)
        emit(ch.CallHeld, call, at, hold=held)


def unhold(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    """A leg took its other side off hold, if it was."""
    if not _is_apart(call, leg):
        take_back(call, leg, at, emit)


def let_go(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    """A leg handed the call on: it holds nobody any more, though it may be there for another moment."""
    take_back(call, leg, at, emit)
    update(call, at, emit)


def take_back(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    """A leg holds nobody any more, wherever it stands."""
    if leg.held_since is None:
        return
    leg.held_since = None
    ended = call.end_hold(_interface(leg), at)
    if ended is not None:
        emit(ch.CallResumed, call, at, hold=ended)


def partner(call: CallFacts, interface: str) -> str | None:
    """The channel of the one real leg that a device stands in a room with."""
    rooms = _rooms(call)
    own = {room for uniqueid, room in rooms.items() if call.legs[uniqueid].interface == interface}
    others = [call.legs[u] for u, room in rooms.items() if room in own and call.legs[u].interface != interface]
    return others[0].channel if len(others) == 1 else None


def _is_apart(call: CallFacts, leg: Leg) -> bool:
    """Whether a leg talks with somebody else than the customer: whom it holds then is no matter of the customer's."""
    rooms = _rooms(call)
    customer = _customer(call, rooms)
    theirs = rooms.get(customer.uniqueid) if customer is not None else None
    return theirs is not None and rooms.get(leg.uniqueid, theirs) != theirs


def _begin(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    if queues.waits(call):
        # Who talks no longer waits, whatever was lost of the queue's own words.
        queues.connected(call, call.visits[-1].queue, at, emit)
    party = party_of(call, leg)
    interface = _interface(leg)
    cut = call.cut_connection(interface, party.number, at - MOMENT)
    if cut is not None:
        connection = call.resume_connection(cut)
        call.open_talks[leg.uniqueid] = cut
    else:
        connection = Connection(from_=at, agent=party.agent, interface=interface, number=party.number)
        call.open_talks[leg.uniqueid] = call.add_connection(connection)
    if leg.uniqueid == call.handed_on_by:
        call.drop_transfer()
    if call.answered_at is None:
        call.answered_at = at
        if leg is not call.entry and leg.call is call and call.direction is not Direction.OUTBOUND:
            call.callee = party
    call.hangup_by = None
    call.touch()
    emit(ch.CallAnswered, call, at, connection=connection)


def _talking(call: CallFacts) -> dict[str, Leg]:
    """The legs that talk with the call's other side now."""
    rooms = _rooms(call)
    customer = _customer(call, rooms)
    if call.direction is not None:
        call.customer = customer
    if customer is None or customer.uniqueid not in rooms:
        return {}
    theirs = rooms[customer.uniqueid]
    together = {
        uniqueid: call.legs[uniqueid]
        for uniqueid, room in rooms.items()
        if room == theirs and uniqueid != customer.uniqueid
    }
    together |= {u: leg for u, leg in sorted(customer.conference.items()) if leg.call is not call and leg.is_real}
    # A feature code takes whoever consults out of the bridge, where a phone's own key leaves them in it. Both have the
    # customer on hold, and talk with them still, until somebody else does.
    return together or {u: leg for u in call.open_talks if (leg := call.legs.get(u)) and leg.held_since is not None}


def _customer(call: CallFacts, rooms: dict[str, str]) -> Leg | None:
    """The leg whose company makes a connection. Once found it stays; only colleagues take each other's place."""
    known = call.customer
    if call.direction is Direction.OUTBOUND:
        return known or next((leg for u in rooms if (leg := call.legs[u]).side is Side.TRUNK), None)
    if call.direction is Direction.INBOUND or known is None:
        return known or call.entry
    if known.uniqueid in call.legs:
        return known
    # Who stayed was there before whoever the call was handed to, though they may come into the new bridge later.
    return next((leg for leg in call.legs.values() if leg.is_real and leg.state is LegState.UP), known)


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
