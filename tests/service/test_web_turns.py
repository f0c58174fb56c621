"""One script that asks for much at once keeps nobody else from the database."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from callcenter.calllog.bell import Bell
from callcenter.customers.index import CustomerIndex
from callcenter.db.engine import Database
from callcenter.joints.calls import WebCallLog
from callcenter.joints.deskwords import DeskWords
from callcenter.matching.number import Reader
from callcenter.matching.rank import MatchStatus
from callcenter.web.turns import AT_ONCE, most_of
from tests.service.web_world import World, run_world

CALLS = "/api/v1/calls"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'calls'::regclass"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    at_once = most_of(database.pool.get_max_size())
    words = DeskWords(database, await database.ensure_tenant("default"))
    calls = WebCallLog(database, Bell(database), words.check_outcome)
    async with run_world(database, calls=calls, at_once=at_once) as running:
        yield running


async def test_a_script_that_asks_for_much_at_once_keeps_no_pop_waiting(world: World) -> None:
    most = most_of(world.database.pool.get_max_size())
    key = await world.key("calls:read", "agents:read")
    locking = await world.database.dedicated()
    try:
        async with world.client(Authorization=f"Bearer {key}") as script, world.logged_in("li") as li:
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                async with locking.transaction():
                    await locking.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
                    asked = [group.create_task(script.send("GET", CALLS)) for _ in range(most)]
                    while await locking.fetchval(WAITING) < most:  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.01)
                    refused = await script.send("GET", "/api/v1/agents")
                    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
                    assert refused.json["type"] == "/api/docs#problem-too-many"
                    # others have connections, the pops' look-up too
                    assert (await li.send("GET", "/api/v1/session")).status == 200
                    found = await CustomerIndex(world.database.pool).match(world.tenant_id, Reader("GB").read("0207"))
                    assert found.status is MatchStatus.NONE
            assert [task.result().status for task in asked] == [200] * most
            assert (await script.send("GET", "/api/v1/agents")).status == 200
    finally:
        await locking.close()


@pytest.mark.parametrize(("pool", "most"), [(1, 1), (3, 1), (5, 3), (10, AT_ONCE), (200, AT_ONCE)])
def test_of_a_small_pool_some_connections_are_left(pool: int, most: int) -> None:
    assert most_of(pool) == most
