"""A call is handed on: transferred, redirected, or taken by a colleague."""

from datetime import datetime
from typing import Final

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import Transfer, TransferKind
from callcenter.tracking import meeting, offers, talk
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.states import LegState, leg_state
from callcenter.tracking.world import World

ELSEWHERE: Final = "external_replaces"
"""The extension to which Asterisk sends who is to be joined with a call at another PBX (REFER with Replaces)."""


def blind(world: World, event: ev.BlindTransfer) -> None:
    """A leg sent its other side to an extension."""
    leg = world.leg(event, event.transferer_uniqueid)
    if leg is not None:
        kind = TransferKind.ATTENDED if event.exten == ELSEWHERE else TransferKind.BLIND
        _transferred(world, leg.call, kind, leg.interface, event.exten, event.at)


def attended(world: World, event: ev.AttendedTransfer) -> None:
    """A leg joined its two calls: they are one, if they have not met in a bridge yet."""
    first = world.leg(event, event.first_uniqueid)
    second = world.leg(event, event.second_uniqueid)
    if first is None:
        return
    if second is not None:
        meeting.meet(world, first.call, second.call, event.at)
    target = world.legs.get(event.target_uniqueid or "")
    state = leg_state(event.target_state) if event.target_state is not None else LegState.DOWN
    kind = TransferKind.ATTENDED if state is LegState.UP else TransferKind.BLONDE
    to = _asked(first.call, target) or event.target_exten or event.second_exten
    talk.let_go(first.call, first, event.at, world.emit)
    _transferred(world, first.call, kind, first.interface, to, event.at)


def redirected(world: World, leg: Leg, exten: str, at: datetime) -> None:
    """A leg that talks was sent to an extension by somebody who is not in the call: a panel, another program.

    Whoever talked with it has lost it to that extension. Asterisk tells of the leg that goes, so the one that stays
    behind is taken for who handed the call on.
    """
    call = leg.call
    leg.exten_now = exten
    if leg is call.customer:
        others = [call.legs[uniqueid] for uniqueid in call.open_talks if uniqueid in call.legs]
        _transferred(world, call, TransferKind.BLIND, others[-1].interface if others else None, exten, at)


def picked_up(world: World, event: ev.Pickup) -> None:
    """A colleague takes the call that rings at another phone."""
    taker = world.leg(event, event.uniqueid)
    target = world.leg(event, event.target_uniqueid)
    if taker is None or target is None:
        return
    offers.taken(target.call, target, event.at, world.emit)
    meeting.meet(world, target.call, taker.call, event.at)


def _transferred(
    world: World, call: CallFacts, kind: TransferKind, by: str | None, to: str | None, at: datetime
) -> None:
    known = call.transfers[-1] if call.transfers else None
    if known is not None and known.to == to and abs(at - known.at) <= talk.MOMENT:
        return  # Asterisk says that there was a transfer, and then that the leg comes to where it was sent
    transfer = Transfer(kind=kind, at=at, by=by, to=to)
    call.add_transfer(transfer)
    world.emit(ch.CallTransferred, call, at, transfer=transfer)


def _asked(call: CallFacts, target: Leg | None) -> str | None:
    """The device or number that a consultation reached, or that rings for it still."""
    if target is None:
        return next((ring.leg.interface for ring in reversed(call.rings) if ring.offer.ended_at is None), None)
    if target.side is Side.DEVICE:
        return target.interface
    return target.dialed or target.number if target.side is Side.TRUNK else None
