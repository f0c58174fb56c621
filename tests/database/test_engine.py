"""Opening a database, and what is said when that does not work."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text

from callcenter.db.engine import Database, connect, dsn_of, refuse_old, shown
from callcenter.errors import DatabaseError
from tests.fixtures.database import of_database


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "localhost/x", "", "sqlite:///x.db"])
def test_only_postgresql_is_accepted(url: str) -> None:
    with pytest.raises(DatabaseError, match="postgresql://user:password@host:5432/name"):
        dsn_of(url)


def test_the_usual_spellings_of_the_scheme_mean_the_same() -> None:
    assert {dsn_of(f"{scheme}://u@h/n") for scheme in ("postgres", "postgresql", "postgresql+asyncpg")} == {
        "postgresql://u@h/n"
    }


def test_an_old_postgresql_is_refused() -> None:
    with pytest.raises(DatabaseError, match="PostgreSQL 14 at here is too old: version 15 or newer is needed"):
        refuse_old(14, "here")
    refuse_old(15, "here")


def test_a_password_is_never_shown() -> None:
    assert "secret" not in shown("postgresql://u:secret@h:5432/n")
    assert "secret" not in shown("postgresql://u:secret@h:port/n")


async def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseError, match=r"cannot connect to PostgreSQL at .*127\.0\.0\.1") as caught:
        await connect("postgresql://u:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)


async def test_a_missing_database_is_named(postgres_url: str) -> None:
    with pytest.raises(DatabaseError, match='database "nowhere" does not exist'):
        await connect(of_database(postgres_url, "nowhere"))


async def test_a_statement_that_takes_too_long_is_stopped(database_url: str) -> None:
    database = await connect(database_url, pool_size=1, statement_timeout=timedelta(milliseconds=50))
    try:
        with pytest.raises(asyncpg.QueryCanceledError):
            await database.pool.execute("SELECT pg_sleep(30)")
    finally:
        await database.close()


async def test_a_migration_may_take_longer_than_other_statements(database_url: str) -> None:
    database = await connect(database_url, pool_size=1, statement_timeout=timedelta(milliseconds=50))
    try:
        async with database.engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            # the pool's connections give up on the server five seconds after it should have answered
            await connection.execute(text("SELECT pg_sleep(5.3)"))
    finally:
        await database.close()


async def test_a_tenant_is_made_once(database: Database) -> None:
    first = await database.ensure_tenant("default")
    assert await database.ensure_tenant("default") == first
    assert await database.ensure_tenant("other") != first


async def test_closing_cuts_off_who_does_not_let_go(database_url: str) -> None:
    database = await connect(database_url, pool_size=1, close_timeout=timedelta(milliseconds=50))
    connection = await database.pool.acquire()
    async with asyncio.timeout(5):
        await database.close()
    with pytest.raises(asyncpg.InterfaceError):
        await connection.fetchval("SELECT 1")
