"""One process of several works; another takes over when it is gone, and none stops because PostgreSQL is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from callcenter.db.claim import Claim, Standing
from callcenter.db.engine import Database, connect
from callcenter.errors import ClaimLost
from tests.fixtures.database import run_as_admin
from tests.fixtures.freezable import freezable

QUICK = timedelta(milliseconds=20)


def claim(database: Database, courtesy: timedelta = QUICK, patience: timedelta = QUICK) -> Claim:
    """A claim that looks often."""
    return Claim(database, "default/pbx", look_every=QUICK, patience=patience, courtesy=courtesy)


class Worker:
    """Who works while it holds the claim."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.works = asyncio.Event()

    async def run(self) -> None:
        """Wait, then work for ever."""
        await self.claim.run(self._work)

    async def _work(self) -> None:
        self.works.set()
        await asyncio.Event().wait()


@asynccontextmanager
async def working(one: Claim) -> AsyncIterator[Worker]:
    """Work for the time of the block."""
    worker = Worker(one)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(worker.run())
        yield worker
        task.cancel()


async def stands(one: Claim, standing: Standing) -> None:
    """Wait until the claim stands so."""
    async with asyncio.timeout(10):
        while one.standing is not standing:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def disconnect(database: Database, postgres_url: str) -> None:
    """Throw everybody out of the test's database."""
    name = database.place.partition("?")[0].rpartition("/")[2]
    await run_as_admin(postgres_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def test_the_second_stands_by_and_takes_over_from_one_that_is_gone(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, another = claim(database), claim(database), Claim(database, "default/another")
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(working(first))
        await asyncio.wait_for(one.works.wait(), 10)
        async with working(second) as other:
            await stands(second, Standing.STANDING_BY)
            async with working(another) as free:
                await asyncio.wait_for(free.works.wait(), 10)
            assert (first.standing, other.works.is_set()) == (Standing.HOLDING, False)
            await stack.aclose()
            await asyncio.wait_for(other.works.wait(), 10)
            assert second.standing is Standing.HOLDING
    said = capsys.readouterr().out
    assert said.count("claim_standing_by") == 1
    assert "claim_unsure" not in said, "who stops in order has nothing to warn of"


async def test_a_lost_connection_is_noticed_and_who_worked_goes_on_before_who_waited(
    database: Database, postgres_url: str
) -> None:
    first, second = claim(database), claim(database, courtesy=timedelta(seconds=1))
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(working(first))
        await asyncio.wait_for(one.works.wait(), 10)
        other = await stack.enter_async_context(working(second))
        await stands(second, Standing.STANDING_BY)
        for _ in range(3):
            backend = first._connection
            await disconnect(database, postgres_url)
            async with asyncio.timeout(10):
                while first._connection is backend or first.standing is not Standing.HOLDING:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert not other.works.is_set()


async def test_who_was_overtaken_ends(database: Database, postgres_url: str) -> None:
    first = claim(database)
    thief = await database.dedicated()
    with pytest.raises(ExceptionGroup) as caught:
        async with working(first) as one:
            await asyncio.wait_for(one.works.wait(), 10)
            first._look_every_s = 1.0
            waiting = asyncio.ensure_future(thief.fetchval("SELECT pg_advisory_lock($1)", first._key))
            await asyncio.sleep(0)
            held = first._connection
            assert held is not None
            held.terminate()
            await asyncio.wait_for(waiting, 10)
            await asyncio.wait_for(asyncio.Event().wait(), 10)
    lost, other = caught.value.split(ClaimLost)
    assert lost is not None and other is None
    assert first.standing is Standing.STANDING_BY
    await thief.close()


async def test_without_postgresql_work_begins_after_a_while_and_is_claimed_later() -> None:
    async with freezable() as server:
        database = await connect(server.url, pool_size=1)
        one = claim(database)
        async with server.stopped():
            running = working(one)
            worker = await running.__aenter__()
            await asyncio.wait_for(worker.works.wait(), 10)
            assert one.standing is Standing.UNSURE
        await stands(one, Standing.HOLDING)
        await running.__aexit__(None, None, None)
        await database.close()
