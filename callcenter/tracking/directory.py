"""What is known of a PBX beforehand: which endpoints lead outside, whose phone is whose, how numbers are read."""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache

import msgspec

from callcenter.model import Party, PartyKind
from callcenter.tracking import ids


class Side(Enum):
    """Where a channel leads."""

    TRUNK = "trunk"
    DEVICE = "device"
    LOCAL = "local"


class Device(msgspec.Struct, frozen=True):
    """A phone of ours. `agent` is the id of who sits there now."""

    extension: str
    agent: str | None = None
    name: str | None = None


WITHHELD = frozenset({"anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "blocked"})
"""What networks write instead of a number."""
TRUNK_CONTEXTS = (
    "from-trunk",
    "from-pstn",
    "from-did",
    "from-external",
    "from-dahdi",
    "from-zaptel",
    "from-carrier",
)
"""Beginnings of contexts in which trunks arrive on a plain Asterisk, FreePBX and Issabel."""
TRUNK_WORDS = ("trunk", "provider", "carrier", "pstn", "gateway", "inbound", "incoming", "sip-out")
"""Words that people put into the names of trunks and their contexts."""
INTERNAL_WORDS = ("internal", "phones", "users", "agents", "office", "default", "local", "queue")
"""Words that people put into the names of contexts in which phones dial."""


def no_e164(number: str, trunk: str | None) -> str | None:
    """Reads only numbers that are international already."""
    digits = number[1:]
    return number if number.startswith("+") and digits.isdecimal() and 7 <= len(digits) <= 15 else None


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one PBX beforehand. Without anything, endpoints are told apart by rule."""

    pbx: str = "pbx"
    tenant: str = "default"
    trunks: frozenset[str] = frozenset()
    trunk_contexts: frozenset[str] = frozenset()
    internal_contexts: frozenset[str] = frozenset()
    extension_digits: int = 6
    outside_prefix: str = ""
    devices: Mapping[str, Device] = msgspec.field(default_factory=dict)
    """Interface (`PJSIP/1001`) → device."""
    e164: Callable[[str, str | None], str | None] = no_e164
    """Number as Asterisk gave it, trunk → E.164, or None where it is no public number."""

    def side(self, interface: str, context: str | None) -> Side:
        """Where a channel of `interface`, first seen in `context`, leads."""
        if interface.startswith("Local/"):
            return Side.LOCAL
        if interface in self.devices:
            return Side.DEVICE
        name = ids.resource(interface)
        if name in self.trunks or interface in self.trunks:
            return Side.TRUNK
        if context is not None:
            if context in self.trunk_contexts:
                return Side.TRUNK
            if context in self.internal_contexts:
                return Side.DEVICE
        if self.trunks:
            return Side.DEVICE
        return _by_rule(name, context, self.extension_digits)

    def is_outside(self, number: str) -> bool:
        """Whether a dialed number leads outside, as far as the number alone can tell."""
        digits = number.removeprefix("+")
        if self.outside_prefix and digits.startswith(self.outside_prefix) and len(digits) > self.extension_digits:
            return True
        return digits.isdecimal() and (number.startswith("+") or len(digits) > self.extension_digits)

    def dialed(self, number: str) -> str:
        """A dialed number without the digits that only ask for an outside line."""
        if self.outside_prefix and self.is_outside(number) and number.startswith(self.outside_prefix):
            return number[len(self.outside_prefix) :]
        return number

    def outside_party(self, number: str | None, name: str | None, channel: str | None, trunk: str | None) -> Party:
        """The party behind a trunk. A number that says that there is none is none."""
        if number is not None and number.lower() in WITHHELD:
            number = None
        e164 = self.e164(number, trunk) if number else None
        return Party(number=number, e164=e164, name=name, channel=channel, kind=PartyKind.EXTERNAL)


@lru_cache(maxsize=4096)
def _by_rule(name: str, context: str | None, extension_digits: int) -> Side:
    where = (context or "").lower()
    if where.startswith(TRUNK_CONTEXTS):
        return Side.TRUNK
    lowered = name.lower()
    if name.isdecimal() and len(name) <= extension_digits:
        return Side.DEVICE
    if any(word in lowered or word in where for word in TRUNK_WORDS):
        return Side.TRUNK
    if any(word in where for word in INTERNAL_WORDS):
        return Side.DEVICE
    return Side.TRUNK
