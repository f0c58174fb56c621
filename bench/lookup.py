"""Whose number it is: our look-up against a prepared statement on a covering index, `SELECT 1` and the ORM.

The covering index tells who it is and no more; a card needs the customer's row, and one line shows what PostgreSQL
takes for both, which is the least that any card costs.

`python -m bench.lookup [--quick] [--full]`: at 10 000 customers and at a million (quick: 10 000 and 100 000; full:
ten million too, which take minutes to fill in). The ways take turns, so that a busy machine slows all alike. Budget: at
most 1.5 × the prepared statement, and the same at any number of customers.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

import asyncpg
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

import callcenter.accounts.tables  # noqa: F401 — the ORM wants every table that a foreign key names
from bench.people import phone, scratch_database
from bench.rows import Row, against, table
from callcenter.customers.importer.fresh import EmptyTables
from callcenter.customers.index import CustomerIndex
from callcenter.customers.tables import Customer, CustomerPhone
from callcenter.db.engine import Database
from callcenter.matching.number import PhoneNumber, Reader
from callcenter.matching.rank import MatchStatus

COVERING = "SELECT customer_id, label FROM customer_phones WHERE tenant_id = $1 AND e164 = $2"
CARD = """
SELECT c.customer_id, c.name, c.company, p.label FROM customer_phones p
JOIN customers c ON c.tenant_id = $1 AND c.customer_id = p.customer_id WHERE p.tenant_id = $1 AND p.e164 = $2"""
LIMIT = "prepared statement on a covering index"
CUSTOMERS = """
INSERT INTO customers (tenant_id, customer_id, name, company, email)
SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Name ' || n % 5000,
  'Company ' || n % 9000, 'n' || n % 7000 || '@example.com' FROM generate_series($2::int, $3::int - 1) n"""
PHONES = """
INSERT INTO customer_phones (tenant_id, customer_id, raw, e164, national)
SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '0' || d, '+44' || d, d
FROM (
  SELECT n, '7' || lpad((n * 7919::bigint % 1000000000)::text, 9, '0') AS d FROM generate_series($2::int, $3::int - 1) n
) x"""
CHUNK = 1_000_000
"""Customers that are written at a time."""

PATIENCE_S = 1_800.0
TURNS = 60
PER_TURN = 25

Way = Callable[[PhoneNumber], Awaitable[object]]


async def fill(database: Database, tenant_id: int, count: int) -> None:
    """Put so many customers in place of those there are; indexes are made at the end, and progress is told."""
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{count:,} customers: {what} after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("TRUNCATE customers CASCADE")
        tables = EmptyTables(connection, PATIENCE_S)
        assert await tables.open()
        for start in range(0, count, CHUNK):
            for statement in (CUSTOMERS, PHONES):
                await connection.execute(statement, tenant_id, start, min(start + CHUNK, count), timeout=PATIENCE_S)
            tell(f"{min(start + CHUNK, count):,} written")
        await tables.close()
        tell("indexes made")
    for name in ("customers", "customer_phones"):
        await database.pool.execute(f"VACUUM (ANALYZE) {name}", timeout=PATIENCE_S)
    tell("vacuumed")


async def measure(database: Database, tenant_id: int, count: int) -> list[tuple[str, float, str]]:
    """Median microseconds of each way, at so many customers."""
    index, reader, dice = CustomerIndex(database.pool), Reader("GB"), random.Random(1)
    # As the service does: one connection is kept at hand.
    async with index.ready(), database.pool.acquire() as connection:
        ways = await _ways(database, connection, index, tenant_id)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(TURNS):
            for name, way in ways.items():
                for _ in range(PER_TURN):
                    number = reader.read(phone(dice.randrange(count)))
                    began = time.perf_counter()
                    await way(number)
                    if turn:
                        times[name].append((time.perf_counter() - began) * 1e6)
        found = await index.match(tenant_id, reader.read(phone(count - 1)))
        assert found.status is MatchStatus.ONE
    return [(name, statistics.median(spent), "≤ 1.5" if name == "ours" else "") for name, spent in times.items()]


async def _ways(
    database: Database,
    connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]",
    index: CustomerIndex,
    tenant: int,
) -> dict[str, Way]:
    one, covering, card = [await connection.prepare(sql) for sql in ("SELECT 1", COVERING, CARD)]

    async def nothing(number: PhoneNumber) -> object:
        return await one.fetch()

    async def limit(number: PhoneNumber) -> object:
        return await covering.fetch(tenant, number.e164)

    async def with_card(number: PhoneNumber) -> object:
        return await card.fetch(tenant, number.e164)

    async def ours(number: PhoneNumber) -> object:
        return await index.match(tenant, number)

    async def orm(number: PhoneNumber) -> object:
        async with AsyncSession(database.engine) as session:
            query = (
                select(Customer, CustomerPhone)
                .join(CustomerPhone, col(CustomerPhone.customer_id) == col(Customer.customer_id))
                .where(CustomerPhone.tenant_id == tenant, Customer.tenant_id == tenant)
                .where(CustomerPhone.e164 == number.e164)
            )
            return (await session.execute(query)).all()

    return {
        "SELECT 1": nothing,
        LIMIT: limit,
        "the same, and the card's row": with_card,
        "ours": ours,
        "SQLModel, ORM join": orm,
    }


async def _run(sizes: list[int]) -> list[Row]:
    rows: list[Row] = []
    at_first = 0.0
    async with scratch_database() as (database, tenant_id, _):
        for size in sizes:
            await fill(database, tenant_id, size)
            measured = await measure(database, tenant_id, size)
            for row in against(measured, LIMIT, "µs"):
                rows.append(replace(row, name=f"{row.name}, {size:,} customers"))
                if row.name == "ours":
                    at_first = at_first or row.ratio or 1.0
                    growth = (row.ratio or 1.0) / at_first
                    name = f"growth from {sizes[0]:,} to {size:,}"
                    rows.append(Row(name=name, value=growth, unit="×", budget="≤ 1.2"))
    return rows


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    sizes = [10_000, 100_000] if quick else [10_000, 1_000_000]
    return asyncio.run(_run(sizes + [10_000_000] * full))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--full", action="store_true")
    chosen = arguments.parse_args()
    print(table("Look-up by number", run(chosen.quick, chosen.full)))
