"""PostgreSQL cut off at each statement of each write, before it is done or after it is done and before we are told.

A proxy stands between the writer and a real PostgreSQL and breaks the connection at the n-th statement, for each n;
then it turns away two attempts more. In the end the log must be as if nothing had happened.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from structlog.testing import capture_logs

from callcenter.calllog.writer import CallLogWriter
from callcenter.changes import CallChange
from callcenter.db.engine import Database, connect
from callcenter.joints.directory import directory_of
from callcenter.tracking.tracker import Tracker
from crm_bridge.outbox import CallOutbox
from tests import traces
from tests.faults import ALL
from tests.replay.expectation import SETTINGS

CASES = ("attended-transfer-answered", "queue-ringall-three-members", "parked-and-fetched", "two-calls-at-once")
"""Calls that meet, ring at many phones, wait, and come together."""
STEPS = 5
"""How often in the course of a trace all that waits is written."""
AT_ONCE = 12
EVERY = 1 if ALL else 9
"""Which of the statements are cut at."""
REFUSALS = 2
"""Attempts that are turned away after a cut."""
STATEMENTS = frozenset(b"QPE")
"""First bytes of a message of PostgreSQL's protocol that has something done: Query, Parse, Execute.

Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""


class Proxy:
    """Carries bytes to a PostgreSQL and back, counts statements, and breaks off at one of them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.statements = 0
        self.cut_at: int | None = None
        self.tells = False
        """Whether PostgreSQL gets the statement that is cut at: it is done then, and nobody is told."""
        self.broken = 0
        self._refuse = 0
        self._port = 0

    @property
    def url(self) -> str:
        """The same database, through the proxy."""
        return f"postgresql://{self._user}@127.0.0.1:{self._port}{urlsplit(self._url).path}?sslmode=disable"

    @property
    def _user(self) -> str:
        return urlsplit(self._url).username or "postgres"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = urlsplit(self._url)
        directory = parse_qs(place.query).get("host")
        if directory:
            return await asyncio.open_unix_connection(f"{directory[0]}/.s.PGSQL.{place.port or 5432}")
        return await asyncio.open_connection(place.hostname, place.port or 5432)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuse:
            self._refuse -= 1
            writer.close()
            return
        upstream, downstream = await self._open()
        back = asyncio.create_task(self._back(upstream, writer), name="proxy: answers")
        try:
            await self._forward(reader, downstream)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            back.cancel()
            writer.transport.abort()
            downstream.close()

    async def _back(self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await upstream.read(65536):
            writer.write(data)
        writer.close()

    async def _forward(self, reader: asyncio.StreamReader, downstream: asyncio.StreamWriter) -> None:
        start = await reader.readexactly(4)
        downstream.write(start + await reader.readexactly(int.from_bytes(start) - 4))
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            self.statements += head[:1] in (b"Q", b"P", b"E")
            if self.statements == self.cut_at and not self.broken:
                self.broken, self._refuse = 1, REFUSALS
                if self.tells:
                    await self._do_untold(head + body, reader, downstream)
                return
            downstream.write(head + body)

    async def _do_untold(self, message: bytes, reader: asyncio.StreamReader, downstream: asyncio.StreamWriter) -> None:
        """Let PostgreSQL do what was asked, up to the message that has it done; its answer goes nowhere."""
        while message[:1] not in (b"Q", b"S"):
            downstream.write(message)
            head = await reader.readexactly(5)
            message = head + await reader.readexactly(int.from_bytes(head[1:]) - 4)
        downstream.write(message)
        # Its end of the conversation, so that all of it is taken in before the connection is gone.
        downstream.write(b"X\x00\x00\x00\x04")
        await downstream.drain()


def course() -> list[list[CallChange]]:
    """The changes of all traces, one after the other, in the portions in which they are written."""
    portions: list[list[CallChange]] = []
    for case in CASES:
        tracker = Tracker(directory_of(SETTINGS, tenant="default"))
        said = [
            change for event in traces.events(case) for change in tracker.apply(event) if isinstance(change, CallChange)
        ]
        size = -(-len(said) // STEPS)
        portions += [said[at : at + size] for at in range(0, len(said), size)]
    return portions


async def write(proxy: Proxy, slug: str, cut_at: int | None = None) -> CallLogWriter:
    """Write all of it as one tenant."""
    database = await connect(proxy.url, pool_size=2)
    try:
        tenant_id = await database.ensure_tenant(slug)
        proxy.statements, proxy.cut_at = 0, cut_at
        return await _write(database, tenant_id)
    finally:
        await database.close()


async def _write(database: Database, tenant_id: int) -> CallLogWriter:
    writer = CallLogWriter(database, tenant_id, outbox=CallOutbox(), progress_every=timedelta(0))
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(writer.run(), name=f"call log of {tenant_id}")
        for portion in course():
            for change in portion:
                writer.put(change)
            await writer.flush()
        writer.stop(timedelta(seconds=10))
    return writer


TABLES = {
    "calls": "call_id, status, direction, started_at, answered_at, ended_at, talk_s, hold_s, caller, callee,"
    " transfers, linkedids, hangup_by, hangup_cause, complete, version, merged_into",
    "queue_visits": "call_id, n, queue, joined_at, left_at, exit, wait_s",
    "offers": "call_id, n, agent, interface, queue, rang_at, ended_at, result",
    "connections": "call_id, n, agent, interface, number, from_at, to_at",
    "call_agents": "call_id, agent, started_at",
    "outbox": "kind, key, state",
}


async def log_of(connection: "asyncpg.Connection[asyncpg.Record]", slug: str) -> dict[str, set[str]]:
    """All that was written for a tenant, whose number stands nowhere in it."""
    return {
        table: {
            str(tuple(row))
            for row in await connection.fetch(
                f"SELECT {columns} FROM {table} WHERE tenant_id = (SELECT id FROM tenants WHERE slug = $1)", slug
            )
        }
        for table, columns in TABLES.items()
    }


@pytest.mark.timeout(900)
async def test_the_log_is_whole_wherever_postgresql_is_cut_off(database_url: str) -> None:
    proxy = Proxy(database_url)
    async with proxy.serving():
        await write(proxy, "untouched")
    length = proxy.statements
    assert length > 100
    slots = asyncio.Semaphore(AT_ONCE)
    unreached: list[int] = []

    async def one(at: int, tells: bool) -> None:
        cut = Proxy(database_url)
        cut.tells = tells
        async with slots, cut.serving():
            writer = await write(cut, f"cut-{at}-{int(tells)}", at)
        assert (writer.counters.refused, writer.waiting) == (0, 0)
        if not cut.broken:
            unreached.append(at)

    cuts = list(itertools.product(range(1, length, EVERY), (False, True)))
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as group:
            for at, tells in cuts:
                group.create_task(one(at, tells), name=f"cut at statement {at}")
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []
    # How many statements there are depends a little on how the portions fall.
    assert len(unreached) < len(cuts) / 5
    connection = await asyncpg.connect(database_url)
    try:
        whole = await log_of(connection, "untouched")
        assert len(whole["calls"]) >= 6 and whole["outbox"] and whole["offers"]
        for at, tells in cuts:
            assert await log_of(connection, f"cut-{at}-{int(tells)}") == whole, f"cut at statement {at}, done: {tells}"
        twice = "SELECT tenant_id, seq FROM calls GROUP BY tenant_id, seq HAVING count(*) > 1"
        assert await connection.fetch(twice) == []
    finally:
        await connection.close()
