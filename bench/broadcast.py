"""Messages per second and core that go out to a whole floor.

`python bench/broadcast.py [--pages 500] [--rounds 200] [--uvloop]`: the same message to every page, by raw sockets, by
`websockets.broadcast` with and without compression, and by the screen-pop server, which also numbers and keeps it
for each agent. Time is the processor time of the server's process; the pages live in another. Budget (design):
at least 0.8 of websockets without compression.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from bench.floor import KINDS, floor


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


def main() -> None:
    """Measure each kind in a process of its own, three times in turn; print the best of each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--kind", choices=KINDS, help="measure this one only, and print its number")
    options = parser.parse_args()
    if options.kind:
        if options.uvloop:
            import uvloop

            print(uvloop.run(measure(options.kind, options.pages, options.rounds)))
        else:
            print(asyncio.run(measure(options.kind, options.pages, options.rounds)))
        return
    best = dict.fromkeys(KINDS, 0.0)
    for _ in range(3):
        for kind in KINDS:
            command = [sys.executable, "-m", "bench.broadcast", *sys.argv[1:], "--kind", kind]
            best[kind] = max(best[kind], float(subprocess.check_output(command, timeout=120).split()[-1]))
    result = {kind: round(rate) for kind, rate in best.items()}
    ratio = round(best["screenpop"] / best["websockets"], 2)
    print(json.dumps({"messages_per_cpu_s": result, "screenpop/websockets": ratio, "budget": ">= 0.8"}, indent=2))


if __name__ == "__main__":
    main()
