"""A PostgreSQL that is frozen, or ends, while calls come: on a server of its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.calllog.spool import Spool
from callcenter.calllog.writer import CallLogWriter
from callcenter.db import migrations
from callcenter.db.embedded import EmbeddedPostgres
from callcenter.db.engine import Database, connect
from tests.database.test_writer import running, statuses, until
from tests.fixtures.calls import call_id, change, in_progress, queue_call
from tests.fixtures.database import FAST

MIB = 1024 * 1024


class Server:
    """A PostgreSQL that may be frozen."""

    def __init__(self, postgres: EmbeddedPostgres, directory: Path, database: Database) -> None:
        self.postgres = postgres
        self.database = database
        self._directory = directory

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and to all of its processes."""
        postmaster = int((self._directory / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            os.kill(pid, number)

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Say nothing for the time of the block, as where its disk hangs."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    directory = tmp_path / "postgresql"
    postgres = EmbeddedPostgres(directory, FAST)
    database = await connect(await postgres.start(), pool_size=4)
    try:
        await migrations.upgrade(database)
        yield Server(postgres, directory, database)
    finally:
        await database.close()
        await postgres.stop()


async def test_a_frozen_server_loses_no_call_and_stops_nothing(server: Server, tmp_path: Path) -> None:
    tenant_id = await server.database.ensure_tenant("default")
    spool = Spool(tmp_path / "spool", MIB)
    async with running(CallLogWriter(server.database, tenant_id, spool=spool), timedelta(seconds=20)) as writer:
        writer.put(change(in_progress(0)))
        await writer.flush()
        async with server.frozen():
            for n in range(60):
                writer.put(change(queue_call(n)))

            async def is_on_disk() -> bool:
                return writer.waiting == 0 and writer.spool_bytes > 0 and writer.counters.spooled >= 60

            await until(is_on_disk, deadline_s=20)
        async with asyncio.timeout(20):
            await writer.flush()
        assert set(await statuses(server.database)) == {call_id(n) for n in range(60)}
        assert {row[0] for row in await server.database.pool.fetch("SELECT version FROM calls")} == {1}
