"""`callcenter db`: bring the database up to date, and say how and where it is."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from callcenter.cli.options import Config

app = typer.Typer(no_args_is_help=True, help="The database: bring it up to date, see how and where it is.")


@app.command()
def upgrade(config: Config = None) -> None:
    """Bring the database to the schema that this program needs. Does nothing where it has it."""
    asyncio.run(_upgrade(config))


@app.command()
def status(config: Config = None) -> None:
    """Say where the database is and whether its schema is the right one; the exit code is 1 if not."""
    raise typer.Exit(asyncio.run(_status(config)))


@app.command()
def url(config: Config = None) -> None:
    """Print the database's URL, for psql and pg_dump. It may hold a password."""
    asyncio.run(_url(config))


@app.command("cel-user")
def cel_user(
    config: Config = None,
    name: Annotated[str, typer.Option(help="Name of the PostgreSQL user.")] = "asterisk_cel",
) -> None:
    """Make the user as whom Asterisk writes its channel events, with a new password; print cel_pgsql.conf for it."""
    asyncio.run(_cel_user(config, name))


async def _cel_user(config: Path | None, name: str) -> None:
    import secrets

    from asterisk_conf import SAMPLES, Values, render
    from callcenter import settings
    from callcenter.db.opening import open_database
    from callcenter.db.writers import make_cel_user, place_of

    password = secrets.token_urlsafe(24)
    async with open_database(settings.load(config)) as database:
        where = place_of(database)
        await make_cel_user(database, name, password)
    values = Values(
        cel_user=name, cel_password=password, cel_host=where.host, cel_port=where.port, cel_database=where.name
    )
    typer.echo(render((SAMPLES / "cel_pgsql.conf").read_text("utf-8"), values))


async def _upgrade(config: Path | None) -> None:
    from callcenter import settings
    from callcenter.db import migrations
    from callcenter.db.opening import open_database

    async with open_database(settings.load(config), migrate=True) as database:
        typer.echo(f"{database.place} is at revision {await migrations.current(database)}")


async def _status(config: Path | None) -> int:
    from callcenter import settings
    from callcenter.db import migrations
    from callcenter.db.opening import opened, server_url
    from callcenter.errors import DatabaseError

    loaded = settings.load(config)
    async with server_url(loaded) as place, opened(place, loaded) as database:
        version = await database.pool.fetchval("SHOW server_version")
        typer.echo(f"PostgreSQL {version} at {database.place}")
        try:
            await migrations.check(database)
        except DatabaseError as problem:
            typer.echo(str(problem))
            return 1
        typer.echo(f"revision {migrations.head()}: up to date")
        return 0


async def _url(config: Path | None) -> None:
    from callcenter import settings
    from callcenter.db.opening import server_url

    loaded = settings.load(config)
    async with server_url(loaded) as place:
        typer.echo(place)
        if loaded.postgres_url is None:
            typer.echo("the embedded PostgreSQL answers there while `callcenter serve` runs", err=True)
