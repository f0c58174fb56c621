"""Two services started on one PBX and one database by mistake: the second stands by, and takes over from a dead one."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from callcenter.simulator.load import big_company
from callcenter.simulator.server import Simulator
from callcenter.simulator.world import World
from tests.acceptance.service import Service, until
from tests.service.test_killed import place, statuses

CALLS = 10


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A PBX with phones enough."""
    async with Simulator(World(big_company(40))) as one:
        yield one


@pytest.fixture
def home() -> Iterator[Path]:
    """A place of its own; pytest's is closed to the user that PostgreSQL runs as when we are root."""
    made = Path(tempfile.mkdtemp(prefix="callcenter-test-"))
    yield made
    shutil.rmtree(made)


async def state(service: Service) -> str:
    """How /readyz tells of the PBX."""
    async with aiohttp.ClientSession() as web:
        try:
            async with web.get(f"{service.url}/readyz") as answer:
                parts = (await answer.json())["parts"]
        except aiohttp.ClientConnectionError:
            service.is_running()
            return "starts"
    return str(next(one["state"] for one in parts if one["kind"] == "pbx"))


@pytest.mark.parametrize("embedded", [False, True], ids=["own PostgreSQL", "embedded"])
async def test_the_second_stands_by_and_goes_on_with_the_calls_of_the_first(
    simulator: Simulator, home: Path, database_url: str, embedded: bool
) -> None:
    (home / "one").mkdir()
    (home / "two").mkdir()
    one = Service(home / "one", simulator, database_url=None if embedded else database_url)
    async with one:
        said = await one.run("db", "url") if embedded else database_url
        url = next(line for line in said.splitlines() if line.startswith("postgresql://"))
        two = Service(home / "two", simulator, database_url=None if embedded else database_url)
        if embedded:
            text = two.config.read_text()
            two.config.write_text(text.replace(str(home / "two"), str(home / "one")))
        await two.start()

        async def stands_by() -> bool:
            return await state(two) == "standing by"

        await until(stands_by, "the second stands by", deadline_s=30)
        assert len(two.said("claim_standing_by")) == 1
        for n in range(CALLS):
            place(simulator, n, 3600.0)

        async def all_logged() -> bool:
            return len(await statuses(url)) == CALLS

        await until(all_logged, "all calls are in the log", deadline_s=15)
        before = await statuses(url)
        await one.kill()
        await two.is_ready()
        simulator.restart()

        async def over() -> bool:
            return all(row["ended_at"] for row in (await statuses(url)).values())

        await until(over, "all calls are over", deadline_s=15)
        found = await statuses(url)
        assert set(found) == set(before)
        for call_id, row in found.items():
            assert (row["started_at"], row["caller"], row["complete"]) == (
                before[call_id]["started_at"],
                before[call_id]["caller"],
                False,
            )
        await two.stop()
