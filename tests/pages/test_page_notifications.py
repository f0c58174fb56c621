"""When the browser itself tells of a call: its real notifications, watched from within the page."""

from playwright.async_api import Page, expect

from callcenter.simulator.people import Answers, Callee, Ignores
from tests.pages.house import House

CHEN, CHEN_AS_DIALED = "+442079460958", "02079460958"
WATCH = """
window.told = [];
window.Notification = class extends window.Notification {
  constructor(title, options) {
    super(title, options);
    for (const kind of ["show", "error", "close"])
      this.addEventListener(kind, () => window.told.push(`${kind} ${title}: ${options.body}`));
  }
};
"""
RING = "Incoming call: Margaret Chen, +44 20 7946 0958 · 02079460991"


async def watched(house: House) -> Page:
    """The desk of Li, who may be notified; the browser tells the page the truth about its focus."""
    page = await house.window()
    await page.context.add_init_script(WATCH)
    await page.reload()
    await expect(page.get_by_text("Ready")).to_be_visible()
    return page


async def look_away(page: Page) -> None:
    """Leave the window in sight, and work in another one. A window that a test drives has the focus otherwise."""
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    elsewhere = await page.context.new_page()
    await elsewhere.bring_to_front()
    await page.wait_for_function("!document.hasFocus()")


async def told(page: Page, count: int) -> list[str]:
    """What became of the first `count` notifications and their ends."""
    await page.wait_for_function("count => window.told.length >= count", arg=count)
    found: list[str] = await page.evaluate("window.told")
    return found


def answers(extension: str, attempt: int) -> Callee:
    return Answers(2)


async def test_a_ring_is_shown_by_the_browser_to_who_looks_elsewhere_until_it_is_answered(house: House) -> None:
    await house.customer("Margaret Chen", CHEN)
    page = await watched(house)
    await look_away(page)

    house.call(CHEN_AS_DIALED, callee=answers, talk=60)

    assert await told(page, 1) == [f"show {RING}"]
    await expect(page.get_by_text("Talking").first).to_be_visible()
    assert await told(page, 2) == [f"show {RING}", f"close {RING}"]


async def test_a_ring_that_nobody_answered_leaves_no_notification_behind(house: House) -> None:
    await house.customer("Margaret Chen", CHEN)
    page = await watched(house)
    await look_away(page)

    house.call(CHEN_AS_DIALED, callee=lambda extension, attempt: Ignores(), patience=2.0)

    assert await told(page, 2) == [f"show {RING}", f"close {RING}"]


async def test_who_looks_at_the_page_is_not_notified_on_top(house: House) -> None:
    page = await watched(house)
    house.call(CHEN_AS_DIALED, callee=answers, talk=60)
    await expect(page.get_by_text("Talking").first).to_be_visible()
    assert await told(page, 0) == []


async def test_of_several_windows_that_nobody_looks_at_one_notifies(house: House) -> None:
    first = await watched(house)
    second = await house.tab(first.context)
    await expect(second.get_by_text("Ready")).to_be_visible()
    await look_away(second)
    await look_away(first)

    house.call(CHEN_AS_DIALED, callee=answers, talk=60)

    for page in (first, second):
        await expect(page.get_by_text("Talking").first).to_be_visible()
    shown = [line for page in (first, second) for line in await told(page, 0) if line.startswith("show")]
    assert shown == ["show Incoming call: +44 20 7946 0958 · 02079460991"]
