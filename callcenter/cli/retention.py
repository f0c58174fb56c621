"""`callcenter retention`: how long calls are kept, and the deletion of older ones."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.cli.database import ACTOR, run_with_database
from callcenter.cli.options import Config
from callcenter.errors import BadInput

if TYPE_CHECKING:
    from callcenter.calllog.retention import Outcome, Reached
    from callcenter.db.engine import Database
    from callcenter.settings import RetentionRule, Settings

app = typer.Typer(name="retention", no_args_is_help=True, help="How long calls are kept.")


@app.command()
def show(config: Config = None) -> None:
    """Show the rules of the configuration, in the order in which they are asked."""
    from rich.console import Console
    from rich.table import Table

    from callcenter import settings as configuration

    chosen = configuration.load(config).retention
    if not chosen.rules:
        typer.echo("there are no rules: all calls are kept for ever")
        return
    table = Table("", "calls", "are kept")
    for place, rule in enumerate(chosen.rules, start=1):
        table.add_row(str(place), said(rule), f"{rule.keep_days} days")
    table.add_row("", "all others", "for ever")
    Console().print(table)
    typer.echo(f"the first rule that fits decides; older calls are deleted each night at {chosen.at} UTC")


@app.command()
def run(
    config: Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete now what the rules no longer allow, as each night does by itself. It cannot be undone."""

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        rules = settings.retention.rules
        if not rules:
            raise BadInput("there are no rules: write [[retention.rules]] into the configuration first")
        now = datetime.now(UTC)
        counted = await _apply(database, tenant_id, rules, now, dry=True)
        _tell(rules, counted, "would be deleted")
        if dry_run or not counted.total:
            return
        if not yes:
            typer.confirm(f"Delete {counted.total:,} calls for good?", abort=True)
        _tell(rules, await _apply(database, tenant_id, rules, now, dry=False), "are deleted")

    run_with_database(config, work)


def said(rule: "RetentionRule") -> str:
    """Which calls a rule means, in words."""
    parts = [" or ".join(rule.direction), " or ".join(rule.status)]
    if rule.answered is not None:
        parts.append("answered by a person" if rule.answered else "not answered by a person")
    if rule.queue:
        parts.append(f"in queue {' or '.join(rule.queue)}")
    return ", ".join(part for part in parts if part) or "all"


async def _apply(
    database: "Database", tenant_id: int, rules: "tuple[RetentionRule, ...]", now: datetime, *, dry: bool
) -> "Outcome":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from callcenter.calllog import retention
    from crm_bridge.outbox import CallOutbox

    with Progress(
        TextColumn("counting" if dry else "deleting"),
        BarColumn(),
        TextColumn("{task.fields[deleted]:,} calls, up to {task.fields[day]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None, deleted=0, day="…")

        def advance(reached: "Reached") -> None:
            bar.update(
                task,
                total=(reached.until - reached.oldest).total_seconds(),
                completed=(reached.at - reached.oldest).total_seconds(),
                deleted=reached.deleted,
                day=f"{reached.at:%Y-%m-%d}",
            )

        return await retention.apply(
            database, tenant_id, rules, now, actor=ACTOR, followers=[CallOutbox()], progress=advance, dry=dry
        )


def _tell(rules: "tuple[RetentionRule, ...]", outcome: "Outcome", verb: str) -> None:
    for place, (rule, count) in enumerate(zip(rules, outcome.deleted, strict=True), start=1):
        typer.echo(f"{place}. {said(rule)}, older than {rule.keep_days} days: {count:,} calls {verb}")
