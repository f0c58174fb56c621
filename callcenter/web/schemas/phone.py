"""Bodies about the phone of the session: what kind it is, its password, transfers and parked calls."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.web.schemas import Answer, Body, NumberText


class PhoneKind(StrEnum):
    """Where the phone of a seat is."""

    NONE = "none"
    DESK = "desk"
    BROWSER = "browser"


class PhoneNow(Answer, frozen=True):
    """The phone of the session's seat."""

    kind: PhoneKind


class PhoneRequest(Body, frozen=True):
    """Ask for a password for the phone in this browser."""

    take_over: Annotated[bool, msgspec.Meta(description="Also where it is open in another browser.")] = False


class PhoneCredential(Answer, frozen=True):
    """What the page registers its phone with. The password is good until `expires_at`, or the end of the session."""

    pbx: str
    extension: str
    name: str | None
    url: str
    realm: str
    password: str
    expires_at: datetime
    ice_servers: tuple[str, ...]


class TargetQuery(Body, frozen=True):
    """A number as a person wrote it."""

    number: NumberText


class DialableTarget(Answer, frozen=True):
    """What a phone of the seat's PBX would dial to reach it."""

    dial: str


class TransferWay(StrEnum):
    """`attended`: talk with the target first; hanging up then joins the two."""

    BLIND = "blind"
    ATTENDED = "attended"


class TransferTarget(Body, frozen=True):
    """Where a call is to go."""

    number: NumberText
    kind: TransferWay = TransferWay.BLIND


class Ordered(Answer, frozen=True):
    """The PBX took the order; what comes of it is told by the call itself."""

    call_id: UUID


class ParkedCall(Answer, frozen=True):
    """A call that waits in a parking space."""

    call_id: UUID
    space: str
    number: str | None
    name: str | None
    mine: bool
    """Whether it was parked from the session's phone."""
    waited_s: float
    left_s: float
    """How long it will wait before the phone it was parked from is rung."""


class ParkedCalls(Answer, frozen=True):
    """All parked calls of the seat's PBX."""

    items: tuple[ParkedCall, ...]
