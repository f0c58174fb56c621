"""`callcenter import`: brings files of other systems into the database."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.cli.options import Config

if TYPE_CHECKING:
    from rich.console import Console

    from callcenter.customers.importer.columns import Columns
    from callcenter.customers.importer.job import Preview, Summary
    from callcenter.customers.importer.opened import Options
    from callcenter.settings import Settings

SOME_REJECTED = 3
"""Exit code where rows were imported and others were not."""

app = typer.Typer(no_args_is_help=True, help="Bring files of other systems into the database.")


@app.callback()
def _group() -> None:
    """Keeps `customers` a sub-command although it is the only one so far."""


@app.command()
def customers(
    file: Annotated[Path, typer.Argument(help="CSV file whose first row holds the headers.")],
    config: Config = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="TARGET=HEADER where the header does not say it: name=Kunde, phone=Tel (repeatable), fields.city=Ort.",
        ),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(
            help="By what a row is a customer who is there already: external_ref, name_and_phone, phone, email, none. "
            "Without: external_ref if there is such a column, else name_and_phone."
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Region of national numbers, for example CN; without: the first PBX's.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="For example utf-8, gb18030, cp1252; without: found out.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="One character, or tab; without: found out.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Slug of the tenant; without: the configuration's.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would become of the first rows, and stop.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Import customers. All or nothing; rows that cannot be customers go to FILE.rejects.csv.

    Exit codes: 0 imported, 1 nothing imported, 3 imported and some rows rejected.
    """
    from callcenter import settings
    from callcenter.customers.importer.opened import Options
    from callcenter.customers.importer.rows import MatchRule

    try:
        rule = MatchRule(match) if match is not None else None
    except ValueError:
        raise typer.BadParameter(f"write one of {', '.join(MatchRule)}", param_hint="--match") from None
    options = Options(
        encoding=encoding,
        delimiter="\t" if delimiter == "tab" else delimiter,
        mapping=tuple(mapping or ()),
        match=rule,
    )
    loaded = settings.load(config)
    home = region or (loaded.pbx[0].region if loaded.pbx else settings.PbxSettings().region)
    raise typer.Exit(asyncio.run(_run(loaded, tenant or loaded.tenant, file, home, options, preview, yes)))


async def _run(
    loaded: "Settings", tenant: str, file: Path, region: str, options: "Options", only_preview: bool, yes: bool
) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from callcenter.customers.importer.job import import_customers, preview
    from callcenter.db.opening import open_database

    console = Console()
    total = _size(file)
    async with open_database(loaded) as database:
        tenant_id = await database.ensure_tenant(tenant)
        if only_preview or not yes:
            _show(console, await preview(database, tenant_id, file, region, options), region)
        if only_preview:
            return 0
        if not yes and not typer.confirm("Import the file like this?"):
            console.print("Nothing was imported.")
            return 1
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as bar:
            task = bar.add_task("reading", total=total, rows=0)

            def advance(done: int, rows: int) -> None:
                bar.update(task, completed=done, rows=rows, description="reading" if done < total else "storing")

            summary = await import_customers(database, tenant_id, file, region, options, progress=advance)
    _tell(console, summary)
    return SOME_REJECTED if summary.rejected else 0


def _size(file: Path) -> int:
    """Bytes of the file, for the progress bar; one that is not there is complained about when it is opened."""
    return file.stat().st_size if file.exists() else 0


def _show(console: "Console", found: "Preview", region: str) -> None:
    """Print how the file is read, and its first rows with what would become of them."""
    from rich.markup import escape
    from rich.table import Table

    name = {"\t": "tab"}.get(found.delimiter, found.delimiter)
    console.print(
        f"encoding {found.encoding}, delimiter {name}, national numbers of {region}, rows matched by {found.match}",
        markup=False,
        soft_wrap=True,
    )
    _show_columns(console, found.columns)
    table = Table()
    table.add_column("line", no_wrap=True, min_width=4)
    table.add_column("what becomes of it", min_width=24)
    for header in found.columns.headers:
        table.add_column(escape(header[:40]), overflow="ellipsis", no_wrap=True, max_width=28)
    for outcome in found.outcomes:
        cells = [*outcome.cells, *[""] * found.columns.width][: found.columns.width]
        result = f"{outcome.result}: {outcome.reason}" if outcome.reason else outcome.result
        table.add_row(str(outcome.line), escape(result), *(escape(_one_line(cell)) for cell in cells))
    console.print(table)


def _show_columns(console: "Console", columns: "Columns") -> None:
    used = [f"{target} = {columns.headers[column]!r}" for target, column in columns.single.items()]
    used += [f"phone {label or ''}".strip() + f" = {columns.headers[column]!r}" for column, label in columns.phones]
    used += [f"fields.{name} = {columns.headers[column]!r}" for name, column in columns.fields.items()]
    console.print("columns: " + ", ".join(used), markup=False, soft_wrap=True)
    if columns.unused:
        console.print("not used: " + ", ".join(repr(header) for header in columns.unused), markup=False, soft_wrap=True)


def _tell(console: "Console", summary: "Summary") -> None:
    console.print(
        f"{summary.rows:,} rows in {summary.seconds:.1f} s: {summary.added:,} added, {summary.changed:,} changed, "
        f"{summary.unchanged:,} unchanged, {summary.merged:,} merged into another row, {summary.rejected:,} rejected",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    if summary.rejects is not None:
        console.print(f"rejected rows, with reasons: {summary.rejects}", markup=False, soft_wrap=True)


def _one_line(cell: str) -> str:
    return "".join(char if char.isprintable() else " " for char in cell[:200])
