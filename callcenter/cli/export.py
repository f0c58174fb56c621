"""`callcenter export`: files for other systems and for spreadsheets."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from callcenter.cli.options import Config

if TYPE_CHECKING:
    from callcenter.calllog.export import Exports, Layout
    from callcenter.calllog.queries import CallFilter
    from callcenter.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Write files for other systems and for spreadsheets.")


@app.callback()
def _group() -> None:
    """Keeps `calls` a sub-command although it is the only one so far."""


@app.command()
def calls(
    file: Annotated[Path, typer.Argument(help="The file to write, which must not exist; - for the standard output.")],
    config: Config = None,
    layout: Annotated[
        str | None, typer.Option("--format", help="csv or ndjson; without: by the end of the file's name.")
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin a CSV with a byte order mark, for Excel.")] = False,
    since: Annotated[str | None, typer.Option(help="Began then or later, for example 2026-01-31 (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Began before.")] = None,
    agent: Annotated[str | None, typer.Option(help="Login of an agent who was offered it.")] = None,
    queue: Annotated[str | None, typer.Option(help="Name of a queue that it was in.")] = None,
    number: Annotated[str | None, typer.Option(help="Number of either end, in any spelling.")] = None,
    direction: Annotated[str | None, typer.Option(help="inbound, outbound or internal.")] = None,
    status: Annotated[str | None, typer.Option(help="How it ended, for example answered.")] = None,
    exit: Annotated[str | None, typer.Option(help="How its stay in that, or any, queue ended.")] = None,
    did: Annotated[str | None, typer.Option(help="The number that was dialed to reach us.")] = None,
    outcome: Annotated[str | None, typer.Option(help="What the agent said it came to.")] = None,
    campaign: Annotated[str | None, typer.Option(help="The campaign that it belongs to.")] = None,
    customer: Annotated[str | None, typer.Option(help="Id of a customer.")] = None,
    text: Annotated[str | None, typer.Option(help="What a note contains.")] = None,
) -> None:
    """Write calls to a file, the oldest first. What ends early leaves no file."""
    from callcenter import settings
    from callcenter.calllog.export import Layout
    from callcenter.errors import BadInput

    try:
        chosen = Layout(layout or file.suffix.removeprefix("."))
    except ValueError:
        raise typer.BadParameter(f"write one of {', '.join(Layout)}", param_hint="--format") from None
    if bom and chosen is not Layout.CSV:
        raise typer.BadParameter("only a CSV begins with one", param_hint="--bom")
    if str(file) != "-" and file.exists():
        raise BadInput(f"{file} is there already: choose another name, or remove it")
    loaded = settings.load(config)
    wanted = _read_filter(
        loaded, agent=agent, queue=queue, number=number, campaign=campaign, text=text, since=since, until=until,
        direction=direction, status=status, customer=customer, exit=exit, did=did, outcome=outcome,
    )  # fmt: skip
    asyncio.run(_run(loaded, file, wanted, chosen, bom))


def _read_filter(loaded: "Settings", *, number: str | None, **texts: str | None) -> "CallFilter":
    """The filter as the call log takes it: the number read by the rules of the first PBX, times without zone as UTC."""
    import msgspec

    from callcenter.calllog.queries import CallFilter
    from callcenter.errors import BadInput
    from callcenter.joints.numbers import Numbers
    from callcenter.web.numbers import read_number

    given: dict[str, object] = {name: text for name, text in texts.items() if text is not None}
    try:
        for name in ("since", "until"):
            if name in given:
                given[name] = _read_time(str(given[name]))
        if number is not None:
            given["number"] = read_number(Numbers(loaded.pbx), number)
        return msgspec.convert(given, CallFilter)
    except (ValueError, OverflowError) as problem:
        raise BadInput(f"a filter cannot be read: {problem}") from None


def _read_time(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


async def _run(loaded: "Settings", file: Path, wanted: "CallFilter", layout: "Layout", bom: bool) -> None:
    from callcenter.calllog.export import Exports
    from callcenter.db.opening import open_database
    from callcenter.errors import BadInput

    async with open_database(loaded) as database:
        tenant_id = await database.ensure_tenant(loaded.tenant)
        exports = Exports(database)
        if str(file) == "-":
            await _write(exports, tenant_id, wanted, layout, bom, sys.stdout.buffer)
            return
        part = file.with_name(f"{file.name}.part")
        try:
            with part.open("wb") as out:
                await _write(exports, tenant_id, wanted, layout, bom, out)
            part.replace(file)
        except OSError as problem:
            raise BadInput(f"{file} cannot be written: {problem.strerror}") from None
        finally:
            part.unlink(missing_ok=True)


async def _write(
    exports: "Exports", tenant_id: int, wanted: "CallFilter", layout: "Layout", bom: bool, out: BinaryIO
) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("calls"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    # the standard output may be the file
    console = Console(stderr=True)
    quoted = False
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=await exports.count(tenant_id, wanted))

        async def write(piece: bytes) -> None:
            nonlocal quoted
            await asyncio.to_thread(out.write, piece)
            # a line break within quotes is part of a note, and ends no call
            for text in piece.split(b'"') if layout == "csv" else (piece,):
                if not quoted:
                    bar.advance(task, text.count(b"\n"))
                quoted = not quoted if layout == "csv" else False
            quoted = not quoted if layout == "csv" else False

        rows = await exports.run(tenant_id, wanted, layout, write, by="system", byte_order_mark=bom)
        await asyncio.to_thread(out.flush)
    console.print(f"{rows:,} calls", highlight=False)
