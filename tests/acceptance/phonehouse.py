"""A company whose agents have their phones in the browser: Asterisk's WebSocket, behind a wire that can be cut."""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.async_api import Browser, Locator, Page, expect
from typer.testing import CliRunner

from callcenter.cli import user
from tests.acceptance.browser import HEADSET, chromium, page_of
from tests.acceptance.house import PASSWORD
from tests.acceptance.people import Somebody
from tests.acceptance.service import Service
from tests.testbed import Pbx

AGENTS = {
    "karim": ("1011", "Karim Haddad"),
    "lena": ("1012", "Lena Fischer"),
    "amelia": ("1001", "Amelia Hart"),
    "ben": ("1002", "Ben Okafor"),
}
"""Login → extension and name; the first two are in the browser."""


class Wire:
    """Passes TCP connections on, until it is cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._server.close()

    def cut(self) -> None:
        """End every connection at once, without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, back), name="to Asterisk")
                group.create_task(_copy(there, writer), name="from Asterisk")
        finally:
            self._writers -= {writer, back}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class PhoneHouse:
    """Use it as an async context manager: inside, the service follows Asterisk, and a browser with a headset runs."""

    def __init__(self, home: Path, chroot: Path, database_url: str, **values: int) -> None:
        """`values` are those of the testbed's Asterisk."""
        self._home, self._chroot, self._database_url = home, chroot, database_url
        self._values = {"park_timeout_s": 30, "transfer_ring_s": 8, **values}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            self.pbx = await self._stack.enter_async_context(Pbx(self._chroot, **self._values))
            values = self.pbx.asterisk.values
            self.wire = await self._stack.enter_async_context(Wire(values.http_port))
            softphone = {
                "extensions": ["1011-1012"],
                "url": f"ws://127.0.0.1:{self.wire.port}/ws",
                "secret": values.ami_phones_secret,
            }
            self.service = Service(self._home, self.pbx.asterisk, database_url=self._database_url, softphone=softphone)
            boss = ("add", "boss", "--role", "supervisor", "--name", "Sam Rivers", "--extension", "1010")
            await self.service.run("user", *boss, "--password-stdin", stdin=f"{PASSWORD}\n")
            await asyncio.to_thread(self._add_agents)
            await self._stack.enter_async_context(self.service)
            self.boss = await self.person("boss")
            self.browser: Browser = await self._stack.enter_async_context(chromium(*HEADSET))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def person(self, login: str, *, listens: bool = False) -> Somebody:
        """Somebody at the REST API."""
        return await self._stack.enter_async_context(Somebody(self.service.url, login, PASSWORD, listens=listens))

    async def desk(self, stack: AsyncExitStack, login: str) -> Page:
        """The page of an agent whose phone in the browser is registered."""
        page = await stack.enter_async_context(page_of(self.browser, self.service.url, login))
        await expect(panel(page)).to_contain_text("Phone is ready", timeout=15_000)
        return page

    def _add_agents(self) -> None:
        for login, (extension, name) in AGENTS.items():
            options = ["--extension", extension, "--name", name, "--password-stdin"]
            command = ["add", login, *options, "--config", str(self.service.config)]
            result = CliRunner().invoke(user.app, command, input=f"{PASSWORD}\n")
            assert result.exit_code == 0, result.output


def panel(page: Page) -> Locator:
    """The phone on the desk."""
    return page.get_by_role("region", name="Phone")
