"""A tenant's unit of work: one transaction that sees and writes the rows of one tenant only.

`$1` of every statement is the tenant, put there by the unit and by nobody else. A statement that forgets it does not
run at all, so that a mistake never shows one company's calls to another.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy


class Unit:
    """One transaction of one tenant. Made by `Database.unit`; gone when its block ends."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]", tenant_id: int) -> None:
        self.connection = connection
        self.tenant_id = tenant_id

    async def execute(self, sql: str, *arguments: object) -> str:
        """Run a statement and give PostgreSQL's tag (`UPDATE 3`)."""
        return await self.connection.execute(sql, self.tenant_id, *arguments)

    async def fetch(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """All rows."""
        return await self.connection.fetch(sql, self.tenant_id, *arguments)

    async def fetchrow(self, sql: str, *arguments: object) -> asyncpg.Record | None:
        """The first row, or None."""
        return await self.connection.fetchrow(sql, self.tenant_id, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(sql, self.tenant_id, *arguments)
