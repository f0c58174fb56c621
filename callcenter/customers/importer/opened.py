"""A file of customers that is ready to be read: its encoding, delimiter, columns and rule are known."""

from collections.abc import Iterator
from pathlib import Path

from callcenter.customers.importer import columns as columns_module
from callcenter.customers.importer.cells import rows, sniff
from callcenter.customers.importer.encoding import check_name, detect, pieces
from callcenter.customers.importer.rows import MatchRule
from callcenter.errors import BadFile
from callcenter.model import Value


class Options(Value, frozen=True):
    """How a file is to be read. What is None is found out from the file.

    `mapping` holds `TARGET=HEADER`; `match` decides which customer a row is.
    """

    encoding: str | None = None
    delimiter: str | None = None
    mapping: tuple[str, ...] = ()
    match: MatchRule | None = None


class _Text:
    """The file as text in pieces; `done` counts its bytes, for a progress bar."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._pieces = pieces(path, encoding)
        self.sample, self.done = next(self._pieces, ("", 0))
        # line ends of old spreadsheets
        self._only_returns = "\r" in self.sample and "\n" not in self.sample
        self.sample = self._with_line_feeds(self.sample)

    def whole(self) -> Iterator[str]:
        """All pieces, the sample first."""
        yield self.sample
        for text, done in self._pieces:
            self.done = done
            yield self._with_line_feeds(text)

    def _with_line_feeds(self, text: str) -> str:
        return text.replace("\r", "\n") if self._only_returns else text


class OpenedFile:
    """A file that is ready to be read: how, and its rows after the header."""

    def __init__(self, path: Path, options: Options) -> None:
        self.encoding = check_name(options.encoding) if options.encoding else detect(path)
        self.text = _Text(path, self.encoding)
        self.path = path.absolute()
        self.size = path.stat().st_size
        self.mapping = options.mapping
        self.delimiter = options.delimiter or sniff(self.text.sample)
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise BadFile("--delimiter: write one character, for example ; or use the word tab")
        self.rows = rows(self.text.whole(), self.delimiter)
        header = next(self.rows, None)
        if header is None:
            raise BadFile(f"{path.name} is empty")
        if header.problem:
            raise BadFile(f"{path.name}, line {header.line}, where the headers should be: {header.problem}")
        self.columns = columns_module.find(header.cells, options.mapping)
        by_ref = "external_ref" in self.columns.single
        self.match = options.match or (MatchRule.EXTERNAL_REF if by_ref else MatchRule.NAME_AND_PHONE)
