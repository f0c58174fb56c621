"""What an agent sees: the built page in a real Chromium, while real calls ring at the agent's phone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.acceptance.browser import chromium, page_of
from tests.acceptance.house import House
from tests.testbed import AmiLink, Pbx

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(house: House) -> AsyncIterator[Browser]:
    """A browser, at desks that are done with all earlier calls."""
    for person in house.agents.values():
        for pop in [one for one in person.messages if one["type"] == "pop"]:
            await person.send(type="ack", seq=pop["seq"])
    async with chromium() as browser:
        yield browser


async def test_an_agent_logs_in_sits_down_takes_a_call_and_notes_what_it_was_about(
    house: House, browser: Browser
) -> None:
    await house.boss.ask(
        "POST",
        "/customers",
        name="Olivia <b>Bennett</b>",
        company="Bennett & Söhne",
        phones=[{"number": "07700900201"}],
    )
    await house.agents["amelia"].ask("DELETE", "/session/extension")

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1001")
        async with page_of(browser, f"{house.service.url}/seat", "amelia") as page:
            seat = page.locator("li.seat").filter(has_text="1001")
            await seat.get_by_role("button", name="Sit here").click()
            await expect(page.get_by_text("No call at the moment")).to_be_visible()
            agent = await phone.called.answers(after_s=2)
            caller = await pbx.trunk.caller("+447700900201").hangs_up("+442079460991", after_s=2)
            card = page.locator("#call")
            await expect(card.locator("h1")).to_have_text("Olivia <b>Bennett</b>")
            await expect(badge(card, "Ringing")).to_be_visible()
            await expect(card).to_contain_text("Bennett & Söhne")
            await expect(badge(card, "Talking")).to_be_visible()
            await page.locator("#call-note").fill("Asked for the 発注 of May")
            await expect(badge(card, "Ended")).to_be_visible()
            await page.locator("#call-note").blur()
            await expect(card.get_by_text("Saved", exact=True)).to_be_visible()
            await done(page)
            await expect(page.get_by_text("No call at the moment")).to_be_visible()
            await pbx.finished(agent, caller)

    (record,) = await house.play(flow)
    assert [(one["by"], one["text"]) for one in record["notes"]] == [("amelia", "Asked for the 発注 of May")]
    await house.popped_as_offered([record])
    await house.agree([record])


async def test_one_number_of_several_customers_is_asked_about(house: House, browser: Browser) -> None:
    for name in ("Farm shop", "Farm office"):
        await house.boss.ask("POST", "/customers", name=name, phones=[{"number": "07700 900202"}])

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1002")
        async with page_of(browser, house.service.url, "ben") as page:
            await expect(page.get_by_text("No call at the moment")).to_be_visible()
            agent = await phone.called.answers(after_s=0.8)
            caller = await pbx.trunk.caller("07700900202").hangs_up("02079460992", after_s=3)
            card = page.locator("#call")
            await expect(card.get_by_text("2 customers have this number")).to_be_visible()
            office = card.locator("li.option").filter(has_text="Farm office")
            await office.get_by_role("button", name="This one").click()
            await expect(card.locator("h1")).to_have_text("Farm office")
            await pbx.finished(agent, caller)
            # What was chosen is known after a reload too.
            await page.reload()
            await expect(card.locator("h1")).to_have_text("Farm office")
            await done(page)

    (record,) = await house.play(flow)
    assert record["customer"]["name"] == "Farm office"


async def test_an_unknown_caller_becomes_a_customer(house: House, browser: Browser) -> None:
    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1002")
        async with page_of(browser, house.service.url, "ben") as page:
            await expect(page.get_by_text("No call at the moment")).to_be_visible()
            agent = await phone.called.answers(after_s=0.8)
            caller = await pbx.trunk.caller("+447700900203").hangs_up("+442079460992", after_s=3)
            card = page.locator("#call")
            await expect(card.get_by_text("No customer has this number")).to_be_visible()
            await card.get_by_role("button", name="Create a customer").click()
            await page.locator("#customer-name").fill("王小明")
            await card.get_by_role("button", name="Create", exact=True).click()
            await expect(card.locator("h1")).to_have_text("王小明")
            await pbx.finished(agent, caller)
            await done(page)

    (record,) = await house.play(flow)
    assert record["customer"]["name"] == "王小明"
    found = await house.boss.ask("GET", "/match?number=%2B447700900203")
    assert [one["name"] for one in found["candidates"]] == ["王小明"]


async def test_a_number_on_the_page_is_dialed_by_a_click(house: House, browser: Browser) -> None:
    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1002")
        async with page_of(browser, house.service.url, "ben") as page:
            await expect(page.get_by_text("No call at the moment")).to_be_visible()
            agent = await phone.called.answers_and_hangs_up(after_s=0.4, talk_s=3)
            customer = await pbx.trunk.called.answers(after_s=1)
            await page.get_by_label("Dial a number or find a customer").last.fill("020 7946 0160")
            await page.get_by_role("button", name="Call", exact=True).click()
            card = page.locator("#call")
            await expect(card.get_by_text("Outgoing call")).to_be_visible()
            await expect(badge(card, "Talking")).to_be_visible()
            await expect(badge(card, "Ended")).to_be_visible()
            await pbx.finished(agent, customer)
            await done(page)

    (record,) = await house.play(flow)
    assert (record["direction"], record["status"]) == ("outbound", "answered")
    await house.agree([record])


async def test_a_call_that_a_colleague_took_leaves_the_page(house: House, browser: Browser) -> None:
    async def flow(pbx: Pbx, link: AmiLink) -> None:
        amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
        async with page_of(browser, house.service.url, "chloe") as page:
            await expect(page.get_by_text("No call at the moment")).to_be_visible()
            agents = [
                await amelia.called.rings(),
                await ben.called.answers_and_hangs_up(after_s=1.5, talk_s=0.5),
                await chloe.called.rings(),
            ]
            caller = await pbx.trunk.caller("07700900204").stays("02079460993")
            await expect(badge(page.locator("#call"), "Ringing")).to_be_visible()
            await expect(page.get_by_role("log")).to_contain_text("answered by a colleague")
            await expect(page.get_by_text("No call at the moment")).to_be_visible()
            await pbx.finished(*agents, caller)

    records = await house.play(flow)
    await house.popped_as_offered(records)


WORDS = {
    "zh-CN": ("当前没有通话", "来电", "振铃中", "通话中", "已结束", "本次通话记录"),
    "zh-TW": ("目前沒有通話", "來電", "響鈴中", "通話中", "已結束", "本次通話記錄"),
}


@pytest.mark.parametrize("language", WORDS)
async def test_the_pop_speaks_the_language_of_the_browser(house: House, browser: Browser, language: str) -> None:
    idle, incoming, rings, talks, ended, note = WORDS[language]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1003")
        async with page_of(browser, house.service.url, "chloe", language=language) as page:
            await expect(page.locator("html")).to_have_attribute("lang", language)
            await expect(page.get_by_text(idle)).to_be_visible()
            agent = await phone.called.answers(after_s=1.2)
            caller = await pbx.trunk.caller("+447700900205", "李雷").hangs_up("+442079460998", after_s=1)
            card = page.locator("#call")
            await expect(card.locator("h1")).to_have_text("李雷")
            await expect(card.get_by_text(incoming, exact=True)).to_be_visible()
            await expect(badge(card, rings)).to_be_visible()
            await expect(badge(card, talks)).to_be_visible()
            await expect(card.get_by_label(note)).to_be_visible()
            await expect(badge(card, ended)).to_be_visible()
            await pbx.finished(agent, caller)
            await done(page)

    await house.play(flow)


def badge(card: Locator, state: str) -> Locator:
    """The state that a card shows."""
    return card.locator(".badge").filter(has_text=state)


async def done(page: Page) -> None:
    """Be done with the call, once it has ended; the desk is then empty for the next."""
    await page.locator(".card.ended .head .el-button--primary").click()
    await expect(page.locator("#call")).to_have_count(0)
