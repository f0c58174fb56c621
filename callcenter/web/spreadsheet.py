"""A table as CSV that no spreadsheet runs: a text that would be a formula gets an apostrophe. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Cell = str | int | float | None


def guarded(text: str) -> str:
    """The text, harmless in a spreadsheet; a telephone number (`+` and digits) is left as it is."""
    if not text.startswith(_FORMULA) or (text[0] == "+" and text[1:].isascii() and text[1:].isdigit()):
        return text
    return f"'{text}"


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """CSV (RFC 4180) with texts in quotes; None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(head)
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in row])
    return out.getvalue()
