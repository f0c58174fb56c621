"""Splits delimited text into rows of cells, with a limit on everything.

Python's csv module does the splitting. What it lacks stands here: a line, a cell and a row may only be so
long, a quote that never closes is found where it opened, and a broken row does not swallow those after it.
"""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, cast

from callcenter.errors import BadFile

CELL_LIMIT = 65_536
"""Characters of the longest cell."""

ROW_LIMIT = 1_048_576
"""Characters of the longest row."""

MOST_BROKEN_QUOTES = 1_000
"""After so many rows with broken quotes the file is of another kind than was thought."""

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE_ROWS = 50


class Row(NamedTuple):
    """A row: the line in which it begins, its cells, and what is wrong with it, if anything."""

    line: int
    cells: list[str]
    problem: str | None = None


class _Lines:
    """Lines of the text. They are read by the block, or one at a time; then those of the row in hand are kept."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._source = _split(pieces)
        self._block: list[str | None] = []
        self._place = 0
        self.row: list[str | None] = []
        self.number = 0
        """How many lines were handed out."""
        self._size = 0

    def block(self) -> list[str | None]:
        """The lines at hand, which are not handed out yet; empty at the end of the text."""
        if self._place:
            self._block, self._place = self._block[self._place :], 0
        while not self._block:
            block = next(self._source, None)
            if block is None:
                break
            self._block = block
        return self._block

    def skip(self, count: int) -> None:
        """Hand out so many lines of the block at once."""
        self._place += count
        self.number += count

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._place == len(self._block) and not self.block():
            raise StopIteration
        line = self._block[self._place]
        self.skip(1)
        self.row.append(line)
        if line is None:
            raise _TooLong
        self._size += len(line)
        if self._size > ROW_LIMIT:
            raise _TooLong
        return line

    def begin_row(self) -> None:
        self.row.clear()
        self._size = 0

    def back_to_second_line(self) -> None:
        """Hand out again all lines of the row in hand but its first."""
        self._block, self._place = self.row[1:] + self._block[self._place :], 0
        self.number -= len(self.row) - 1


class _TooLong(Exception):
    """A line or a row is longer than the limit."""


def rows(pieces: Iterable[str], delimiter: str) -> Iterator[Row]:
    """Yield the rows of a text that comes in pieces; blank lines are left out.

    Raises:
        BadFile: a cell over several lines that is longer than any cell should be, or too many broken quotes.
    """
    csv.field_size_limit(CELL_LIMIT)
    lines = _Lines(pieces)
    broken = 0
    while block := lines.block():
        yield from _whole_rows(lines, block, delimiter)
        lines.begin_row()
        began = lines.number + 1
        try:
            cells = next(csv.reader(lines, delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except (csv.Error, _TooLong) as problem:
            if isinstance(problem, csv.Error) and "field limit" not in str(problem):
                broken += 1
                if broken > MOST_BROKEN_QUOTES:
                    raise BadFile(
                        f"line {began}: more than {MOST_BROKEN_QUOTES} rows have broken quotes; "
                        "is this a CSV file, and is the delimiter right (--delimiter)?"
                    ) from None
                lines.back_to_second_line()
                yield Row(began, [], _quote_problem(problem))
            elif len(lines.row) == 1:
                yield Row(began, [], f"a cell is longer than {CELL_LIMIT} characters")
            else:
                raise BadFile(
                    f"line {began}: a cell that begins here is longer than {CELL_LIMIT} characters; "
                    "does a quote open there and never close?"
                ) from None
            continue
        if cells:
            yield Row(began, cells)


def _whole_rows(lines: _Lines, block: list[str | None], delimiter: str) -> Iterator[Row]:
    """Yield rows up to the first that is broken, too long, or goes on after the block.

    Nearly all rows are read here, since the csv module is faster with a list than with one call per line.
    """
    read = 0
    first = lines.number + 1
    if (whole := _one_row_a_line(block, delimiter)) is not None:
        yield from map(Row, range(first, first + len(block)), whole)
        lines.skip(len(block))
        return
    # None, for a line that is too long, is an error to the reader
    reader = csv.reader(cast("list[str]", block), delimiter=delimiter, strict=True)
    with suppress(csv.Error):
        for cells in reader:
            end = reader.line_num
            if end - read > 1 and sum(map(len, cast("list[str]", block[read:end]))) > ROW_LIMIT:
                break
            if cells:
                yield Row(first + read, cells)
            read = end
    lines.skip(read)


def _one_row_a_line(block: list[str | None], delimiter: str) -> list[list[str]] | None:
    """The cells of all lines; None where a line is blank, broken, or no row of its own."""
    try:
        cells = list(csv.reader(cast("list[str]", block), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return cells if len(cells) == len(block) and all(cells) else None


def sniff(sample: str) -> str:
    """Return the delimiter that splits the sample into the most columns, equally many in most rows."""
    sample = sample[:CELL_LIMIT]
    best, best_score = DELIMITERS[0], 0.0
    for delimiter in DELIMITERS:
        widths: list[int] = []
        for row in rows([sample], delimiter):
            widths.append(len(row.cells))
            if len(widths) == _SAMPLE_ROWS:
                break
        if not widths or widths[0] < 2:
            continue
        score = widths[0] * sum(width == widths[0] for width in widths) / len(widths)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _quote_problem(problem: csv.Error) -> str:
    if "unexpected end" in str(problem):
        return "a quote opens here and never closes"
    return "text stands behind a closing quote, or a quote opens here and never closes"


def _split(pieces: Iterable[str]) -> Iterator[list[str | None]]:
    """Yield the lines of each piece, with their ends; None for one that is too long to be kept."""
    rest = ""
    too_long = False
    for piece in pieces:
        lines = _physical(rest + piece)
        rest = lines.pop() or ""
        if lines:
            if too_long or len(lines[0] or "") > ROW_LIMIT:
                lines[0] = None
            too_long = False
            yield lines
        if len(rest) > ROW_LIMIT:
            rest, too_long = "", True
    if too_long:
        yield [None]
    elif rest:
        yield [rest]


def _physical(text: str) -> list[str | None]:
    """Split after each line feed only: the other line ends of Unicode are characters of a cell."""
    lines = text.split("\n")
    return [*[line + "\n" for line in lines[:-1]], lines[-1]]
