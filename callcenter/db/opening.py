"""Opens the database that the settings name, embedded or not, at the schema that this program needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from callcenter.db import migrations
from callcenter.db.embedded import EmbeddedPostgres
from callcenter.db.engine import Database, connect
from callcenter.settings import Settings


@asynccontextmanager
async def open_database(settings: Settings, *, migrate: bool = False) -> AsyncIterator[Database]:
    """The database for the time of the block; an embedded server is started before and stopped after it.

    The embedded database belongs to this program and is always brought to its schema. One that the
    settings name by URL is so only with `migrate`; else it is checked.

    Raises:
        DatabaseError: it does not start, cannot be reached, or has another schema.
    """
    async with server_url(settings) as url, opened(url, settings) as database:
        if migrate or settings.postgres_url is None:
            await migrations.upgrade(database)
        else:
            await migrations.check(database)
        yield database


@asynccontextmanager
async def server_url(settings: Settings) -> AsyncIterator[str]:
    """The URL of the PostgreSQL that the settings name; an embedded one runs for the time of the block.

    Raises:
        DatabaseError: the embedded one does not start.
    """
    if settings.postgres_url is not None:
        yield settings.postgres_url
        return
    async with EmbeddedPostgres(settings.database.directory) as server:
        yield server.url()


@asynccontextmanager
async def opened(url: str, settings: Settings) -> AsyncIterator[Database]:
    """The database at `url`, whatever schema it has, for the time of the block.

    Raises:
        DatabaseError: it cannot be reached, or is too old.
    """
    database = await connect(
        url,
        pool_size=settings.database.pool_size,
        statement_timeout=timedelta(seconds=settings.database.statement_timeout_s),
    )
    try:
        yield database
    finally:
        await database.close()
