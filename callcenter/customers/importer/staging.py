"""An import's rows wait in temporary tables until all are known; then two upserts take them over.

There are two short cuts: rows of a first import go straight into the customers' tables, and rows that are the same
as last time wait for nothing. Everything happens in the caller's transaction; the temporary tables are gone with it.
"""

from collections.abc import AsyncIterator

import asyncpg

from callcenter.customers.importer import statements as sql
from callcenter.customers.importer.fresh import EmptyTables
from callcenter.customers.importer.rows import MatchRule
from callcenter.db.engine import Connection
from callcenter.errors import BadFile, Conflict
from callcenter.model import Value

PATIENCE_S = 3_600.0
"""How long one statement of an import may take; millions of rows are indexed in it."""


class Counts(Value, frozen=True):
    """What became of the rows that were staged."""

    added: int
    changed: int
    unchanged: int
    merged: int
    ambiguous: tuple[int, ...] = ()
    """Lines whose key several customers have."""


class SameTwiceError(Exception):
    """A row that was passed over has to be merged with another one of the file."""


class Staging:
    """The temporary tables of one import, on a connection with an open transaction.

    Args:
        connection: all statements run here.
        tenant_id: whose customers they are.
        rule: by what rows are one customer.
        straight: lay rows straight into the customers' tables, if they are empty.
        skip: pass over rows that are the same as last time.
    """

    def __init__(
        self,
        connection: Connection,
        tenant_id: int,
        rule: MatchRule,
        *,
        straight: bool = False,
        skip: bool = False,
    ) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._rule = rule
        self._straight = straight
        self._skip = skip
        self._empty: EmptyTables | None = None
        self._copied = 0
        self._same = 0

    @property
    def is_straight(self) -> bool:
        """Whether rows go straight into the customers' tables; known once open."""
        return self._empty is not None

    @property
    def skips(self) -> bool:
        """Whether there can be rows that are the same as last time; known once open."""
        return self._skip

    async def open(self) -> None:
        """Make the tables, and see to it that no other import runs for this tenant.

        Raises:
            Conflict: one does.
        """
        if not await self._connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtext('customers import'), $1::int)", self._tenant_id
        ):
            raise Conflict("another import of customers is running; wait until it is done")
        await self._connection.execute(sql.TABLES)
        if self._straight:
            empty = EmptyTables(self._connection, PATIENCE_S)
            self._empty = empty if await empty.open() else None
        self._skip = (
            self._skip
            and self._rule is MatchRule.EXTERNAL_REF
            and await self._connection.fetchval(
                "SELECT EXISTS (SELECT FROM customers WHERE tenant_id = $1 AND import_digest IS NOT NULL)",
                self._tenant_id,
            )
        )

    async def pass_over(self, references: str, digests: list[int]) -> list[int]:
        """Return the places of rows that need staging, since they are not the same as last time.

        Between the references stands `parts.BETWEEN`.
        """
        others: list[int] = await self._connection.fetchval(
            sql.FIND_OTHERS, self._tenant_id, references, digests, timeout=PATIENCE_S
        )
        self._same += len(digests) - len(others)
        return others

    async def add(
        self, customer_columns: tuple[str, ...], customers: bytes, phone_columns: tuple[str, ...], phones: bytes
    ) -> None:
        """Stage rows and their phones, both as lines of COPY's text format with these columns."""
        straight = self.is_straight
        for table, names, lines in (
            ("customers" if straight else "import_rows", customer_columns, customers),
            ("customer_phones" if straight else "import_phones", phone_columns, phones),
        ):
            if lines:
                tag = await self._connection.copy_to_table(
                    table, source=_whole(lines), columns=names, timeout=PATIENCE_S
                )
                self._copied += _written(tag) if table == "customers" else 0

    async def take_over(self) -> Counts:
        """Merge rows that are one customer, and bring all into the customers' tables.

        Raises:
            BadFile: an external reference of the file belongs to another customer.
            SameTwiceError: a row that was passed over is one customer with another.
        """
        if self._same:
            await self._run("ANALYZE import_rows")
            if await self._connection.fetchval(sql.SAME_TWICE, self._tenant_id, timeout=PATIENCE_S):
                raise SameTwiceError
        try:
            return await (self._finish(self._empty) if self._empty else self._merge())
        except asyncpg.UniqueViolationError:
            raise BadFile(
                "an external reference in the file belongs to another customer already, or stands twice; "
                "import with --match external_ref, or without that column"
            ) from None

    async def _finish(self, tables: EmptyTables) -> Counts:
        """Merge what went straight into the customers' tables, and make their indexes."""
        twins = await tables.take_out_twins(self._tenant_id, self._rule)
        added = self._copied - twins
        if twins:
            await self._run("ANALYZE import_rows")
            await self._fold(sql.TWINS_KEYS)
            added += await self._run(sql.ADD_NEW, self._tenant_id)
            await self._run(sql.ADD_PHONES_OF_NEW, self._tenant_id)
        await tables.close()
        return Counts(added=added, changed=0, unchanged=0, merged=await self._count("import_folded"))

    async def _merge(self) -> Counts:
        await self._run("ANALYZE import_rows")
        await self._run("ANALYZE import_phones")
        ambiguous: list[int] = []
        if self._rule is not MatchRule.NONE:
            await self._fold(f"SELECT s.line, {sql.KEYS[self._rule]} AS key FROM import_rows s")
            ambiguous = await self._find_known()
        known = await self._count("import_known")
        new = await self._count("import_rows") - known
        changed = await self._run(sql.CHANGE_KNOWN, self._tenant_id) if known else 0
        added = await self._run(sql.ADD_NEW, self._tenant_id) if new else 0
        if new:
            await self._run(sql.ADD_PHONES_OF_NEW, self._tenant_id)
        changed += await self._run(sql.ADD_MISSING_PHONES, self._tenant_id) if known else 0
        return Counts(
            added=added,
            changed=changed,
            unchanged=self._same + known - changed,
            merged=await self._count("import_folded"),
            ambiguous=tuple(ambiguous),
        )

    async def outcomes(self) -> dict[int, str]:
        """Return line → `added`, `changed`, `unchanged` or `merged`, for the rows that were taken over."""
        return {row[0]: row[1] for row in await self._connection.fetch(sql.OUTCOMES)}

    async def _find_known(self) -> list[int]:
        """Fill `import_known`; return the lines that cannot be decided, which are taken out."""
        if not await self._connection.fetchval(
            "SELECT EXISTS (SELECT FROM customers WHERE tenant_id = $1)", self._tenant_id
        ):
            return []
        await self._run(f"INSERT INTO import_known {sql.KNOWN[self._rule]}", self._tenant_id)
        undecided = await self._connection.fetch(
            "SELECT line FROM import_known GROUP BY line HAVING count(*) > 1 ORDER BY line",
            timeout=PATIENCE_S,
        )
        lines = [row[0] for row in undecided]
        if lines:
            for table in ("import_known", "import_rows", "import_phones"):
                await self._run(f"DELETE FROM {table} WHERE line = ANY($1)", lines)
        # rows with different keys can still be one customer, by several phones
        await self._fold("SELECT line, customer_id AS key FROM import_known")
        await self._run("ANALYZE import_known")
        return lines

    async def _fold(self, keys: str) -> None:
        """Merge rows with the same key into the first: later values win, empty ones never do."""
        await self._run("TRUNCATE import_fold")
        if await self._run(sql.FOLD.format(keys=keys)):
            await self._run(sql.FOLD_ROWS)
            await self._run(sql.FOLD_PHONES)
            await self._run(sql.FOLD_END)

    async def _run(self, statement: str, *arguments: object) -> int:
        """Run a statement and return how many rows it wrote."""
        return _written(await self._connection.execute(statement, *arguments, timeout=PATIENCE_S))

    async def _count(self, table: str) -> int:
        counted: int = await self._connection.fetchval(f"SELECT count(*) FROM {table}", timeout=PATIENCE_S)
        return counted


async def _whole(lines: bytes) -> AsyncIterator[bytes]:
    """Lines for asyncpg, which would take a file in small pieces."""
    yield lines


def _written(tag: str) -> int:
    """How many rows a statement wrote, of its command tag."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
