"""An agent's hour on the real Asterisk, in two languages: three people at their browsers, nothing but clicks and keys.

Karim answers a queue's calls in his browser, holds, hands one on, writes up, pauses, and calls a missed caller back.
Lena takes what he hands on. Sam, who supervises, watches all of it live, whispers, and finds every number again in the
reports. The API is asked at the end alone, to compare: board, reports, call log and Asterisk's own account must agree.

`CALLCENTER_PICTURES=DIRECTORY` keeps a picture of each step.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.acceptance.hour import PATIENT_MS, Album, Office
from tests.acceptance.phonehouse import PhoneHouse
from tests.acceptance.reckoning import Reckoning
from tests.acceptance.sounds import AUDIBLE, energy, heard, sound_both_ways
from tests.acceptance.words import Words
from tests.fixtures.database import TEMPLATE, of_database, run_as_admin
from tests.testbed import SippRun
from tests.testbed.script import is_hung_up, speaks

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST, SECOND, MISSED = "+447700900401", "+447700900402", "+447700900403"
MISSED_SHOWN = "+44 7700 900403"
CUSTOMERS = {"en": ("Margaret Chen", "Oliver Grant"), "zh-CN": ("陈美玲", "王小明")}
NOTES = {
    "en": ("Wants the second microscope before June; send an offer.", "Lena knows the contract."),
    "zh-CN": ("希望六月前收到第二台显微镜，请发报价。", "合同由 Lena 跟进。"),
}
RESOLVED = {"en": "Resolved", "zh-CN": "已解决"}
PASSED_ON = {"en": "Passed on", "zh-CN": "已转交"}
LUNCH = {"en": "Lunch", "zh-CN": "用餐"}
WAITS_S = 7
"""Well longer than what counts as a short abandon, from when they are in the queue."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["en", "zh-CN"])
async def office(
    request: pytest.FixtureRequest, asterisk_chroot: Path, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    """A company for each language, which knows the two customers who will call."""
    language: str = request.param
    name = f"{TEMPLATE}_hour"
    await run_as_admin(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    home = tmp_path_factory.mktemp("hour")
    values = {"queue_ring_s": 15, "queue_wait_s": 60, "extension_ring_s": 15}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(run_as_admin, postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')
        house = PhoneHouse(home, asterisk_chroot, of_database(postgres_url, name), **values)
        await stack.enter_async_context(house)
        first, second = CUSTOMERS[language]
        (home / "customers.csv").write_text(f"name,phone\n{first},{FIRST}\n{second},{SECOND}\n", "utf-8")
        await house.service.run("import", "customers", str(home / "customers.csv"), "--yes")
        pictures = Path(os.environ.get("CALLCENTER_PICTURES") or home / "pictures")
        link = await stack.enter_async_context(house.pbx.asterisk.observer())
        yield await Office.opened(stack, house, Words(language), Album(pictures, language), link)


async def test_an_agents_hour(office: Office) -> None:
    await shift_begins(office)
    await call_is_answered_and_written_up(office)
    await call_is_heard_held_and_handed_on(office)
    await caller_is_missed_while_the_agent_is_at_lunch(office)
    await missed_caller_is_called_back(office)
    await office.link.all_hung_up()
    reckoning = await Reckoning.made(office)
    assert (reckoning.offered, reckoning.answered, reckoning.abandoned) == (3, 2, 1)
    await numbers_are_found_again(office, reckoning)
    await shift_ends(office)


async def shift_begins(office: Office) -> None:
    """Everybody is logged in, and Sam gives Karim the queue."""
    karim, lena, sam, words = office.karim, office.lena, office.sam, office.words
    await karim.is_ready_for_calls()
    await lena.is_ready_for_calls()
    await office.album.take(karim.page, "desk")
    await sam.opens("app.floor", "floor.title")
    await sam.page.get_by_role("button", name="billing", exact=True).click()
    queue = sam.page.get_by_role("region", name="billing", exact=True)
    await queue.get_by_label(words("floor.newMember")).select_option(label="Karim Haddad")
    await sam.button("floor.add", within=queue).click()
    await expect(queue.get_by_role("listitem").filter(has_text="Karim Haddad")).to_contain_text(words("agent.ready"))
    await office.album.take(sam.page, "floor-with-karim")


async def call_is_answered_and_written_up(office: Office) -> None:
    """The first customer hears Karim, and Karim them."""
    karim, words, language = office.karim, office.words, office.words.language
    caller = await queue_call(office, FIRST, tone=True)
    customer = CUSTOMERS[language][0]
    await expect(karim.page.get_by_role("heading", level=1, name=customer)).to_be_visible(timeout=PATIENT_MS)
    await expect(karim.button("phone.answer", within=karim.phone)).to_be_visible(timeout=PATIENT_MS)
    await office.album.take(karim.page, "ringing")
    await karim.answers()
    await karim.hears()
    await sound_both_ways(office.asterisk, "1011")
    packets, loud = await heard(await office.port_of("trunk"), for_s=1.5)
    assert packets > 20 and loud, f"the customer hears Karim's microphone: {loud} of {packets}"
    await expect(karim.phone).to_contain_text(words("phone.quality.good"), timeout=15_000)
    await office.album.take(karim.page, "talking")
    await karim.page.keyboard.press("Alt+KeyX")
    await office.house.pbx.finished(caller)
    await karim.writes_up(RESOLVED[language], NOTES[language][0])
    await office.album.take(karim.page, "written-up")
    await karim.closes_the_card()


async def call_is_heard_held_and_handed_on(office: Office) -> None:
    """Sam listens to the second call and whispers; Karim holds it, asks Lena, and connects them."""
    karim, lena, language = office.karim, office.lena, office.words.language
    caller = await queue_call(office, SECOND)
    await karim.answers()
    await sam_whispers(office)

    await karim.page.keyboard.press("Alt+KeyH")
    await expect(karim.button("phone.resume", within=karim.phone)).to_be_visible()
    await office.link.event("Hold", Channel=await office.channel_of("1011"))
    await office.album.take(karim.page, "on-hold")
    await karim.page.keyboard.press("Alt+KeyH")
    await office.link.event("Unhold", Channel=await office.channel_of("1011"))

    await karim.page.keyboard.press("Alt+KeyT")
    await karim.page.get_by_label(office.words("phone.target")).fill("1012")
    await karim.button("phone.attended", within=karim.phone).click()
    await expect(lena.button("phone.answer", within=lena.phone)).to_be_visible(timeout=PATIENT_MS)
    await office.album.take(lena.page, "asked-by-karim")
    await lena.answers()
    await sound_both_ways(office.asterisk, "1012")
    await office.album.take(karim.page, "asking-lena")
    await karim.button("phone.join", within=karim.phone).click()
    await expect(karim.phone).to_contain_text(office.words("phone.idle"), timeout=PATIENT_MS)
    await sound_both_ways(office.asterisk, "1012")
    await expect(lena.page.get_by_role("heading", level=1, name=CUSTOMERS[language][1])).to_be_visible()
    await office.album.take(lena.page, "handed-on")
    await karim.writes_up(PASSED_ON[language], NOTES[language][1])
    await karim.closes_the_card()
    await lena.page.keyboard.press("Alt+KeyX")
    await office.house.pbx.finished(caller)
    await lena.closes_the_card()


async def sam_whispers(office: Office) -> None:
    """Karim hears Sam, and the customer does not."""
    karim, sam, words, language = office.karim, office.sam, office.words, office.words.language
    agents = sam.region("floor.agents")
    row = agents.get_by_role("row").filter(has_text="Karim Haddad")
    await expect(row).to_contain_text(CUSTOMERS[language][1])
    await expect(row).to_contain_text(words("agent.busy"))
    phone = await office.house.pbx.phone("1010")
    ear = await phone.called.answers_speaks_and_hangs_up(after_s=0.2, talk_s=60, tone=True)
    await row.get_by_role("button", name=words("floor.actionsOf", who="Karim Haddad")).click()
    await sam.button("floor.listen", within=agents).click()
    await expect(sam.page.get_by_text(words("floor.doing.listen", who="Karim Haddad"))).to_be_visible()
    await expect(row).to_contain_text(words("floor.heardBy", who="Sam Rivers"))
    await karim.button("phone.mute", within=karim.phone).click()
    customer = await office.port_of("trunk")
    before = await energy(karim.page)
    await heard(customer)
    assert await energy(karim.page) - before < AUDIBLE, "who listens is not heard"
    await sam.button("floor.whisper").first.click()
    await expect(sam.page.get_by_text(words("floor.doing.whisper", who="Karim Haddad"))).to_be_visible()
    await office.album.take(sam.page, "whispering")
    await karim.hears()
    assert (await heard(customer))[1] == 0, "the customer hears no whisper"
    await karim.button("phone.unmute", within=karim.phone).click()
    assert (await heard(customer, for_s=1.5))[1], "the customer hears Karim"
    await sam.button("floor.stop").click()
    await expect(row).not_to_contain_text(words("floor.heardBy", who="Sam Rivers"))
    await row.get_by_role("button", name=words("floor.actionsOf", who="Karim Haddad")).click()
    await ear.stop()


async def caller_is_missed_while_the_agent_is_at_lunch(office: Office) -> None:
    """Nobody is rung, Sam sees who waits, and the caller hangs up."""
    karim, sam, words, language = office.karim, office.sam, office.words, office.words.language
    await karim.page.keyboard.press("p")
    await office.album.take(karim.page, "pause-menu")
    await karim.page.get_by_role("menuitem", name=LUNCH[language]).click()
    await expect(karim.state).to_contain_text(LUNCH[language])
    agents = sam.region("floor.agents")
    await expect(agents.get_by_role("row").filter(has_text="Karim Haddad")).to_contain_text(LUNCH[language])
    caller = await office.house.pbx.trunk.caller(MISSED).hangs_up(office.BILLING, after_s=WAITS_S)
    waiting = sam.page.get_by_role("region", name="billing", exact=True).get_by_role("listitem")
    await expect(waiting.filter(has_text=MISSED_SHOWN)).to_contain_text(words("floor.nobodyFree"))
    await office.album.take(sam.page, "somebody-waits")
    await office.house.pbx.finished(caller)
    await expect(sam.page.get_by_text(words("floor.nobodyWaits"))).to_be_visible()
    await karim.page.keyboard.press("r")
    await expect(karim.state).to_contain_text(words("agent.ready"))


async def missed_caller_is_called_back(office: Office) -> None:
    """The line goes from the list by itself when the customer was reached."""
    karim, words = office.karim, office.words
    await karim.page.keyboard.press("m")
    back = karim.page.get_by_role("button", name=words("dial.call", number=MISSED_SHOWN))
    await expect(back).to_be_visible(timeout=PATIENT_MS)
    await office.album.take(karim.page, "missed")
    customer = await office.house.pbx.trunk.called.plays(speaks(), is_hung_up(), after_s=0.5)
    await back.click()
    await expect(karim.button("phone.hold", within=karim.phone)).to_be_visible(timeout=PATIENT_MS)
    await sound_both_ways(office.asterisk, "1011")
    await office.album.take(karim.page, "calling-back")
    await karim.page.keyboard.press("Alt+KeyX")
    await office.house.pbx.finished(customer)
    await expect(karim.page.get_by_text(words("missed.none"))).to_be_visible(timeout=PATIENT_MS)
    await karim.closes_the_card()
    await karim.page.keyboard.press("t")
    await expect(karim.region("today.title").get_by_role("listitem")).to_have_count(3, timeout=PATIENT_MS)
    await office.album.take(karim.page, "day-is-done")


async def numbers_are_found_again(office: Office, reckoning: Reckoning) -> None:
    """The floor, the wallboard, the reports and the call log say what Asterisk wrote down."""
    sam, words, page = office.sam, office.words, office.sam.page
    await reckoning.floor_agrees(sam)
    await office.album.take(page, "floor-at-the-end")
    await page.get_by_role("link", name=words("floor.wallboard")).click()
    await reckoning.wallboard_agrees(page)
    await office.album.take(page, "wallboard")
    await page.keyboard.press("Escape")

    await sam.opens("app.reports", "reports.title")
    await sam.button("calls.period.today").click()
    await reckoning.queue_report_agrees(sam)
    await office.album.take(page, "report-of-queues")
    await sam.button("reports.kind.agents").click()
    await reckoning.agent_report_agrees(sam)
    await office.album.take(page, "report-of-agents")
    await sam.button("reports.kind.queues").click()
    await reckoning.number_leads_to_its_calls(sam)
    await office.album.take(page, "calls-behind-a-number")
    await page.get_by_role("row").filter(has_text=CUSTOMERS[words.language][1]).get_by_role("button").click()
    drawer = page.get_by_role("complementary", name=words("calls.one"))
    await expect(drawer).to_contain_text(words("calls.transfer.attended", by="PJSIP/1011", to="PJSIP/1012"))
    await expect(drawer).to_contain_text(NOTES[words.language][1])
    await office.album.take(page, "one-call")


async def shift_ends(office: Office) -> None:
    """Who has logged out has no phone any more."""
    karim, words = office.karim, office.words
    await karim.button("app.logOut").click()
    await expect(karim.page.locator("#login")).to_be_visible()
    await expect(karim.button("login.submit")).to_be_visible()
    await office.album.take(karim.page, "logged-out")
    assert words("login.title")


async def queue_call(office: Office, number: str, *, tone: bool = False) -> SippRun:
    """A caller of the queue billing, who speaks and stays."""
    caller = office.house.pbx.trunk.caller(number)
    return await caller.plays(office.BILLING, speaks(), is_hung_up(), tone=tone)
