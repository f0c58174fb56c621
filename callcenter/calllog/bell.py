"""Rings when calls of a tenant may have changed, so that readers of the change feed need not ask all the time.

A trigger of PostgreSQL notifies at each commit that changes calls. A notification can be lost, with the connection or
a proxy in between, so whoever waits looks again after `POLL` in any case.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from callcenter.db.away import AWAY
from callcenter.db.engine import Database
from callcenter.errors import DatabaseError, TooMany

CHANNEL = "callcenter_calls"
"""PostgreSQL's notification channel; the payload is the tenant's id."""
POLL = timedelta(seconds=2)
"""The longest that somebody waits without looking."""
MOST_WAITING = 100
"""Readers that may wait at a time; each keeps a connection of the web port open."""
_RETRY_S = 5.0

_log = structlog.get_logger("callcenter.calllog")


class Bell:
    """One connection that listens for all who wait. `run` is a task of the application."""

    def __init__(self, database: Database, *, most: int = MOST_WAITING) -> None:
        self._database = database
        self._rung: dict[int, asyncio.Event] = {}
        self._most = most
        self.waiting = 0
        """How many wait at this moment."""
        self._closed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether nobody shall wait any more."""
        return self._closed.is_set()

    def ready(self, tenant_id: int) -> asyncio.Event:
        """What will be set by the next change after this moment: take it before you read, and wait for it after."""
        return self._rung.setdefault(tenant_id, asyncio.Event())

    async def wait(self, rung: asyncio.Event, at_most: timedelta) -> None:
        """Wait for a change, for `at_most` or `POLL`, whichever is shorter.

        Raises:
            TooMany: so many wait already that this one has to come again later.
        """
        if self.waiting >= self._most:
            raise TooMany("too many wait for changes at once: ask without `wait`", retry_after=POLL)
        self.waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(at_most, POLL).total_seconds()):
                    await rung.wait()
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Let all who wait go, and nobody wait again: the service stops."""
        self._closed.set()
        for tenant_id in list(self._rung):
            self._ring(tenant_id)

    async def run(self) -> None:
        """Listen for ever, and again after a while where PostgreSQL was away."""
        while True:
            with suppress(*AWAY, DatabaseError):
                await self._listen()
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        connection = await self._database.dedicated()
        try:
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _: gone.set())
            await connection.add_listener(CHANNEL, self._heard)
            await gone.wait()
            _log.info("feed_bell_lost", polling_s=POLL.total_seconds())
        finally:
            connection.terminate()

    def _heard(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        if isinstance(payload, str) and payload.isdecimal():
            self._ring(int(payload))

    def _ring(self, tenant_id: int) -> None:
        rung = self._rung.pop(tenant_id, None)
        if rung is not None:
            rung.set()
