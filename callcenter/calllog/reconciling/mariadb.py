"""CEL in a CDR database of FreePBX or Issabel, `asteriskcdrdb` on MariaDB: read, and never written.

FreePBX has no index by time, so that the first row is found by halving the ids, which rise with the time; the rows
from there on are read by id. Its times are the PBX's local time, in whole seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiomysql

from callcenter.backfill.cel import COLUMNS, Cel, read
from callcenter.backfill.gathering import GRACE
from callcenter.errors import DatabaseError, SettingsError

PAGE: Final = 1000
CONNECT_S: Final = 10.0
QUERY_S: Final = 60.0
TIME_AT: Final = COLUMNS.index("eventtime")

_PAGE: Final = f"SELECT {', '.join(COLUMNS)}, id FROM cel WHERE id > %s ORDER BY id LIMIT %s"
_AT: Final = "SELECT id, eventtime FROM cel WHERE id >= %s ORDER BY id LIMIT 1"


class MariaCel:
    """Rows of the table `cel`, in the order in which they were written. `zone` is the PBX's own."""

    def __init__(self, url: str, zone: tzinfo, page: int = PAGE) -> None:
        """`url` is `mysql://user:password@host:port/database`; `page` rows are read at a time.

        Raises:
            SettingsError: it is none.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or 3306
        except ValueError as problem:
            raise SettingsError(f"[[pbx]] cel: {problem}") from None
        database = parts.path.strip("/")
        if not parts.hostname or not parts.username or not database:
            raise SettingsError("write [[pbx]] cel as mysql://user:password@host:3306/asteriskcdrdb")
        self._place = f"{parts.hostname}:{port}/{database}"
        self._zone = zone
        self._page = page
        self._options: dict[str, Any] = {
            "host": parts.hostname,
            "port": port,
            "user": unquote(parts.username),
            "password": unquote(parts.password or ""),
            "db": database,
        }

    async def pages(
        self, since: datetime, until: datetime, on_bad: Callable[[str], None]
    ) -> AsyncGenerator[list[Cel], None]:
        """Pages of rows; what is no row is told to `on_bad`.

        Raises:
            DatabaseError: MariaDB cannot be reached or refuses; says what to do.
        """
        async with self._connected() as connection:
            number = await self._first(connection, since) - 1
            while True:
                rows = await self._ask(connection, _PAGE, number, self._page)
                found = read((self._columns(row) for row in rows), on_bad)
                yield [row for row in found if since <= row.at < until]
                if len(rows) < self._page or (found and found[-1].at > until + GRACE):
                    return
                number = rows[-1][-1]

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Any, None]:
        try:
            async with asyncio.timeout(CONNECT_S):
                connection = await aiomysql.connect(
                    **self._options, charset="utf8mb4", autocommit=True, connect_timeout=CONNECT_S
                )
        except (aiomysql.MySQLError, OSError, TimeoutError, RuntimeError) as problem:
            raise DatabaseError(f"the CDR database at {self._place} cannot be reached: {_why(problem)}") from problem
        try:
            await self._ask(connection, "SET SESSION TRANSACTION READ ONLY")
            yield connection
        finally:
            connection.close()

    async def _ask(self, connection: Any, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        try:
            async with asyncio.timeout(QUERY_S), connection.cursor() as cursor:
                await cursor.execute(sql, arguments)
                return list(await cursor.fetchall())
        except (aiomysql.MySQLError, OSError, TimeoutError, RuntimeError) as problem:
            raise DatabaseError(f"the CDR database at {self._place} cannot be read: {_why(problem)}") from problem

    async def _first(self, connection: Any, since: datetime) -> int:
        """The id of the first row from `since` on, or one past the last."""
        ((low, high),) = await self._ask(connection, "SELECT min(id), max(id) FROM cel")
        if low is None:
            return 0
        high += 1
        while low < high:
            middle = (low + high) // 2
            rows = await self._ask(connection, _AT, middle)
            at = self._in_utc(rows[0][1]) if rows else None
            if rows and isinstance(at, datetime) and at < since:
                low = rows[0][0] + 1
            else:
                high = middle
        return int(low)

    def _columns(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*row[:TIME_AT], self._in_utc(row[TIME_AT]), *row[TIME_AT + 1 : -1])

    def _in_utc(self, at: object) -> object:
        return at.replace(tzinfo=self._zone).astimezone(UTC) if isinstance(at, datetime) else at


def _why(problem: BaseException) -> str:
    return "no answer in time" if isinstance(problem, TimeoutError) else str(problem) or type(problem).__name__
