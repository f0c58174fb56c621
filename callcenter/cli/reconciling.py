"""`callcenter reconcile`: the call log against what the PBX wrote down itself."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter import settings as configuration
from callcenter.accounts.seats import Seats
from callcenter.accounts.values import Extension
from callcenter.backfill.report import Reconciliation, Tally
from callcenter.customers.index import CustomerIndex
from callcenter.db.engine import Database
from callcenter.db.opening import open_database
from callcenter.errors import BadInput, SettingsError
from callcenter.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

FAILED = 1
"""Exit code where what the PBX wrote could not be read to its end."""
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def run(config: Path | None, pbx: str | None, since: str, until: str | None, dry_run: bool, everything: bool) -> int:
    """Compare, print what came of it, and give the exit code."""
    loaded = configuration.load(config)
    now = datetime.now(UTC)
    chosen = [one.id for one in loaded.pbx if pbx in (None, one.id)]
    if not chosen:
        raise SettingsError("there is no such [[pbx]] in the configuration")
    times = moment(since, now), moment(until, now) if until is not None else None
    return asyncio.run(_run(loaded, chosen, times, dry_run, everything))


def moment(text: str, now: datetime) -> datetime:
    """A time as people write it: `2026-11-23`, `2026-11-23T08:00` (this machine's time), or ago: `90m`, `36h`, `7d`.

    Raises:
        BadInput: it is none of these.
    """
    unit = UNITS.get(text[-1:])
    if unit is not None and text[:-1].isdecimal() and len(text) < 7:
        return now - timedelta(**{unit: int(text[:-1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{text!r} is no time: write 2026-11-23, 2026-11-23T08:00, 36h or 7d") from None


async def _run(
    loaded: Settings, pbxs: list[str], times: tuple[datetime, datetime | None], dry_run: bool, everything: bool
) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from callcenter.joints.reconciling import Reconciler

    console = Console()
    since, until = times
    span = ((until or datetime.now(UTC)) - since).total_seconds() or 1.0
    code = 0
    async with open_database(loaded) as database:
        tenant_id = await database.ensure_tenant(loaded.tenant)
        index = CustomerIndex(database.pool)
        async with index.ready():
            seats = await _seats(database, tenant_id)
            reconciler = Reconciler(loaded, database, tenant_id, index, lambda one: seats.get(one, {}))
            for pbx in pbxs:
                columns = (
                    *(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()),
                    *(TextColumn("{task.fields[rows]:,} rows"), TimeElapsedColumn()),
                )
                screen = Console(file=sys.stderr)
                with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
                    advance = _advance(bar, bar.add_task(pbx, total=span, rows=0), since)
                    one = await reconciler.compare(pbx, since, until, dry_run=dry_run, on_progress=advance)
                show(console, one, everything)
                code = FAILED if one.problem is not None else code
    return code


def _advance(bar: "Progress", task: "TaskID", since: datetime) -> Callable[[Tally, datetime], None]:
    def advance(tally: Tally, at: datetime) -> None:
        bar.update(task, completed=max((at - since).total_seconds(), 0.0), rows=tally.rows)

    return advance


async def _seats(database: Database, tenant_id: int) -> dict[str, dict[str, Extension]]:
    """Who sits where now, by PBX and interface."""
    found: dict[str, dict[str, Extension]] = {}
    for seat in await Seats(database).list(tenant_id):
        found.setdefault(seat.pbx, {})[seat.interface] = seat
    return found


def show(console: "Console", one: Reconciliation, everything: bool) -> None:
    """Print what came of a comparison."""
    from rich.table import Table

    tally = one.result
    name = f"{one.pbx}, {_local(one.since)} to {_local(one.until)}"
    console.print(f"{name}: PBX {tally.pbx_calls:,} calls, service {tally.service_calls:,}.", highlight=False)
    done = "would be" if one.dry_run else "are"
    table = Table(show_header=False)
    for count, text in (
        (tally.same, "are the same in both"),
        (tally.missing, f"were missing, and {done} added"),
        (tally.mended, f"were known in part, and {done} corrected"),
        (tally.different, "differ, and were seen live: left as they are"),
        (tally.unwritten, "are in the log, and the PBX wrote nothing of them"),
        (tally.going_on, "go on still, and were not compared"),
        (tally.failed, "could not be compared: see the log"),
        (tally.bad_rows, f"rows could not be read: {tally.first_bad}"),
    ):
        if count:
            table.add_row(f"{count:,}", text)
    if table.row_count:
        console.print(table)
    shown = tally.items if everything else tally.items[:10]
    if shown:
        calls = Table("began", "call", "what", "in")
        for item in shown:
            calls.add_row(_local(item.started_at), str(item.call_id), item.finding.value, ", ".join(item.fields))
        console.print(calls)
    if len(tally.items) > len(shown):
        console.print(f"{len(tally.items) - len(shown)} more: --all shows them.", highlight=False)
    if tally.cel_silent:
        since = f"since {_local(tally.cel_newest)}" if tally.cel_newest is not None else "as long as can be seen"
        console.print(
            f"The PBX has CDR of {tally.cdr_calls:,} calls of this time, but CEL is empty {since}: calls without it can"
            " neither be compared nor added. Switch CEL on, see docs/backfill.md.",
            style="red",
            markup=False,
        )
    if one.problem is not None:
        console.print(f"It did not come to its end: {one.problem}", style="red", markup=False)


def _local(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
