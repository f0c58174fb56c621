"""Reports in a browser: numbers, charts, the period before, and the calls behind a number."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from playwright.async_api import expect

from callcenter.accounts.roles import Role
from callcenter.calllog.store import store
from callcenter.db.engine import connect
from callcenter.model import Call
from tests.database.test_rollups import made
from tests.fixtures.calls import NOON
from tests.pages.house import LONG_MS, House, add_person, open_house
from tests.pages.test_page_access import problems
from tests.pages.test_page_floor import SUPERVISOR, pictured

WORDS = {"en": ("Reports", "Queues", "Days"), "zh-CN": ("报表", "队列", "按日"), "zh-TW": ("報表", "佇列", "按日")}
KINDS = ("answered", "abandoned", "answered", "outbound", "missed", "answered")


def _moved(call: Call, by: timedelta) -> Call:
    """The same call some time later."""
    visits = tuple(
        replace(v, joined_at=v.joined_at + by, left_at=v.left_at and v.left_at + by) for v in call.queue_visits
    )
    talks = tuple(replace(c, from_=c.from_ + by, to=c.to and c.to + by) for c in call.connections)
    ends = {"answered_at": call.answered_at and call.answered_at + by, "ended_at": call.ended_at and call.ended_at + by}
    return replace(
        call, started_at=call.started_at + by, queue_visits=visits, connections=talks, holds=(), offers=(), **ends
    )


@pytest.fixture
async def house(page_is_built: None, database_url: str) -> AsyncIterator[House]:
    """The whole service with a supervisor, and three weeks of calls."""
    expect.set_options(timeout=LONG_MS)
    yesterday = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    database = await connect(database_url, pool_size=1)
    async with database.unit(await database.ensure_tenant("default")) as unit:
        calls = [
            _moved(made(n, KINDS[n % len(KINDS)], n % 300), yesterday - timedelta(days=n % 21) - NOON)
            for n in range(150)
        ]
        await store(unit, calls, {})
    await database.close()
    async with open_house(database_url) as house:
        await add_person(database_url, SUPERVISOR, "Sue Supervisor", Role.SUPERVISOR)
        yield house


@pytest.mark.parametrize("language", WORDS)
async def test_a_number_leads_to_its_calls(house: House, language: str) -> None:
    title, queues, days = WORDS[language]
    page = await house.window(SUPERVISOR, language, timezone_id="UTC")
    await page.get_by_role("link", name=title, exact=True).click()
    table = page.get_by_role("region", name=title)
    await expect(page.get_by_role("button", name=queues, exact=True)).to_have_attribute("aria-pressed", "true")
    await expect(table.locator("tbody tr")).to_have_count(1)
    await expect(page.locator(".chart svg")).to_have_count(2)
    await page.get_by_role("checkbox").check()
    await expect(page.locator(".small").first).to_be_visible()
    await pictured(page, f"reports-queues-{language}")
    await page.get_by_role("button", name=days, exact=True).click()
    await expect(table.locator("tbody tr")).to_have_count(6)
    await pictured(page, f"reports-days-{language}")
    await page.goto(f"{house.url}/reports?kind=week&since=2020-01-01&until={datetime.now(UTC):%Y-%m-%d}")
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.goto(f"{house.url}/reports?kind=week")
    await expect(page.locator(".chart svg").first).to_be_visible()
    await pictured(page, f"reports-week-{language}")
    await page.emulate_media(color_scheme="dark")
    await pictured(page, f"reports-week-dark-{language}")
    await page.set_viewport_size({"width": 390, "height": 844})
    await pictured(page, f"reports-narrow-dark-{language}")
    await page.goto(f"{house.url}/reports")
    answered = table.locator("tbody tr").first.locator("td").nth(1)
    count = int(await answered.inner_text())
    await answered.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(r"/calls\?.*exit=answered"))
    await expect(page.locator("tbody tr")).to_have_count(count)


async def test_it_is_not_for_agents(house: House) -> None:
    agent = await house.window()
    await expect(agent.get_by_role("link", name="Calls", exact=True)).to_be_visible()
    await expect(agent.get_by_role("link", name="Reports")).to_have_count(0)
    await agent.goto(f"{house.url}/reports")
    await expect(agent).to_have_url(re.compile(f"{house.url}/$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_anybody_out(house: House, scheme: str) -> None:
    page = await house.window(SUPERVISOR, color_scheme=scheme)
    await page.goto(f"{house.url}/reports?compare=1")
    await expect(page.locator(".chart svg")).to_have_count(2)
    assert await problems(page) == []
