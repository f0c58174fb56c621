"""One PostgreSQL, reached in two ways: SQLAlchemy for most queries, a bare asyncpg pool where it is hot.

Both are made from one URL with the same settings: UTC, a statement timeout on the server, and deadlines here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from callcenter.db.unit import Unit
from callcenter.errors import DatabaseError

OLDEST = 15
"""Major version of the oldest PostgreSQL that is supported."""

CONNECT_TIMEOUT_S = 10.0
ACQUIRE_TIMEOUT_S = 10.0
MIGRATION_TIMEOUT_S = 6 * 3600.0
"""For one statement of a migration, which may fill a table from years of calls, and lifts the server's limit itself."""

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


class Database:
    """An open database. Made by `connect`; close it with `close`."""

    def __init__(
        self, dsn: str, options: dict[str, Any], engine: AsyncEngine, pool: Pool, close_timeout: timedelta
    ) -> None:
        self._dsn = dsn
        self._options = options
        self._close_timeout = close_timeout
        self.engine = engine
        """For the migrations, which SQLAlchemy makes."""
        self.pool = pool
        """For hot paths; each statement names `tenant_id` itself. Prefer `unit` elsewhere."""

    @property
    def place(self) -> str:
        """The URL without its password, for people to read."""
        return shown(self._dsn)

    @asynccontextmanager
    async def unit(self, tenant_id: int) -> AsyncIterator[Unit]:
        """A transaction of one tenant, who is `$1` of every statement; commits at the end, rolls back on an error."""
        async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            try:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    yield Unit(connection, tenant_id)
                except (asyncio.CancelledError, TimeoutError):
                    raise
                except BaseException:
                    await transaction.rollback()
                    raise
                await transaction.commit()
            except (asyncio.CancelledError, TimeoutError):
                # Somebody's deadline is over, and a server that is frozen would not answer a rollback either. One that
                # lives rolls back when the connection ends.
                connection.terminate()
                raise

    async def dedicated(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection of one's own, for LISTEN; whoever asks for it closes it.

        Raises:
            DatabaseError: PostgreSQL cannot be reached.
        """
        return await _connect(self._dsn, self._options)

    async def ensure_tenant(self, slug: str) -> int:
        """The id of the tenant called `slug`, which is made if there is none yet."""
        found: int | None = await self.pool.fetchval("SELECT id FROM tenants WHERE slug = $1", slug)
        if found is None:
            found = await self.pool.fetchval(
                "INSERT INTO tenants (slug) VALUES ($1) ON CONFLICT (slug) DO UPDATE SET slug = excluded.slug"
                " RETURNING id",
                slug,
            )
        assert found is not None
        return found

    async def close(self) -> None:
        """Give back all connections; those that stay in use are cut off after a while."""
        await self.engine.dispose()
        try:
            async with asyncio.timeout(self._close_timeout.total_seconds()):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()


async def connect(
    url: str,
    *,
    pool_size: int = 10,
    statement_timeout: timedelta = timedelta(seconds=30),
    close_timeout: timedelta = timedelta(seconds=2),
) -> Database:
    """Open the database at `url` (`postgresql://…`) and check that it is one we can use.

    Raises:
        DatabaseError: the URL is wrong, PostgreSQL cannot be reached or is older than 15.
    """
    dsn = dsn_of(url)
    options: dict[str, Any] = {
        "timeout": CONNECT_TIMEOUT_S,
        # the server stops the statement first; this deadline is for a server that is gone
        "command_timeout": statement_timeout.total_seconds() + 5,
        "server_settings": {
            "application_name": "callcenter",
            "timezone": "UTC",
            "statement_timeout": str(round(statement_timeout.total_seconds() * 1000)),
            "jit": "off",
        },
    }
    await _check_version(dsn, options)
    # no floor: asyncpg would log a traceback each time that it cannot restore it while PostgreSQL is away
    pool = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=pool_size,
        max_inactive_connection_lifetime=0,
        init=_prepare,
        reset=_nothing_to_reset,
        **options,
    )

    async def create() -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(dsn, **{**options, "command_timeout": MIGRATION_TIMEOUT_S})

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=create,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=ACQUIRE_TIMEOUT_S,
        pool_pre_ping=True,
        json_serializer=_json_text,
        json_deserializer=msgspec.json.decode,
    )
    return Database(dsn, options, engine, pool, close_timeout)


def dsn_of(url: str) -> str:
    """`url` as asyncpg wants it.

    Raises:
        DatabaseError: it is no URL of a PostgreSQL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise DatabaseError(
            "the database URL must look like postgresql://user:password@host:5432/name; only PostgreSQL is supported"
        )
    return f"postgresql://{rest}"


def shown(url: str) -> str:
    """`url` without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "the configured database URL"


async def _connect(dsn: str, options: dict[str, Any]) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(dsn, **options)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        why = "no answer in ten seconds" if isinstance(problem, TimeoutError) else str(problem)
        raise DatabaseError(f"cannot connect to PostgreSQL at {shown(dsn)}: {why}") from problem


async def _check_version(dsn: str, options: dict[str, Any]) -> None:
    connection = await _connect(dsn, options)
    try:
        refuse_old(connection.get_server_version().major, shown(dsn))
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


def refuse_old(major: int, place: str) -> None:
    """Check that a server's major version is supported.

    Raises:
        DatabaseError: it is not.
    """
    if major < OLDEST:
        raise DatabaseError(f"PostgreSQL {major} at {place} is too old: version {OLDEST} or newer is needed")


async def _prepare(connection: Connection) -> None:
    # JSON is values on our side; jsonb's binary form is a version byte and the text
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


async def _nothing_to_reset(connection: Connection) -> None:
    # asyncpg rolls an open transaction back by itself; we never change a session's settings or listen on the
    # pool, so the round trip of its RESET ALL would be spent for nothing
    return


def _json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()
