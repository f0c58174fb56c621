"""Back-fill from Asterisk's channel events (CEL): ours against just reading the same rows.

The recorded cases of tests/replay are repeated, one beginning two seconds after the other, with channels, bridges and
times of their own, until there are enough rows (quick: 50 thousand, full: a million). They are read from a CSV file as
`cel_custom.conf` writes it, and from `asterisk.cel` in PostgreSQL. There is no queue_log.

- limit: `csv.reader` over the file; a server-side cursor over the columns that are used, in the order of time.
- rebuilt: rows read, parsed, put together into calls, translated into events, and followed by the tracker.
- and written: the same, each call compared with a call log that has none of them, and written into it. Commits do not
  wait for the disk.
- again: the same once more, where the log has all of the calls and nothing is written.

More rows per second is better; the ratio is that of the times. Memory is what this process holds beyond what 5 000 rows
took; budget: at most 100 MB more, however many rows there are.
"""

import asyncio
import csv
import heapq
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Final

from bench.import_customers import peak_mb
from bench.people import scratch_database
from bench.rows import Row, table
from callcenter.backfill import rebuilding
from callcenter.backfill.cel import COLUMNS
from callcenter.backfill.csvlines import PLACES
from callcenter.backfill.gathering import Gatherer
from callcenter.calllog.reconciling.csvfiles import CsvCel
from callcenter.calllog.reconciling.postgres import PostgresCel
from callcenter.calllog.reconciling.run import CelSource, Records, Run
from callcenter.db.engine import Database
from callcenter.joints.directory import directory_of
from callcenter.settings import PbxSettings

REPLAY: Final = Path(__file__).parents[1] / "tests" / "replay"
SETTINGS: Final = PbxSettings(region="GB", trunks=("trunk",))
"""The PBX that the cases were recorded from."""
START: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
STEP_S: Final = 2
"""Seconds between the beginnings of two calls."""
SMALL: Final = 5000
"""Rows before the memory is looked at first."""
EVENTTIME, UNIQUEID, LINKEDID = 1, 2, 3
"""Places in a line of the CSV file."""
BRIDGE: Final = r"[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
PATIENCE_S: Final = 600.0

Line = list[str]
Way = Callable[[], Awaitable[object]]


class Case:
    """The rows of a recorded case, to be told again at another time."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            self._lines = list(csv.reader(file))
        self._began = min(float(line[EVENTTIME]) for line in self._lines)
        names = {line[place] for line in self._lines for place in (UNIQUEID, LINKEDID)}
        known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        self._named = re.compile(rf"(?<![\w.])(?:(?P<channel>{known})(?![\w.])|{BRIDGE})")

    def lines(self, at: float, copy: int) -> Iterator[tuple[float, Line]]:
        """The rows as if the first were written at a time; `copy` makes the names others than those of any other."""
        shift = int(at - self._began)

        def renamed(found: re.Match[str]) -> str:
            channel = found["channel"]
            if channel is None:
                return f"{copy:08x}"
            epoch, _, number = channel.rpartition(".")
            if epoch.isdecimal() and number.isdecimal():
                return f"{int(epoch) + shift}.{copy * 1000 + int(number)}"
            return f"{channel}-{copy}"

        for line in self._lines:
            told = [self._named.sub(renamed, text) for text in line]
            moved = float(line[EVENTTIME]) + shift
            told[EVENTTIME] = f"{moved:.6f}"
            yield moved, told


def told(rows: int) -> Iterator[Line]:
    """So many rows, in the order of time; the last calls may be cut off."""
    cases = [Case(path) for path in sorted(REPLAY.glob("*/cel.csv")) if path.stat().st_size]
    waiting: list[tuple[float, int, Line]] = []
    numbers = count()

    def ordered() -> Iterator[Line]:
        for copy in count():
            begins = START.timestamp() + copy * STEP_S
            # The time of a copy is a whole number of seconds away from the recorded one, so up to one before.
            while waiting and waiting[0][0] < begins - 1:
                yield heapq.heappop(waiting)[2]
            for at, line in cases[copy % len(cases)].lines(begins, copy):
                heapq.heappush(waiting, (at, next(numbers), line))

    return islice(ordered(), rows)


def write_file(path: Path, rows: int) -> Path:
    """Write a file as `cel_custom.conf` has it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(told(rows))
    return path


async def fill_table(database: Database, rows: int) -> None:
    """Put the same rows into `asterisk.cel`, as cel_pgsql does."""
    records = (
        tuple(float(line[place]) if place == EVENTTIME else line[place] for place in PLACES) for line in told(rows)
    )
    await database.pool.execute("TRUNCATE asterisk.cel")
    await database.pool.copy_records_to_table(
        "cel", schema_name="asterisk", columns=list(COLUMNS), records=records, timeout=PATIENCE_S
    )
    await database.pool.execute("ANALYZE asterisk.cel")


class Bench:
    """So many rows in both places, and the ways to read them."""

    def __init__(self, database: Database, tenant_id: int, file: Path, rows: int) -> None:
        self.database = database
        self.rows = rows
        self.until = START + timedelta(seconds=rows * STEP_S)
        self.calls = 0
        """That were found in the rows; each way must find as many."""
        self._tenant_id = tenant_id
        self._file = file
        self._directory = directory_of(SETTINGS, tenant="default")
        self.sources: dict[str, tuple[CelSource, str, Way]] = {
            "CSV": (CsvCel(file), "csv.reader", self.bare_csv),
            "PostgreSQL": (PostgresCel(database), "a bare cursor", self.bare_cursor),
        }
        """Where the rows are → how we read them, what it is compared with, and that."""

    async def bare_csv(self) -> None:
        """The rows of the file, as lists of text."""
        with self._file.open(encoding="utf-8", newline="") as file:
            self._all(sum(1 for _ in csv.reader(file)))

    async def bare_cursor(self) -> None:
        """The rows of the table, as asyncpg has them."""
        seen = 0
        async with self.database.pool.acquire() as connection, connection.transaction():
            statement = f"SELECT {', '.join(COLUMNS)} FROM asterisk.cel ORDER BY eventtime, id"
            async for _ in connection.cursor(statement, prefetch=1000):
                seen += 1
        self._all(seen)

    async def rebuild(self, source: CelSource) -> None:
        """All calls, which are thrown away."""
        gatherer = Gatherer()
        seen = calls = 0
        async for page in source.pages(START - timedelta(hours=1), self.until, _unreadable):
            seen += len(page)
            for row in page:
                for group in gatherer.row(row):
                    calls += sum(1 for _ in rebuilding.calls(group, self._directory, with_queue_log=False))
        for group in gatherer.rest():
            calls += sum(1 for _ in rebuilding.calls(group, self._directory, with_queue_log=False))
        self._all(seen)
        self.calls = calls

    async def reconcile(self, source: CelSource, *, missing: bool) -> None:
        """All calls compared with the log, and written if it has none of them."""
        records = Records(pbx=SETTINGS.id, cel=source, queue_log=None, directory=self._directory)
        since = START - timedelta(hours=1)
        tally = await Run(self.database, self._tenant_id, records, since=since, until=self.until).run()
        self._all(tally.rows)
        found = tally.missing if missing else tally.same
        if found != tally.pbx_calls or not 0.9 * self.calls < found <= self.calls or tally.failed or tally.bad_rows:
            raise RuntimeError(f"{found} calls of {self.calls} alike, {tally.failed} failed, {tally.bad_rows} bad")

    async def forget(self) -> None:
        """Empty the call log."""
        await self.database.pool.execute("TRUNCATE calls CASCADE")

    def _all(self, seen: int) -> None:
        if seen != self.rows:
            raise RuntimeError(f"{seen} rows were read, and there are {self.rows}")

    async def turn(self) -> dict[str, dict[str, float]]:
        """Seconds of each way, by the place from which it reads."""
        took: dict[str, dict[str, float]] = {}
        for place, (source, limit, bare) in self.sources.items():
            await self.forget()
            took[place] = {
                f"{limit} (limit)": await _seconds(bare()),
                "rebuilt": await _seconds(self.rebuild(source)),
                "rebuilt, compared and written": await _seconds(self.reconcile(source, missing=True)),
                "again, nothing missing": await _seconds(self.reconcile(source, missing=False)),
            }
        return took


def _unreadable(reason: str) -> None:
    raise RuntimeError(f"a row cannot be read: {reason}")


async def _seconds(doing: Awaitable[object]) -> float:
    began = time.perf_counter()
    await doing
    return time.perf_counter() - began


async def _run(rows: int, turns: int) -> list[Row]:
    async with scratch_database() as (database, tenant_id, directory):
        # Everything once with few rows: what it needs at all is in the memory before it is looked at.
        small = await asyncio.to_thread(write_file, directory / "small.csv", SMALL)
        await fill_table(database, SMALL)
        await Bench(database, tenant_id, small, SMALL).turn()
        before = peak_mb()
        file = await asyncio.to_thread(write_file, directory / "cel.csv", rows)
        await fill_table(database, rows)
        bench = Bench(database, tenant_id, file, rows)
        took = [await bench.turn() for _ in range(turns)]
        growth = peak_mb() - before
    out = []
    for place, (_, limit, _) in bench.sources.items():
        limits = [turn[place][f"{limit} (limit)"] for turn in took]
        for way in took[0][place]:
            times = [turn[place][way] for turn in took]
            out.append(
                Row(
                    name=f"{place}: {way}",
                    value=rows / statistics.median(times),
                    unit="rows/s",
                    # the ratio of the times, so that more is slower
                    ratio=statistics.median(one / base for one, base in zip(times, limits, strict=True)),
                    ratio_to=f"the time of {limit}",
                )
            )
    size = Row(name=f"calls in {rows:,} rows", value=bench.calls, unit="calls")
    return [size, *out, Row(name=f"memory beyond that of {SMALL:,} rows", value=growth, unit="MB", budget="≤ 100")]


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    return asyncio.run(_run(1_000_000, 1) if full else _run(50_000, 3))


if __name__ == "__main__":
    print(table("Back-fill from channel events", run(True)))
