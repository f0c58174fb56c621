"""The first import into empty tables: rows straight into them, indexes and references after.

PostgreSQL's manual advises it ("Populating a Database"): building an index over all rows takes a fraction of
the time of growing it row by row. The tables are locked meanwhile, which nobody notices, since there is no
customer to be found yet. Rows that are one customer are found at the end, and merged as in any import.
"""

import asyncpg

from callcenter.customers.importer import statements as sql
from callcenter.customers.importer.rows import MatchRule
from callcenter.db.engine import Connection

WORTH_IT = 500_000
"""Bytes of a file from which on the detour is faster."""

_TABLES = "('customers'::regclass, 'customer_phones'::regclass)"

# the primary key of customers stays: calls refer to it, and rows come in its order
_DEFINITIONS = f"""
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
  format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
  contype = 'f' AS late
FROM pg_constraint
WHERE conrelid IN {_TABLES} AND contype IN ('f', 'u') OR conrelid = 'customer_phones'::regclass AND contype = 'p'
UNION ALL
SELECT format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid), false
FROM pg_index i WHERE i.indrelid IN {_TABLES}
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
ORDER BY late
"""
"""How to take each reference and index away, and how to make it again exactly as it was; references last."""


class EmptyTables:
    """Customers' tables without indexes, from `open` to `close`. The caller's transaction covers all of it."""

    def __init__(self, connection: Connection, patience_s: float) -> None:
        self._connection = connection
        self._patience_s = patience_s
        self._make: list[str] = []

    async def open(self) -> bool:
        """Take the indexes away; tells whether it did.

        Not where there are customers, where somebody works with the tables, or where they belong to another
        database user.
        """
        try:
            async with self._connection.transaction():
                await self._connection.execute("SET LOCAL lock_timeout = '2s'")
                await self._connection.execute("LOCK TABLE customers, customer_phones IN ACCESS EXCLUSIVE MODE")
                if await self._connection.fetchval("SELECT EXISTS (SELECT FROM customers)"):
                    return False
                for drop, make, _ in await self._connection.fetch(_DEFINITIONS):
                    await self._connection.execute(drop)
                    self._make.append(make)
                await self._connection.execute("SET LOCAL lock_timeout = 0; SET LOCAL maintenance_work_mem = '256MB'")
                return True
        except (asyncpg.LockNotAvailableError, asyncpg.InsufficientPrivilegeError):
            return False

    async def take_out_twins(self, tenant_id: int, rule: MatchRule) -> int:
        """Move rows that are one customer with another to the temporary tables; return how many."""
        if rule is MatchRule.NONE or (rule is MatchRule.EXTERNAL_REF and await self._make_unique()):
            return 0
        found = await self._connection.execute(
            sql.FIND_TWINS.format(keys=sql.FRESH_KEYS[rule]), tenant_id, timeout=self._patience_s
        )
        if found.endswith(" 0"):
            return 0
        await self._connection.execute(sql.TAKE_OUT_PHONES, tenant_id, timeout=self._patience_s)
        taken = await self._connection.execute(sql.TAKE_OUT_CUSTOMERS, tenant_id, timeout=self._patience_s)
        return int(taken.rpartition(" ")[2])

    async def _make_unique(self) -> bool:
        """Make what holds references apart already now; tells whether all are different."""
        unique = [make for make in self._make if " UNIQUE (" in make]
        try:
            async with self._connection.transaction():
                for make in unique:
                    await self._connection.execute(make, timeout=self._patience_s)
        except asyncpg.UniqueViolationError:
            return False
        self._make = [make for make in self._make if make not in unique]
        return True

    async def close(self) -> None:
        """Make all indexes and references again."""
        # knowing nothing of the new rows, PostgreSQL would look each phone's customer up
        await self._connection.execute("SET LOCAL enable_nestloop = off")
        for make in self._make:
            await self._connection.execute(make, timeout=self._patience_s)
