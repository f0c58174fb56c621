"""CEL that Asterisk's cel_pgsql writes into our own PostgreSQL, in pages of one index."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from callcenter.backfill.cel import Cel, read
from callcenter.db.engine import Database

PAGE: Final = 1000

_PAGE = """
    SELECT eventtype, eventtime, uniqueid, linkedid, channame, cid_num, cid_name, exten, context, appname, appdata,
           extra, id
    FROM asterisk.cel
    WHERE (eventtime, id) > ($1, $2) AND eventtime < $3
    ORDER BY eventtime, id LIMIT $4
"""


class PostgresCel:
    """Rows of `asterisk.cel`, in the order of time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pages(self, since: datetime, until: datetime, on_bad: Callable[[str], None]) -> AsyncIterator[list[Cel]]:
        """Pages of rows; what is no row is told to `on_bad`."""
        place, number = since.timestamp(), -1
        while True:
            rows = await self._database.pool.fetch(_PAGE, place, number, until.timestamp(), PAGE)
            if rows:
                yield read((tuple(row)[:-1] for row in rows), on_bad)
                place, number = rows[-1]["eventtime"], rows[-1]["id"]
            if len(rows) < PAGE:
                return

    async def witness(self, since: datetime, until: datetime) -> None:
        """Nothing but channel events is here: cel_pgsql writes no more into our database."""
