"""The PostgreSQL user as whom Asterisk adds its channel events: it may add rows to that table, and nothing else."""

import re
from typing import Final

import msgspec
from sqlalchemy.engine import make_url

from callcenter.db.engine import Database
from callcenter.errors import BadInput, DatabaseError

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Place(msgspec.Struct, frozen=True):
    """Where Asterisk finds the database."""

    host: str
    port: int
    name: str


def place_of(database: Database) -> Place:
    """Where Asterisk finds the database.

    Raises:
        DatabaseError: it has no network address, as the embedded one.
    """
    url = make_url(database.place)
    if url.host is None:
        raise DatabaseError(
            "Asterisk cannot reach the embedded PostgreSQL, which listens on no network address: have it write"
            " cel_custom.conf's file and name that as [[pbx]] cel, or use a PostgreSQL of your own"
        )
    return Place(url.host, url.port or 5432, url.database or "callcenter")


async def make_cel_user(database: Database, name: str, password: str) -> None:
    """Make the user, or give the one that is there this password.

    Raises:
        BadInput: the name or the password would need quotes.
    """
    if _NAME.fullmatch(name) is None or name == "postgres":
        raise BadInput("write the name in small letters, digits and underscores, beginning with a letter")
    if not password.replace("-", "").replace("_", "").isalnum():
        raise BadInput("write the password in letters, digits, hyphens and underscores")
    async with database.pool.acquire() as connection, connection.transaction():
        there = await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", name)
        await connection.execute(f"{'ALTER' if there else 'CREATE'} ROLE {name} LOGIN PASSWORD '{password}'")
        # cel_pgsql looks its columns up in a schema, and then inserts without naming it.
        await connection.execute(f"ALTER ROLE {name} SET search_path = asterisk")
        await connection.execute(f"GRANT USAGE ON SCHEMA asterisk TO {name}")
        await connection.execute(f"GRANT INSERT ON asterisk.cel TO {name}")
        await connection.execute(f"GRANT USAGE ON SEQUENCE asterisk.cel_id_seq TO {name}")
