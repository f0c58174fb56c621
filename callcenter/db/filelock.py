"""An exclusive lock between processes, which the kernel takes back from the dead too."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from callcenter.errors import DatabaseError

_LOOK_EVERY_S = 0.05


@asynccontextmanager
async def locked(path: Path, patience_s: float) -> AsyncIterator[None]:
    """Hold a `flock` on the file at `path`, which is made, for the time of the block; waits without blocking the loop.

    Raises:
        DatabaseError: another process has held it for `patience_s` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            async with asyncio.timeout(patience_s):
                while not _take(descriptor):  # noqa: ASYNC110 - another process cannot wake us
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            raise DatabaseError(f"another process holds {path} and does not give it back") from None
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
