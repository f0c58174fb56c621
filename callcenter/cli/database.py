"""The configured database, for commands that do something in it as the configured tenant."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from callcenter.db.engine import Database
    from callcenter.settings import Settings

ACTOR: Final = "system"
"""Under this name the audit notes what is done at the command line."""


def run_with_database(
    config: Path | None, work: "Callable[[Database, int, Settings], Coroutine[Any, Any, None]]"
) -> None:
    """Open the database that the configuration names, and do `work` as the configured tenant."""
    import asyncio

    from callcenter import settings as configuration
    from callcenter.db.opening import open_database

    settings = configuration.load(config)

    async def run() -> None:
        async with open_database(settings) as database:
            await work(database, await database.ensure_tenant(settings.tenant), settings)

    asyncio.run(run())
