"""Brings a database to the schema that this program needs, and says whether it is there.

All missing steps run in one transaction under an advisory lock: of several processes that start at once one
does the work and the others find it done, and a step that fails leaves nothing half changed.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from callcenter.db.engine import Database
from callcenter.errors import DatabaseError

LOCK = 7_411_053_912
"""Key of the advisory lock; any number that nobody else uses."""

LOCK_TIMEOUT_S = 120


def head() -> str:
    """The revision that this program needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise DatabaseError("this installation has no migrations: install it again")
    return revision


async def current(database: Database) -> str | None:
    """The revision that the database is at; None where it is empty."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_current)


async def upgrade(database: Database) -> None:
    """Bring the database to `head`. Does nothing where it is there already.

    Raises:
        DatabaseError: the database was made by a newer version of this program.
    """
    async with database.engine.begin() as connection:
        # index builds take as long as they take; waiting for another process has an end
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        try:
            await connection.run_sync(_upgrade)
        except CommandError as problem:
            raise DatabaseError(_newer(database.place)) from problem


async def check(database: Database) -> None:
    """Check that the database is at `head`.

    Raises:
        DatabaseError: it is not; says what to do.
    """
    found, needed = await current(database), head()
    if found == needed:
        return
    if found is None:
        raise DatabaseError(f"the database at {database.place} is empty: run `callcenter db upgrade`")
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found not in known:
        raise DatabaseError(_newer(database.place))
    raise DatabaseError(
        f"the database at {database.place} is at revision {found} and this program needs {needed}:"
        " run `callcenter db upgrade`"
    )


def _newer(place: str) -> str:
    return f"the database at {place} was made by a newer version of this program: install that version"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
