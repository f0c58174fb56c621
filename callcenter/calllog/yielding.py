"""How who takes calls first and the feed after them gives way to writers, who take the feed first.

A writer of calls has the feed's row until its transaction ends, and may want a call that a deletion or an erasure has
locked, while that wants the feed: each would wait for the other, until PostgreSQL broke one of the two off, perhaps the
writer. So the other one never waits long for any lock; it rolls back, and is done again when the writer had its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import asyncpg

from callcenter.db.engine import Database
from callcenter.db.unit import Unit

Result = TypeVar("Result")

PATIENCE: Final = timedelta(milliseconds=200)
"""How long it waits for a lock: less than PostgreSQL takes to look for a deadlock."""
TRIES: Final = 100
"""After so many, most of a minute, somebody holds a lock who is no writer of calls."""


async def give_way(database: Database, tenant_id: int, work: Callable[[Unit], Awaitable[Result]]) -> Result:
    """Do `work` in a transaction of its own, again from its beginning as often as it gives way.

    Raises:
        LockNotAvailableError: a lock could not be had for most of a minute; it can be tried later.
    """
    for _ in range(TRIES - 1):
        try:
            return await _attempt(database, tenant_id, work)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(PATIENCE.total_seconds())
    return await _attempt(database, tenant_id, work)


async def _attempt(database: Database, tenant_id: int, work: Callable[[Unit], Awaitable[Result]]) -> Result:
    async with database.unit(tenant_id) as unit:
        await unit.fetchval(_BRIEFLY, f"{PATIENCE.total_seconds() * 1000:.0f}ms")
        return await work(unit)


_BRIEFLY = "SELECT set_config('lock_timeout', $2, true), $1::int"
