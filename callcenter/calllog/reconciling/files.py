"""Log files with those that were rotated away, compressed or not, read line by line from oldest to newest."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from callcenter.errors import BadFile

LINES: Final = 1000
LONGEST: Final = 65_536
"""Characters of one line; what is longer is cut, and is then no line that can be read."""


def family(path: Path, since: datetime) -> list[Path]:
    """The file and its rotated siblings (`log.1`, `log.2.gz`, `log-20261101.gz`) that may hold lines from `since` on.

    Raises:
        BadFile: there is none.
    """
    found = [one for one in (path, *path.parent.glob(f"{path.name}[.-]*")) if one.is_file()]
    if not found:
        raise BadFile(f"there is no file {path}: check the [[pbx]] section, and whether Asterisk writes it")
    dated = sorted((one.stat().st_mtime, one.name == path.name, one) for one in found)
    return [one for written, _, one in dated if written >= since.timestamp()]


async def lines(path: Path, since: datetime) -> AsyncGenerator[list[str], None]:
    """Batches of the lines of a file and its siblings. Disk and decompression are kept off the event loop.

    Raises:
        BadFile: a file cannot be read, or is damaged.
    """
    for one in await asyncio.to_thread(family, path, since):
        try:
            file = await asyncio.to_thread(_open, one)
            try:
                while batch := await asyncio.to_thread(_some, file):
                    yield batch
            finally:
                await asyncio.to_thread(file.close)
        except (OSError, EOFError, gzip.BadGzipFile) as problem:
            raise BadFile(f"{one} cannot be read: {problem}") from problem


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open(encoding="utf-8", errors="replace", newline="")


def _some(file: TextIO) -> list[str]:
    return list(islice(_bounded(file), LINES))


def _bounded(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST):
        yield line
