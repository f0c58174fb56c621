"""What an agent sees while calls come and go: the real page in a real browser, the real service, a simulated PBX."""

from playwright.async_api import expect

from callcenter.simulator.people import Answers, Callee, Ignores
from tests.pages.house import MEI, TO_SALES, House

CHEN = "+442079460958"
CHEN_AS_DIALED = "02079460958"


async def test_a_ring_shows_who_calls_and_why(house: House) -> None:
    await house.customer("Margaret Chen", CHEN, company="Harbor Light Optics", tags=["gold"])
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()

    house.call(CHEN_AS_DIALED, name="M CHEN", callee=lambda extension, attempt: Answers(3), talk=4)

    card = page.get_by_role("region", name="Margaret Chen")
    await expect(card.get_by_role("heading", level=1, name="Margaret Chen")).to_be_visible()
    await expect(card.get_by_text("Ringing")).to_be_visible()
    await expect(card.get_by_text("Found by +44 20 7946 0958: same number")).to_be_visible()
    await expect(card.get_by_text("Harbor Light Optics")).to_be_visible()
    await expect(page.get_by_text("Incoming call from Margaret Chen")).to_be_attached()
    assert "Margaret Chen" in await page.title()
    await expect(card.get_by_text("Talking")).to_be_visible()
    await expect(card.get_by_text("Ended")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("No call at the moment")).to_be_visible()
    today = page.get_by_role("region", name="My calls today")
    await expect(today.get_by_role("link", name="Margaret Chen")).to_be_visible()
    await expect(today.get_by_text("Answered", exact=True)).to_be_visible()


async def test_a_call_given_up_leaves_a_line_and_is_missed(house: House) -> None:
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()

    house.call("02079460911", callee=lambda extension, attempt: Ignores(), patience=2.0)

    await expect(page.get_by_text("Ringing").first).to_be_visible()
    await expect(page.get_by_text("the caller hung up before an answer")).to_be_visible()
    await expect(page.get_by_role("button", name="Call back")).to_be_visible()
    await expect(page.get_by_role("region", name="My calls today").get_by_text("Missed")).to_be_visible()


async def test_a_call_that_a_colleague_takes_is_nobodys_missed_call(house: House) -> None:
    li, mei = await house.window(), await house.window(MEI)
    for page in (li, mei):
        await expect(page.get_by_text("Ready")).to_be_visible()

    def callee(extension: str, attempt: int) -> Callee:
        return Answers(2.5) if extension == "1002" else Ignores()

    house.call("02079460911", TO_SALES, callee=callee, talk=5)

    await expect(li.get_by_text("Ringing").first).to_be_visible()
    await expect(li.get_by_text("answered by a colleague")).to_be_visible()
    await expect(li.get_by_text("No call at the moment")).to_be_visible()
    await expect(mei.get_by_text("Talking").first).to_be_visible()
    await expect(mei.get_by_text("sales").first).to_be_visible()
    await expect(mei.get_by_text("Ended")).to_be_visible()
    hers = mei.get_by_role("region", name="My calls today")
    await expect(hers.get_by_text("Answered", exact=True)).to_be_visible()
    mine = li.get_by_role("region", name="My calls today")
    await mine.get_by_role("button", name="Load again").click()
    await expect(mine.get_by_text("No calls yet today.")).to_be_visible()


async def test_a_page_that_is_loaded_again_has_its_call(house: House) -> None:
    await house.customer("Margaret Chen", CHEN)
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    house.call(CHEN_AS_DIALED, callee=lambda extension, attempt: Answers(1), talk=60)
    await expect(page.get_by_text("Talking").first).to_be_visible()

    await page.reload()

    card = page.get_by_role("region", name="Margaret Chen")
    await expect(card.get_by_text("Talking")).to_be_visible()
    await expect(card.get_by_text("Found by +44 20 7946 0958: same number")).to_be_visible()
    await page.get_by_role("button", name="Hang up", exact=True).click()
    await expect(card.get_by_text("Ended")).to_be_visible()


async def test_click_to_dial_shows_whom_one_calls(house: House) -> None:
    await house.customer("Margaret Chen", CHEN)
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()

    await page.keyboard.press("/")
    await page.keyboard.type("020 7946 0958")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("Your phone rings first")).to_be_visible()
    card = page.get_by_role("region", name="Margaret Chen")
    await expect(card.get_by_text("Outgoing call")).to_be_visible()
    await page.get_by_role("button", name="Hang up", exact=True).click()
    await expect(card.get_by_text("Ended")).to_be_visible()
