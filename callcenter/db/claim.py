"""A right that one process of several has at a time: an advisory lock of PostgreSQL, on a connection of its own.

PostgreSQL takes the lock back when the connection ends, so that whoever waits for it takes over from one that is gone.
Nothing here keeps a process from working because PostgreSQL is away: docs/decisions/0014-standing-by.md says why.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import Final

import asyncpg
import structlog

from callcenter.db.away import AWAY
from callcenter.db.engine import Database
from callcenter.errors import ClaimLost, DatabaseError

LOOK_EVERY: Final = timedelta(seconds=1)
"""How often it is tried to get the lock, and looked whether it is still held."""
PATIENCE: Final = timedelta(seconds=10)
"""How long a start waits for PostgreSQL to say whether somebody else has it."""
COURTESY: Final = timedelta(seconds=5)
"""After PostgreSQL was away, who waited lets the one that had the lock take it again."""
ANSWER_S: Final = 5.0

_log = structlog.get_logger("callcenter.db")


class Standing(StrEnum):
    """Where a process stands."""

    ASKING = "asking"
    """PostgreSQL has not said yet."""
    STANDING_BY = "standing by"
    """Another process has the right."""
    HOLDING = "holding"
    """We have it."""
    UNSURE = "unsure"
    """PostgreSQL is away: we work on, or have begun to, and do not know."""


class Claim:
    """One named right in one database. `run` does the work that it allows."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        look_every: timedelta = LOOK_EVERY,
        patience: timedelta = PATIENCE,
        courtesy: timedelta = COURTESY,
    ) -> None:
        self.standing = Standing.ASKING
        self._database = database
        self._name = name
        self._key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
        self._look_every_s = look_every.total_seconds()
        self._patience_s = patience.total_seconds()
        self._courtesy_s = courtesy.total_seconds()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the right, then do `work` while it is ours.

        Raises:
            ClaimLost: another process has it now. What `work` raises.
        """
        try:
            await self._wait()
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep(), name=f"claim {self._name}")
                await work()
                keeping.cancel()
        finally:
            self._drop()
            if self.standing is Standing.HOLDING:
                # Given back in order, which nobody need be warned of.
                self.standing = Standing.ASKING

    async def _wait(self) -> None:
        clock = asyncio.get_running_loop().time
        gives_up_at = clock() + self._patience_s
        while True:
            held = await self._try()
            if held:
                self._stand(Standing.HOLDING)
                return
            if held is False:
                self._stand(Standing.STANDING_BY)
            elif self.standing is Standing.ASKING and clock() >= gives_up_at:
                self._stand(Standing.UNSURE)
                return
            await asyncio.sleep(self._look_every_s)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._look_every_s)
            held = await self._try()
            if held is False:
                self._stand(Standing.STANDING_BY)
                raise ClaimLost(
                    f"another process works as {self._name} since PostgreSQL was away: this one ends, and stands by"
                    " when it is started again"
                )
            self._stand(Standing.HOLDING if held else Standing.UNSURE)

    async def _try(self) -> bool | None:
        """Whether the lock is ours; None: PostgreSQL does not say."""
        try:
            if self._connection is None:
                async with asyncio.timeout(ANSWER_S):
                    self._connection = await self._database.dedicated()
                    # A machine that is gone says no goodbye: PostgreSQL is to notice within half a minute.
                    await self._connection.execute(
                        "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;"
                        " SET idle_session_timeout = 0"
                    )
                if self.standing is Standing.STANDING_BY:
                    await asyncio.sleep(self._courtesy_s)
            async with asyncio.timeout(ANSWER_S):
                if self.standing is Standing.HOLDING:
                    # It was taken on this connection, and would be counted again.
                    await self._connection.execute("SELECT 1")
                    return True
                held: bool = await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", self._key)
                return held
        except (*AWAY, DatabaseError):
            self._drop()
            return None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(asyncpg.InterfaceError):
                connection.terminate()

    def _stand(self, standing: Standing) -> None:
        if standing is self.standing:
            return
        before, self.standing = self.standing, standing
        if standing is Standing.STANDING_BY:
            _log.warning("claim_standing_by", claim=self._name)
        elif standing is Standing.UNSURE:
            _log.warning("claim_unsure", claim=self._name)
        elif standing is Standing.HOLDING:
            _log.info("claim_held", claim=self._name, before=before.value)
