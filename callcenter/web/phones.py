"""What the web layer needs of the phones at people's seats; joined by the application, as the other `services`."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from callcenter.accounts.roles import Principal
from callcenter.accounts.values import Extension
from callcenter.web.schemas.phone import ParkedCall, PhoneCredential, PhoneKind


class Phones(Protocol):
    """What a seat's phone can do. What asks the PBX raises `AmiError`."""

    def kind(self, seat: Extension) -> PhoneKind:
        """Where the phone is."""
        ...

    async def open(self, who: Principal, seat: Extension, *, take_over: bool) -> PhoneCredential:
        """A password for the phone in the browser, which ends with the session of `who`.

        Raises `NotFound` where the phone is on the desk, `Conflict` where another log-in has it.
        """
        ...

    def close(self, who: Principal) -> None:
        """The password that this session has is worthless."""
        ...

    async def parked(self, seat: Extension) -> Sequence[ParkedCall]:
        """Everybody who is parked at the seat's PBX."""
        ...

    def dialable(self, seat: Extension, number: str) -> str:
        """What the phone would dial to reach a number; raises `BadInput`."""
        ...

    async def transfer(self, seat: Extension, call_id: UUID, number: str, *, attended: bool) -> None:
        """Hand a call on; raises `NotFound` or `Conflict` where the phone does not talk in it."""
        ...

    async def cancel_transfer(self, seat: Extension, call_id: UUID) -> None:
        """Give an attended transfer up; raises `Conflict` where there is none."""
        ...

    async def park(self, seat: Extension, call_id: UUID) -> None:
        """Park the other side; raises `NotFound` or `Conflict` where the phone does not talk in it."""
        ...

    async def fetch(self, seat: Extension, call_id: UUID) -> None:
        """Ring the phone and give it a parked call; raises `NotFound` where it is not parked."""
        ...
