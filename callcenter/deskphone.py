"""What can be done by AMI with a call at a phone that stands on a desk: transfer, consult, park, fetch.

Asterisk cannot press a desk phone's hold key: that is the phone's own, and no AMI action does it. What it can do is
park whoever the phone talks with, and ring the phone to fetch them again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from callcenter.ami import transfers, wire
from callcenter.ami.client import AmiClient
from callcenter.errors import AmiActionFailed, Conflict, NotFound
from callcenter.settings import PbxSettings
from callcenter.tracking.tracker import Tracker

CONSULT_BEGINS: Final = timedelta(seconds=5)
"""How long Asterisk may take until a consultation has begun: it plays the code into the call first."""
CONSULT_DIALS: Final = timedelta(seconds=3)
"""How long it may take from then on until the target is dialed."""
CONSULT_ENDS: Final = timedelta(seconds=6)
"""How long a consultation that dialed nobody may take to end: `transferdigittimeout` of features.conf."""
CONSULT_TRIES: Final = 2
LOOK_EVERY: Final = timedelta(milliseconds=50)

Ring = Callable[[str, str, str], Awaitable[object]]
"""Rings an interface as an extension and, when it is picked up, dials a parking space from it."""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that waits in a parking space."""

    channel: str
    space: str
    number: str | None
    name: str | None
    parked_by: str | None
    """The device that it was parked for, which is rung when nobody fetches it."""
    waited: timedelta
    left: timedelta
    """How long it will still wait."""


class DeskPhones:
    """The verbs of desk phones at one PBX."""

    def __init__(self, client: AmiClient, tracker: Tracker, settings: PbxSettings) -> None:
        self._client = client
        self._tracker = tracker
        self._transfer_context = settings.transfer_context or settings.dial_context

    async def transfer(self, call_id: UUID, interface: str, number: str) -> None:
        """Hand the call on to a number, blindly; the phone is free at once.

        Raises:
            NotFound, Conflict: the phone does not talk in this call. AmiError: the PBX refused.
        """
        own = self._talking(call_id, interface)
        await self._client.action(
            transfers.BlindTransfer(channel=own, context=self._transfer_context, exten=number),
        )

    async def consult(self, call_id: UUID, interface: str, number: str) -> None:
        """Have the phone call a number while the other side waits; hanging up then joins the two.

        Raises:
            NotFound, Conflict: the phone does not talk in this call. AmiError: the PBX refused, or did nothing.
        """
        own = self._talking(call_id, interface)
        if self._tracker.holds(call_id, interface):
            raise Conflict("the other side waits already: go back to them first")
        legs = self._tracker.legs(call_id)
        for _ in range(CONSULT_TRIES):
            await self._client.action(transfers.Atxfer(channel=own, context=self._transfer_context, exten=number))
            if not await _comes(lambda: self._tracker.holds(call_id, interface), CONSULT_BEGINS):
                raise AmiActionFailed(
                    "the PBX took the order and did nothing: the Dial or Queue of this call needs the option t or T,"
                    " and features.conf a code for atxfer"
                )
            if await _comes(lambda: self._tracker.legs(call_id) > legs, CONSULT_DIALS):
                return
            # Asterisk types the number into the call after the code, and sometimes loses it on the way.
            await self._client.action(transfers.CancelAtxfer(channel=own))
            await _comes(lambda: not self._tracker.holds(call_id, interface), CONSULT_ENDS)
        raise AmiActionFailed("the PBX did not dial the number: the other side is back, try again")

    async def take_back(self, call_id: UUID, interface: str) -> None:
        """Give a consultation up, and talk with the one who waits again.

        Raises:
            NotFound: the phone is not in this call. Conflict: nobody waits. AmiError: the PBX refused.
        """
        own = self._own(call_id, interface)
        if not self._tracker.holds(call_id, interface):
            raise Conflict("nobody waits: there is no consultation to give up")
        await self._client.action(transfers.CancelAtxfer(channel=own))

    async def park(self, call_id: UUID, interface: str) -> None:
        """Park the other side; the phone is free, and is rung when nobody has fetched them in time.

        Raises:
            NotFound, Conflict: the phone does not talk in this call. AmiError: the PBX refused.
        """
        own = self._own(call_id, interface)
        partner = self._tracker.partner(call_id, interface)
        if partner is None:
            raise Conflict("only a call with one other side can be parked")
        await self._client.action(transfers.Park(channel=partner, timeout_channel=own))

    async def fetch(self, call_id: UUID, interface: str, extension: str, ring: Ring) -> None:
        """Ring the phone and, when it is picked up, give it the parked call.

        Raises:
            NotFound: the call is not parked any more. AmiError: the PBX refused.
        """
        channels = set(self._tracker.channels(call_id).values())
        found = next((one for one in await self.parked() if one.channel in channels), None)
        if found is None:
            raise NotFound("the call is not parked any more: somebody fetched it, or the caller hung up")
        await ring(interface, extension, found.space)

    async def parked(self) -> Sequence[Parked]:
        """Everybody who is parked now, whoever parked them; nobody where the PBX has no parking. Raises `AmiError`."""
        try:
            answer = await self._client.action(transfers.ParkedCalls())
        except AmiActionFailed:
            return []
        return [_parked(wire.fields(block)) for block in answer.events]

    def _own(self, call_id: UUID, interface: str) -> str:
        channels = self._tracker.channels(call_id)
        if not channels:
            raise NotFound("the call is over already")
        if interface not in channels:
            raise Conflict("your phone is not in this call")
        return channels[interface]

    def _talking(self, call_id: UUID, interface: str) -> str:
        own = self._own(call_id, interface)
        if self._tracker.partner(call_id, interface) is None:
            raise Conflict("your phone talks with nobody in this call: answer it first")
        return own


async def _comes(condition: Callable[[], bool], deadline: timedelta) -> bool:
    """Wait for what the tracker will say; it follows the same connection, and has no event of its own."""
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            while not condition():  # noqa: ASYNC110 - the tracker has no event
                await asyncio.sleep(LOOK_EVERY.total_seconds())
    except TimeoutError:
        return False
    return True


def _parked(fields: dict[str, str]) -> Parked:
    return Parked(
        channel=fields.get("ParkeeChannel", ""),
        space=fields.get("ParkingSpace", ""),
        number=_known(fields.get("ParkeeCallerIDNum")),
        name=_known(fields.get("ParkeeCallerIDName")),
        parked_by=fields.get("ParkerDialString") or None,
        waited=_seconds(fields.get("ParkingDuration")),
        left=_seconds(fields.get("ParkingTimeout")),
    )


def _known(text: str | None) -> str | None:
    return None if text in (None, "", "<unknown>", "unknown") else text


def _seconds(text: str | None) -> timedelta:
    return timedelta(seconds=int(text)) if text and text.isascii() and text.isdecimal() else timedelta()
