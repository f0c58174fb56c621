"""A month's report with roll-ups and without them: the same lines from sums, and from the calls themselves.

One call in ten thousand of the month is corrected before, as it happens in a company's day, so that the report with
roll-ups has some quarters to sum up on the spot. Both are of the month of 31 days at the end of three years, in another
zone than UTC, and are checked to be the same. The quick size has 100 thousand calls, the full one 10 million.
"""

import asyncio
import statistics
import time
from datetime import timedelta

from bench.filling import END, fill_calls
from bench.people import scratch_database
from bench.rows import Row, table
from callcenter.db.engine import Database
from callcenter.reports.reading import Kind, Wanted, lines
from callcenter.reports.rolling import catch_up

MONTH = Wanted(since=END - timedelta(days=31), until=END, zone="Asia/Shanghai")
KINDS = (Kind.QUEUES, Kind.AGENTS, Kind.DAYS, Kind.WEEK, Kind.NUMBERS, Kind.CUSTOMERS)
TIMES = 5
_CORRECT = """
    UPDATE calls SET outcome = 'sold' WHERE tenant_id = $1 AND started_at >= $2 AND started_at < $3
        AND hashtext(call_id::text) % 10000 = 0
"""


async def measure(database: Database, tenant_id: int) -> list[Row]:
    """Rows of all reports, milliseconds of the median."""
    rows = []
    for kind in KINDS:
        took: dict[bool, list[float]] = {True: [], False: []}
        found = {}
        for turn in range(TIMES * 2):
            rolled = bool(turn % 2)
            begun = time.perf_counter()
            async with database.unit(tenant_id) as unit:
                found[rolled] = await lines(unit, kind, MONTH, rolled=rolled)
            took[rolled].append((time.perf_counter() - begun) * 1000)
        if [one.key for one in found[True]] != [one.key for one in found[False]]:
            raise AssertionError(f"the report of {kind} differs with roll-ups")
        bare, ours = statistics.median(took[False]), statistics.median(took[True])
        name = f"{kind}, a month"
        rows.append(Row(name=f"{name}, from the calls", value=bare, unit="ms"))
        rows.append(Row(name=name, value=ours, unit="ms", ratio=ours / bare, ratio_to="from the calls"))
    return rows


async def fill_and_measure(calls: int, customers: int) -> list[Row]:
    """All of it, on a database of its own."""
    async with scratch_database() as (database, tenant_id, _):
        await fill_calls(database, tenant_id, calls, customers)
        begun = time.perf_counter()
        quarters = await catch_up(database, tenant_id)
        summed = Row(
            name=f"{calls:,} calls in {quarters:,} quarters summed up", value=time.perf_counter() - begun, unit="s"
        )
        async with database.unit(tenant_id) as unit:
            await unit.execute(_CORRECT, MONTH.since, MONTH.until)
        await database.pool.execute("ANALYZE")
        return [summed, *await measure(database, tenant_id)]


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    return asyncio.run(fill_and_measure(*((10_000_000, 1_000_000) if full else (100_000, 10_000))))


if __name__ == "__main__":
    print(table("A month's report", run(True)))
