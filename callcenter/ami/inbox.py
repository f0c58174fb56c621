"""The hand-over from the reader of the socket to the task that works on the events.

Asterisk cuts off a manager session that does not read within `writetimeout` (100 ms by default), so the
reader only puts blocks here. The inbox is bounded: if the worker falls so far behind that it is full, the
reader ends the connection, and the service takes a new snapshot after the next log-in. Nothing is ever lost
in silence.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta

from callcenter.ami.state import AmiState
from callcenter.errors import AmiError

Arrival = tuple[datetime, bytes | AmiState]


class InboxFull(AmiError):
    """The worker is too far behind; the connection is ended and taken up again."""


class Inbox:
    """Blocks and changes of the connection, in the order in which they came, each with the time of its
    arrival.

    Give `on_block` and `on_state` to an `AmiClient`, and take `batch()` in the worker. A change of state is
    always taken in, so that the worker sees exactly after which block the connection broke.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self.overflows = 0
        self.peak = 0
        self._items: deque[Arrival] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def lag(self) -> timedelta:
        """How long the oldest waiting item has been here; zero when nothing waits."""
        return datetime.now(UTC) - self._items[0][0] if self._items else timedelta(0)

    def on_block(self, block: bytes) -> None:
        """Take in one event block.

        Raises:
            InboxFull: `limit` blocks wait already.
        """
        waiting = len(self._items)
        if waiting >= self.limit:
            self.overflows += 1
            raise InboxFull(f"{waiting} events wait to be worked on: this machine is too slow for the PBX's traffic")
        if waiting >= self.peak:
            self.peak = waiting + 1
        self._items.append((datetime.now(UTC), block))
        if not waiting:
            self._filled.set()

    def on_state(self, state: AmiState) -> None:
        """Take in a change of the connection."""
        self._items.append((datetime.now(UTC), state))
        self._filled.set()

    async def batch(self, most: int = 500) -> list[Arrival]:
        """Wait until something is here, and take up to `most` items."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        items = self._items
        return [items.popleft() for _ in range(min(most, len(items)))]
