"""Exports of the call log, of any size: PostgreSQL makes the lines, and they are passed on as they come.

One COPY on a connection of its own, so that no more is in memory than the network takes at once. Whoever takes nothing
for `STALL`, or needs longer than `LONGEST` in all, is cut off: PostgreSQL keeps old rows for as long as a COPY runs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any

import msgspec

from callcenter.calllog import columns
from callcenter.calllog.queries import CallFilter, conditions_of, records_from, walked
from callcenter.db import audit
from callcenter.db.engine import CONNECT_TIMEOUT_S, Database
from callcenter.errors import TooMany

STALL = timedelta(seconds=30)
"""The longest that a piece may take to be written."""
LONGEST = timedelta(hours=1)
MOST_AT_ONCE = 2
"""Exports of a process; each keeps a processor of PostgreSQL busy."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Write = Callable[[bytes], Awaitable[None]]
"""Takes the next piece of the file, and returns when there is room for another one."""


class Layout(StrEnum):
    """How the file is written."""

    CSV = "csv"
    NDJSON = "ndjson"


class Exports:
    """The exports of this process, of which only a few run at a time."""

    def __init__(self, database: Database, *, most: int = MOST_AT_ONCE) -> None:
        self._database = database
        self._most = most
        self._running = 0

    async def run(
        self,
        tenant_id: int,
        wanted: CallFilter,
        layout: Layout,
        write: Write,
        *,
        by: str,
        byte_order_mark: bool = False,
        stall: timedelta = STALL,
    ) -> int:
        """Write the calls, the oldest first, and give their number. Noted in the audit trail before the first byte.

        Raises:
            TooMany: others are running already.
            TimeoutError: `write` did not return in time, or the whole took too long.
            DatabaseError: PostgreSQL cannot be reached.
        """
        if self._running >= self._most:
            raise TooMany("other exports are running: try again when they are done", retry_after=STALL)
        self._running += 1
        try:
            await self._note(tenant_id, wanted, layout, by)
            if byte_order_mark:
                await write(BYTE_ORDER_MARK)
            return await self._copy(tenant_id, wanted, layout, write, stall)
        finally:
            self._running -= 1

    async def count(self, tenant_id: int, wanted: CallFilter) -> int:
        """How many calls an export at this moment would have."""
        tables, place = walked(wanted)
        conditions, arguments = conditions_of(wanted, place)
        chosen = "".join(f" AND {one}" for one in ("c.merged_into IS NULL", *conditions))
        async with self._database.unit(tenant_id) as unit:
            return int(await unit.fetchval(f"SELECT count(*) FROM {tables} WHERE c.tenant_id = $1{chosen}", *arguments))

    async def _note(self, tenant_id: int, wanted: CallFilter, layout: Layout, by: str) -> None:
        # the names of the filters alone: their values are numbers and names of people
        filters = [name for name, value in msgspec.structs.asdict(wanted).items() if value is not None]
        detail: dict[str, Any] = {"format": layout, "filters": filters}
        async with self._database.unit(tenant_id) as unit:
            await audit.note(unit, actor=by, action="calls.export", subject_type="calls", subject_id="", detail=detail)

    async def _copy(self, tenant_id: int, wanted: CallFilter, layout: Layout, write: Write, stall: timedelta) -> int:
        async def pass_on(piece: bytes) -> None:
            async with asyncio.timeout(stall.total_seconds()):
                await write(piece)

        query, arguments = _query(wanted, layout)
        connection = await self._database.dedicated()
        try:
            await connection.execute(f"SET statement_timeout = '{LONGEST.total_seconds():.0f}s'")
            tag = await connection.copy_from_query(
                query,
                tenant_id,
                *arguments,
                output=pass_on,
                timeout=LONGEST.total_seconds(),
                format="csv",
                **_OPTIONS[layout],
            )
            await connection.close(timeout=CONNECT_TIMEOUT_S)
            return int(tag.split()[-1])
        finally:
            # where the reader went away in the middle, PostgreSQL stops when it finds nobody to write to
            connection.terminate()


_OPTIONS: dict[Layout, dict[str, Any]] = {
    Layout.CSV: {"header": True, "force_quote": list(columns.TEXTS)},
    # a line of JSON has no control characters, so that nothing in it is ever quoted or doubled
    Layout.NDJSON: {"delimiter": "\x02", "quote": "\x01", "escape": "\x01"},
}


def _query(wanted: CallFilter, layout: Layout) -> tuple[str, list[object]]:
    tables, place = walked(wanted)
    conditions, arguments = conditions_of(wanted, place)
    chosen = "".join(f" AND {one}" for one in ("c.merged_into IS NULL", *conditions))
    rows = f"WHERE c.tenant_id = $1{chosen} ORDER BY {place}.started_at, {place}.call_id"
    if layout is Layout.NDJSON:
        return f"{records_from(tables)} {rows}", arguments
    # made apart from their guards, each value once
    return (
        f"WITH chosen AS MATERIALIZED (SELECT c.call_id FROM {tables} WHERE c.tenant_id = $1{chosen})"
        f" SELECT {columns.guarded()} FROM (SELECT {columns.selected()} FROM {tables}"
        f" LEFT JOIN customers k ON k.tenant_id = c.tenant_id AND k.customer_id = c.customer_id{columns.PARTS}"
        f" {rows} OFFSET 0) made",
        arguments,
    )
