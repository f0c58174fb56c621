"""Who is shut out by another process loses the open page: the whole service, on real sockets and a real database."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from callcenter.accounts.roles import Role
from callcenter.accounts.store import People
from callcenter.app import Application
from callcenter.db.engine import Database
from callcenter.settings import ScreenpopSettings, Settings, WebSettings
from tests.service.web_world import CHEAP, PASSWORD

API = "/api/v1"
PATIENCE_S = 20.0


async def disable(people: People, tenant_id: int) -> None:
    await people.set_disabled(tenant_id, "li", True, by="admin")


async def change_password(people: People, tenant_id: int) -> None:
    await people.set_password(tenant_id, "li", CHEAP.hash("another good password"), by="admin")


@asynccontextmanager
async def serving(database_url: str) -> AsyncIterator[Application]:
    """The service, without a PBX."""
    settings = Settings(
        database_url=SecretStr(database_url), web=WebSettings(port=0), screenpop=ScreenpopSettings(port=0)
    )
    async with Application.open(settings) as application, asyncio.TaskGroup() as group:
        group.create_task(application.run(), name="application")
        try:
            await application.ready.wait()
            yield application
        finally:
            application.stop()


@asynccontextmanager
async def page_of(login: str, application: Application) -> AsyncIterator[ClientConnection]:
    """A page of somebody who has logged in."""
    url = f"http://127.0.0.1:{application.web_port}"
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(url, cookie_jar=jar, headers={"X-Callcenter": "1"}) as client:
        await client.post(f"{API}/session", json={"login": login, "password": PASSWORD})
        async with client.post(f"{API}/screenpop/ticket") as answer:
            ticket = await answer.json()
    async with open_socket(ticket["url"], compression=None) as socket:
        await socket.send(json.dumps({"type": "hello", "ticket": ticket["ticket"]}))
        assert json.loads(await socket.recv())["type"] == "welcome"
        yield socket


@pytest.mark.parametrize("shut_out", [disable, change_password])
async def test_the_open_page_of_who_is_shut_out_is_closed(
    database: Database, database_url: str, shut_out: Callable[[People, int], Awaitable[None]]
) -> None:
    async with asyncio.timeout(PATIENCE_S), serving(database_url) as application:
        people, tenant_id = People(database), application.tenant_id
        for login in ("li", "mei"):
            await people.add(tenant_id, login, login.title(), Role.AGENT, CHEAP.hash(PASSWORD), by="test")
        async with page_of("li", application) as lost, page_of("mei", application) as kept:
            await shut_out(people, tenant_id)
            with pytest.raises(ConnectionClosed):
                while True:
                    await lost.recv()
            assert (lost.close_code, lost.close_reason) == (4401, "you were logged out")
            await (await kept.ping())
