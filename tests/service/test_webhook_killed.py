"""`callcenter serve` killed with -9 while a webhook is under way: its successor sends the event again, under its id."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from callcenter.calllog.store import store
from callcenter.db.engine import Database
from crm_bridge.webhooks import subscriptions
from crm_bridge.webhooks.values import EventKind
from tests.fixtures.calls import queue_call
from tests.fixtures.receiver import accept, open_receiver

COMMAND = Path(sys.executable).with_name("callcenter")
PATIENCE_S = 60.0
UNDONE = "SELECT count(*) FROM webhook_deliveries WHERE state <> 'done'"


@asynccontextmanager
async def serving(config: Path) -> AsyncIterator[Process]:
    """The service as its user starts it; killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, "serve", "--config", str(config), stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        assert process.returncode is None, "the service ended by itself"
        process.kill()
        await process.wait()


async def test_an_event_that_was_under_way_comes_again_and_the_rest_once(
    database: Database, database_url: str, tenant_id: int, tmp_path: Path
) -> None:
    held = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        held.set()
        await asyncio.Event().wait()
        return web.Response()

    async with open_receiver(hang) as receiver:
        config = tmp_path / "callcenter.toml"
        config.write_text(
            f'[database]\nurl = "{database_url}"\n[web]\nport = 0\n[screenpop]\nport = 0\n[webhooks]\n'
            f'allow_http = true\nallow_networks = ["127.0.0.0/8"]\nports = [{receiver.port}]\ntimeout_s = 0.5\n'
            # a PBX that is never there: calls are written by the test
            'concurrency = 1\n[[pbx]]\nport = 9\nsecret = "none"\n',
            encoding="utf-8",
        )
        async with database.unit(tenant_id) as unit:
            await subscriptions.create(unit, name="CRM", url=receiver.url, kinds=[EventKind.ENDED], actor="admin")
        async with serving(config):
            async with database.unit(tenant_id) as unit:
                await store(unit, [queue_call(n) for n in range(3)], {})
            async with asyncio.timeout(PATIENCE_S):
                await held.wait()
        under_way = receiver.got[0].id
        receiver.manner = accept
        async with serving(config):
            await receiver.until(lambda found: len(found.times) == 3 and found.times[under_way] > 1, PATIENCE_S)
            async with asyncio.timeout(PATIENCE_S):
                while await database.pool.fetchval(UNDONE):  # noqa: ASYNC110 - it is another process that works
                    await asyncio.sleep(0.05)
        bodies = {one.body for one in receiver.got if one.id == under_way}
        assert len(bodies) == 1
        assert {event: times for event, times in receiver.times.items() if event != under_way} == {
            event: 1 for event in receiver.times if event != under_way
        }
