"""A plain AMI connection that keeps every byte it got; it uses no code of the service, so that a test can compare."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

Block = dict[str, str]
"""One AMI message: header to value; of a header that comes more than once, the last."""


def parse_blocks(raw: bytes) -> Iterator[Block]:
    """Yield the complete messages of a transcript; the banner is none."""
    for chunk in raw.split(b"\r\n\r\n")[:-1]:
        # Some events end with an empty line too many, which then stands before the next.
        lines = chunk.decode("utf-8", "replace").lstrip("\r\n").split("\r\n")
        if lines[0].startswith("Asterisk Call Manager/"):
            del lines[0]
        yield {name.rstrip(":"): value for name, _, value in (line.partition(": ") for line in lines)}


class AmiLink:
    """A logged-in AMI connection. Use it as an async context manager.

    Everything since the banner is in :attr:`raw`; what was parsed of it in :attr:`blocks`.
    """

    def __init__(self, host: str, port: int, user: str, secret: str, *, deadline_s: float = 10) -> None:
        self._host, self._port, self._user, self._secret = host, port, user, secret
        self._deadline_s = deadline_s
        self._ids = itertools.count(1)
        self._changed = asyncio.Condition()
        self._closed = False
        self._parsed = 0
        self.raw = bytearray()
        self.blocks: list[Block] = []

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(self._deadline_s):
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._task = asyncio.create_task(self._read(), name=f"ami reader of {self._user}")
        try:
            answer = await self.action("Login", Username=self._user, Secret=self._secret)
            if answer.get("Response") != "Success":
                raise PermissionError(f"AMI log-in of {self._user}: {answer.get('Message')}")
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def action(self, name: str, **headers: str) -> Block:
        """Send an action and return its response; lists that follow it are among :attr:`blocks`."""
        action_id = self.send(name, **headers)
        return await self.wait_for(lambda block: "Response" in block and block.get("ActionID") == action_id)

    def send(self, name: str, **headers: str) -> str:
        """Send an action, wait for nothing, and return its ActionID."""
        action_id = headers.pop("ActionID", f"testbed-{next(self._ids)}")
        lines = [f"Action: {name}", f"ActionID: {action_id}", *(f"{key}: {value}" for key, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return action_id

    async def wait_for(
        self, wanted: Callable[[Block], bool], *, count: int = 1, deadline_s: float | None = None
    ) -> Block:
        """Return the ``count``-th message that is wanted, of those that came already and those to come.

        Raises:
            TimeoutError: It did not come in time.
            ConnectionError: Asterisk closed the connection first.
        """
        async with asyncio.timeout(self._deadline_s if deadline_s is None else deadline_s):
            async with self._changed:
                while True:
                    found = [block for block in self.blocks if wanted(block)]
                    if len(found) >= count:
                        return found[count - 1]
                    if self._closed:
                        raise ConnectionError("Asterisk closed the AMI connection")
                    await self._changed.wait()

    async def event(self, name: str, *, count: int = 1, deadline_s: float | None = None, **headers: str) -> Block:
        """Return the ``count``-th event of this name with these header values."""
        return await self.wait_for(
            lambda block: block.get("Event") == name and all(block.get(key) == headers[key] for key in headers),
            count=count,
            deadline_s=deadline_s,
        )

    async def all_hung_up(self, *, channels: int = 0, deadline_s: float = 20) -> None:
        """Wait until this many channels at least have come, and every one that came is gone."""
        async with asyncio.timeout(deadline_s):
            async with self._changed:
                while True:
                    begun = {block["Uniqueid"] for block in self.blocks if block.get("Event") == "Newchannel"}
                    ended = {block["Uniqueid"] for block in self.blocks if block.get("Event") == "Hangup"}
                    if len(begun) >= channels and begun <= ended:
                        return
                    if self._closed:
                        raise ConnectionError("Asterisk closed the AMI connection")
                    await self._changed.wait()

    async def settled(self, *, quiet_s: float = 0.5, deadline_s: float = 10) -> None:
        """Wait until nothing has come for a while: what Asterisk still says after the last hang-up has then been
        said.
        """
        async with asyncio.timeout(deadline_s):
            while True:
                try:
                    async with asyncio.timeout(quiet_s), self._changed:
                        if self._closed:
                            return
                        await self._changed.wait()
                except TimeoutError:
                    return

    def save(self, path: Path) -> None:
        """Write what came, to the last complete message."""
        raw = bytes(self.raw)
        path.write_bytes(raw[: raw.rfind(b"\r\n\r\n") + 4])

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65536):
                async with self._changed:
                    self._take(data)
                    self._changed.notify_all()
        except OSError:
            pass  # a reset is an end like any other: whoever waits is told below
        finally:
            async with self._changed:
                self._closed = True
                self._changed.notify_all()

    def _take(self, data: bytes) -> None:
        self.raw += data
        end = self.raw.rfind(b"\r\n\r\n") + 4
        if end > self._parsed:
            self.blocks += parse_blocks(bytes(self.raw[self._parsed : end]))
            self._parsed = end

    async def _close(self) -> None:
        self._writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
