"""The phone of the session: its password where it is in the browser, and transfers and parking where it is not."""

from callcenter.accounts.roles import Principal
from callcenter.accounts.values import Extension
from callcenter.errors import Conflict, Forbidden
from callcenter.web.endpoint import Exchange
from callcenter.web.numbers import read_dialed
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.phone import (
    DialableTarget,
    Ordered,
    ParkedCalls,
    PhoneCredential,
    PhoneKind,
    PhoneNow,
    PhoneRequest,
    TargetQuery,
    TransferTarget,
    TransferWay,
)


async def show_phone(exchange: Exchange[Nothing, Nothing]) -> PhoneNow:
    """Where the phone of the session's seat is."""
    seat = await exchange.services.accounts.seat(exchange.principal)
    return PhoneNow(kind=exchange.services.phones.kind(seat) if seat is not None else PhoneKind.NONE)


async def open_phone(exchange: Exchange[Nothing, PhoneRequest]) -> PhoneCredential:
    """A new password each time, which ends with the session; it is told once and kept nowhere."""
    seat = await _seat(exchange)
    return await exchange.services.phones.open(exchange.principal, seat, take_over=exchange.body.take_over)


async def close_phone(exchange: Exchange[Nothing, Nothing]) -> None:
    """The password is worthless from now on."""
    exchange.services.phones.close(exchange.principal)


async def list_parked(exchange: Exchange[Nothing, Nothing]) -> ParkedCalls:
    """Everybody's: a call may be parked for a colleague."""
    return ParkedCalls(items=tuple(await exchange.services.phones.parked(await _seat(exchange))))


async def show_target(exchange: Exchange[TargetQuery, Nothing]) -> DialableTarget:
    """A phone in the browser transfers by itself, and the dialplan wants numbers its own way."""
    seat = await _seat(exchange)
    number = read_dialed(exchange.services.numbers, exchange.query.number, seat.pbx)
    return DialableTarget(dial=exchange.services.phones.dialable(seat, number))


async def transfer(exchange: Exchange[Nothing, TransferTarget]) -> Ordered:
    """Hand one's own call on."""
    seat = await _seat(exchange)
    number = read_dialed(exchange.services.numbers, exchange.body.number, seat.pbx)
    attended = exchange.body.kind is TransferWay.ATTENDED
    await exchange.services.phones.transfer(seat, exchange.id, number, attended=attended)
    return Ordered(call_id=exchange.id)


async def cancel_transfer(exchange: Exchange[Nothing, Nothing]) -> None:
    """Back to whoever waits."""
    await exchange.services.phones.cancel_transfer(await _seat(exchange), exchange.id)


async def park(exchange: Exchange[Nothing, Nothing]) -> Ordered:
    """Whoever the phone talks with hears music, and the phone is free."""
    await exchange.services.phones.park(await _seat(exchange), exchange.id)
    return Ordered(call_id=exchange.id)


async def fetch(exchange: Exchange[Nothing, Nothing]) -> Ordered:
    """The phone rings, and has the parked call when it is picked up."""
    await exchange.services.phones.fetch(await _seat(exchange), exchange.id)
    return Ordered(call_id=exchange.id)


async def _seat(
    exchange: Exchange[Nothing, Nothing]
    | Exchange[TargetQuery, Nothing]
    | Exchange[Nothing, PhoneRequest]
    | Exchange[Nothing, TransferTarget],
) -> Extension:
    principal: Principal = exchange.principal
    if principal.agent is None:
        raise Forbidden("only a person has a phone; an API key cannot do this")
    seat = await exchange.services.accounts.seat(principal)
    if seat is None:
        raise Conflict("choose your extension first: there is no phone yet")
    return seat
