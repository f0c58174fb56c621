"""Imports a file of customers: one transaction, constant memory, and an account of every row.

What the command `callcenter import customers` and the REST API call. The rules by which rows are recognized
and merged are in docs/import.md.
"""

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import asyncpg

from callcenter.customers.importer import fresh
from callcenter.customers.importer.batches import BatchReader
from callcenter.customers.importer.cells import Row
from callcenter.customers.importer.columns import Columns
from callcenter.customers.importer.opened import OpenedFile, Options
from callcenter.customers.importer.parts import Digests, Task
from callcenter.customers.importer.process import reading
from callcenter.customers.importer.rejects import RejectFile
from callcenter.customers.importer.rows import MatchRule, RowReader
from callcenter.customers.importer.staging import PATIENCE_S, Counts, SameTwiceError, Staging
from callcenter.db.engine import Connection, Database
from callcenter.errors import Conflict
from callcenter.matching.number import Reader
from callcenter.model import Value

PREVIEW_ROWS = 20


class Outcome(Value, frozen=True):
    """What would become of a row: `added`, `changed`, `unchanged`, `merged`, or `rejected` for a reason."""

    line: int
    cells: tuple[str, ...]
    result: str
    reason: str = ""


class Summary(Value, frozen=True):
    """What an import did. `rejects` is the file with the rows left out, if there were any."""

    rows: int
    added: int
    changed: int
    unchanged: int
    merged: int
    rejected: int
    seconds: float
    encoding: str
    delimiter: str
    match: MatchRule
    columns: Columns
    rejects: Path | None = None


class Preview(Value, frozen=True):
    """How a file would be read, and what would become of its first rows."""

    encoding: str
    delimiter: str
    match: MatchRule
    columns: Columns
    outcomes: tuple[Outcome, ...]


Progress = Callable[[int, int], None]
"""Called now and then with the bytes and the rows done so far."""


async def import_customers(
    database: Database,
    tenant_id: int,
    path: Path,
    region: str,
    options: Options | None = None,
    *,
    progress: Progress | None = None,
) -> Summary:
    """Import a file for a tenant; numbers are read as of `region`. All or, if it fails, nothing.

    Rows that cannot be customers go to `FILE.rejects.csv` beside the file, with line and reason.

    Raises:
        BadFile: the file cannot be read; nothing was imported.
        BadInput: there is no such region.
        Conflict: another import is running, or a customer was changed meanwhile.
    """
    began = time.monotonic()
    options = options or Options()
    try:
        opened, count, counts, rejects = await _import(database, tenant_id, path, region, options, progress, skip=True)
    except SameTwiceError:
        opened, count, counts, rejects = await _import(database, tenant_id, path, region, options, progress, skip=False)
    return Summary(
        rows=count,
        added=counts.added,
        changed=counts.changed,
        unchanged=counts.unchanged,
        merged=counts.merged,
        rejected=rejects.count,
        seconds=time.monotonic() - began,
        encoding=opened.encoding,
        delimiter=opened.delimiter,
        match=opened.match,
        columns=opened.columns,
        rejects=rejects.path if rejects.count else None,
    )


async def _import(
    database: Database,
    tenant_id: int,
    path: Path,
    region: str,
    options: Options,
    progress: Progress | None,
    *,
    skip: bool,
) -> tuple[OpenedFile, int, Counts, RejectFile]:
    opened = OpenedFile(path, options)
    rejects = RejectFile(path.with_name(path.name + ".rejects.csv"), opened.columns.headers)
    rejects.begin()
    try:
        async with database.pool.acquire() as connection, connection.transaction():
            straight = opened.size >= fresh.WORTH_IT
            staging = Staging(connection, tenant_id, opened.match, straight=straight, skip=skip)
            await staging.open()
            count = await _stage(connection, tenant_id, opened, region, staging, rejects, progress)
            counts = await _take_over(staging)
            for line in counts.ambiguous:
                rejects.add(Row(line, []), "several customers have this; give the rows an external_ref")
        if staging.is_straight:
            await _make_known(database)
    finally:
        rejects.end()
    return opened, count, counts, rejects


async def _make_known(database: Database) -> None:
    """Let PostgreSQL learn what the tables hold now, for whom all of it is new; by itself it does so a minute later.

    After the transaction, so that nobody waits for it who wants to read customers.
    """
    for table in ("customers", "customer_phones"):
        await database.pool.execute(f"ANALYZE {table}", timeout=PATIENCE_S)


async def _stage(
    connection: Connection,
    tenant_id: int,
    opened: OpenedFile,
    region: str,
    staging: Staging,
    rejects: RejectFile,
    progress: Progress | None,
) -> int:
    """Bring all rows to PostgreSQL while a process reads on; return how many there were."""
    rows = await _row_reader(connection, tenant_id, opened, region, staging)
    task = Task(
        path=str(opened.path),
        encoding=opened.encoding,
        delimiter=opened.delimiter,
        mapping=opened.mapping,
        match=opened.match,
        region=region,
        agents=rows.agents,
        tenant_id=rows.tenant_id,
        asks=staging.skips,
    )
    count = 0
    async with reading(task) as process:
        async for part in process.parts():
            if isinstance(part, Digests):
                await process.keep(await staging.pass_over(part.references, part.digests))
                continue
            for row, why in part.rejects:
                rejects.add(row, why)
            await staging.add(rows.customer_columns, part.customers, rows.phone_columns, part.phones)
            count = part.rows
            if progress is not None:
                progress(part.done, count)
    return count


async def _row_reader(
    connection: Connection, tenant_id: int, opened: OpenedFile, region: str, staging: Staging
) -> RowReader:
    """What reads single rows of a file; the staging is open."""
    found = await connection.fetch("SELECT agent_id FROM agents WHERE tenant_id = $1", tenant_id)
    agents = frozenset(row[0] for row in found)
    reader = Reader(region, cache_size=0)
    return RowReader(opened.columns, reader, opened.match, agents, tenant_id if staging.is_straight else None)


async def preview(
    database: Database, tenant_id: int, path: Path, region: str, options: Options | None = None
) -> Preview:
    """Say how a file would be read and what would become of its first rows; nothing is changed.

    Raises:
        BadFile, BadInput, Conflict: as `import_customers`.
    """
    opened = OpenedFile(path, options or Options())
    first = list(islice(opened.rows, PREVIEW_ROWS))
    problems: dict[int, str] = {}
    async with database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            staging = Staging(connection, tenant_id, opened.match)
            await staging.open()
            rows = await _row_reader(connection, tenant_id, opened, region, staging)
            batches = BatchReader(rows, opened.columns, opened.match, rows.agents, region)
            customers, phones = batches.read(batches.split(first), lambda row, why: problems.update({row.line: why}))
            await staging.add(rows.customer_columns, customers, rows.phone_columns, phones)
            counts = await _take_over(staging)
            problems |= dict.fromkeys(counts.ambiguous, "several customers have this")
            results = await staging.outcomes()
        finally:
            await transaction.rollback()
    outcomes = tuple(
        Outcome(
            line=row.line,
            cells=tuple(row.cells),
            result=results.get(row.line, "rejected"),
            reason=problems.get(row.line, ""),
        )
        for row in first
    )
    return Preview(
        encoding=opened.encoding,
        delimiter=opened.delimiter,
        match=opened.match,
        columns=opened.columns,
        outcomes=outcomes,
    )


async def _take_over(staging: Staging) -> Counts:
    try:
        return await staging.take_over()
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as problem:
        raise Conflict("customers were changed while they were imported; import the file again") from problem
