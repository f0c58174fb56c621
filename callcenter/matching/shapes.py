"""Reads many national numbers of one region fast, by what it learned from others of the same shape.

What a numbering plan does with a number that begins with a zero depends on how long it is and on its first digits:
which of them go, and what comes before the rest. `Reader` is asked once for each shape; its answer holds for all.
"""

from collections.abc import Sequence

from callcenter.matching.number import Reader

SHAPE_DIGITS = 6
"""First digits that decide what becomes of a number of known length; a test compares in all regions."""

DEEP_REGIONS = frozenset({"AR", "GR", "IN", "JP", "TH"})
"""Regions whose numbering plan looks at more digits; there is no short cut for them."""

MOST_SHAPES = 20_000
_LONGEST_TEXT = 32
_INTERNATIONAL = ("00", "011")
_SEPARATORS = str.maketrans("", "", " -()")


class Shapes:
    """What is known of the shapes of a region's numbers. The reader must have no settings but its region."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[int, str], tuple[str, int]] = {}
        self._is_shallow = reader.region not in DEEP_REGIONS

    def read(self, text: str) -> tuple[str, str] | None:
        """Return E.164 and national digits, just as the reader would; None where it has to be asked."""
        plain = text if text.isdigit() else text.translate(_SEPARATORS)
        known = self._known.get((len(plain), plain[:SHAPE_DIGITS]))
        if known is None:
            if not self._is_shallow or plain[:1] != "0" or len(self._known) >= MOST_SHAPES:
                return None
            known = self._learn(plain)
            if known is None:
                return None
        if not (plain.isdigit() and plain.isascii()) or len(text) > _LONGEST_TEXT:
            return None
        start, cut = known
        return start + plain[cut:], plain[cut:]

    def read_all(self, texts: Sequence[str]) -> list[tuple[str, str] | None]:
        """Read many texts without line breaks at once, each as `read` does."""
        plain = texts
        joined = "".join(texts)
        if not joined.isdigit():
            plain = "\n".join(texts).translate(_SEPARATORS).split("\n")
            joined = "".join(plain)
        if not (joined.isdigit() and joined.isascii()) or max(map(len, texts)) > _LONGEST_TEXT:
            return [self.read(text) for text in texts]
        known, size = self._known, SHAPE_DIGITS
        return [
            (found[0] + text[found[1] :], text[found[1] :])
            if (found := known.get((len(text), text[:size]))) is not None
            else self.read(text)
            for text in plain
        ]

    def _learn(self, plain: str) -> tuple[str, int] | None:
        if not (plain.isdigit() and plain.isascii()) or plain.startswith(_INTERNATIONAL):
            return None
        number = self._reader.read(plain)
        national, e164 = number.national, number.e164
        if national is None or e164 is None or not plain.endswith(national) or not e164.endswith(national):
            return None
        cut = len(plain) - len(national)
        if cut >= SHAPE_DIGITS:
            return None
        known = self._known[len(plain), plain[:SHAPE_DIGITS]] = (e164.removesuffix(national), cut)
        return known
