"""Pseudonyms for the numbers and names in a transcript, so that it can be shown to others. Pure.

A number keeps its length and all but its last seven digits (so `+44…`, `0044…`, `0…` and the area stay what
they are), and those seven are exchanged one to one: the same number in two notations stays the same number,
and two numbers stay two. Internal numbers (six digits or fewer) are kept. A name keeps its length, and each
letter becomes one of the same kind. The exchange depends on a key: with a new key for each transcript nobody
can go back.
"""

import hashlib
import re

from callcenter.ami.wire import fields

_NAMES = ("CallerIDName", "ConnectedLineName", "MemberName", "CallerName")
_KEPT = ("Event", "Response", "ActionID", "Timestamp", "Privilege", "Date", "Time")
_KEPT_ENDS = ("niqueid", "inkedid", "niqueID", "inkedID", "LoginTime", "LastCall", "LastPause")
_UNKNOWN = ("", "<unknown>", "<none>", "(null)", "s")

# What looks like a long number and is none comes first: ids of channels and bridges, and the serial of a name.
_TOKENS = re.compile(
    r"(?P<kept>(?<![0-9.])\d{9,10}\.\d+|-0000[0-9a-f]{4}(?![0-9A-Za-z])"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})"
    r"|(?P<number>(?<![0-9A-Za-z])\+?\d{7,20}(?![0-9A-Za-z]))"
)
_REMEMBERED = 2000


class Scrubber:
    """Exchanges numbers and names in blocks; equal ones alike for as long as it lives."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._names: dict[str, str] = {}

    def block(self, block: bytes) -> bytes:
        """Return the block with its numbers and names exchanged; ids, times and channel serials are kept."""
        for header, value in fields(block).items():
            if header.endswith(_NAMES):
                self._learn(value)
        lines = block.decode("utf-8", "surrogateescape").split("\r\n")
        return "\r\n".join(map(self._line, lines)).encode("utf-8", "surrogateescape")

    def _line(self, line: str) -> str:
        header, colon, value = line.partition(": ")
        if not colon or header in _KEPT or header.endswith(_KEPT_ENDS):
            return line
        if header.endswith(_NAMES):
            return f"{header}: {value if value in _UNKNOWN else self._name(value)}"
        for real, shown in self._names.items():
            if real in value:
                value = value.replace(real, shown)
        return f"{header}: {_TOKENS.sub(self._token, value)}"

    def _token(self, match: re.Match[str]) -> str:
        return match["kept"] or self.number(match["number"])

    def number(self, text: str) -> str:
        """Return the pseudonym of one number, or the number itself where it is internal."""
        digits = text.lstrip("+")
        if len(digits) < 7:
            return text
        left, right = int(text[-7:-4]), int(text[-4:])
        for turn in range(6):
            # A Feistel network: whatever the rounds compute, no two inputs give the same output.
            if turn % 2:
                right = (right + self._draw(f"{turn}/{left}")) % 10_000
            else:
                left = (left + self._draw(f"{turn}/{right}")) % 1_000
        return f"{text[:-7]}{left:03}{right:04}"

    def _draw(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def _learn(self, value: str) -> None:
        """Remember a name, so that it is found in other headers too (`AppData`, variables)."""
        if len(value) >= 3 and value not in _UNKNOWN and not value.isdigit() and value not in self._names:
            if len(self._names) >= _REMEMBERED:
                self._names.pop(next(iter(self._names)))
            self._names[value] = self._name(value)

    def _name(self, value: str) -> str:
        value = _TOKENS.sub(self._token, value)
        return "".join(self._letter(sign, f"{value}/{at}") for at, sign in enumerate(value))

    def _letter(self, sign: str, place: str) -> str:
        if not sign.isalpha():
            return sign
        drawn = self._draw(place)
        if "a" <= sign <= "z":
            return chr(97 + drawn % 26)
        if "A" <= sign <= "Z":
            return chr(65 + drawn % 26)
        if "\u4e00" <= sign <= "\u9fff":
            return chr(0x4E00 + drawn % 0x5000)
        return "éïößñçøå"[drawn % 8] if sign.islower() else "ÉÏÖÄÑÇØÅ"[drawn % 8]
