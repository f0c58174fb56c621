"""An import's rows wait in temporary tables until all are known; then two upserts take them over.

Everything happens in the caller's transaction; the temporary tables are gone with it.
"""

from io import BytesIO

import asyncpg

from callcenter.customers.importer import statements as sql
from callcenter.customers.importer.fresh import without_indexes
from callcenter.customers.importer.rows import PHONE_COLUMNS, MatchRule
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


class Staging:
    """The temporary tables of one import, on a connection with an open transaction."""

    def __init__(self, connection: Connection, tenant_id: int, rule: MatchRule) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._rule = rule

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

    async def add(self, columns: tuple[str, ...], customers: bytes, phones: bytes) -> None:
        """Stage rows, which have `columns`, and their phones, both as lines of COPY's text format."""
        for table, names, lines in (
            ("import_rows", columns, customers),
            ("import_phones", PHONE_COLUMNS, phones),
        ):
            if lines:
                await self._connection.copy_to_table(table, source=BytesIO(lines), columns=names, timeout=PATIENCE_S)

    async def take_over(self) -> Counts:
        """Merge rows that are one customer, and bring all into the customers' tables.

        Raises:
            BadFile: an external reference of the file belongs to another customer.
        """
        await self._run("ANALYZE import_rows")
        await self._run("ANALYZE import_phones")
        ambiguous: list[int] = []
        if self._rule is not MatchRule.NONE:
            await self._fold(f"SELECT s.line, {sql.KEYS[self._rule]} AS key FROM import_rows s")
            ambiguous = await self._find_known()
        known = await self._count("import_known")
        new = await self._count("import_rows") - known
        try:
            changed = await self._run(sql.CHANGE_KNOWN, self._tenant_id) if known else 0
            added = await self._add(new) if new else 0
        except asyncpg.UniqueViolationError:
            raise BadFile(
                "an external reference in the file belongs to another customer already, or stands twice; "
                "import with --match external_ref, or without that column"
            ) from None
        changed += await self._run(sql.ADD_MISSING_PHONES, self._tenant_id) if known else 0
        return Counts(
            added=added,
            changed=changed,
            unchanged=known - changed,
            merged=await self._count("import_folded"),
            ambiguous=tuple(ambiguous),
        )

    async def _add(self, new: int) -> int:
        async with without_indexes(self._connection, new, PATIENCE_S):
            added = await self._run(sql.ADD_NEW, self._tenant_id)
            await self._run(sql.ADD_PHONES_OF_NEW, self._tenant_id)
            return added

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
        tag = await self._connection.execute(statement, *arguments, timeout=PATIENCE_S)
        last = tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def _count(self, table: str) -> int:
        counted: int = await self._connection.fetchval(f"SELECT count(*) FROM {table}", timeout=PATIENCE_S)
        return counted
