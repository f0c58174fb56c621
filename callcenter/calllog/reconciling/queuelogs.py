"""The queue_log of a PBX, read beside CEL: its lines are given out no later than the rows of their time."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from callcenter.backfill import queuelog
from callcenter.backfill.queuelog import QueueLine
from callcenter.calllog.reconciling import files
from callcenter.errors import BadInput


class QueueLogFile:
    """Lines from `since` on, in the order in which they were written."""

    def __init__(self, path: Path, since: datetime, on_bad: Callable[[str], None]) -> None:
        self._pages = files.lines(path, since)
        self._since = since
        self._on_bad = on_bad
        self._waiting: list[QueueLine] = []
        self._at = 0
        self._ended = False

    async def up_to(self, at: datetime) -> Iterable[QueueLine]:
        """The lines that were written until `at` and were not given before."""
        while not self._ended and (not self._waiting or self._waiting[-1].at <= at):
            await self._read()
        start = self._at
        while self._at < len(self._waiting) and self._waiting[self._at].at <= at:
            self._at += 1
        given = self._waiting[start : self._at]
        if self._at > files.LINES:
            del self._waiting[: self._at]
            self._at = 0
        return given

    async def close(self) -> None:
        """Let go of the file."""
        await self._pages.aclose()

    async def _read(self) -> None:
        try:
            page = await anext(self._pages)
        except StopAsyncIteration:
            self._ended = True
            return
        for text in page:
            if text.strip():
                try:
                    line = queuelog.parsed(text)
                except BadInput as problem:
                    self._on_bad(str(problem))
                    continue
                if line is not None and line.at >= self._since:
                    self._waiting.append(line)
