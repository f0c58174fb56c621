"""Importing a file of customers: ours against a bare COPY of the same file into a table without any index.

`python -m bench.import_customers [--quick]`: a million rows (quick: 100 000), each with a reference, name, company,
e-mail and a phone number that is read as E.164. First into empty tables, then again unchanged, then with one row
in a hundred changed. Budget: ≤ 20 × bare COPY the first time, ≤ 10 × when little changed, flat memory.

Two more limits, of what PostgreSQL alone takes for the customers' tables, from rows that are prepared already: COPY
with all indexes there, and COPY without them as an import does, with the indexes made after it.
"""

import argparse
import asyncio
import resource
import time
from pathlib import Path

from bench.people import HEADER, scratch_database, write_file
from bench.rows import Row, against, table
from callcenter.customers.importer.fresh import EmptyTables
from callcenter.customers.importer.job import import_customers
from callcenter.customers.importer.staging import PATIENCE_S
from callcenter.db.engine import Database

LIMIT = "bare COPY"


async def bare_copy(database: Database, file: Path) -> float:
    """Seconds for COPY of the file as it is; the better of two."""
    best = float("inf")
    columns = ", ".join(f"{name} text" for name in HEADER)
    for _ in range(2):
        await database.pool.execute(f"CREATE TABLE bare ({columns})")
        began = time.perf_counter()
        await database.pool.copy_to_table("bare", source=file, format="csv", header=True)
        best = min(best, time.perf_counter() - began)
        await database.pool.execute("DROP TABLE bare")
    return best


async def prepared_copies(database: Database, directory: Path) -> list[tuple[str, float, str]]:
    """Seconds for COPY of all customers and their phones, before their indexes are made, and after."""
    files = {name: directory / f"{name}.copy" for name in ("customers", "customer_phones")}
    for name, file in files.items():
        await database.pool.copy_from_table(name, output=file, timeout=PATIENCE_S)
    took: list[tuple[str, float, str]] = []
    for how, straight in (("without indexes, then these", True), ("into the indexed tables", False)):
        await database.pool.execute("TRUNCATE customers CASCADE")
        began = time.perf_counter()
        async with database.pool.acquire() as connection, connection.transaction():
            empty = EmptyTables(connection, PATIENCE_S)
            assert not straight or await empty.open()
            for name, file in files.items():
                await connection.copy_to_table(name, source=file, timeout=PATIENCE_S)
            await empty.close()
        took.append((f"COPY of prepared rows {how}", time.perf_counter() - began, ""))
    return took


def peak_mb() -> float:
    """The most memory that this process and the one that reads have held."""
    held = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(held) / 1024


async def _run(count: int) -> list[Row]:
    async with scratch_database() as (database, tenant_id, directory):
        small = await asyncio.to_thread(write_file, directory / "small.csv", 10_000)
        await import_customers(database, tenant_id, small, "GB")
        await database.pool.execute("TRUNCATE customers CASCADE")
        before = peak_mb()
        file = await asyncio.to_thread(write_file, directory / "customers.csv", count)
        measured = [(LIMIT, await bare_copy(database, file), "")]
        first = await import_customers(database, tenant_id, file, "GB")
        assert first.added == count
        measured.append((f"first import of {count:,}", first.seconds, "≤ 20"))
        again = await import_customers(database, tenant_id, file, "GB")
        assert again.unchanged == count
        measured.append(("again, nothing changed", again.seconds, "≤ 10"))
        await asyncio.to_thread(write_file, file, count, count // 100)
        third = await import_customers(database, tenant_id, file, "GB")
        assert third.changed == count // 100
        measured.append(("again, 1 % changed", third.seconds, "≤ 10"))
        growth = peak_mb() - before
        measured += await prepared_copies(database, directory)
        rows = against(measured, LIMIT, "s")
        return [*rows, Row(name="memory beyond that of 10,000 rows", value=growth, unit="MB", budget="≤ 100")]


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    return asyncio.run(_run(100_000 if quick else 1_000_000))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    print(table("Import of customers", run(arguments.parse_args().quick)))
