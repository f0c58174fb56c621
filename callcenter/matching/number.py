"""Reads a phone number as one PBX means it: E.164 where possible, and keys to look it up by where not.

`Reader.read` never raises: what cannot be read is a `PhoneNumber` that says so. Which library reads E.164,
and why possible numbers count although they may not be assigned, is told in docs/decisions/0003-e164.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

import msgspec
import phonenumbers
import rphonenumbers
from phonenumbers import shortnumberinfo

from callcenter.errors import BadInput
from callcenter.matching.spelling import LONGEST_TEXT, dialable, is_anonymous
from callcenter.model import Value

SUFFIX_DIGITS = 7
"""How many last digits are the key of the weakest match: a local number without its area code."""

LONGEST_NUMBER = 15
"""Digits of the longest international number (ITU-T E.164)."""

_LONGEST_DIALED = LONGEST_NUMBER + 9
"""Digits with the prefixes that may stand before a number."""

_is_possible = rphonenumbers.is_possible_number_with_reason
_is_valid = rphonenumbers.is_valid_number
_format = rphonenumbers.format_number
_E164 = rphonenumbers.PhoneNumberFormat.E164
_POSSIBLE = rphonenumbers.ValidationResult.IS_POSSIBLE
_INTERNATIONAL = ("00", "011")
"""What trunks write for `+`, whatever the region's own prefix is."""

_LONGEST_NATIONAL = 10
"""Digits up to which a number without any prefix is taken for a national one."""


class NumberKind(StrEnum):
    """What a number is for the matching: only a public one can be a customer's."""

    PUBLIC = "public"
    INTERNAL = "internal"
    ANONYMOUS = "anonymous"
    INVALID = "invalid"


class PhoneNumber(Value, frozen=True):
    """A number that was read: as it came, and the keys by which it is looked up.

    `e164` is absent where area or country is unknown. `national` is the national digits without leading
    zeros. `international` tells that the text named the country itself, so that no other can be meant.
    `ignored` tells that the PBX's settings say never to look it up. Extensions, feature codes,
    emergency and other short numbers are `internal`.
    """

    raw: str
    kind: NumberKind
    region: str
    e164: str | None = None
    national: str | None = None
    international: bool = False
    ignored: bool = False

    @property
    def suffix(self) -> str | None:
        """The last digits, or None where there are too few of them to mean anything."""
        if self.national is None or len(self.national) < SUFFIX_DIGITS:
            return None
        return self.national[-SUFFIX_DIGITS:]


class Reader:
    """Reads numbers as one PBX writes them. Answers are cached, for the same numbers come again and again.

    Args:
        region: ISO 3166 region in which national numbers are to be read.
        extension_digits: a number of so many digits or fewer is internal.
        strip_prefixes: trunk (or `*` for all) → prefixes that are no part of the number; the longest first.
        outside_prefix: what phones dial for an outside line; taken off only where the number makes no sense
            with it, and never from a number that came over a trunk, since callers dial no such prefix.
        ignore: numbers that never pop a customer, in any spelling; a trailing `*` matches all that begin so.
        cache_size: how many answers are kept, of which a thousand take 0.4 MB; a call asks for its numbers again and
            again, so that the last few thousand do. 0 for a stream of numbers that do not repeat.

    Raises:
        BadInput: there is no such region.
    """

    def __init__(
        self,
        region: str,
        extension_digits: int = 6,
        strip_prefixes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        outside_prefix: str = "",
        ignore: Iterable[str] = (),
        *,
        cache_size: int = 4096,
    ) -> None:
        if region not in rphonenumbers.SUPPORTED_REGIONS:
            raise BadInput(f"{region!r} is no region with telephone numbers; write two capitals such as US or CN")
        self.region = region
        self._country_code = rphonenumbers.country_code_for_region(region)
        self._extension_digits = extension_digits
        self._strip = {
            trunk: tuple(sorted((dialable(p) for p in prefixes), key=len, reverse=True))
            for trunk, prefixes in strip_prefixes.items()
        }
        self._outside = outside_prefix
        self._ignored: frozenset[str] = frozenset()
        self._ignored_prefixes: tuple[str, ...] = ()
        self._set_ignored(ignore)
        self._cached = lru_cache(cache_size)(self._read) if cache_size else self._read

    def read(self, text: str | None, trunk: str | None = None) -> PhoneNumber:
        """Return what `text` means, arriving over `trunk` (`trunk` or `PJSIP/trunk`); never raises."""
        if text is None:
            return PhoneNumber(raw="", kind=NumberKind.ANONYMOUS, region=self.region)
        if len(text) > LONGEST_TEXT:
            return PhoneNumber(raw=text[:LONGEST_TEXT], kind=NumberKind.INVALID, region=self.region)
        # Where no trunk has rules of its own it is the same number over each of them, however the trunk is written.
        return self._cached(text, trunk if self._strip or trunk is None else "")

    def _read(self, text: str, trunk: str | None) -> PhoneNumber:
        plain = dialable(text)
        if is_anonymous(text, plain):
            return PhoneNumber(raw=text, kind=NumberKind.ANONYMOUS, region=self.region)
        if self._strip:
            plain = self._without_trunk_prefix(plain, trunk)
        number = self._classify(text, plain, trunk is not None)
        if (self._ignored or self._ignored_prefixes) and self._is_ignored(number, plain):
            return msgspec.structs.replace(number, ignored=True)
        return number

    def _classify(self, text: str, plain: str, from_trunk: bool) -> PhoneNumber:
        digits = plain[1:] if plain[:1] == "+" else plain
        if not (digits.isascii() and digits.isdigit()):
            return self._number(text, NumberKind.INTERNAL if _is_feature_code(digits) else NumberKind.INVALID)
        if plain is digits and len(digits) <= self._extension_digits:
            return self._number(text, NumberKind.INTERNAL)
        if len(digits) > _LONGEST_DIALED:
            return self._number(text, NumberKind.INVALID)
        return self._public(text, plain, from_trunk)

    def _public(self, text: str, plain: str, from_trunk: bool) -> PhoneNumber:
        """Try the readings of a dialed number, the likeliest first: a valid one wins, then a possible one."""
        first = _parse(plain, self.region)
        may_be = first is not None and _is_possible(first) == _POSSIBLE
        if first is not None:
            settled = may_be and (plain[0] == "+" or (not self._outside and _is_plainly_national(plain)))
            if settled or _is_valid(first):
                return self._parsed(text, plain, first)
        if plain[0] != "+":
            rest = plain.removeprefix(self._outside)
            if rest and rest != plain and not from_trunk:
                dialed = self._classify(text, rest, True)
                if dialed.e164:
                    return dialed
            for candidate in _foreign_readings(plain):
                parsed = _parse(candidate, self.region)
                if parsed is not None and _is_valid(parsed):
                    return self._parsed(text, candidate, parsed)
            if len(plain) <= SUFFIX_DIGITS and self._is_short_code(plain):
                return self._number(text, NumberKind.INTERNAL)
        if first is not None and may_be:
            return self._parsed(text, plain, first)
        return self._unparsed(text, plain)

    def _parsed(self, text: str, candidate: str, parsed: rphonenumbers.PhoneNumber) -> PhoneNumber:
        national = str(parsed.national_number)
        country_code = str(parsed.country_code)
        e164 = f"+{country_code}{national}"
        if parsed.italian_leading_zero:
            # A zero that belongs to the number is still there when it is read again; one that was dialed twice is not.
            zeroed = _format(parsed, _E164)
            again = _parse(zeroed, self.region)
            e164 = zeroed if again is not None and again.italian_leading_zero else e164
        if len(e164) > LONGEST_NUMBER + 1:
            return self._unparsed(text, candidate)
        international = candidate[0] == "+" or (candidate.removesuffix(national).rstrip("0").endswith(country_code))
        return PhoneNumber(
            raw=text,
            kind=NumberKind.PUBLIC,
            region=self.region,
            e164=e164,
            national=national,
            international=international,
        )

    def _unparsed(self, text: str, plain: str) -> PhoneNumber:
        """A number without country or area: a local number, or one that no numbering plan knows."""
        digits = plain.lstrip("+0")
        if not SUFFIX_DIGITS <= len(digits) <= LONGEST_NUMBER:
            return self._number(text, NumberKind.INVALID)
        return PhoneNumber(raw=text, kind=NumberKind.PUBLIC, region=self.region, national=digits)

    def _is_short_code(self, plain: str) -> bool:
        """Tell whether a short number is an emergency call, a bank's hot-line or the like."""
        parsed = phonenumbers.PhoneNumber(country_code=self._country_code, national_number=int(plain))
        return bool(shortnumberinfo.is_valid_short_number_for_region(parsed, self.region))

    def _without_trunk_prefix(self, plain: str, trunk: str | None) -> str:
        names = ("*",) if trunk is None else (trunk, trunk.rpartition("/")[2], "*")
        for name in names:
            for prefix in self._strip.get(name, ()):
                if prefix and plain.startswith(prefix) and len(plain) > len(prefix):
                    return plain[len(prefix) :]
        return plain

    def _set_ignored(self, patterns: Iterable[str]) -> None:
        whole: set[str] = set()
        prefixes: list[str] = []
        for pattern in patterns:
            if pattern.endswith("*"):
                plain = dialable(pattern[:-1])
                prefixes += [p for p in (plain, plain.lstrip("0")) if p]
            else:
                plain = dialable(pattern)
                whole.add(plain)
                number = self._classify(pattern, plain, True)
                if number.e164:
                    whole.add(number.e164)
        self._ignored = frozenset(whole)
        self._ignored_prefixes = tuple(prefixes)

    def _is_ignored(self, number: PhoneNumber, plain: str) -> bool:
        forms = [form for form in (plain, number.e164, number.national) if form]
        return any(form in self._ignored or form.startswith(self._ignored_prefixes) for form in forms)

    def _number(self, text: str, kind: NumberKind) -> PhoneNumber:
        return PhoneNumber(raw=text, kind=kind, region=self.region)


def _is_feature_code(digits: str) -> bool:
    dialed = not digits.strip("*#0123456789")
    return dialed and digits[:1] in ("*", "#") and len(digits) <= _LONGEST_DIALED


def _parse(plain: str, region: str) -> rphonenumbers.PhoneNumber | None:
    try:
        return rphonenumbers.parse(plain, region)
    except rphonenumbers.NumberParseException:
        return None


def _is_plainly_national(plain: str) -> bool:
    """Tell whether a possible number needs no further check, since it starts with a national prefix."""
    return plain[0] == "0" and not plain.startswith(_INTERNATIONAL)


def _foreign_readings(plain: str) -> Iterator[str]:
    """Yield the ways in which a number may name a country that this region does not write so."""
    for prefix in _INTERNATIONAL:
        if plain.startswith(prefix) and len(plain) > len(prefix):
            yield "+" + plain[len(prefix) :]
    if plain[0] != "0" and len(plain) > _LONGEST_NATIONAL:
        yield "+" + plain
