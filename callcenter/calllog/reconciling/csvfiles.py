"""CEL that Asterisk writes into a CSV file, as the sample `cel_custom.conf` has it, with the files rotated away."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

from callcenter.backfill import csvlines
from callcenter.backfill.cel import Cel
from callcenter.calllog.reconciling import files


class CsvCel:
    """Rows of a file, in the order in which they were written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def pages(self, since: datetime, until: datetime, on_bad: Callable[[str], None]) -> AsyncIterator[list[Cel]]:
        """Pages of rows; what is no row is told to `on_bad`."""
        async for lines in files.lines(self._path, since):
            rows = csvlines.parsed(lines, on_bad)
            yield [row for row in rows if since <= row.at < until]

    async def witness(self, since: datetime, until: datetime) -> None:
        """Nothing but channel events is here."""
