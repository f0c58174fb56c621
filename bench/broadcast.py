"""Messages per second and core that go out to a whole floor.

`python -m bench.broadcast`: the same message to every page, by raw sockets, by
`websockets.broadcast` with and without compression, and by the screen-pop server, which also numbers and keeps it
for each agent. Time is the processor time of the server's process; the pages live in another. Budget (design):
at least 0.8 of websockets without compression.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path

import uvloop

from bench.floor import KINDS, floor
from bench.rows import Row, table

LIMIT = "websockets"


async def measure(kind: str, pages: int, rounds: int) -> float:
    """Messages per second of processor time."""
    async with floor(kind) as (port, send, _):
        crowd = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("crowd.py")),
            str(port),
            str(pages),
            KINDS[kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert crowd.stdout is not None and crowd.stdin is not None
        if (await asyncio.wait_for(crowd.stdout.readline(), 60)).strip() != b"ready":
            raise SystemExit(f"{kind}: the pages could not connect")
        for _ in range(10):
            send()
            await asyncio.sleep(0.01)
        began = time.process_time()
        for _ in range(rounds):
            send()
            await asyncio.sleep(0)
        spent = time.process_time() - began
        crowd.stdin.close()
        await crowd.wait()
        return pages * rounds / spent


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure each kind in a process of its own, in turn, and return the rows; ratios are made within each turn."""
    pages, rounds, turns = (300, 100, 3) if quick else (500, 200, 5)
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(turns):
        for kind, rates in found.items():
            sizes = ["--pages", str(pages), "--rounds", str(rounds)]
            command = [sys.executable, "-m", "bench.broadcast", *sizes, "--kind", kind]
            rates.append(float(subprocess.check_output(command, timeout=120).split()[-1]))
    return [
        Row(
            name={"screenpop": "ours"}.get(kind, kind),
            value=statistics.median(rates),
            unit="messages/s per core",
            ratio=statistics.median(one / base for one, base in zip(rates, found[LIMIT], strict=True)),
            ratio_to=f"{LIMIT} without compression",
            budget="≥ 0.8" if kind == "screenpop" else "",
        )
        for kind, rates in found.items()
    ]


def main() -> None:
    """Measure one kind, or print the table of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--kind", choices=KINDS, help="measure this one only, and print its number")
    options = parser.parse_args()
    if options.kind:
        print(uvloop.run(measure(options.kind, options.pages, options.rounds)))
    else:
        print(table("Messages to the whole floor", run(False)))


if __name__ == "__main__":
    main()
