"""How soon the agent's page can be used, in a real Chromium whose processor is slowed down four times.

Timed from the start of the navigation: the first paint of content (FCP), and the desk being ready, which is when the
screen-pop's WebSocket has said welcome and the agent's state can be changed. Each load is a window of its own with an
empty cache (cold), and then the same once more (warm). The limit is a page with one word from the same server; the
naive way is the same front end in one file, with all pages, charts and the softphone, as a build without lazy loading
makes it. Medians of all loads. The network is this machine's: what a slow one adds is in the bytes of the first load.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.async_api import Browser, BrowserContext

from bench.pagehouse import BUILT, LONG_MS, Service, chromium, open_house, slowed, window
from bench.rows import Row
from callcenter.simulator.company import SAMPLE

ROOT = Path(__file__).parents[1]
UNSPLIT = ROOT / "screenpop/web/node_modules/.unsplit"
SLOWER = 4
BUDGET_KB = 350
EMPTY = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Nothing</title><p>Nothing</p></html>'
READY = "button.state.ready"
WATCH = f"""
const moment = () => {{
  let told;
  const promise = new Promise((resolve) => (told = resolve));
  return {{ promise, told }};
}};
const paint = moment();
const ready = moment();
Object.defineProperty(window, "__moments", {{ value: {{ paint: paint.promise, ready: ready.promise }} }});
new PerformanceObserver((list) => {{
  for (const one of list.getEntriesByName("first-contentful-paint")) paint.told(one.startTime);
}}).observe({{ type: "paint", buffered: true }});
const watcher = new MutationObserver(() => {{
  if (!document.querySelector("{READY}")) return;
  watcher.disconnect();
  ready.told(performance.now());
}});
watcher.observe(document, {{ subtree: true, childList: true, attributes: true, attributeFilter: ["class"] }});
"""


async def load(context: BrowserContext, url: str, moments: Sequence[str]) -> tuple[Mapping[str, float], int]:
    """Open the page once: milliseconds of its moments, and bytes that came over the network."""
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    await page.add_init_script(WATCH)
    await slowed(page, SLOWER)
    await page.goto(url)
    async with asyncio.timeout(LONG_MS / 1000):
        timed = {moment: await page.evaluate(f"() => window.__moments.{moment}") for moment in moments}
    await page.close()
    return timed, int(sum(received))


Times = dict[tuple[str, str, str], list[float]]
"""Way, cache and moment → milliseconds."""


async def measure(browser: Browser, service: Service, way: str, agent: str, loads: int) -> Times:
    """Load a page often, each time in a new window and then once more."""
    found: Times = defaultdict(list)
    moments = ("paint",) if way == "limit" else ("paint", "ready")
    for number in range(loads + 1):
        context = await window(browser, service, agent)
        for cache in ("cold", "warm"):
            timed, received = await load(context, f"{service.url}/", moments)
            if number:  # The first load of all finds the server unprepared.
                found[way, cache, "bytes"].append(received)
                for moment, at in timed.items():
                    found[way, cache, moment].append(at)
        await context.close()
    return found


async def _run(loads: int) -> list[Row]:
    found: Times = {}
    command = [sys.executable, "hatch_build.py", "unsplit"]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as name:
        nothing = Path(name)
        (nothing / "index.html").write_text(EMPTY)
        async with open_house(SAMPLE) as house, chromium() as browser:
            agent = next(iter(house.agents.values()))
            for way, static in (("limit", nothing), ("ours", BUILT), ("naive", UNSPLIT)):
                async with house.serve(static) as service:
                    found |= await measure(browser, service, way, agent, loads)
    return _rows(found)


def _rows(found: Times) -> list[Row]:
    rows = []
    for cache in ("cold", "warm"):
        limit = statistics.median(found["limit", cache, "paint"])
        for moment, called in (("paint", "first paint"), ("ready", "desk ready")):
            for way in ("limit", "ours", "naive"):
                if (way, cache, moment) in found:
                    value = statistics.median(found[way, cache, moment])
                    rows.append(
                        Row(
                            name=f"{called}, {cache} cache, {way}",
                            value=value,
                            unit="ms",
                            ratio=value / limit,
                            ratio_to="the limit's paint",
                        )
                    )
        for way in ("ours", "naive"):
            kilo = statistics.median(found[way, cache, "bytes"]) / 1024
            budget = f"≤ {BUDGET_KB}" if (way, cache) == ("ours", "cold") else ""
            rows.append(
                Row(name=f"over the network until ready, {cache} cache, {way}", value=kilo, unit="KB", budget=budget)
            )
    return rows


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    return asyncio.run(_run(20 if full else 7))
