"""The whole service, a simulated PBX and a real Chromium: what the benches of the page are made in.

The service runs in a process of its own (`popserver`), so that its processor time can be told from that of the PBX and
of the browser. Everybody is logged in already: the cookie of a session is its agent's name.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

import screenpop
from bench.people import scratch_database
from bench.pops import READY_S, SECRET, move_in
from bench.popserver import Ready, Spec
from callcenter.db.embedded import EmbeddedPostgres
from callcenter.simulator.company import Company
from callcenter.simulator.server import Simulator
from callcenter.simulator.session import Account
from callcenter.simulator.world import World
from callcenter.web.guard import COOKIE

BUILT = Path(screenpop.__file__).parent / "static"
WATCHER = "watcher"
"""A supervisor."""
CHROMIUM = ("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
TICK = os.sysconf("SC_CLK_TCK")
LONG_MS = 60_000


@dataclass(frozen=True)
class Service:
    """A running service. `url` is its page's, `port` that of its WebSocket."""

    url: str
    port: int
    pid: int

    def spent(self) -> float:
        """Processor seconds of its process until now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


@dataclass(frozen=True)
class House:
    """What a service needs: a database in which a company has moved in, and a PBX."""

    url: str
    tenant_id: int
    simulator: Simulator
    agents: dict[str, str]

    @asynccontextmanager
    async def serve(self, static: Path | None = None) -> AsyncIterator[Service]:
        """Run the service, with another front end than the built one where it is given."""
        spec = Spec(self.url, self.tenant_id, self.simulator.port, SECRET, self.agents, str(static or ""))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.popserver", "ours", msgspec.json.encode(spec).decode()),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            limit=1 << 20,
        )
        try:
            assert process.stdout is not None
            line = b""
            while not line.startswith(b"{"):
                line = await asyncio.wait_for(process.stdout.readline(), READY_S)
                if not line:
                    raise RuntimeError("the service did not start")
            ready = msgspec.json.decode(line, type=Ready)
            yield Service(f"http://127.0.0.1:{ready.web}", ready.port, process.pid)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


@asynccontextmanager
async def open_house(company: Company) -> AsyncIterator[House]:
    """Everything around the service."""
    async with AsyncExitStack() as stack:
        database, tenant_id, directory = await stack.enter_async_context(scratch_database())
        agents = await move_in(database, tenant_id, list(company.phones))
        await database.pool.execute(
            "WITH u AS (INSERT INTO users (tenant_id, login, name, role) VALUES ($1, $2, 'Sam', 'supervisor'))"
            " INSERT INTO sessions (tenant_id, token_hash, login, expires_at)"
            " VALUES ($1, sha256(convert_to($2, 'UTF8')), $2, now() + interval '1 day')",
            tenant_id,
            WATCHER,
        )
        simulator = Simulator(World(company), account=Account(secret=SECRET))
        await stack.enter_async_context(simulator)
        url = (await stack.enter_async_context(EmbeddedPostgres(directory / "postgresql"))).url()
        yield House(url, tenant_id, simulator, agents)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser.

    Raises:
        RuntimeError: there is none, or no built page.
    """
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("there is no Chromium here: apt-get install chromium")
    if not (BUILT / "index.html").is_file():
        raise RuntimeError("the page is not built: run scripts/build-frontend")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        try:
            yield browser
        finally:
            await browser.close()


async def window(browser: Browser, service: Service, login: str, **options: Any) -> BrowserContext:
    """A browser of its own, with an empty cache, in which `login` is logged in."""
    context = await browser.new_context(viewport={"width": 1366, "height": 768}, locale="en", **options)
    context.set_default_timeout(LONG_MS)
    await context.add_cookies([{"name": COOKIE, "value": login, "url": service.url}])
    return context


async def slowed(page: Page, times: float) -> None:
    """Give the page a processor that is so many times slower."""
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": times})
