"""Made-up customers in any number, the same in each run, and a PostgreSQL to put them in."""

import asyncio
import csv
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from callcenter.db import migrations
from callcenter.db.embedded import EmbeddedPostgres
from callcenter.db.engine import Database, connect

HEADER = ("id", "name", "company", "email", "phone")
NO_DISK = {"fsync": "off", "synchronous_commit": "off", "max_wal_size": "4GB"}
_SYLLABLES = "an ber cor dal el fin gor hal is jor kel lin mar nor os per quin ros sal tor ul ver win yor zel".split()


def people(count: int, changed: int = 0) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield rows of `HEADER`; the first `changed` ones have another company than else."""
    dice = random.Random(7)

    def word(syllables: int) -> str:
        return "".join(dice.choices(_SYLLABLES, k=syllables)).capitalize()

    firsts, lasts = [word(2) for _ in range(600)], [word(3) for _ in range(6_000)]
    companies, hosts = [f"{word(3)} {word(2)} Ltd" for _ in range(60_000)], [word(3).lower() for _ in range(5_000)]
    for place in range(count):
        first, last = dice.choice(firsts), dice.choice(lasts)
        company = dice.choice(companies)
        email = f"{first}.{last}{place % 97}@{dice.choice(hosts)}.example.com".lower()
        yield f"R{place}", f"{first} {last}", "Moved Ltd" if place < changed else company, email, phone(place)


def phone(place: int) -> str:
    """The number of the customer at this place, as people write it."""
    return f"07{place * 7919 % 1_000_000_000:09d}"


def write_file(path: Path, count: int, changed: int = 0) -> Path:
    """Write a CSV file of so many people."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(people(count, changed))
    return path


@asynccontextmanager
async def scratch_database() -> AsyncIterator[tuple[Database, int, Path]]:
    """A migrated database, its tenant, and a directory for files; all gone at the end."""
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="callcenter-bench-"))
    try:
        async with EmbeddedPostgres(directory / "postgresql", NO_DISK) as server:
            database = await connect(server.url(), pool_size=4, statement_timeout=timedelta(minutes=30))
            try:
                await migrations.upgrade(database)
                yield database, await database.ensure_tenant("default"), directory
            finally:
                await database.close()
    finally:
        await asyncio.to_thread(shutil.rmtree, directory)
