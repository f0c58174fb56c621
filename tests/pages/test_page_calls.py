"""The call log in a browser: filters in the address, pages, and a call drawn over its time."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from callcenter.simulator.people import Answers, Ignores
from tests.pages.house import TO_SALES, House
from tests.pages.test_page_access import problems
from tests.pages.test_page_floor import pictured

WORDS = {
    "en": ("Calls", "Call log", "Queue", "Talking"),
    "zh-CN": ("通话记录", "通话记录", "排队", "通话"),
    "zh-TW": ("通話紀錄", "通話紀錄", "排隊", "通話"),
}


async def two_calls(house: House, page: Page) -> Any:
    """One that Li answers and one that gives up, both to the queue, and both in the log."""
    rows = page.locator("tbody tr")
    house.call("07700900501", TO_SALES, "Zoë First", callee=lambda extension, attempt: Answers(0.5), talk=1)
    house.call("07700900502", TO_SALES, "=1+<b>Second</b>", callee=lambda extension, attempt: Ignores(), patience=1.5)
    answered = rows.filter(has_text="Zoë First").filter(has=page.locator("td.talk:has-text(':')"))
    for _ in range(60):
        await page.goto(f"{house.url}/calls")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.locator(".el-skeleton")).to_have_count(0)
        if await rows.count() == 2 and await answered.count() == 1 and await page.locator("td.bad").count() == 1:
            return rows
        await page.wait_for_timeout(250)
    raise AssertionError("the calls are not in the log")


@pytest.mark.parametrize("language", WORDS)
async def test_a_call_is_found_and_drawn(house: House, language: str) -> None:
    link, title, waited, talked = WORDS[language]
    page = await house.window(language=language)
    await page.get_by_role("link", name=link, exact=True).click()
    await expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    rows = await two_calls(house, page)
    await rows.filter(has_text="Zoë First").get_by_role("button").click()
    drawer = page.locator("aside.drawer")
    await expect(drawer.locator("li.lane").filter(has_text=waited)).to_have_count(1)
    await expect(drawer.locator("li.lane").filter(has=page.locator(".bar.talk"))).to_contain_text(talked)
    await expect(page).to_have_url(re.compile("call="))
    await pictured(page, f"calls-{language}")
    await page.emulate_media(color_scheme="dark")
    await pictured(page, f"calls-dark-{language}")
    await page.set_viewport_size({"width": 390, "height": 844})
    await pictured(page, f"call-narrow-{language}")
    await page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)
    await pictured(page, f"calls-narrow-{language}")


async def test_filters_stand_in_the_address(house: House) -> None:
    page = await house.window()
    rows = await two_calls(house, page)
    await page.get_by_label("How it ended").select_option("abandoned")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("=1+<b>Second</b>")
    await expect(page).to_have_url(re.compile(r"/calls\?status=abandoned$"))
    await page.go_back()
    await expect(rows).to_have_count(2)
    await page.goto(f"{house.url}/calls?queue=sales&exit=answered&since=2020-01-01T00:00:00Z")
    await expect(rows).to_have_count(1)
    await expect(page.get_by_label("Left the queue by")).to_have_value("answered")
    await page.get_by_role("button", name="Clear filters").click()
    await expect(rows).to_have_count(2)
    await page.goto(f"{house.url}/calls?status=nonsense")
    await expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_anybody_out(house: House, scheme: str) -> None:
    page = await house.window(color_scheme=scheme)
    rows = await two_calls(house, page)
    await rows.first.get_by_role("button").click()
    await expect(page.locator("aside.drawer li.lane").first).to_be_visible()
    await page.get_by_role("button", name="More filters").click()
    assert await problems(page) == []
