"""Somebody who watches the floor over the screen-pop's WebSocket, and knows at each moment what a page would show."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import websockets

from screenpop.picture import apply
from tests.acceptance.people import ANSWER_S, Somebody

Tables = dict[str, dict[str, Any]]


class Watcher:
    """Use it as an async context manager."""

    def __init__(self, person: Somebody) -> None:
        self._person = person
        self._stack = AsyncExitStack()
        self._changed = asyncio.Condition()
        self.tables: Tables = {}
        self.updates = 0

    async def __aenter__(self) -> Self:
        ticket = await self._person.ask("POST", "/screenpop/ticket")
        self._socket = await self._stack.enter_async_context(websockets.connect(ticket["url"], max_size=None))
        await self._socket.send(json.dumps({"type": "watch", "ticket": ticket["ticket"]}))
        first = json.loads(await asyncio.wait_for(self._socket.recv(), ANSWER_S))
        assert (first["type"], first["n"]) == ("floor", 0)
        self.tables = {name: first[name] for name in ("queues", "callers", "members", "agents")}
        reader = asyncio.create_task(self._read(), name="floor watcher")
        self._stack.callback(reader.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def sees(self, wanted: Callable[[Tables], Any], what: str, deadline_s: float = ANSWER_S) -> Any:
        """Wait until something is to be seen, and give what `wanted` gave."""
        try:
            async with asyncio.timeout(deadline_s), self._changed:
                while not (found := _look(wanted, self.tables)):
                    await self._changed.wait()
                return found
        except TimeoutError:
            raise AssertionError(f"not seen on the floor within {deadline_s} s: {what}\n{self.tables}") from None

    async def _read(self) -> None:
        async for text in self._socket:
            update = json.loads(text)
            async with self._changed:
                self.updates += 1
                assert (update["type"], update["n"]) == ("floor_update", self.updates)
                self.tables = apply(self.tables, {name: update[name] for name in self.tables})
                self._changed.notify_all()


def _look(wanted: Callable[[Tables], Any], tables: Tables) -> Any:
    try:
        return wanted(tables)
    except (KeyError, IndexError, TypeError):
        return None
