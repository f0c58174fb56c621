"""`make bench`: all benches one after the other, each in a process of its own, as one table.

`python -m bench [NAME …] [--full]`: quick sizes by default, a few minutes in all. What was measured replaces its part
of bench/RESULTS.md; a bench that fails is reported, and the others go on. All numbers that have a budget are ratios
within one run, so that they can be compared between machines; the values beside them cannot.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.rows import Row, table
from callcenter.db.embedded import MAJOR

BENCHES = {
    "events": "AMI events per second and core",
    "growth": "Cost of an event as calls in progress grow",
    "pops": "From the ringing event to the page's hand",
    "lookup": "Look-up of a customer by number",
    "import_customers": "Import of customers",
    "calllog": "Writing the call log",
    "history": "Reading a large call log",
    "feed": "Following and exporting the call log",
    "backfill": "Back-fill from channel events",
    "recovery": "Recovery after a restart",
    "agents": "Memory of a connected agent",
    "multitude": "Two thousand connected agents",
    "broadcast": "Messages to the whole floor",
    "board": "The supervisor's live floor",
    "paint": "The agent's page until it can be used",
    "boardpage": "The supervisor's page of a full floor",
    "reports": "A month's report",
}
"""Module → title, in the order in which they run."""

RESULTS = Path(__file__).with_name("RESULTS.md")
DEADLINE_S = {False: 600, True: 3600}
HEAD = """# Results

Written by `make bench`. A budget bounds a ratio within one run, or where a row has none, its value. The naive ways, the
limits and what exactly is timed are described at the top of each `bench/*.py`.
"""


def machine() -> str:
    """What the numbers were measured on."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (
        f"{found[1] if found else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB",
        f"Linux {platform.release().partition('-')[0]}",
        f"{platform.python_implementation()} {platform.python_version()}",
        f"PostgreSQL {MAJOR} (embedded)",
        *(f"{name} {version(name)}" for name in ("panoramisk", "websockets", "asyncpg", "SQLModel", "uvloop")),
    )
    return "; ".join(parts)


def measure(name: str, full: bool) -> list[Row]:
    """Run one bench in a process of its own.

    Raises:
        RuntimeError: it failed; says why, in its last words.
    """
    command = [sys.executable, "-m", "bench", name, "--json", *(["--full"] if full else [])]
    try:
        done = subprocess.run(command, capture_output=True, timeout=DEADLINE_S[full], check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it took more than {DEADLINE_S[full]} seconds") from None
    if done.returncode:
        raise RuntimeError("\n".join(done.stderr.decode(errors="replace").strip().splitlines()[-3:]))
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Row])


def shown(title: str, rows: list[Row]) -> Table:
    """The rows for a terminal."""
    grid = Table("what", title=title, title_justify="left", header_style="dim")
    for heading in ("value", "ratio", "budget"):
        grid.add_column(heading, justify="right")
    for row in rows:
        style = {None: "", True: "green", False: "bold red"}[row.met]
        grid.add_row(*row.cells(), style=style)
    return grid


def write(sections: dict[str, str]) -> None:
    """Put what was measured into the file, in the place of what stood there of the same title."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    kept = {part.partition("\n")[0]: f"## {part.strip()}" for part in text.split("\n## ")[1:]}
    kept |= sections
    ordered = [kept[title] for title in BENCHES.values() if title in kept]
    RESULTS.write_text("\n\n".join([HEAD.strip(), *ordered]) + "\n")


def run_all(names: list[str], full: bool) -> int:
    """Run benches, print and write what they measured; returns how many failed."""
    console = Console()
    console.print(machine())
    sections: dict[str, str] = {}
    failed = 0
    for name in names:
        title = BENCHES[name]
        began, load = time.monotonic(), os.getloadavg()[0]
        with console.status(f"{name} …"):
            try:
                rows = measure(name, full)
            except RuntimeError as problem:
                failed += 1
                console.print(f"[bold red]{name} failed[/]: {problem}")
                continue
        console.print(f"{name}: {time.monotonic() - began:.0f} s")
        console.print(shown(title, rows))
        first = ", ahead of all other work (real-time priority)" if os.sched_getscheduler(0) else ""
        sizes = "Full" if full else "Quick"
        note = f"{sizes} sizes, {datetime.now(UTC):%Y-%m-%d}, load average {load:.1f} before{first}."
        sections[title] = f"{table(title, rows)}\n\n{note} {machine()}."
        write(sections)
    return failed


def main() -> None:
    """Run what was named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; default all")
    parser.add_argument("--full", action="store_true", help="the large sizes: a million customers and more")
    parser.add_argument("--json", action="store_true", help="print the rows of one bench as JSON")
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHES:
            parser.error(f"there is no bench {name}: choose from {', '.join(BENCHES)}")
    if options.json:
        rows = import_module(f"bench.{options.names[0]}").run(not options.full, options.full)
        print(msgspec.json.encode(rows).decode())
    else:
        raise SystemExit(run_all(options.names or list(BENCHES), options.full))


if __name__ == "__main__":
    main()
