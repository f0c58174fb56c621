"""CEL as the sample `cel_custom.conf` writes it: one line of CSV per row, seconds since 1970."""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from callcenter.backfill.cel import Cel
from callcenter.backfill.cel import parsed as parsed_row
from callcenter.errors import BadInput

PLACES: Final = (0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 17)
"""Where in a line the `COLUMNS` of a row are."""


def parsed(lines: Iterable[str], on_bad: Callable[[str], None] | None = None) -> Iterator[Cel]:
    """The rows of a file's lines; what is no row is told to `on_bad` and left out."""
    rows = csv.reader(lines)
    while True:
        try:
            columns = next(rows)
        except StopIteration:
            return
        except csv.Error as problem:
            if on_bad is not None:
                on_bad(f"a line is no CSV: {problem}")
            continue
        try:
            if len(columns) <= PLACES[-1]:
                raise BadInput(f"a line has {len(columns)} columns, and should have 18")
            yield parsed_row(tuple(columns[place] for place in PLACES))
        except BadInput as problem:
            if on_bad is not None:
                on_bad(str(problem))
