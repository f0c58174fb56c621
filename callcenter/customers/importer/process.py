"""Starts the process that reads a file, and hears what it read; see `reading`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from callcenter.customers.importer.parts import LENGTH_BYTES, Digests, End, Failed, Lines, Part, Task, frame, length
from callcenter.errors import BadFile

AHEAD = 1 << 20
"""Half of the bytes that are taken from the process while earlier ones are stored."""

PATIENCE_S = 600.0
"""How long the process may take for a batch."""

STOP_S = 10.0

_PROGRAM = "callcenter.customers.importer.reading"


class ReadingProcess:
    """A process that reads a file, from `reading` to its end."""

    def __init__(self, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._decoder: msgspec.msgpack.Decoder[Part] = msgspec.msgpack.Decoder(Part)
        self.is_done = False
        """Whether it has said all, and ends by itself."""

    async def parts(self) -> AsyncIterator[Digests | Lines]:
        """What it reads. `Digests` are to be answered by `keep` before the next part is asked for.

        Raises:
            BadFile: the file cannot be read, or the process ended.
        """
        while not self.is_done:
            part = await self._receive()
            self.is_done = isinstance(part, End | Failed)
            if isinstance(part, Failed):
                raise BadFile(part.problem)
            if not isinstance(part, End):
                yield part

    async def keep(self, places: list[int]) -> None:
        """Tell it which rows of a batch it has to read."""
        self._stdin.write(frame(places))
        async with asyncio.timeout(PATIENCE_S):
            await self._stdin.drain()

    async def _receive(self) -> Part:
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await self._stdout.readexactly(LENGTH_BYTES)
                return self._decoder.decode(await self._stdout.readexactly(length(head)))
        except asyncio.IncompleteReadError:
            self.is_done = True
            raise BadFile("the process that reads the file has ended; import the file again") from None
        except TimeoutError:
            raise BadFile("the file cannot be read: its next rows do not come") from None


@asynccontextmanager
async def reading(task: Task) -> AsyncIterator[ReadingProcess]:
    """Let a process of its own read a file. It is gone when the block is left, however that happens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", _PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=AHEAD,
        # Ctrl-C is for us, and we end it
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    heard = ReadingProcess(process.stdin, process.stdout)
    try:
        process.stdin.write(frame(task))
        yield heard
    finally:
        if not heard.is_done:
            process.kill()
        process.stdin.close()
        async with asyncio.timeout(STOP_S):
            await process.communicate()
