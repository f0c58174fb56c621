"""What the supervisor's page costs while 500 agents work in 100 queues, four each, and ten calls a second come.

A real Chromium, the whole service and the simulated PBX, in processes of their own; a call rings, is answered or not,
and is talked for 5 to 60 seconds, so that half of the agents are busy. Three pages take turns. *Ours* is the floor. The
*naive* one is the same page that is told the whole floor at each change of it, four times a second, and so draws all of
it anew. The *limit* is a page without a framework that writes a text node where a cell changed (`plain/`). Processor
time is that of the page's main thread (`TaskDuration` of the DevTools protocol), and of the service's process with and
without a watcher. Long tasks (above 50 ms) and late frames (more than 50 ms after the one before) are counted twice: as
it is, and with the page's processor slowed down four times, as an old office machine is. Budget: no long task as it is.
"""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import Browser, Page, Route
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from bench.pagehouse import BUILT, LONG_MS, WATCHER, House, Service, chromium, open_house, slowed, window
from bench.rows import Row
from callcenter.simulator.load import Mix, big_company, one_call
from screenpop.rows import TABLES

AGENTS, QUEUES, MEMBERSHIPS = 500, 100, 4
CALLS_PER_S = 10
SLOWER = 4
PLAIN = Path(__file__).with_name("plain")
FILLING_S = 15
"""Until as many calls go on as will."""
SETTLING_S = 2
TOLD = """
const told = { longest: 0, tasks: 0, frames: 0, late: 0 };
Object.defineProperty(window, "__told", { value: told });
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    told.tasks += 1;
    told.longest = Math.max(told.longest, one.duration);
  }
}).observe({ type: "longtask" });
let before = 0;
const frame = (at) => {
  told.frames += 1;
  if (before && at - before > 50) told.late += 1;
  before = at;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""
START = "() => Object.assign(window.__told, { longest: 0, tasks: 0, frames: 0, late: 0 })"


class Seen(msgspec.Struct):
    """What a page did in one second, but for `longest`, which is of the whole time, in milliseconds."""

    cpu: float
    served: float
    longest: float
    tasks: float
    late: float
    messages: float
    rows: float
    kilobytes: float


class Feed:
    """What came over the page's WebSocket."""

    def __init__(self, page: Page) -> None:
        self.messages = self.rows = self.size = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._take))

    def _take(self, payload: str | bytes) -> None:
        message = msgspec.json.decode(payload)
        if message["type"] not in ("floor", "floor_update"):
            return
        self.messages += 1
        self.size += len(payload)
        self.rows += sum(len(message[table]) for table in TABLES)


async def measure(page: Page, feed: Feed, service: Service, seconds: float) -> Seen:
    """Look at the page for so long."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")

    async def spent() -> float:
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    await asyncio.sleep(SETTLING_S)
    await page.evaluate(START)
    clock = asyncio.get_running_loop().time
    began, cpu, served = clock(), await spent(), service.spent()
    messages, rows, size = feed.messages, feed.rows, feed.size
    await asyncio.sleep(seconds)
    took = clock() - began
    told: dict[str, float] = await page.evaluate("() => ({ ...window.__told })")
    return Seen(
        cpu=(await spent() - cpu) / took,
        served=(service.spent() - served) / took,
        longest=told["longest"],
        tasks=told["tasks"] / took,
        late=told["late"] / took,
        messages=(feed.messages - messages) / took,
        rows=(feed.rows - rows) / took,
        kilobytes=(feed.size - size) / 1024 / took,
    )


@asynccontextmanager
async def retelling(service: Service) -> AsyncIterator[int]:
    """A server between page and service that tells the whole floor where the service tells what changed; its port."""

    async def retell(page: ServerConnection) -> None:
        whole: dict[str, dict[str, dict[str, Any]]] = {}
        at = ""
        async with connect(
            f"ws://127.0.0.1:{service.port}/screenpop", origin=Origin(service.url), max_size=None
        ) as source:
            await source.send(await page.recv())
            async for text in source:
                message = msgspec.json.decode(text)
                if message["type"] not in ("floor", "floor_update"):
                    await page.send(
                        text, text=True
                    )  # The desk's own stream has another connection to the same address.
                    continue
                at = message.get("at", at)
                for table in TABLES:
                    rows = whole.setdefault(table, {})
                    for key, fields in message[table].items():
                        if fields is None:
                            rows.pop(key, None)
                        else:
                            rows.setdefault(key, {}).update(fields)
                await page.send(msgspec.json.encode({"type": "floor", "n": 0, "at": at, **whole}), text=True)

    async def relay(page: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await retell(page)
        await page.close()

    async def hold(page: ServerConnection) -> None:
        async with asyncio.TaskGroup() as group:
            relaying = group.create_task(relay(page), name="relay")
            await page.wait_closed()
            relaying.cancel()  # The service may have nothing to say for long.

    async with serve(hold, "127.0.0.1", 0, compression=None) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def visit(browser: Browser, service: Service, way: str, seconds: float) -> dict[float, Seen]:
    """Open a page, and look at it as it is and slowed down."""
    found = {}
    async with retelling(service) as port:
        context = await window(browser, service, WATCHER, bypass_csp=True)
        page = await context.new_page()
        await page.add_init_script(TOLD)
        feed = Feed(page)
        if way == "naive":

            async def elsewhere(route: Route) -> None:
                answer = await route.fetch()
                body = await answer.json()
                await route.fulfill(response=answer, json={**body, "url": f"ws://127.0.0.1:{port}/"})

            await page.route("**/api/v1/screenpop/ticket", elsewhere)
        await page.goto(f"{service.url}/{'plain.html' if way == 'limit' else 'floor'}")
        await page.get_by_text("queue100", exact=True).wait_for(timeout=LONG_MS, state="attached")
        for times in (1.0, SLOWER):
            await slowed(page, times)
            found[times] = await measure(page, feed, service, seconds)
        await context.close()
    return found


async def let_calls_come(house: House) -> None:
    """For ever."""
    simulator, mix = house.simulator, Mix()
    for _ in itertools.count():
        simulator.place(one_call(simulator.pbx, mix))
        await asyncio.sleep(simulator.pbx.random.expovariate(CALLS_PER_S))


async def _run(seconds: float) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as name:
        static = Path(name) / "static"
        shutil.copytree(BUILT, static)
        shutil.copytree(PLAIN, static, dirs_exist_ok=True)
        async with open_house(big_company(AGENTS, QUEUES, MEMBERSHIPS)) as house, chromium() as browser:
            async with house.serve(static) as service, asyncio.TaskGroup() as group:
                calls = group.create_task(let_calls_come(house), name="calls")
                await asyncio.sleep(FILLING_S)
                began = service.spent()
                await asyncio.sleep(seconds)
                alone = (service.spent() - began) / seconds
                found = {way: await visit(browser, service, way, seconds) for way in ("limit", "ours", "naive")}
                calls.cancel()
    return _rows(found, alone)


def _rows(found: dict[str, dict[float, Seen]], alone: float) -> list[Row]:
    rows = []
    ours, limit = found["ours"][1.0], found["limit"][1.0]
    rows.append(Row(name="messages to the page", value=ours.messages, unit="/s"))
    rows.append(Row(name="changed rows in them", value=ours.rows, unit="/s"))
    for way, seen in found.items():
        size = seen[1.0].kilobytes
        rows.append(Row(name=f"bytes, {way}", value=size, unit="KB/s", ratio=size / limit.kilobytes, ratio_to="limit"))
    rows.append(Row(name="service, nobody watches", value=alone * 100, unit="% of a core"))
    rows.append(
        Row(
            name="service, one watches",
            value=ours.served * 100,
            unit="% of a core",
            ratio=ours.served / alone,
            ratio_to="nobody",
        )
    )
    for way, seen in found.items():
        cpu = seen[1.0].cpu
        rows.append(
            Row(name=f"page, {way}", value=cpu * 100, unit="% of a core", ratio=cpu / limit.cpu, ratio_to="limit")
        )
    for times in (1.0, SLOWER):
        slow = "" if times == 1 else f", {times:g} × slower"
        for way, seen in found.items():
            one, budget = seen[times], "≤ 0" if (way, times) == ("ours", 1.0) else ""
            rows.append(Row(name=f"long tasks, {way}{slow}", value=one.tasks, unit="/s", budget=budget))
            rows.append(Row(name=f"the longest, {way}{slow}", value=one.longest, unit="ms"))
            rows.append(Row(name=f"late frames, {way}{slow}", value=one.late, unit="/s"))
    return rows


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    return asyncio.run(_run(30.0 if full else 8.0))
