"""A stolen session that is revoked: with the whole service, what is open for it ends within two seconds."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from callcenter.app import Application
from callcenter.db.engine import Database
from callcenter.simulator.server import Simulator
from tests.pages.house import LI, PASSWORD, _people, _settings

DEADLINE_S = 15
LIMIT_S = 2.0


@asynccontextmanager
async def browser(application: Application) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser in which Li is logged in."""
    url = f"http://127.0.0.1:{application.web_port}"
    headers = {"X-Callcenter": "1", "Origin": url}
    jar = aiohttp.CookieJar(unsafe=True)  # takes cookies of an IP address
    async with aiohttp.ClientSession(url, headers=headers, cookie_jar=jar) as client:
        async with client.post("/api/v1/session", json={"login": LI, "password": PASSWORD}) as answer:
            assert answer.status == 200, await answer.text()
        yield client


async def open_page(application: Application, client: aiohttp.ClientSession) -> ClientConnection:
    """The screen-pop's socket of a page of this browser, welcomed."""
    async with client.post("/api/v1/screenpop/ticket") as answer:
        ticket = await answer.json()
    page = await connect(ticket["url"], origin=f"http://127.0.0.1:{application.web_port}")  # type: ignore[arg-type]
    await page.send(json.dumps({"type": "hello", "ticket": ticket["ticket"]}))
    welcome = json.loads(await asyncio.wait_for(page.recv(), DEADLINE_S))
    assert welcome["type"] == "welcome", welcome
    return page


async def until_closed(page: ClientConnection) -> None:
    """Read until the server closes."""
    with pytest.raises(ConnectionClosed):
        while True:
            await page.recv()


async def test_a_stolen_session_ends_with_its_socket(database: Database, database_url: str) -> None:
    await _people(database_url)
    async with (
        Simulator() as simulator,
        Application.open(_settings(database_url, simulator, "")) as application,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(application.run(), name="application")
        await asyncio.wait_for(application.ready.wait(), DEADLINE_S)
        async with browser(application) as thief, browser(application) as owner:
            stolen, kept = await open_page(application, thief), await open_page(application, owner)
            async with owner.get("/api/v1/session/all") as answer:
                [session] = [one["session"] for one in (await answer.json())["items"] if not one["own"]]
            began = asyncio.get_running_loop().time()
            async with owner.delete(f"/api/v1/session/all/{session}") as answer:
                assert answer.status == 204
            await asyncio.wait_for(until_closed(stolen), LIMIT_S)
            assert asyncio.get_running_loop().time() - began < LIMIT_S
            async with thief.get("/api/v1/session") as answer:
                assert answer.status == 401
            assert kept.state.name == "OPEN"
            await kept.close()
        application.stop()
