"""The whole service on a real PostgreSQL beside the simulated PBX, and a browser to look at it: for page tests."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from pydantic import SecretStr

from callcenter.accounts.roles import Role
from callcenter.accounts.seats import Seats
from callcenter.accounts.store import People
from callcenter.app import Application
from callcenter.db.engine import connect
from callcenter.settings import PbxSettings, ScreenpopSettings, Settings, WebSettings
from callcenter.simulator.flows import inbound
from callcenter.simulator.people import Caller, Manners
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.server import Simulator

PASSWORD = "correct horse battery"
LI, MEI, ADMIN = "li", "mei", "admin"
SEATS = {LI: "1001", MEI: "1002"}
DIRECT_TO_LI = "02079460991"
TO_SALES = "02079460993"
"""Rings 1001, 1002 and 1003 at once."""
CHROMIUM = (
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LONG_MS = 15_000
"""How long a page may take to show something, on a machine that is busy with other tests."""


@dataclass
class House:
    """A running service. `url` is its page."""

    url: str
    simulator: Simulator
    browser: Browser
    stack: AsyncExitStack
    faults: list[str] = field(default_factory=list)
    """What pages complained about that no test expects."""

    async def guest(self, language: str = "en", **options: Any) -> Page:
        """A browser of its own in which nobody is logged in."""
        return await self.tab(await self._browser(language, options))

    async def window(self, login: str = LI, language: str = "en", **options: Any) -> Page:
        """A browser of its own in which `login` is logged in and sits at their phone."""
        context = await self._browser(language, options)
        await self._log_in(context, login)
        return await self.tab(context)

    async def _browser(self, language: str, options: Mapping[str, Any]) -> BrowserContext:
        options = {"viewport": {"width": 1366, "height": 768}, **options}
        context = await self.browser.new_context(locale=language, **options)
        self.stack.push_async_callback(context.close)
        context.set_default_timeout(LONG_MS)
        await context.grant_permissions(["notifications"], origin=self.url)
        return context

    async def tab(self, context: BrowserContext) -> Page:
        """One more window of the same browser, at the desk."""
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        await page.goto(f"{self.url}/")
        return page

    async def _log_in(self, context: BrowserContext, login: str) -> None:
        answer = await context.request.post(
            f"{self.url}/api/v1/session",
            data={"login": login, "password": PASSWORD},
            headers={"X-Callcenter": "1", "Origin": self.url},
        )
        assert answer.ok, await answer.text()

    async def customer(self, name: str, number: str, **more: Any) -> str:
        """Add a customer; the answer is the id."""
        headers = {"X-Callcenter": "1", "Origin": self.url}
        jar = aiohttp.CookieJar(unsafe=True)  # takes cookies of an IP address
        async with aiohttp.ClientSession(headers=headers, cookie_jar=jar) as client:
            session = {"login": LI, "password": PASSWORD}
            async with client.post(f"{self.url}/api/v1/session", json=session) as answer:
                assert answer.ok, await answer.text()
            body = {"name": name, "phones": [{"number": number}], **more}
            async with client.post(f"{self.url}/api/v1/customers", json=body) as answer:
                made = await answer.json()
                assert answer.status == 201, made
                return str(made["id"])

    def call(
        self, number: str, did: str = DIRECT_TO_LI, name: str | None = None, **manners: Any
    ) -> "asyncio.Future[None]":
        """Somebody calls from outside; see `Manners` for how it goes on."""
        flow = inbound_queue if did == TO_SALES else inbound
        return self.simulator.place(flow(self.simulator.pbx, Caller(number, name), did, Manners(**manners)))


def chromium() -> str:
    """Path of the browser; skips where there is none, and fails where CI says that all parts are there."""
    path = shutil.which("chromium")
    if path is not None:
        return path
    reason = "no Chromium here: apt-get install chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def open_house(database_url: str, cel: str = "", **changes: Any) -> AsyncIterator[House]:
    """Start everything on free ports, with other settings where they are given, and stop it in order.

    `cel` is where the PBX writes its channel events.
    """
    path = chromium()
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator())
        settings = _settings(database_url, simulator, cel).model_copy(update=changes)
        await _people(database_url)
        application = await stack.enter_async_context(Application.open(settings))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(application.run(), name="application")
        stack.callback(application.stop)
        await asyncio.wait_for(application.ready.wait(), 30)
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        stack.push_async_callback(browser.close)
        house = House(f"http://127.0.0.1:{application.web_port}", simulator, browser, stack)
        yield house
        assert house.faults == []


def _settings(database_url: str, simulator: Simulator, cel: str) -> Settings:
    web, screenpop = _free_ports()
    return Settings(
        database_url=SecretStr(database_url),
        web=WebSettings(port=web),
        screenpop=ScreenpopSettings(port=screenpop),
        pbx=(
            PbxSettings(
                port=simulator.port,
                username=simulator.username,
                secret=SecretStr(simulator.secret),
                region="GB",
                trunks=(simulator.world.company.trunk,),
                cel=SecretStr(cel),
            ),
        ),
    )


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


async def add_person(database_url: str, login: str, name: str, role: Role) -> None:
    """Somebody else who can log in, without a seat."""
    database = await connect(database_url, pool_size=1)
    try:
        hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        await People(database).add(await database.ensure_tenant("default"), login, name, role, hashed, by="test")
    finally:
        await database.close()


async def _people(database_url: str) -> None:
    """Li and Mei, each at their phone, and an admin without one. A cheap hash: log-in is tested elsewhere."""
    database = await connect(database_url, pool_size=1)
    try:
        tenant_id = await database.ensure_tenant("default")
        seats, people = Seats(database), People(database)
        hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        names: Mapping[str, str] = {LI: "Li Wei", MEI: "Mei Lin"}
        for login, extension in SEATS.items():
            await people.add(tenant_id, login, names[login], Role.AGENT, hashed, by="test")
            await seats.add(tenant_id, "pbx", extension, f"PJSIP/{extension}", names[login])
            await seats.take(tenant_id, login, "pbx", extension, by="test")
        await people.add(tenant_id, ADMIN, "Admin", Role.ADMIN, hashed, by="test")
        await seats.add(tenant_id, "pbx", "1003", "PJSIP/1003", "Window")
    finally:
        await database.close()
