"""What 2,000 connected agents cost the whole service, and whether those who are called notice the others.

The service, a simulated PBX and 10 pages, whose agents get 20 calls a second; their pops are timed as in `pops`. Then
1,990 more agents connect, each with a seat and a page of their own in another process (`crowd`), and the same again.
Memory is the resident memory of the service's process before and after they came: socket, stream, session and state;
what the service knows of an agent who is not there, name and seat, is not in it. Budget: at most 60 KB each, and p50
and p99 with the others at most 1.5 and 2 times those without.
"""

import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from bench.lookup import fill
from bench.people import scratch_database
from bench.pops import PHONES, Load, Place, move_in, play, script, server
from bench.rows import Row
from callcenter.db.embedded import EmbeddedPostgres

FEW = 10
MANY = 2_000
CUSTOMERS = 10_000
CALLS_PER_S = 20
CONNECTING_S = 60
SETTLING_S = 3
QUANTILES = {"p50": (50, "≤ 1.5"), "p99": (99, "≤ 2")}


def resident(pid: int) -> float:
    """Kilobytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4


async def connected(place: Place, idle: list[str], stack: AsyncExitStack) -> None:
    """Let the other agents connect."""
    file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callcenter-bench-"))) / "hellos"
    file.write_text("\n".join(place.ready.hellos[phone] for phone in idle))
    crowd = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("crowd.py")), str(place.ready.port), str(len(idle)), "hello"),
        str(file),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert crowd.stdout is not None and crowd.stdin is not None
    stack.push_async_callback(crowd.wait)
    stack.callback(crowd.stdin.close)
    if (await asyncio.wait_for(crowd.stdout.readline(), CONNECTING_S)).strip() != b"ready":
        raise RuntimeError("the other agents could not connect")


async def _run(seconds: float, turns: int) -> list[Row]:
    callers = itertools.count(1)
    busy = PHONES[:FEW]
    idle = [str(20_000 + number) for number in range(MANY - FEW)]
    async with scratch_database() as (database, tenant_id, directory), AsyncExitStack() as stack:
        await fill(database, tenant_id, CUSTOMERS)
        agents = await move_in(database, tenant_id, [*busy, *idle])
        url = (await stack.enter_async_context(EmbeddedPostgres(directory / "postgresql"))).url()
        place = await stack.enter_async_context(server("ours", url, tenant_id, agents, busy))

        async def pops() -> list[float]:
            took: list[float] = []
            for _ in range(turns):
                load = Load(CALLS_PER_S, seconds, 1)
                steps = await asyncio.to_thread(script, load, callers, CUSTOMERS, busy)
                took += await play(place.exchange, place.crowd, steps)
            return took

        await pops()  # Warms everything up.
        alone, before = await pops(), resident(place.pid)
        await connected(place, idle, stack)
        await asyncio.sleep(SETTLING_S)
        each = (resident(place.pid) - before) / len(idle)
        among = await pops()
    rows = [Row(name=f"memory of each of {len(idle):,} more agents", value=each, unit="KB", budget="≤ 60")]
    for name, (percentile, budget) in QUANTILES.items():
        few, many = (statistics.quantiles(took, n=100)[percentile - 1] for took in (alone, among))
        rows.append(Row(name=f"{name} of a pop, {FEW} agents connected", value=few, unit="ms"))
        rows.append(
            Row(
                name=f"{name} of a pop, {MANY:,} agents connected",
                value=many,
                unit="ms",
                ratio=many / few,
                ratio_to=f"{FEW} agents",
                budget=budget,
            )
        )
    return rows


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    return uvloop.run(_run(10.0, 6 if full else 2))
