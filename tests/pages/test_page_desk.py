"""The desk of an agent: one screen, states, outcomes, callbacks, missed calls, the search and the keys."""

import re

from playwright.async_api import Page, expect

from callcenter.simulator.people import Answers, Ignores
from tests.pages.house import ADMIN, TO_SALES, House

WRONG_CLOCK = """(() => {
    const Right = globalThis.Right ?? Date;
    globalThis.Right = Right;
    const wrong = () => Right.now() + HOURS * 3_600_000;
    globalThis.Date = class extends Right {
        constructor(...given) { given.length ? super(...given) : super(wrong()); }
        static now() { return wrong(); }
    };
})()"""
NUMBER = "+442079460958"
AS_DIALED = "02079460958"


async def settle(house: House, **settings: object) -> None:
    """Change how the desk works, as the admin."""
    page = await house.guest()
    headers = {"X-Callcenter": "1", "Origin": house.url}
    session = {"login": ADMIN, "password": "correct horse battery"}
    await page.context.request.post(f"{house.url}/api/v1/session", data=session, headers=headers)
    answer = await page.context.request.put(f"{house.url}/api/v1/desk/settings", data=settings, headers=headers)
    assert answer.ok, await answer.text()


async def fits(page: Page) -> bool:
    """Whether the page as a whole need not be scrolled, in either direction."""
    found: bool = await page.evaluate(
        "() => { const e = document.documentElement;"
        " return e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth; }"
    )
    return found


async def test_a_queues_call_from_its_ring_to_the_end_of_its_wrap_up_on_one_screen(house: House) -> None:
    await settle(house, wrapup_s=60)
    await house.customer("John Smith", NUMBER, note="x\n" * 40, tags=[f"tag {n}" for n in range(30)])
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    house.call(AS_DIALED, TO_SALES, callee=lambda e, a: Answers(0.5) if e == "1001" else Ignores(), talk=60)
    await expect(page.get_by_text("Talking").first).to_be_visible()
    assert await fits(page)

    await page.get_by_role("group", name="Outcome").get_by_role("button", name="Call back").click()
    form = page.get_by_role("form", name="Promise a call")
    await form.get_by_label("What about?").fill("the offer")
    await form.get_by_role("button", name="Promise").click()
    await expect(page.get_by_text("Promised calls")).to_be_visible()
    await page.get_by_role("button", name="Hang up", exact=True).click()

    bar = page.get_by_role("region", name="Time to wrap up")
    await expect(bar.get_by_role("timer")).to_have_text(re.compile("0:5[0-9]|1:00"))
    assert await fits(page)
    await page.locator("h1").first.click()
    await page.keyboard.press("w")
    await expect(bar.get_by_role("timer")).to_have_text(re.compile("1:[12][0-9]"))
    await page.keyboard.press("r")
    await expect(bar).to_have_count(0)
    await expect(page.locator("button.state")).to_contain_text("Ready")
    await page.keyboard.press("b")
    await expect(page.get_by_text("the offer").last).to_be_visible()
    assert await fits(page)


async def test_a_missed_call_leaves_the_list_when_the_customer_is_reached(house: House) -> None:
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    house.call(AS_DIALED, callee=lambda extension, attempt: Ignores(), patience=1)
    await expect(page.get_by_text("the caller hung up before an answer")).to_be_visible()
    await page.get_by_role("button", name="Close this line").click()
    await page.keyboard.press("m")
    line = page.get_by_role("listitem").filter(has_text="0958")
    await expect(line.get_by_role("button", name="needs no call back")).to_be_visible()

    house.call(AS_DIALED, callee=lambda extension, attempt: Answers(0.5), talk=1)
    await expect(page.get_by_text("Talking").first).to_be_visible()
    await expect(page.get_by_text("Nobody waits for a call back.")).to_be_visible()


async def test_one_box_finds_customers_calls_and_numbers_from_any_page(house: House) -> None:
    customer = await house.customer("John Smith", NUMBER)
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    await page.goto(f"{house.url}/customers")
    await expect(page.get_by_role("link", name="John Smith")).to_be_visible()
    await page.locator("h1").click()
    await page.keyboard.press("/")
    box = page.get_by_role("dialog", name="Search everything")
    await page.keyboard.type("smi")
    await expect(box.get_by_role("option", name="John Smith")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{house.url}/customers/{customer}")

    await page.locator("h1").click()
    await page.keyboard.press("/")
    await page.keyboard.type("020 7946 0958")
    await expect(box.get_by_role("option").first).to_contain_text("Call 020 7946 0958")
    await expect(box.get_by_role("option", name="John Smith")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(box).to_have_count(0)


async def test_the_sheet_lists_the_keys_and_turns_letters_off(house: House) -> None:
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    await page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(sheet.get_by_text("Take calls again")).to_be_visible()
    await sheet.get_by_label("Use letters as shortcuts").uncheck()
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await page.keyboard.press("p")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await page.get_by_role("button", name="Ready").click()
    await page.get_by_role("menuitem", name="Lunch").click()
    await expect(page.locator("button.state")).to_contain_text("Lunch")
    await page.reload()
    await expect(page.locator("button.state")).to_contain_text("Lunch")


async def test_a_clock_that_is_an_hour_wrong_shows_right_durations(house: House) -> None:
    page = await house.window()
    for hours in (1, -1):
        await page.context.add_init_script(WRONG_CLOCK.replace("HOURS", str(hours)))
        await page.reload()
        await expect(page.get_by_text("Ready")).to_be_visible()
        assert await page.evaluate("Math.round((Date.now() - Right.now()) / 3_600_000)") == hours
        # what is counted from a moment that the server named: since when one is ready, and a call
        shown = await page.locator(".numbers").all_inner_texts()
        assert [text for text in shown if re.fullmatch(r"\d+:\d\d:\d\d", text)] == []
        house.call("02079460911", callee=lambda extension, attempt: Answers(0.3), talk=4)
        await expect(page.get_by_text("Talking").first).to_be_visible()
        clocks = page.get_by_role("main").locator(".numbers")
        # behind a clock that is slow it would stand at nothing
        await expect(clocks.filter(has_text=re.compile(r"^0:0[2-9]$")).first).to_be_visible()
        assert [text for text in await clocks.all_inner_texts() if re.fullmatch(r"\d+:\d\d:\d\d", text)] == []
        await expect(page.get_by_text("Ended").first).to_be_visible()
