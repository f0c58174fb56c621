"""Phones at seats, for tests of the web layer: they obey `callcenter.web.phones.Phones`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from callcenter.accounts.roles import Principal
from callcenter.accounts.values import Extension
from callcenter.web.schemas.phone import ParkedCall, PhoneCredential, PhoneKind

CALL_SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
UNTIL = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@dataclass
class SeatPhones:
    """Phones that note what they were asked; all are in the browser, and somebody is always parked."""

    orders: list[str] = field(default_factory=list)

    def kind(self, seat: Extension) -> PhoneKind:
        return PhoneKind.BROWSER

    async def open(self, who: Principal, seat: Extension, *, take_over: bool) -> PhoneCredential:
        return PhoneCredential(
            pbx=seat.pbx,
            extension=seat.extension,
            name=seat.name,
            url="wss://calls.example.com/ws",
            realm="callcenter",
            password="made-for-the-test",
            expires_at=UNTIL + timedelta(minutes=10),
            ice_servers=(),
        )

    def close(self, who: Principal) -> None:
        self.orders.append(f"close {who.agent}")

    def dialable(self, seat: Extension, number: str) -> str:
        return f"9{number}"

    async def parked(self, seat: Extension) -> Sequence[ParkedCall]:
        call_id = uuid5(CALL_SPACE, "parked")
        return [ParkedCall(call_id=call_id, space="701", number=None, name=None, mine=True, waited_s=3, left_s=42)]

    async def transfer(self, seat: Extension, call_id: UUID, number: str, *, attended: bool) -> None:
        self.orders.append(f"{seat.extension} transfers {call_id} to {number}{' after talking' if attended else ''}")

    async def cancel_transfer(self, seat: Extension, call_id: UUID) -> None:
        self.orders.append(f"{seat.extension} goes back to {call_id}")

    async def park(self, seat: Extension, call_id: UUID) -> None:
        self.orders.append(f"{seat.extension} parks {call_id}")

    async def fetch(self, seat: Extension, call_id: UUID) -> None:
        self.orders.append(f"{seat.extension} fetches {call_id}")
