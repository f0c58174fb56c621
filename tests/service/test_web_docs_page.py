"""The docs page in a real browser: all of it is shown, and its policy stops nothing of its own."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import async_playwright

from callcenter.db.engine import Database
from callcenter.web.routes import ROUTES
from tests.service.web_world import World, run_world

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true", reason="there is no Chromium on this machine"
)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


async def test_every_route_is_shown_and_nothing_is_refused_by_the_policy(world: World) -> None:
    said: list[str] = []
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{world.url}/api/docs#problem-conflict")
        await page.wait_for_selector("main[aria-busy=false]")
        shown = await page.evaluate("[...document.querySelectorAll('article')].map(article => article.id)")
        place = await page.evaluate("document.getElementById('problem-conflict').getBoundingClientRect().top")
        height = await page.evaluate("innerHeight")
        await browser.close()
    assert {entry.name for entry in ROUTES if not entry.hidden} <= set(shown)
    assert -1 <= place <= height
    assert said == []
    assert all(url.startswith((world.url, "data:")) for url in asked)
