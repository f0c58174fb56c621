"""Other systems' reads: a page of the change feed against a bare indexed SELECT, and files against COPY TO STDOUT.

A page is 50 changes behind a place somewhere in the feed; ours makes whole records with their parts, `bare` fetches the
same calls' rows and nothing of what belongs to them, by a statement that PostgreSQL has prepared. "Nothing new" is what
a reader at the end of the feed asks all the time. Quick: 100 thousand calls, full: 10 million.

Files are made of at most a million calls and thrown away. The limit is COPY TO STDOUT of the tables whose rows are in
the file (calls, and of their parts queue visits, offers and connections), one after the other in the order of the disk,
passed through the same connection. Next to it stands COPY of `calls` alone, which has nothing of the parts. Memory is
what `callcenter export calls` has at its largest, all of Python included.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

from bench.filling import fill_calls
from bench.people import scratch_database
from bench.rows import Row, quantile_rows, table
from callcenter.calllog.export import Exports, Layout
from callcenter.calllog.feed import cursor_at, read_changes
from callcenter.calllog.queries import CallFilter
from callcenter.db.engine import Connection, Database

PAGE = 50
BARE = "SELECT c.* FROM calls c WHERE c.tenant_id = $1 AND c.seq > $2 ORDER BY c.seq LIMIT $3"
PARTS = ("queue_visits", "offers", "connections")
MOST_IN_A_FILE = 1_000_000
PATIENCE_S = 600.0
BUDGETS = {Layout.CSV: "≤ 1.5", Layout.NDJSON: "≤ 4"}

Way = Callable[[], Awaitable[object]]


async def measure_pages(database: Database, tenant_id: int, calls: int, times: int) -> list[Row]:
    """Milliseconds of a page somewhere in the feed, and at its end."""
    rows: list[Row] = []
    dice = random.Random(5)
    async with database.pool.acquire() as connection:
        bare = await connection.prepare(BARE)
        for name, highest in (("a page of changes", calls - PAGE), ("nothing new", 0)):
            took: dict[str, list[float]] = {"bare": [], "ours": []}
            for turn in range(times + 10):
                seen = dice.randrange(highest) if highest else calls
                cursor = cursor_at(seen, datetime.now(UTC))

                async def ours(cursor: str = cursor) -> object:
                    async with database.unit(tenant_id) as unit:
                        return await read_changes(unit, cursor, limit=PAGE)

                async def limit(seen: int = seen) -> object:
                    return await bare.fetch(tenant_id, seen, PAGE)

                ways: dict[str, Way] = {"bare": limit, "ours": ours}
                # who comes first reads from the disk for the other one, so they take turns
                for way in sorted(ways, reverse=bool(turn % 2)):
                    begun = time.perf_counter()
                    await ways[way]()
                    if turn >= 10:
                        took[way].append((time.perf_counter() - begun) * 1000)
            rows += quantile_rows(name, took)
    return rows


async def measure_files(database: Database, tenant_id: int, first: datetime, turns: int) -> list[Row]:
    """Seconds and bytes of a file of all calls since `first`; the ways take turns."""
    exports, wanted = Exports(database), CallFilter(since=first)
    size = {"written": 0}

    async def away(piece: bytes) -> None:
        size["written"] += len(piece)

    async def copy(connection: Connection, *statements: str) -> None:
        for statement in statements:
            await connection.copy_from_query(statement, tenant_id, first, output=away, format="csv", timeout=PATIENCE_S)

    chosen = "c.tenant_id = $1 AND c.started_at >= $2"
    calls = f"SELECT c.* FROM calls c WHERE {chosen}"
    parts = [f"SELECT p.* FROM {name} p JOIN calls c USING (tenant_id, call_id) WHERE {chosen}" for name in PARTS]
    took: dict[str, list[float]] = {}
    count = 0
    connection = await database.dedicated()
    try:
        await connection.execute(f"SET statement_timeout = '{PATIENCE_S:.0f}s'")
        ways: dict[str, Way] = {
            LIMIT: lambda: copy(connection, calls, *parts),
            "COPY of calls alone": lambda: copy(connection, calls),
            **{
                f"ours, {layout}": partial(exports.run, tenant_id, wanted, layout, away, by="bench")
                for layout in Layout
            },
        }
        for _ in range(turns):
            for name, way in ways.items():
                begun = time.perf_counter()
                found = await way()
                took.setdefault(name, []).append(time.perf_counter() - begun)
                count = found if isinstance(found, int) else count
    finally:
        await connection.close()
    limit = statistics.median(took[LIMIT])
    budgets = {f"ours, {layout}": budget for layout, budget in BUDGETS.items()}
    return [
        Row(
            name=f"{count:,} calls, {name}",
            value=count / statistics.median(times),
            unit="calls/s",
            # the ratio of the times, so that more is slower
            ratio=statistics.median(times) / limit,
            ratio_to="the time of COPY",
            budget=budgets.get(name, ""),
        )
        for name, times in took.items()
    ]


def measure_memory(url: str, first: datetime) -> list[Row]:
    """The largest memory of the command, which throws away what it writes."""
    rows = []
    for layout in Layout:
        command = (sys.executable, "-c", _COMMAND, "export", "calls", "-", "--format", layout, "--since", str(first))
        environment = os.environ | {"CALLCENTER_DATABASE_URL": url}
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the export ended with {process.returncode}")
        rows.append(
            Row(name=f"memory of the command, {layout}", value=usage.ru_maxrss / 1024, unit="MB", budget="≤ 100")
        )
    return rows


LIMIT = "COPY of calls and parts"
_COMMAND = "from callcenter.cli.main import main; main()"


async def fill_and_measure(calls: int, customers: int, times: int) -> list[Row]:
    """All of it, on a database of its own."""
    async with scratch_database() as (database, tenant_id, _):
        await fill_calls(database, tenant_id, calls, customers, lambda doing: print(doing, file=sys.stderr, flush=True))
        rows = await measure_pages(database, tenant_id, calls, times)
        first = await database.pool.fetchval(
            "SELECT started_at FROM calls WHERE tenant_id = $1 ORDER BY started_at DESC OFFSET $2 LIMIT 1",
            tenant_id,
            min(calls, MOST_IN_A_FILE) - 1,
        )
        rows += await measure_files(database, tenant_id, first, 3)
        return rows + await asyncio.to_thread(measure_memory, database.place, first)


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    calls, customers, times = (10_000_000, 1_000_000, 1_000) if full else (100_000, 10_000, 300)
    return asyncio.run(fill_and_measure(calls, customers, times))


if __name__ == "__main__":
    print(table("Following and exporting the call log", run(True)))
