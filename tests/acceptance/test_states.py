"""What an agent does, on the page and at a real Asterisk: each says what the other does."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.acceptance.browser import chromium, page_of
from tests.acceptance.house import PASSWORD, House
from tests.acceptance.people import Somebody
from tests.acceptance.service import until
from tests.testbed import AmiLink, Pbx

pytestmark = pytest.mark.asyncio(loop_scope="session")

HANNAH = "PJSIP/1008"
"""The only member of the queue `billing`."""
REST_S = 4


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(house: House) -> AsyncIterator[Browser]:
    """A browser, at a desk that is done with all earlier calls."""
    for pop in [one for one in house.agents["hannah"].messages if one["type"] == "pop"]:
        await house.agents["hannah"].send(type="ack", seq=pop["seq"])
    async with chromium() as browser:
        yield browser


async def shown(link: AmiLink, queue: str = "billing") -> dict[str, str]:
    """Hannah's membership of a queue as Asterisk itself sees it; empty where there is none."""
    action_id = link.send("QueueStatus", Queue=queue)
    await link.event("QueueStatusComplete", ActionID=action_id)
    members = [one for one in link.blocks if one.get("Event") == "QueueMember" and one.get("ActionID") == action_id]
    return next((one for one in members if one["Location"] == HANNAH), {})


async def is_paused(link: AmiLink, reason: str | None, what: str) -> None:
    """Wait until Asterisk has the member paused for a reason; None: not paused."""

    async def so() -> bool:
        member = await shown(link)
        paused = member.get("PausedReason", "") if member.get("Paused") == "1" else None
        return paused == reason

    await until(so, what)


async def test_a_pause_on_the_page_is_one_at_asterisk_and_the_other_way_round(house: House, browser: Browser) -> None:
    async with house.pbx.asterisk.observer() as link, page_of(browser, house.service.url, "hannah") as page:
        state = page.locator("button.state")
        await expect(state).to_contain_text("Ready")

        await page.keyboard.press("p")
        await page.get_by_role("menuitem", name="Lunch").click()
        await expect(state).to_contain_text("Lunch")
        await is_paused(link, "lunch", "Asterisk has Hannah at lunch")

        # Somebody else ends it, by a feature code or at another panel.
        await link.action("QueuePause", Interface=HANNAH, Paused="false")
        await expect(state).to_contain_text("Ready")
        await link.action("QueuePause", Interface=HANNAH, Paused="true", Reason="fire drill")
        await expect(state).to_contain_text("fire drill")

        await page.keyboard.press("r")
        await expect(state).to_contain_text("Ready")
        await is_paused(link, None, "Asterisk lets Hannah take calls")


async def test_a_queues_call_is_wrapped_up_on_the_page_and_at_asterisk(house: House, browser: Browser) -> None:
    boss = house.boss
    await house.service.run("user", "add", "chief", "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    async with Somebody(house.service.url, "chief", PASSWORD, listens=False) as chief:
        await chief.ask("PUT", "/desk/settings", wrapup_s=0, wrapup_queues={"billing": REST_S})

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1008")
        async with page_of(browser, house.service.url, "hannah") as page:
            state = page.locator("button.state")
            await expect(state).to_contain_text("Ready")
            agent = await phone.called.answers(after_s=0.5)
            caller = await pbx.trunk.caller("+447700900221").hangs_up("+442079460996", after_s=1.5)
            await expect(state).to_contain_text("On a call")
            await pbx.finished(agent, caller)

            bar = page.get_by_role("region", name="Time to wrap up")
            await expect(bar).to_be_visible()
            await expect(state).to_contain_text("Wrapping up")
            await is_paused(link, "wrapup", "no queue rings Hannah while she wraps up")
            await page.get_by_role("button", name="Resolved").click()
            await bar.get_by_role("button", name=re.compile("30 s more")).click()
            await bar.get_by_role("button", name=re.compile("I am done")).click()
            await expect(state).to_contain_text("Ready")
            await is_paused(link, None, "queues may ring Hannah again")
            await page.locator(".card.ended .head .el-button--primary").click()

    (record,) = await house.play(flow)

    async def noted() -> bool:
        found = await boss.ask("GET", f"/calls/{record['call_id']}")
        return bool(found["wrapup_s"]) and found["outcome"] == "resolved" and found["wrapup_s"] < 30

    await until(noted, "the record says how long it was wrapped up, and what it came to")

    async def again(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1008")
        agent = await phone.called.answers(after_s=0.3)
        caller = await pbx.trunk.caller("+447700900222").hangs_up("+442079460996", after_s=1)
        await pbx.finished(agent, caller)
        await is_paused(link, "wrapup", "no queue rings Hannah while she wraps up")
        # Nobody touches anything: it ends by itself.
        await is_paused(link, None, "the time to wrap up is over")

    await house.play(again)
    async with Somebody(house.service.url, "chief", PASSWORD, listens=False) as chief:
        await chief.ask("PUT", "/desk/settings", wrapup_s=0, wrapup_queues={})


async def test_who_logs_out_of_a_fixed_queue_is_told_and_a_dynamic_one_is_left(house: House, browser: Browser) -> None:
    async with house.pbx.asterisk.observer() as link, page_of(browser, house.service.url, "hannah") as page:
        await expect(page.locator("button.state")).to_contain_text("Ready")
        await page.keyboard.press("p")
        await page.get_by_role("menuitem", name="Log out of my queues").click()
        await expect(page.get_by_text("cannot leave them")).to_be_visible()

        await house.boss.ask("PUT", "/agents/hannah/queues", items=[{"pbx": "pbx", "queue": "service", "penalty": 2}])
        await house.agents["hannah"].ask("PUT", "/session/queues", logged_in=True)

        async def member() -> bool:
            return (await shown(link, "service")).get("Penalty") == "2"

        await until(member, "Hannah is a member of service")
        await house.agents["hannah"].ask("PUT", "/session/queues", logged_in=False)

        async def gone() -> bool:
            return not await shown(link, "service") and bool(await shown(link))

        await until(gone, "Hannah has left service, and is still in billing")
