"""Click-to-dial and hang-up, for the web and for the screen-pop."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from callcenter.accounts.values import Extension
from callcenter.deskphone import Parked
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.joints.numbers import Numbers
from callcenter.matching.dialable import to_dial
from callcenter.matching.number import NumberKind
from callcenter.matching.spelling import dialable
from callcenter.pbx import Pbx
from callcenter.web.schemas.calls import Dialing
from screenpop.contracts import Identity

SeatOf = Callable[[str], Extension | None]
"""Where an agent sits now."""


class Switchboard:
    """Finds the PBX that is meant, and asks it."""

    def __init__(self, pbxs: Mapping[str, Pbx], numbers: Numbers, seat_of: SeatOf) -> None:
        self._pbxs = pbxs
        self._numbers = numbers
        self._seat_of = seat_of

    async def dial(self, seat: Extension, number: str) -> Dialing:
        """Ring the seat, and then the number, as its PBX's dialplan wants it.

        Raises:
            BadInput: it is no number. NotFound: the seat's PBX is not configured. AmiError: the PBX refused.
        """
        pbx = self._pbx(seat.pbx)
        done = await pbx.dial(seat.interface, seat.extension, self._to_dial(pbx, number))
        return Dialing(call_id=done.call_id, action_id=done.action_id, pbx=done.pbx)

    async def hang_up(self, call_id: UUID, agent: str | None, *, anybodys: bool = False) -> None:
        """End a call at the agent's device, or if it is not in the call and `anybodys` may be ended, altogether.

        Raises:
            NotFound: the call does not go on. Forbidden: the agent has no part in it. AmiError: the PBX refused.
        """
        for pbx in self._pbxs.values():
            channels = pbx.tracker.channels(call_id)
            if not channels:
                continue
            seat = self._seat_of(agent) if agent is not None else None
            own = seat.interface if seat is not None and seat.interface in channels else None
            if own is None and not anybodys:
                raise Forbidden("you have no part in this call")
            await pbx.hang_up(call_id, own)
            return
        raise NotFound("the call is over already")

    def dialable(self, seat: Extension, number: str) -> str:
        """What the seat's phone would dial to reach a number; raises `BadInput` or `NotFound`."""
        return self._to_dial(self._pbx(seat.pbx), number)

    async def transfer(self, seat: Extension, call_id: UUID, number: str, *, attended: bool) -> None:
        """Hand the seat's call on to a number, as its PBX's dialplan wants it.

        Raises:
            BadInput: it is no number. NotFound, Conflict: the phone does not talk in the call. AmiError: refused.
        """
        pbx = self._pbx(seat.pbx)
        target = self._to_dial(pbx, number)
        if attended:
            await pbx.phones.consult(call_id, seat.interface, target)
        else:
            await pbx.phones.transfer(call_id, seat.interface, target)

    async def cancel_transfer(self, seat: Extension, call_id: UUID) -> None:
        """Give an attended transfer up.

        Raises:
            NotFound, Conflict: there is none. AmiError: the PBX refused.
        """
        await self._pbx(seat.pbx).phones.take_back(call_id, seat.interface)

    async def park(self, seat: Extension, call_id: UUID) -> None:
        """Park whoever the seat talks with.

        Raises:
            NotFound, Conflict: the phone does not talk in the call. AmiError: the PBX refused.
        """
        await self._pbx(seat.pbx).phones.park(call_id, seat.interface)

    async def fetch(self, seat: Extension, call_id: UUID) -> None:
        """Ring the seat and give it a parked call.

        Raises:
            NotFound: the call is not parked. AmiError: the PBX refused.
        """
        await self._pbx(seat.pbx).fetch(call_id, seat.interface, seat.extension)

    async def parked(self, seat: Extension) -> Sequence[tuple[UUID, Parked]]:
        """Everybody who is parked at the seat's PBX, and in which call. Raises `AmiError`."""
        pbx = self._pbx(seat.pbx)
        calls = {
            channel: call.call_id
            for call in pbx.tracker.calls()
            for channel in pbx.tracker.channels(call.call_id).values()
        }
        return [(calls[one.channel], one) for one in await pbx.phones.parked() if one.channel in calls]

    def _to_dial(self, pbx: Pbx, text: str) -> str:
        """What a phone at that PBX would dial: the outside line's digits before what leads outside."""
        read = self._numbers.reader(pbx.settings.id).read(text)
        if read.kind is NumberKind.INTERNAL:
            digits = dialable(read.raw)
            if not (digits.isdecimal() or pbx.settings.dial_feature_codes):
                raise BadInput("codes with * and # are dialed at the phone; the administrator can allow them here")
            return digits
        if read.kind is not NumberKind.PUBLIC:
            raise BadInput(f"{text[:40]!r} is no number that can be dialed")
        settings = pbx.settings
        digits = to_dial(read.e164, settings.region, settings.dial_format) if read.e164 else dialable(read.raw)
        return settings.outside_prefix + digits

    def _pbx(self, pbx_id: str) -> Pbx:
        pbx = self._pbxs.get(pbx_id)
        if pbx is None:
            raise NotFound(f"PBX {pbx_id!r} is not configured any more: choose your extension again")
        return pbx


class WebDialer:
    """`callcenter.web.services.Dialer`."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    async def dial(self, tenant_id: int, agent: str, seat: Extension, number: str) -> Dialing:
        """Ring the agent's seat and then the number."""
        return await self._switchboard.dial(seat, number)

    async def hang_up(self, tenant_id: int, call_id: UUID, agent: str | None, *, anybodys: bool) -> None:
        """End the agent's part in a call, or the call."""
        await self._switchboard.hang_up(call_id, agent, anybodys=anybodys)


class PopDialer:
    """`screenpop.contracts.Dialer`."""

    def __init__(self, switchboard: Switchboard, seat_of: SeatOf) -> None:
        self._switchboard = switchboard
        self._seat_of = seat_of

    async def dial(self, who: Identity, number: str) -> None:
        """Call a number from the agent's phone.

        Raises:
            Conflict: the agent sits nowhere. And what `Switchboard.dial` raises.
        """
        await self._switchboard.dial(self._seat(who), number)

    async def hangup(self, who: Identity, call_id: UUID) -> None:
        """End a call of the agent."""
        await self._switchboard.hang_up(call_id, who.agent)

    async def transfer(self, who: Identity, call_id: UUID, number: str, *, attended: bool) -> None:
        """Hand a call of the agent on."""
        await self._switchboard.transfer(self._seat(who), call_id, number, attended=attended)

    async def cancel_transfer(self, who: Identity, call_id: UUID) -> None:
        """Give an attended transfer up."""
        await self._switchboard.cancel_transfer(self._seat(who), call_id)

    async def park(self, who: Identity, call_id: UUID) -> None:
        """Park whoever the agent talks with."""
        await self._switchboard.park(self._seat(who), call_id)

    async def fetch(self, who: Identity, call_id: UUID) -> None:
        """Ring the agent's phone and give it a parked call."""
        await self._switchboard.fetch(self._seat(who), call_id)

    def _seat(self, who: Identity) -> Extension:
        seat = self._seat_of(who.agent)
        if seat is None:
            raise Conflict("choose an extension first: there is no phone to call from")
        return seat
