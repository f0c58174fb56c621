"""The agents' page in a real Chromium."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

import screenpop
from tests.acceptance.house import PASSWORD

ARGUMENTS = (
    "--no-sandbox --headless --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
HEADSET = (
    "--use-fake-device-for-media-stream --use-fake-ui-for-media-stream --allow-loopback-in-peer-connection "
    "--disable-features=WebRtcHideLocalIpsWithMdns --autoplay-policy=no-user-gesture-required"
).split()
"""A microphone that beeps, allowed without a question, and sound over loopback."""
LOG_IN = {"en": "Log in", "zh-CN": "登录", "zh-TW": "登入"}


def find_chromium() -> str:
    """Chromium's path; skips the test with the reason where there is none or no built page, fails where CI is true."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    built = (Path(screenpop.__file__).parent / "static/index.html").is_file()
    if path is not None and built:
        return path
    reason = "there is no Chromium on this machine" if built else "the page is not built: run make frontend"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Browser]:
    """A running Chromium; `more` are arguments for it."""
    path = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(
    browser: Browser, url: str, login: str, *, language: str = "en", script: str = ""
) -> AsyncIterator[Page]:
    """The page of somebody who has just logged in, in a browser of their language. A fault in the page fails.

    `script` runs in each page before the page's own.
    """
    faults: list[str] = []
    context = await browser.new_context(locale=language, viewport={"width": 1366, "height": 768})
    context.set_default_timeout(10_000)
    await context.add_init_script(script)
    try:
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(url)
        await page.locator("#login").fill(login)
        await page.locator("#password").fill(PASSWORD)
        await page.get_by_role("button", name=LOG_IN[language], exact=True).click()
        await expect(page.locator("#login")).to_have_count(0)
        yield page
    finally:
        await context.close()
    assert faults == []
