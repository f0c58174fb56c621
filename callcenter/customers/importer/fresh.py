"""The first import into empty tables: rows first, indexes and references after.

PostgreSQL's manual advises it ("Populating a Database"): building an index over all rows takes a fraction of
the time of growing it row by row. The tables are locked meanwhile, which nobody notices, since there is no
customer to be found yet.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from callcenter.db.engine import Connection

WORTH_IT = 20_000
"""Rows from which on the detour is faster."""

_TABLES = "('customers'::regclass, 'customer_phones'::regclass)"

_DEFINITIONS = f"""
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
  format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid IN {_TABLES}
UNION ALL
SELECT format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
FROM pg_index i WHERE i.indrelid IN {_TABLES}
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
"""How to take each reference and index away, and how to make it again exactly as it was."""


@asynccontextmanager
async def without_indexes(connection: Connection, rows: int, patience_s: float) -> AsyncIterator[bool]:
    """Take the indexes of empty customers' tables away for the time of the block; tells whether it did.

    Nothing is taken away where there are customers, where `rows` are too few to be worth it, where somebody
    works with the tables, or where the tables belong to another database user. The caller's transaction
    covers all of it: if the block fails, the indexes have never been gone.
    """
    definitions = await _take_away(connection) if rows >= WORTH_IT else []
    yield bool(definitions)
    if definitions:
        await connection.execute("SET LOCAL maintenance_work_mem = '128MB'")
    for _, make in definitions:
        await connection.execute(make, timeout=patience_s)


async def _take_away(connection: Connection) -> list[tuple[str, str]]:
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '2s'")
            await connection.execute("LOCK TABLE customers, customer_phones IN ACCESS EXCLUSIVE MODE")
            if await connection.fetchval("SELECT EXISTS (SELECT FROM customers)"):
                return []
            definitions = [(row[0], row[1]) for row in await connection.fetch(_DEFINITIONS)]
            for drop, _ in definitions:
                await connection.execute(drop)
            await connection.execute("SET LOCAL lock_timeout = 0")
            return definitions
    except (asyncpg.LockNotAvailableError, asyncpg.InsufficientPrivilegeError):
        return []
