"""`callcenter user`: people who log in, their passwords and their extensions."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.cli.database import ACTOR, run_with_database
from callcenter.cli.options import Config
from callcenter.errors import BadInput, Conflict

if TYPE_CHECKING:
    from callcenter.db.engine import Database
    from callcenter.settings import Settings

app = typer.Typer(name="user", no_args_is_help=True, help="People who log in.")

Login = Annotated[str, typer.Argument(help="Login: letters, digits, dot, dash, underscore.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it once.")]


@app.command()
def add(
    login: Login,
    config: Config = None,
    name: Annotated[str, typer.Option(help="Name that others see.")] = "",
    role: Annotated[str, typer.Option(help="agent, supervisor or admin.")] = "agent",
    extension: Annotated[str | None, typer.Option(help="Extension to sit at, for example 1001.")] = None,
    interface: Annotated[str | None, typer.Option(help="Its device; without: PJSIP/ and the extension.")] = None,
    pbx: Annotated[str | None, typer.Option(help="Which PBX of the configuration; without: the first.")] = None,
    password_stdin: FromStdin = False,
    generate: Generate = False,
) -> None:
    """Add a person."""
    from callcenter.accounts.passwords import hash_once
    from callcenter.accounts.roles import read_role
    from callcenter.accounts.seats import Seats
    from callcenter.accounts.store import People, read_login

    chosen, wanted = read_role(role), read_login(login)
    password = _password(wanted, from_stdin=password_stdin, generate=generate)

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        place = _pbx_of(settings, pbx) if extension is not None else ""
        hashed = await hash_once(password)
        seats = Seats(database)
        if extension is not None:
            # First the seat: who cannot have it is not added, with a password that nobody was told.
            seat = await seats.add(tenant_id, place, extension, interface or f"PJSIP/{extension}")
            if seat.agent not in (None, wanted):
                raise Conflict(f"{seat.agent} sits at extension {extension}: choose another one; {wanted} is not added")
        await People(database).add(tenant_id, wanted, name, chosen, hashed, by=ACTOR)
        if extension is not None:
            await seats.take(tenant_id, wanted, place, extension, by=ACTOR)

    run_with_database(config, work)
    typer.echo(f"added {wanted}" + (f" at extension {extension}" if extension else ""))
    _tell(password, generate)


@app.command("list")
def show(config: Config = None) -> None:
    """List everybody; "wrong" counts the wrong passwords since the last right one."""
    from rich.console import Console
    from rich.table import Table

    from callcenter.accounts.store import People

    table = Table("login", "name", "role", "extension", "last log-in", "wrong", "state")

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        for person in await People(database).list(tenant_id):
            seat = f"{person.seat.extension} ({person.seat.pbx})" if person.seat else ""
            seen = person.last_login_at.strftime("%Y-%m-%d %H:%M UTC") if person.last_login_at else "never"
            state = "disabled" if person.disabled else ""
            wrong = str(person.failed_logins or "")
            table.add_row(person.agent, person.name, person.role.value, seat, seen, wrong, state)

    run_with_database(config, work)
    Console().print(table)


@app.command()
def passwd(login: Login, config: Config = None, password_stdin: FromStdin = False, generate: Generate = False) -> None:
    """Give a person a new password; open sessions end."""
    from callcenter.accounts.passwords import hash_once
    from callcenter.accounts.store import People, read_login

    wanted = read_login(login)
    password = _password(wanted, from_stdin=password_stdin, generate=generate)

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        await People(database).set_password(tenant_id, wanted, await hash_once(password), by=ACTOR)

    run_with_database(config, work)
    typer.echo(f"{wanted} has a new password, and is logged out everywhere")
    _tell(password, generate)


@app.command()
def disable(login: Login, config: Config = None) -> None:
    """Shut a person out: sessions end, the extension is free, the call log stays."""
    _set_disabled(login, config, True)


@app.command()
def enable(login: Login, config: Config = None) -> None:
    """Let a person in again who was disabled."""
    _set_disabled(login, config, False)


@app.command()
def unlock(login: Login, config: Config = None) -> None:
    """Let a login in again that is locked, because passwords were wrong too often."""
    from datetime import UTC, datetime

    from callcenter.accounts.locks import Locks
    from callcenter.accounts.store import read_login

    wanted = read_login(login)

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        await Locks(database, lambda: datetime.now(UTC)).release(tenant_id, ACTOR, login=wanted)

    run_with_database(config, work)
    typer.echo(f"{wanted} is unlocked")


def _set_disabled(login: str, config: Path | None, disabled: bool) -> None:
    from callcenter.accounts.store import People, read_login

    wanted = read_login(login)

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        await People(database).set_disabled(tenant_id, wanted, disabled, by=ACTOR)

    run_with_database(config, work)
    typer.echo(f"{wanted} is {'disabled' if disabled else 'enabled'}")


def _pbx_of(settings: "Settings", wanted: str | None) -> str:
    ids = [pbx.id for pbx in settings.pbx]
    if wanted is None:
        return ids[0] if ids else "pbx"
    if wanted not in ids:
        raise BadInput(f"there is no PBX {wanted!r} in the configuration: choose from {', '.join(ids) or 'none'}")
    return wanted


def _password(login: str, *, from_stdin: bool, generate: bool) -> str:
    from callcenter.accounts.passwords import check_new_password, generate_password

    if from_stdin and generate:
        raise BadInput("choose one of --password-stdin and --generate")
    if generate:
        return generate_password()
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise BadInput("say how the password comes: --password-stdin, or --generate to have one made")
    check_new_password(password, login)
    return password


def _tell(password: str, generated: bool) -> None:
    if generated:
        typer.echo(f"password: {password}")
        typer.echo("It is shown this once.", err=True)
