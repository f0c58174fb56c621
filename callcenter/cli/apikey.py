"""`callcenter apikey`: keys of other systems."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.cli.database import ACTOR, run_with_database
from callcenter.cli.options import Config
from callcenter.errors import BadInput

if TYPE_CHECKING:
    from callcenter.db.engine import Database
    from callcenter.settings import Settings

app = typer.Typer(name="apikey", no_args_is_help=True, help="API keys of other systems.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    config: Config = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="What the key may do, for example calls:read; repeatable.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="Until when: 90d, 2027-01-31 or 2027-01-31T12:00:00Z; without: for ever.")
    ] = None,
) -> None:
    """Make a key and print it once."""
    from callcenter.accounts.apikeys import ApiKeys

    until = read_expiry(expires, now()) if expires is not None else None
    made: list[str] = []

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        made.append(await ApiKeys(database, now).create(tenant_id, name, scope or (), until, by=ACTOR))

    run_with_database(config, work)
    typer.echo(made[0])
    typer.echo("Keep it now: it is shown this once.", err=True)


@app.command("list")
def show(config: Config = None) -> None:
    """List all keys, without their secrets."""
    from rich.console import Console
    from rich.table import Table

    from callcenter.accounts.apikeys import ApiKeys

    table = Table("id", "name", "scopes", "made", "last used", "state")

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        for key in await ApiKeys(database, now).list(tenant_id):
            state = "until " + _day(key.expires_at) if key.expires_at else ""
            if key.expires_at is not None and key.expires_at <= now():
                state = "expired"
            if key.revoked_at is not None:
                state = "revoked"
            used = _day(key.used_at) if key.used_at else "never"
            table.add_row(key.key_id, key.name, " ".join(key.scopes), _day(key.created_at), used, state)

    run_with_database(config, work)
    Console().print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, from `apikey list`.")], config: Config = None
) -> None:
    """Make a key useless from now on."""
    from callcenter.accounts.apikeys import ApiKeys

    async def work(database: "Database", tenant_id: int, settings: "Settings") -> None:
        await ApiKeys(database, now).revoke(tenant_id, key_id, by=ACTOR)

    run_with_database(config, work)
    typer.echo(f"{key_id} is revoked")


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def read_expiry(text: str, at: datetime) -> datetime:
    """When a key ends: so many days from `at` (`90d`), at the end of a day in UTC, or at a time.

    Raises:
        BadInput: the text is none of these.
    """
    text = text.strip()
    try:
        if text.endswith("d"):
            return at + timedelta(days=int(text[:-1]))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadInput(f"{text!r} is no time: write 90d, 2027-01-31 or 2027-01-31T12:00:00Z") from None
    if len(text) == len("2027-01-31"):
        return found.replace(tzinfo=UTC) + timedelta(days=1)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")
