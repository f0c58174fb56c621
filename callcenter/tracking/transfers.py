"""A call is handed on: transferred, redirected, or taken by a colleague."""

from datetime import datetime
from typing import Final

from callcenter import changes as ch
from callcenter import events as ev
from callcenter.model import OfferResult, Transfer, TransferKind
from callcenter.tracking import meeting, offers, talk
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.states import LegState, leg_state
from callcenter.tracking.world import World

_REACHED: Final = (None, OfferResult.ANSWERED)
ELSEWHERE: Final = "external_replaces"
"""The extension to which Asterisk sends who is to be joined with a call at another PBX (REFER with Replaces)."""


def blind(world: World, event: ev.BlindTransfer) -> None:
    """A leg sent its other side to an extension."""
    leg = world.leg(event, event.transferer_uniqueid)
    if leg is not None:
        _transferred(world, leg.call, _kind(event.exten), leg, event.exten, event.at)


def attended(world: World, event: ev.AttendedTransfer) -> None:
    """A leg joined its two calls: they are one, if they have not met in a bridge yet."""
    first = world.leg(event, event.first_uniqueid)
    first = world.person(first) if first is not None else None
    second = world.leg(event, event.second_uniqueid)
    if first is None:
        return
    if second is not None:
        meeting.meet(world, first.call, second.call, event.at)
    target = world.legs.get(event.target_uniqueid or "")
    asked = _asked(first, target)
    state = leg_state(event.target_state) if event.target_state is not None else LegState.DOWN
    if asked is not None:
        state = asked.state  # a queue is up before anybody in it is
    kind = TransferKind.ATTENDED if state is LegState.UP else TransferKind.BLONDE
    to = _name(asked) or event.target_exten or event.second_exten
    talk.let_go(first.call, first, event.at, world.emit)
    _transferred(world, first.call, kind, first, to, event.at)


def kept(call: CallFacts, gone: Leg) -> None:
    """A leg is gone. If it was brought into a talk of three, and who brought it in stays, nothing was handed on."""
    by = call.legs.get(call.handed_on_by or "")
    if by is not None and list(call.open_talks) == [by.uniqueid] and gone.is_real and gone.interface != by.interface:
        call.drop_transfer()


def called_back(world: World, leg: Leg) -> CallFacts | None:
    """The call that Asterisk rings a phone for again, since whom it was handed to did not answer.

    Nothing in the events of the new channel names that call. But the phone handed it on before anybody had answered,
    the customer stands alone in the bridge since, and it is the customer's number that the phone shows.
    """
    call = world.handed_on.get(leg.interface)
    customer = call.customer if call is not None else None
    if customer is None or customer.bridge is None or len(world.bridges[customer.bridge]) != 1:
        return None
    return call if leg.shown in (customer.number, customer.dialed) else None


def redirected(world: World, leg: Leg, exten: str, at: datetime) -> None:
    """A leg that talks was sent to an extension by somebody who is not in the call: a panel, another program.

    Whoever talked with it has lost it to that extension. Asterisk tells of the leg that goes, so the one that stays
    behind is taken for who handed the call on.
    """
    call = leg.call
    leg.exten_now = exten
    if leg is call.customer:
        others = [call.legs[uniqueid] for uniqueid in call.open_talks if uniqueid in call.legs]
        _transferred(world, call, _kind(exten), others[-1] if others else None, exten, at, guessed=True)


def _kind(exten: str) -> TransferKind:
    """What a transfer to an extension is."""
    return TransferKind.ATTENDED if exten == ELSEWHERE else TransferKind.BLIND


def picked_up(world: World, event: ev.Pickup) -> None:
    """A colleague takes the call that rings at another phone."""
    taker = world.leg(event, event.uniqueid)
    target = world.leg(event, event.target_uniqueid)
    if taker is None or target is None:
        return
    offers.taken(target.call, target, event.at, world.emit)
    meeting.meet(world, target.call, taker.call, event.at)


def _transferred(
    world: World,
    call: CallFacts,
    kind: TransferKind,
    by: Leg | None,
    to: str | None,
    at: datetime,
    *,
    guessed: bool = False,
) -> None:
    transfer = Transfer(kind=kind, at=at, by=by.interface if by is not None else None, to=to)
    known = call.transfers[-1] if call.transfers else None
    if known is not None and known.to == to and abs(at - known.at) <= talk.MOMENT:
        # Asterisk says that there was a transfer, and that the leg comes to where it was sent, in either order.
        if not guessed:
            call.correct_transfer(transfer)
            if (known.kind, known.by) != (kind, transfer.by):
                world.emit(ch.CallUpdated, call, at)
        return
    call.hangup_by = None  # who hands a call on hangs up, but does not end it
    call.add_transfer(transfer, by)
    if kind is TransferKind.BLONDE and by is not None:
        world.handed_on[by.interface] = call
    world.emit(ch.CallTransferred, call, at, transfer=transfer)


def _asked(by: Leg, target: Leg | None) -> Leg | None:
    """The leg that a consultation reached, or that rings for it still."""
    if target is not None and target.is_real:
        return target
    # Asterisk itself dialed for whoever asked: a device of ours is the last that it rang.
    there = {leg.interface: leg for leg in by.call.legs.values() if leg.is_real and leg is not by}
    rung = (offer.interface for offer in reversed(by.call.offers) if offer.result in _REACHED)
    return next((there[interface] for interface in rung if interface in there), None)


def _name(asked: Leg | None) -> str | None:
    """The device at a leg, or the number where it leads outside."""
    if asked is None or asked.side is Side.DEVICE:
        return asked.interface if asked is not None else None
    return asked.dialed or asked.number
