"""The service behind nginx and behind Caddy, set up as the documentation says, over TLS."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from callcenter.accounts.roles import Role
from callcenter.accounts.store import People
from callcenter.app import Application
from callcenter.db.engine import Database
from callcenter.settings import ScreenpopSettings, Settings, WebSettings
from tests.service.proxies import HOST, make_certificate, program, proxy
from tests.service.web_world import CHEAP, PASSWORD

ORIGIN = f"https://{HOST}"
SOMEBODY = "127.0.0.2"
"""Where the client connects from, so that its address is not the proxy's."""
SESSION, TICKET = "/api/v1/session", "/api/v1/screenpop/ticket"


class Here(AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@dataclass
class Front:
    """What browsers reach: the proxy, at a port that plays 443."""

    port: int
    trust: ssl.SSLContext
    client: aiohttp.ClientSession
    database: Database

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, headers and body of an answer."""
        sent = {"Host": HOST, "X-Callcenter": "1", "Origin": ORIGIN, **headers}
        url = f"{ORIGIN}:{self.port}{path}"
        async with self.client.request(method, url, json=body, headers=sent, ssl=self.trust) as answer:
            text = await answer.text()
            return answer.status, answer.headers, json.loads(text) if text.startswith("{") else text

    async def log_in(self, **headers: str) -> tuple[int, Any, Any]:
        return await self.send("POST", SESSION, {"login": "li", "password": PASSWORD}, **headers)

    def open(self, url: str, origin: str) -> open_socket:
        """The screen-pop, by the very URL that the service told."""
        assert url == f"wss://{HOST}/screenpop"
        return open_socket(
            url, host="127.0.0.1", port=self.port, ssl=self.trust, origin=Origin(origin), proxy=None, compression=None
        )


@pytest.fixture(params=["nginx", "caddy"])
async def front(
    request: pytest.FixtureRequest, database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[Front]:
    program(request.param)
    settings = Settings(
        database_url=SecretStr(database_url),
        web=WebSettings(port=0, public_url=ORIGIN),
        screenpop=ScreenpopSettings(port=0, public_url=f"wss://{HOST}/screenpop"),
    )
    async with AsyncExitStack() as stack:
        application = await stack.enter_async_context(Application.open(settings))
        hashed = CHEAP.hash(PASSWORD)
        await People(database).add(application.tenant_id, "li", "Li", Role.AGENT, hashed, by="test")
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(application.run(), name="application")
        stack.callback(application.stop)
        await application.ready.wait()
        trust = await make_certificate(tmp_path)
        port = await stack.enter_async_context(
            proxy(request.param, tmp_path, application.web_port, application.screenpop.port)
        )
        connector = aiohttp.TCPConnector(resolver=Here(), local_addr=(SOMEBODY, 0))
        client = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield Front(port, trust, client, database)


async def welcome(socket: ClientConnection, ticket: str) -> str:
    await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
    return str(json.loads(await socket.recv())["type"])


async def test_a_person_works_through_the_proxy(front: Front) -> None:
    status, headers, _ = await front.log_in()
    assert status == 200
    cookie = headers["Set-Cookie"]
    assert "; Secure" in cookie and "; HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert headers["Strict-Transport-Security"]
    status, _, session = await front.send("GET", SESSION)
    assert (status, session["user"]["login"]) == (200, "li")
    status, _, ticket = await front.send("POST", TICKET)
    assert status == 201
    async with front.open(ticket["url"], ORIGIN) as socket:
        assert await welcome(socket, ticket["ticket"]) == "welcome"
        await (await socket.ping())


async def test_pages_of_others_are_refused_through_the_proxy(front: Front) -> None:
    assert (await front.log_in(Origin="https://evil.example"))[0] == 403
    assert (await front.log_in())[0] == 200
    assert (await front.send("POST", TICKET, Origin=f"http://{HOST}"))[0] == 403
    _, _, ticket = await front.send("POST", TICKET)
    with pytest.raises(InvalidStatus) as refused:
        async with front.open(ticket["url"], "https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_the_proxy_tells_the_address_and_clients_cannot(front: Front) -> None:
    assert (await front.log_in(**{"X-Forwarded-For": "203.0.113.9"}))[0] == 200
    assert await front.database.pool.fetchval("SELECT address FROM sessions") == SOMEBODY


async def test_nobody_is_nearby_through_the_proxy(front: Front) -> None:
    """/metrics is for programs of this machine; the proxy is one, but whom it brings is not."""
    assert (await front.send("GET", "/metrics"))[0] == 401
    assert (await front.send("GET", "/metrics", **{"X-Forwarded-For": "", "Forwarded": ""}))[0] == 401
