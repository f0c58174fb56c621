"""The supervisor's floor and the wallboard in a browser, beside the simulated PBX."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from callcenter.accounts.roles import Role
from callcenter.simulator.people import Ignores
from tests.pages.house import LONG_MS, TO_SALES, House, add_person, open_house
from tests.pages.test_page_access import problems

SUPERVISOR = "sue"
WORDS = {
    "en": ("Floor", "Queues", "Callers in order", "To the front", "Limits", "Save", "Beyond the limit"),
    "zh-CN": ("现场", "队列", "排队来电", "插到队首", "阈值", "保存", "超过阈值"),
    "zh-TW": ("現場", "佇列", "等候來電", "移到最前", "門檻", "儲存", "超過門檻"),
}


@pytest.fixture
async def house(page_is_built: None, database_url: str) -> AsyncIterator[House]:
    """The whole service, with a supervisor."""
    expect.set_options(timeout=LONG_MS)
    async with open_house(database_url) as house:
        await add_person(database_url, SUPERVISOR, "Sue Supervisor", Role.SUPERVISOR)
        yield house


def waits(house: House, number: str, name: str) -> Any:
    """Somebody calls the queue, and nobody answers."""
    return house.call(number, TO_SALES, name, callee=lambda extension, attempt: Ignores(), patience=90)


def queue_row(page: Page, name: str = "sales") -> Any:
    return page.locator("tbody tr").filter(has=page.get_by_role("button", name=name, exact=True))


async def pictured(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look at them."""
    place = os.environ.get("CALLCENTER_PICTURES")
    if place:
        await page.screenshot(path=str(Path(place) / f"{name}.png"))


@pytest.mark.parametrize("language", WORDS)
async def test_callers_are_seen_moved_and_a_limit_raises_an_alert(house: House, language: str) -> None:
    floor, queues, callers, to_front, limits, save, beyond = WORDS[language]
    page = await house.window(SUPERVISOR, language)
    await page.get_by_role("link", name=floor, exact=True).click()
    await expect(page.get_by_role("region", name=queues)).to_be_visible()
    waits(house, "07700900401", "Zoë First")
    await expect(queue_row(page).locator("td").first).to_have_text("1")
    waits(house, "07700900402", "<b>Second</b>")
    await queue_row(page).get_by_role("button", name="sales", exact=True).click()
    panel = page.locator("section.panel")
    await expect(panel.get_by_text(callers)).to_be_visible()
    lines = panel.locator("ol li")
    await expect(lines).to_have_count(2)
    await expect(lines.nth(0)).to_contain_text("Zoë First")
    await expect(lines.nth(1)).to_contain_text("<b>Second</b>")
    await lines.nth(1).get_by_role("button", name=to_front).click()
    await expect(lines.nth(0)).to_contain_text("<b>Second</b>")

    await panel.get_by_role("button", name=limits).click()
    await panel.locator("form.form input").nth(0).fill("1")
    await panel.get_by_role("button", name=save).click()
    await expect(queue_row(page).get_by_text(beyond)).to_be_visible()
    await expect(page.locator("p.for-readers[aria-live=assertive]").last).to_contain_text("sales")
    await pictured(page, f"floor-{language}")
    await page.emulate_media(color_scheme="dark")
    await pictured(page, f"floor-dark-{language}")
    await page.set_viewport_size({"width": 390, "height": 844})
    await pictured(page, f"floor-narrow-{language}")


async def test_agents_are_seen_with_whom_they_talk_and_paused(house: House) -> None:
    await house.customer("Chen Optics", "07700900411")
    agent = await house.window()
    page = await house.window(SUPERVISOR)
    await page.goto(f"{house.url}/floor")
    row = page.get_by_role("region", name="Agents").locator("tbody tr").filter(has_text="Li Wei")
    await expect(row).to_contain_text("Ready")
    house.call("07700900411", talk=60)
    await expect(row).to_contain_text("On a call")
    await expect(row.get_by_role("link", name="Chen Optics")).to_be_visible()
    await expect(row.locator("td").nth(2)).to_have_text("1")
    await row.locator("td").nth(2).get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1, name="Call log")).to_be_visible()
    await expect(page.get_by_label("Agent (login)")).to_have_value("li")
    await expect(page.get_by_role("button", name="Today")).to_have_attribute("aria-pressed", "true")
    await page.go_back()
    await row.get_by_role("button", name="Actions for Li Wei").click()
    await expect(page.get_by_role("button", name="Whisper")).to_be_visible()
    await page.get_by_placeholder("Reason").fill("training")
    await page.get_by_role("button", name="Pause", exact=True).click()
    await page.get_by_role("button", name="sales", exact=True).click()
    member = page.locator("section.panel ul li").filter(has_text="Li Wei")
    await expect(member).to_contain_text("Training")
    await pictured(page, "floor-agents")
    await agent.close()


async def test_the_wallboard_has_no_chrome_and_comes_back_by_itself(house: House) -> None:
    page = await house.window(SUPERVISOR)
    await page.goto(f"{house.url}/wallboard")
    tile = page.locator("li").filter(has_text="sales")
    await expect(tile).to_be_visible()
    await expect(page.locator("header nav")).to_have_count(0)
    waits(house, "07700900421", "Waiting One")
    await expect(tile.locator(".big span").first).to_have_text("1")
    await pictured(page, "wallboard")
    await page.context.set_offline(True)
    await page.evaluate("window.dispatchEvent(new Event('offline'))")
    await page.context.set_offline(False)
    await expect(tile.locator(".big span").first).to_have_text("1")


async def test_it_is_not_for_agents(house: House) -> None:
    agent = await house.window()
    await expect(agent.get_by_role("link", name="Customers")).to_be_visible()
    await expect(agent.get_by_role("link", name="Floor")).to_have_count(0)
    for place in ("floor", "wallboard"):
        await agent.goto(f"{house.url}/{place}")
        await expect(agent).to_have_url(re.compile(f"{house.url}/$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_anybody_out(house: House, scheme: str) -> None:
    page = await house.window(SUPERVISOR, color_scheme=scheme)
    await page.goto(f"{house.url}/floor")
    waits(house, "07700900431", "Waiting One")
    await page.get_by_role("button", name="sales", exact=True).click()
    await expect(page.locator("section.panel ol li")).to_have_count(1)
    await page.get_by_role("button", name="Limits").click()
    await page.get_by_role("button", name="Actions for Li Wei").click()
    assert await problems(page) == []
    await page.goto(f"{house.url}/wallboard")
    await expect(page.locator("li").filter(has_text="sales")).to_be_visible()
    assert await problems(page) == []
