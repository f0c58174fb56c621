"""A PostgreSQL that is frozen, or ends, while calls come: on a server of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.calllog.spool import Spool
from callcenter.calllog.writer import CallLogWriter
from tests.database.test_writer import running, statuses, until
from tests.fixtures.calls import call_id, change, in_progress, queue_call
from tests.fixtures.freezable import Freezable, freezable

MIB = 1024 * 1024


@pytest.fixture
async def server() -> AsyncIterator[Freezable]:
    async with freezable() as one:
        yield one


async def test_a_frozen_server_loses_no_call_and_stops_nothing(server: Freezable, tmp_path: Path) -> None:
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
