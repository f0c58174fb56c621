"""A phone in the browser on a real Asterisk: Chromium with JsSIP, callers with SIPp, sound counted on both sides."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.acceptance.house import Record
from tests.acceptance.phonehouse import PhoneHouse, panel
from tests.acceptance.service import until
from tests.acceptance.sounds import sound_both_ways
from tests.fixtures.database import TEMPLATE, of_database, run_as_admin
from tests.testbed import AmiLink, SippRun
from tests.testbed.script import is_hung_up, speaks

pytestmark = pytest.mark.asyncio(loop_scope="session")
BILLING = "02079460996"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    asterisk_chroot: Path, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[PhoneHouse]:
    """One company for all flows."""
    name = f"{TEMPLATE}_phones"
    await run_as_admin(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    url = of_database(postgres_url, name)
    async with PhoneHouse(tmp_path_factory.mktemp("phones"), asterisk_chroot, url) as house:
        yield house
    await run_as_admin(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest_asyncio.fixture(loop_scope="session")
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What a test opens is closed at its end."""
    async with AsyncExitStack() as stack:
        yield stack


async def test_a_queue_call_is_answered_heard_held_muted_and_typed_into(
    house: PhoneHouse, stack: AsyncExitStack
) -> None:
    page = await house.desk(stack, "karim")
    link = await stack.enter_async_context(house.pbx.asterisk.observer())
    await link.action("QueueAdd", Queue="billing", Interface="PJSIP/1011", MemberName="Karim Haddad")
    caller = await queue_call(house, "+447700900301")
    await press(page, "Answer")
    await expect(panel(page)).to_contain_text("Good line", timeout=15_000)
    await sound_both_ways(house.pbx.asterisk, "1011")

    await press(page, "Hold")
    await link.event("Hold", Channel=await channel(link, "1011"))
    await press(page, "Resume")
    await link.event("Unhold", Channel=await channel(link, "1011"))
    await page.keyboard.press("Alt+KeyM")
    await expect(panel(page).get_by_role("button", name="Unmute")).to_be_visible()
    await page.keyboard.press("Alt+KeyM")
    await press(page, "Keypad")
    await panel(page).get_by_role("button", name="5", exact=True).click()
    await link.event("DTMFEnd", Digit="5", Direction="Received")
    await page.keyboard.press("Alt+KeyX")
    await house.pbx.finished(caller)
    await link.all_hung_up()
    await link.action("QueueRemove", Queue="billing", Interface="PJSIP/1011")
    (record,) = await newest(house, "+447700900301")
    assert (record["status"], record["hangup_by"]) == ("answered", "agent")
    assert [one["agent"] for one in record["connections"]] == ["karim"]
    assert record["hold_s"] > 0


async def test_what_the_agent_dials_is_answered_by_the_browser_itself(house: PhoneHouse, stack: AsyncExitStack) -> None:
    page = await house.desk(stack, "karim")
    customer = await house.pbx.trunk.called.plays(speaks(), is_hung_up(), after_s=0.5)
    await page.get_by_label("Dial a number or find a customer").last.fill("020 7946 0160")
    await page.get_by_role("button", name="Call", exact=True).click()
    await sound_both_ways(house.pbx.asterisk, "1011")
    await press(page, "Hang up")
    await house.pbx.finished(customer)


async def test_a_call_is_handed_on_blindly(house: PhoneHouse, stack: AsyncExitStack) -> None:
    page = await house.desk(stack, "karim")
    link = await stack.enter_async_context(house.pbx.asterisk.observer())
    colleague = await house.pbx.phone("1001")
    rung = await colleague.called.answers_and_hangs_up(after_s=0.3, talk_s=0.5)
    caller = await direct_call(house, "+447700900302", "1011")
    await press(page, "Answer")
    await press(page, "Transfer")
    await page.get_by_label("Extension or number").fill("1001")
    await press(page, "Transfer now")
    await house.pbx.finished(rung, caller)
    await link.all_hung_up()
    await expect(panel(page)).to_contain_text("Calls ring here")
    (record,) = await newest(house, "+447700900302")
    assert [(one["kind"], one["by"], one["to"]) for one in record["transfers"]] == [("blind", "PJSIP/1011", "1001")]
    assert [one["agent"] for one in record["connections"]] == ["karim", "amelia"]


async def test_a_call_is_handed_to_a_second_browser_after_talking_with_it(
    house: PhoneHouse, stack: AsyncExitStack
) -> None:
    page = await house.desk(stack, "karim")
    other = await house.desk(stack, "lena")
    link = await stack.enter_async_context(house.pbx.asterisk.observer())
    caller = await direct_call(house, "+447700900303", "1011")
    await press(page, "Answer")
    await press(page, "Transfer")
    await page.get_by_label("Extension or number").fill("1012")
    await press(page, "Ask first")
    await press(other, "Answer")
    await sound_both_ways(house.pbx.asterisk, "1012")
    await expect(panel(page)).to_contain_text("waits")
    await press(page, "Connect them")
    await expect(panel(page)).to_contain_text("Calls ring here")
    await sound_both_ways(house.pbx.asterisk, "1012")
    await press(other, "Hang up")
    await house.pbx.finished(caller)
    await link.all_hung_up()
    (record,) = await newest(house, "+447700900303")
    (handed,) = record["transfers"]
    assert (handed["kind"], handed["by"], handed["to"]) == ("attended", "PJSIP/1011", "PJSIP/1012")
    assert [one["agent"] for one in record["connections"]] == ["karim", "lena"]


async def test_a_reload_takes_the_call_up_again(house: PhoneHouse, stack: AsyncExitStack) -> None:
    page = await house.desk(stack, "karim")
    link = await stack.enter_async_context(house.pbx.asterisk.observer())
    caller = await direct_call(house, "+447700900304", "1011")
    await press(page, "Answer")
    await sound_both_ways(house.pbx.asterisk, "1011")
    await page.reload()
    await expect(panel(page).get_by_role("button", name="Hold")).to_be_visible(timeout=10_000)
    await sound_both_ways(house.pbx.asterisk, "1011")
    assert caller.running
    await press(page, "Hang up")
    await house.pbx.finished(caller)
    await link.all_hung_up()
    (record,) = await newest(house, "+447700900304")
    assert record["status"] == "answered"
    assert {one["agent"] for one in record["connections"]} == {"karim"}


async def test_a_cut_socket_comes_back_and_the_call_goes_on(house: PhoneHouse, stack: AsyncExitStack) -> None:
    page = await house.desk(stack, "karim")
    caller = await direct_call(house, "+447700900305", "1011")
    await press(page, "Answer")
    await sound_both_ways(house.pbx.asterisk, "1011")
    house.wire.cut()
    await expect(panel(page)).to_contain_text("lost its connection")
    await expect(panel(page)).to_contain_text("Phone is ready", timeout=15_000)
    await sound_both_ways(house.pbx.asterisk, "1011")
    # Verbs work on the new socket, and so does the caller's hanging up.
    await press(page, "Hold")
    await press(page, "Resume")
    await press(page, "Hang up")
    await house.pbx.finished(caller)


async def test_two_windows_have_one_phone(house: PhoneHouse, stack: AsyncExitStack) -> None:
    page = await house.desk(stack, "karim")
    second = await page.context.new_page()
    await second.goto(house.service.url)
    await expect(panel(second)).to_contain_text("Phone is ready")
    caller = await direct_call(house, "+447700900306", "1011")
    await press(second, "Answer")
    await expect(panel(page).get_by_role("button", name="Hold")).to_be_visible()
    await sound_both_ways(house.pbx.asterisk, "1011")
    # The window with the phone is closed: the other one has it, and the call.
    await page.close()
    await expect(panel(second)).to_contain_text("Phone is ready", timeout=10_000)
    await expect(panel(second).get_by_role("button", name="Hold")).to_be_visible(timeout=10_000)
    await sound_both_ways(house.pbx.asterisk, "1011")
    await press(second, "Hang up")
    await house.pbx.finished(caller)


async def test_a_password_is_worthless_after_the_log_out_and_after_the_next_one(
    house: PhoneHouse, stack: AsyncExitStack
) -> None:
    lena = await house.person("lena")
    first = (await lena.ask("POST", "/phone/credential", take_over=True))["password"]
    assert await house.pbx.registers("1012", first)
    second = (await lena.ask("POST", "/phone/credential", take_over=False))["password"]
    assert not await house.pbx.registers("1012", first)
    assert await house.pbx.registers("1012", second)
    await lena.ask("DELETE", "/session")

    async def refused() -> bool:
        return not await house.pbx.registers("1012", second)

    await until(refused, "the password of a session that is over is refused", deadline_s=5)


async def queue_call(house: PhoneHouse, number: str) -> SippRun:
    """A caller of the queue billing, who speaks and stays."""
    return await house.pbx.trunk.caller(number).plays(BILLING, speaks(), is_hung_up())


async def direct_call(house: PhoneHouse, number: str, extension: str) -> SippRun:
    """A caller who knows an extension, speaks and stays."""
    did = "02079460999"
    await house.pbx.asterisk.extend("from-trunk", did, f"Dial(PJSIP/{extension}\\,20\\,tT)")
    return await house.pbx.trunk.caller(number).plays(did, speaks(), is_hung_up())


async def press(page: Page, name: str) -> None:
    """Press a button of the phone."""
    await panel(page).get_by_role("button", name=re.compile(f"^{name}\\b")).click(timeout=10_000)


async def channel(link: AmiLink, extension: str) -> str:
    """The newest channel of an extension."""
    return [b["Channel"] for b in link.blocks if b.get("Event") == "Newchannel" and f"/{extension}-" in b["Channel"]][
        -1
    ]


async def newest(house: PhoneHouse, number: str) -> list[Record]:
    """The records of a caller, once they are complete."""
    found: list[Record] = []

    async def ended() -> bool:
        answer = await house.boss.ask("GET", f"/calls?limit=5&number={number.replace('+', '%2B')}")
        found[:] = answer["items"]
        return bool(found) and all(one["ended_at"] for one in found)

    await until(ended, f"the record of {number}")
    return found
