"""The file of rows that were left out: line, reason and cells, to be mended and imported again."""

import csv
from pathlib import Path
from typing import IO, Any

from callcenter.customers.importer.cells import Row
from callcenter.errors import BadFile


class RejectFile:
    """Written as rows come; it exists only if there is one. A file of an earlier import is replaced."""

    def __init__(self, path: Path, headers: tuple[str, ...]) -> None:
        self.path = path
        self.count = 0
        self._headers = headers
        self._file: IO[str] | None = None
        self._writer: Any = None

    def begin(self) -> None:
        """Take away what an earlier import left.

        Raises:
            BadFile: it cannot be removed.
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as problem:
            raise BadFile(f"{self.path} is in the way and cannot be removed: {problem.strerror}") from problem

    def add(self, row: Row, reason: str) -> None:
        """Write one row.

        Raises:
            BadFile: the file cannot be written.
        """
        try:
            if self._file is None:
                # with a byte-order mark, for spreadsheets take UTF-8 for something else without it
                self._file = self.path.open("w", encoding="utf-8-sig", newline="", errors="replace")
                self._writer = csv.writer(self._file)
                self._writer.writerow(("line", "reason", *self._headers))
            self._writer.writerow((row.line, reason, *row.cells))
        except OSError as problem:
            raise BadFile(f"rejected rows cannot be written to {self.path}: {problem.strerror}") from problem
        self.count += 1

    def end(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
