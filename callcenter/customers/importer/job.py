"""Imports a file of customers: one transaction, constant memory, and an account of every row.

What the command `callcenter import customers` and the REST API call. The rules by which rows are recognized
and merged are in docs/import.md.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import asyncpg

from callcenter.customers.importer import fresh
from callcenter.customers.importer.batches import Batch, BatchReader, Reject
from callcenter.customers.importer.cells import Row
from callcenter.customers.importer.columns import Columns
from callcenter.customers.importer.opened import OpenedFile, Options
from callcenter.customers.importer.rejects import RejectFile
from callcenter.customers.importer.rows import MatchRule, RowReader
from callcenter.customers.importer.staging import Counts, SameTwiceError, Staging
from callcenter.db.engine import Connection, Database
from callcenter.errors import Conflict
from callcenter.matching.number import Reader
from callcenter.model import Value

BATCH = 5_000
"""Rows that are staged at a time, which is what memory holds of the file."""

SWITCH_S = 0.0005
"""After how long Python's threads take turns during an import."""

UNSWEPT = 50_000
"""How many more objects than before there may be during an import until Python looks for cycles among them. A batch is
10 000 lists and tuples without any; looking through them would take as long as splitting the rows."""

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
    with _tuned():
        try:
            opened, counts, rejects = await _import(database, tenant_id, path, region, options, progress, skip=True)
        except SameTwiceError:
            opened, counts, rejects = await _import(database, tenant_id, path, region, options, progress, skip=False)
    return Summary(
        rows=opened.count,
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


@contextmanager
def _tuned() -> Iterator[None]:
    """Keep Python's threads and its search for cycles from slowing an import down.

    The event loop waits less long for the thread that reads: PostgreSQL would idle half of the time.
    """
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(min(interval, SWITCH_S))
    gc.set_threshold(thresholds[0] and max(thresholds[0], UNSWEPT), *thresholds[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)


async def _import(
    database: Database,
    tenant_id: int,
    path: Path,
    region: str,
    options: Options,
    progress: Progress | None,
    *,
    skip: bool,
) -> tuple[OpenedFile, Counts, RejectFile]:
    reader = Reader(region, cache_size=0)
    opened = OpenedFile(path, options)
    rejects = RejectFile(path.with_name(path.name + ".rejects.csv"), opened.columns.headers)
    rejects.begin()
    try:
        async with database.pool.acquire() as connection, connection.transaction():
            straight = opened.size >= fresh.WORTH_IT
            staging = Staging(connection, tenant_id, opened.match, straight=straight, skip=skip)
            await staging.open()
            stage = await _Stage.open(connection, tenant_id, opened, reader, staging)
            await stage.run(rejects.add, progress)
            counts = await _take_over(staging)
            for line in counts.ambiguous:
                rejects.add(Row(line, []), "several customers have this; give the rows an external_ref")
    finally:
        rejects.end()
    return opened, counts, rejects


class _Stage:
    """Brings the rows of a file to PostgreSQL, a batch at a time."""

    def __init__(self, opened: OpenedFile, staging: Staging, rows: RowReader, batches: BatchReader) -> None:
        self._opened = opened
        self._staging = staging
        self._rows = rows
        self._batches = batches

    @classmethod
    async def open(
        cls, connection: Connection, tenant_id: int, opened: OpenedFile, reader: Reader, staging: Staging
    ) -> "_Stage":
        """Make the readers of a file; the staging is open."""
        found = await connection.fetch("SELECT agent_id FROM agents WHERE tenant_id = $1", tenant_id)
        agents = frozenset(row[0] for row in found)
        columns, match = opened.columns, opened.match
        rows = RowReader(columns, reader, match, agents, tenant_id if staging.is_straight else None)
        return cls(opened, staging, rows, BatchReader(rows, columns, match, agents, reader.region))

    async def run(self, reject: Reject, progress: Progress | None) -> None:
        """Read all rows in a thread, one batch ahead of PostgreSQL, so that both work at the same time."""
        ready = await asyncio.to_thread(self._next, reject)
        while ready is not None:
            try:
                async with asyncio.TaskGroup() as group:
                    ahead = group.create_task(asyncio.to_thread(self._next, reject), name="import: read ahead")
                    await self._add(ready, reject)
            except ExceptionGroup as several:
                raise several.exceptions[0] from None
            ready = ahead.result()
            if progress is not None:
                progress(self._opened.text.done, self._opened.count)

    async def add(self, rows: Sequence[Row], reject: Reject) -> None:
        """Bring these rows only."""
        await self._add(self._batches.read(self._batches.split(list(rows)), reject), reject)

    def _next(self, reject: Reject) -> Batch | tuple[bytes, bytes] | None:
        """The next batch, or None at the end of the file; COPY lines already if none of it can be passed over."""
        rows = list(islice(self._opened.rows, BATCH))
        self._opened.count += len(rows)
        if not rows:
            return None
        batch = self._batches.split(rows)
        return batch if self._staging.skips else self._batches.read(batch, reject)

    async def _add(self, ready: Batch | tuple[bytes, bytes], reject: Reject) -> None:
        if isinstance(ready, Batch):
            ready.keep(await self._staging.pass_over(ready.references, ready.digests))
            ready = await asyncio.to_thread(self._batches.read, ready, reject)
        customers, phones = ready
        await self._staging.add(self._rows.customer_columns, customers, self._rows.phone_columns, phones)


async def preview(
    database: Database, tenant_id: int, path: Path, region: str, options: Options | None = None
) -> Preview:
    """Say how a file would be read and what would become of its first rows; nothing is changed.

    Raises:
        BadFile, BadInput, Conflict: as `import_customers`.
    """
    reader = Reader(region, cache_size=0)
    opened = OpenedFile(path, options or Options())
    first = list(islice(opened.rows, PREVIEW_ROWS))
    problems: dict[int, str] = {}
    async with database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            staging = Staging(connection, tenant_id, opened.match)
            await staging.open()
            stage = await _Stage.open(connection, tenant_id, opened, reader, staging)
            await stage.add(first, lambda row, why: problems.update({row.line: why}))
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
