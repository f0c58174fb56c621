"""The tree of commands. Bodies import what they need when they run, so that `--help` is there at once."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from callcenter.cli import apikey, db, erasing, export, import_, retention, user
from callcenter.cli.options import Config
from callcenter.cli.pbx_kinds import Kind
from callcenter.errors import BadInput, CallCenterError

app = typer.Typer(
    name="callcenter",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Screen-pops, call log and customers for Asterisk.",
)

app.add_typer(import_.app, name="import")
app.add_typer(export.app, name="export")
app.add_typer(user.app, name="user")
app.add_typer(apikey.app, name="apikey")
app.add_typer(db.app, name="db")
app.add_typer(retention.app, name="retention")
app.add_typer(erasing.app, name="erase")


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"callcenter {version('asterisk-callcenter')}")
        raise typer.Exit


@app.callback()
def _program(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
def serve(config: Config = None) -> None:
    """Run the service until it is stopped by SIGTERM or Ctrl-C."""
    from callcenter.cli.serving import run

    run(config)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the web page; the screen-pop takes the next one.")] = 8080,
    directory: Annotated[Path, typer.Option(help="Where the demo keeps its database.")] = Path("var/demo"),
    calls_per_minute: Annotated[float, typer.Option(min=0.0, max=600.0, help="How busy the demo is.")] = 12.0,
) -> None:
    """Run everything with a simulated PBX, sample customers and agents."""
    from callcenter.cli.demonstration import run

    run(port, directory, calls_per_minute)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Transcript: bytes from the AMI socket, or what `record` wrote.")],
    config: Config = None,
    pbx: Annotated[str | None, typer.Option(help="Read it as this PBX of the configuration.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of national numbers, for example GB.")] = None,
    trunk: Annotated[list[str] | None, typer.Option(help="Name of an endpoint that leads outside; repeatable.")] = None,
    changes: Annotated[bool, typer.Option(help="Print the changes before the calls.")] = True,
) -> None:
    """Print what a transcript says: one JSON line per change, then one per call."""
    from callcenter.cli.replaying import run

    run(file, config, pbx, region, tuple(trunk or ()), changes)


@app.command()
def record(
    file: Annotated[Path, typer.Argument(help="Where the transcript goes; it must not exist.")],
    config: Config = None,
    pbx: Annotated[str | None, typer.Option(help="Which PBX of the configuration; without: the first.")] = None,
    raw: Annotated[bool, typer.Option(help="Bytes of the socket instead of JSON lines.")] = False,
    scrub: Annotated[bool, typer.Option(help="Replace numbers and names by made-up ones.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so long; without: Ctrl-C.")] = None,
) -> None:
    """Write what a PBX says to a file that `replay` reads."""
    from callcenter.cli.recording import run

    run(file, config, pbx, raw, scrub, seconds)


@app.command()
def doctor(
    config: Config = None,
    listen: Annotated[float, typer.Option(min=0.0, help="Seconds to wait for a call to be seen.")] = 5.0,
    kind: Annotated[Kind | None, typer.Option(help="Kind of PBX that the mends are for; without: as it looks.")] = None,
) -> None:
    """Check the PBX, its configuration, rights, events, clock and the database; say how to mend what is wrong."""
    from callcenter.cli.examination import run

    run(config, listen, kind)


@app.command()
def reconcile(
    since: Annotated[str, typer.Option(help="From when on: 2026-11-23, 2026-11-23T08:00, or ago: 36h, 7d.")],
    until: Annotated[str | None, typer.Option(help="Until when; without: until now.")] = None,
    config: Config = None,
    pbx: Annotated[str | None, typer.Option(help="Which PBX of the configuration; without: all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Name all calls that differ, up to 200.")] = False,
) -> None:
    """Compare the call log with what the PBX wrote down itself; add and correct what is missing."""
    from callcenter.cli.reconciling import run

    raise typer.Exit(run(config, pbx, since, until, dry_run, everything))


@app.command("asterisk-conf")
def asterisk_conf(
    directory: Annotated[Path, typer.Argument(help="A new directory, where the samples go.")],
    secret: Annotated[str | None, typer.Option(help="Secret of the AMI user; without: a new one is made.")] = None,
    freepbx: Annotated[bool, typer.Option("--freepbx", help="Only what FreePBX needs on top.")] = False,
    issabel: Annotated[bool, typer.Option("--issabel", help="Only what Issabel needs on top.")] = False,
) -> None:
    """Write commented configuration for a plain Asterisk, or what to add to FreePBX and Issabel."""
    from callcenter.cli.samples import run

    if freepbx and issabel:
        raise BadInput("a PBX is either FreePBX or Issabel: name one of them")
    run(directory, secret, Kind.FREEPBX if freepbx else Kind.ISSABEL if issabel else Kind.ASTERISK)


def main() -> None:
    """Entry point of the console script: an error of ours is a sentence, not a traceback."""
    try:
        app()
    except CallCenterError as problem:
        typer.echo(f"callcenter: {problem}", err=True)
        sys.exit(1)
