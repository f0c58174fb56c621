"""Reading the call log when it is large: four reads of the API against a bare SELECT that walks the same index.

The newest page, a page at a random place (a cursor), a customer's calls and an agent's day, 50 calls each, read one
after the other with other customers, agents and places each time. Ours makes whole records, with visits, offers and
connections, decoded and checked; `bare` fetches the same calls' rows and nothing of what belongs to them, by a
statement that PostgreSQL has prepared: the limit. What counts with growth is that neither walks through more than it
gives: the quick size has 100 thousand calls, the full one 10 million.

Then old calls are deleted by a rule of retention while new ones are written, against one bare DELETE.

At 10 million the log is larger than what PostgreSQL keeps in memory (128 MB here), so that most of it comes from the
system's cache or the disk; the newest page is always in memory.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from functools import partial
from hashlib import md5
from uuid import UUID

from bench.calllog import answered_call
from bench.filling import AGENTS, END, YEARS, fill_calls, size_on_disk
from bench.people import scratch_database
from bench.rows import Row, quantile_rows, table
from callcenter.calllog import retention
from callcenter.calllog.queries import CallFilter, list_calls
from callcenter.calllog.store import store
from callcenter.db.engine import Database
from callcenter.settings import RetentionRule

PAGE = 50
READS = ("the newest page", "a page by cursor", "a customer's calls", "an agent's day")
_ROW = "SELECT c.* FROM calls c"
_END = f"ORDER BY c.started_at DESC, c.call_id DESC LIMIT {PAGE}"
BARE = {
    "the newest page": f"{_ROW} WHERE c.tenant_id = $1 {_END}",
    "a page by cursor": f"{_ROW} WHERE c.tenant_id = $1 AND (c.started_at, c.call_id) < ($2, $3) {_END}",
    "a customer's calls": f"{_ROW} WHERE c.tenant_id = $1 AND c.customer_id = $2 {_END}",
    "an agent's day": f"{_ROW} JOIN call_agents a ON a.tenant_id = $1 AND a.call_id = c.call_id"
    " WHERE c.tenant_id = $1 AND a.agent = $2 AND a.started_at >= $3 AND a.started_at < $4"
    f" ORDER BY a.started_at DESC, a.call_id DESC LIMIT {PAGE}",
}

Read = Callable[[], Awaitable[object]]


def asked(read: str, customers: int) -> Iterator[tuple[object, ...]]:
    """What is asked for, another one each time; the values of `BARE` from $2 on."""
    dice = random.Random(11)
    while True:
        at = END - timedelta(days=dice.uniform(1, 365 * YEARS))
        if read == "the newest page":
            yield ()
        elif read == "a page by cursor":
            yield at, UUID(int=dice.getrandbits(128))
        elif read == "a customer's calls":
            yield (UUID(md5(f"customer {dice.randrange(customers)}".encode()).hexdigest()),)
        else:
            yield f"agent{dice.randrange(AGENTS)}", at, at + timedelta(days=1)


async def prepared(database: Database, tenant_id: int, read: str, values: tuple[object, ...]) -> Read:
    """The read as the API does it, with a transaction of its own; a cursor is got beforehand, from the page before."""
    wanted, cursor = CallFilter(), None
    match read, values:
        case "a page by cursor", (datetime() as at, _):
            async with database.unit(tenant_id) as unit:
                cursor = (await list_calls(unit, CallFilter(until=at), limit=1)).next_cursor
        case "a customer's calls", (UUID() as customer,):
            wanted = CallFilter(customer=customer)
        case "an agent's day", (str() as agent, datetime() as since, datetime() as until):
            wanted = CallFilter(agent=agent, since=since, until=until)

    async def ours() -> object:
        async with database.unit(tenant_id) as unit:
            return await list_calls(unit, wanted, limit=PAGE, cursor=cursor)

    return ours


async def measure(database: Database, tenant_id: int, customers: int, times: int) -> list[Row]:
    """Rows of all reads."""
    rows = []
    async with database.pool.acquire() as connection:
        for read in READS:
            statement = await connection.prepare(BARE[read])

            took: dict[str, list[float]] = {"bare": [], "ours": []}
            for turn, values in zip(range(times + 10), asked(read, customers), strict=False):
                ways: dict[str, Read] = {
                    "bare": partial(statement.fetch, tenant_id, *values),
                    "ours": await prepared(database, tenant_id, read, values),
                }
                # who comes first reads the calls from the disk for the other one, so they take turns
                for name in sorted(ways, reverse=bool(turn % 2)):
                    begun = time.perf_counter()
                    await ways[name]()
                    if turn >= 10:
                        took[name].append((time.perf_counter() - begun) * 1000)
            rows += quantile_rows(read, took)
    return rows


async def measure_deletion(database: Database, tenant_id: int, share: float) -> list[Row]:
    """Delete that share of the log by a rule, beside one call a hundredth of a second that comes in and is written.

    The limit is one bare DELETE of as many calls and their parts, the next oldest: nothing is told to the change feed,
    nobody else gets a turn, and the rows stay locked until the end.
    """
    days = 365 * YEARS * share
    now = END + timedelta(days=365)
    rule = RetentionRule(keep_days=round((now - END).days + 365 * YEARS - days))
    alone = await _writes(database, tenant_id, asyncio.sleep(2))
    begun = time.perf_counter()
    deleted = 0
    took = 0.0

    async def delete() -> None:
        nonlocal deleted, took
        deleted = (await retention.apply(database, tenant_id, [rule], now, actor="bench")).total
        took = time.perf_counter() - begun

    beside = await _writes(database, tenant_id, delete())
    begun = time.perf_counter()
    await database.pool.execute(_BARE_DELETE, tenant_id, deleted)
    bare = time.perf_counter() - begun
    rows = [
        Row(
            name=f"deleting {deleted:,} old calls, {name}",
            value=deleted / spent,
            unit="calls/s",
            ratio=bare / spent,
            ratio_to="bare",
        )
        for name, spent in (("bare DELETE", bare), ("ours, resting half of the time", took))
    ]
    for name, place in (("p50", 50), ("p99", 99)):
        limit, value = (statistics.quantiles(each, n=100)[place - 1] for each in (alone, beside))
        rows += [
            Row(name=f"writing a call, {name}", value=limit, unit="ms", ratio=1.0, ratio_to="alone"),
            Row(
                name=f"writing a call while old ones are deleted, {name}",
                value=value,
                unit="ms",
                ratio=value / limit,
                ratio_to="alone",
            ),
        ]
    return rows


async def _writes(database: Database, tenant_id: int, beside: Coroutine[object, object, None]) -> list[float]:
    """Milliseconds of each write of a call while `beside` goes on."""
    took = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(beside)
        while not task.done():
            call = answered_call()
            begun = time.perf_counter()
            async with database.unit(tenant_id) as unit:
                await store(unit, [call], {})
            took.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(0.01)
    return took


_BARE_DELETE = """
    WITH old AS MATERIALIZED (
        SELECT call_id FROM calls WHERE tenant_id = $1 ORDER BY started_at, call_id LIMIT $2
    )
    DELETE FROM calls WHERE tenant_id = $1 AND call_id IN (SELECT call_id FROM old)
"""


async def fill_and_measure(calls: int, customers: int, times: int) -> list[Row]:
    """All of it, on a database of its own."""
    async with scratch_database() as (database, tenant_id, _):
        begun = time.perf_counter()
        await fill_calls(database, tenant_id, calls, customers)
        filled = Row(name=f"filled with {calls:,} calls", value=time.perf_counter() - begun, unit="s")
        size = sum((await size_on_disk(database)).values()) / calls
        disk = Row(name="on disk, with indexes, parts and agents", value=size, unit="bytes per call")
        read = await measure(database, tenant_id, customers, times)
        return [filled, disk, *read, *await measure_deletion(database, tenant_id, min(0.1, 50_000 / calls))]


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    calls, customers, times = (10_000_000, 1_000_000, 1000) if full else (100_000, 10_000, 200)
    return asyncio.run(fill_and_measure(calls, customers, times))


if __name__ == "__main__":
    print(table("Reading a large call log", run(True)))
