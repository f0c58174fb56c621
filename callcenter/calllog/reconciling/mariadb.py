"""CEL in a CDR database of FreePBX or Issabel, `asteriskcdrdb` on MariaDB: read, and never written.

FreePBX has no index by time, so that the first row is found by halving the ids, which rise with the time; the rows
from there on are read by id. Its times are the PBX's local time, in whole seconds. On Issabel `extra` is called
`eventextra`. The table `cdr` beside it is only counted, so that a CEL that is switched off is not taken for a day
without calls.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import aiomysql

from callcenter.backfill.cel import COLUMNS, Cel, read
from callcenter.backfill.gathering import GRACE
from callcenter.backfill.report import Witness
from callcenter.calllog.reconciling.mysqllogin import connect, trust
from callcenter.errors import DatabaseError, SettingsError

PAGE: Final = 1000
CONNECT_S: Final = 10.0
QUERY_S: Final = 60.0
TIME_AT: Final = COLUMNS.index("eventtime")

EXTRAS: Final = ("extra", "eventextra")
"""The names by which the column `extra` goes: FreePBX's, Issabel's."""
NO_SUCH_TABLE: Final = 1146
LONGEST_CALL: Final = timedelta(hours=12)
SLACK: Final = timedelta(minutes=1)
"""A CDR that begins so shortly after the last channel event may be of the same call."""

_NAMES: Final = (
    "SELECT lower(column_name) FROM information_schema.columns WHERE table_schema = database() AND table_name = %s"
)
_PAGE: Final = f"SELECT {', '.join(COLUMNS[:-1])}, {{extra}}, id FROM cel WHERE id > %s ORDER BY id LIMIT %s"
_AT: Final = "SELECT id, eventtime FROM cel WHERE id >= %s ORDER BY id LIMIT 1"
_NEWEST: Final = "SELECT eventtime FROM cel ORDER BY id DESC LIMIT 1"
_CALLS: Final = (
    "SELECT count(DISTINCT {call}), count(DISTINCT CASE WHEN calldate > %s THEN {call} END) FROM cdr"
    " WHERE calldate >= %s AND calldate < %s AND calldate + INTERVAL duration SECOND >= %s"
    " AND calldate + INTERVAL duration SECOND < %s"
)


class MariaCel:
    """Rows of the table `cel`, in the order in which they were written. `zone` is the PBX's own."""

    def __init__(self, url: str, zone: tzinfo, page: int = PAGE) -> None:
        """`url` is `mysql://user:password@host:port/database?ssl=true`; `page` rows are read at a time.

        With `ssl` the connection is encrypted and the server's certificate checked, by the system's authorities or by
        those of the PEM file that `ssl_ca` names.

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
            "ssl": _tls_of(parts.query),
        }

    async def pages(
        self, since: datetime, until: datetime, on_bad: Callable[[str], None]
    ) -> AsyncGenerator[list[Cel], None]:
        """Pages of rows; what is no row is told to `on_bad`.

        Raises:
            DatabaseError: MariaDB cannot be reached or refuses; says what to do.
        """
        async with self._connected() as connection:
            page = await self._page_of(connection)
            if page is None:
                return
            number = await self._first(connection, since) - 1
            while True:
                rows = await self._ask(connection, page, number, self._page)
                found = read((self._columns(row) for row in rows), on_bad)
                yield [row for row in found if since <= row.at < until]
                if len(rows) < self._page or (found and found[-1].at > until + GRACE):
                    return
                number = rows[-1][-1]

    async def witness(self, since: datetime, until: datetime) -> Witness | None:
        """What the table `cdr` says of calls that ended in that time; None where it is not there or may not be read.

        Raises:
            DatabaseError: MariaDB cannot be reached.
        """
        async with self._connected() as connection:
            names = await self._names(connection, "cdr")
            if not {"calldate", "duration", "uniqueid"} <= names:
                return None
            newest = None
            if await self._page_of(connection) is not None:
                newest = next((self._in_utc(at) for (at,) in await self._ask(connection, _NEWEST)), None)
            known = newest if isinstance(newest, datetime) else None
            call = "coalesce(nullif(linkedid, ''), uniqueid)" if "linkedid" in names else "uniqueid"
            times = (max(since - LONGEST_CALL, known + SLACK) if known else since - LONGEST_CALL, since - LONGEST_CALL)
            ((calls, later),) = await self._ask(
                connection, _CALLS.format(call=call), *map(self._local, (*times, until, since, until))
            )
            return Witness(calls, later, known)

    async def _names(self, connection: Any, table: str) -> set[str]:
        """The columns of a table; none where it is not there, or this user may not read it."""
        return {name for (name,) in await self._ask(connection, _NAMES, table)}

    async def _page_of(self, connection: Any) -> str | None:
        """The SQL of a page; None where there is no table."""
        names = await self._names(connection, "cel")
        page = _PAGE.format(extra=next((name for name in EXTRAS if name in names), EXTRAS[0]))
        if not names:
            try:
                await self._ask(connection, page, 0, 1)
            except DatabaseError as problem:
                if getattr(problem.__cause__, "args", (0,))[0] == NO_SUCH_TABLE:
                    return None
                raise
        return page

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Any, None]:
        try:
            async with asyncio.timeout(CONNECT_S):
                connection = await connect(
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

    def _local(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _in_utc(self, at: object) -> object:
        return at.replace(tzinfo=self._zone).astimezone(UTC) if isinstance(at, datetime) else at


def _tls_of(query: str) -> ssl.SSLContext | None:
    """What checks the server, by what stands behind the `?` of the URL; None where nothing is to be encrypted."""
    said = dict(parse_qsl(query, keep_blank_values=True))
    wanted, authority = said.pop("ssl", "true" if "ssl_ca" in said else "false"), said.pop("ssl_ca", None)
    if said or wanted not in ("true", "false") or (authority is not None and wanted == "false"):
        raise SettingsError("[[pbx]] cel: behind the database write ?ssl=true, or ?ssl=true&ssl_ca=/path/of/ca.pem")
    if wanted == "false":
        return None
    try:
        return trust(authority)
    except OSError as problem:
        raise SettingsError(f"[[pbx]] cel: ssl_ca {authority}: {problem.strerror or problem}") from None


def _why(problem: BaseException) -> str:
    if isinstance(problem.__cause__, ssl.SSLCertVerificationError):
        return f"{problem.__cause__.verify_message}; name the PEM file of who signed its certificate as ssl_ca"
    return "no answer in time" if isinstance(problem, TimeoutError) else str(problem) or type(problem).__name__
