"""What an agent does during a call: notes, choosing and creating customers, and changing them against a colleague."""

from playwright.async_api import Page, expect

from callcenter.simulator.people import Answers
from tests.pages.house import MEI, House

NUMBER = "+442079460958"
AS_DIALED = "02079460958"


async def ring(house: House, page: Page) -> None:
    """A call comes, and is answered soon."""
    await expect(page.get_by_text("Ready")).to_be_visible()
    house.call(AS_DIALED, name="J SMITH", callee=lambda extension, attempt: Answers(1), talk=60)
    await expect(page.get_by_text("Talking").first).to_be_visible()


async def test_a_note_is_saved_while_it_is_written(house: House) -> None:
    await house.customer("John Smith", NUMBER)
    page = await house.window()
    await ring(house, page)

    await page.get_by_label("Note of this call").fill("Wants the <b>new</b> price list")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Note of this call")).to_have_value("Wants the <b>new</b> price list")

    await page.get_by_role("button", name="Hang up", exact=True).click()
    await page.get_by_role("link", name="Open customer").click()
    # What was written is text, whatever it looks like.
    await expect(page.get_by_text("Wants the <b>new</b> price list")).to_be_visible()


async def test_of_several_customers_the_chosen_one_is_remembered(house: House) -> None:
    await house.customer("John Smith", NUMBER, company="Smith & Sons")
    chosen = await house.customer("Jane Smith", NUMBER)
    page = await house.window()
    await ring(house, page)

    await expect(page.get_by_text("2 customers have this number")).to_be_visible()
    await page.get_by_role("listitem").filter(has_text="Jane Smith").get_by_role("button", name="This one").click()

    await expect(page.get_by_role("heading", level=1, name="Jane Smith")).to_be_visible()
    await page.get_by_role("button", name="Hang up", exact=True).click()
    today = page.get_by_role("region", name="My calls today")
    await expect(today.get_by_role("link", name="Jane Smith")).to_have_attribute("href", f"/customers/{chosen}")


async def test_a_stranger_becomes_a_customer(house: House) -> None:
    page = await house.window()
    await ring(house, page)

    await expect(page.get_by_text("No customer has this number")).to_be_visible()
    await page.get_by_role("button", name="Create a customer").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("J SMITH")
    await page.get_by_label("Name", exact=True).fill("张伟")
    await page.get_by_role("button", name="Create", exact=True).click()

    await expect(page.get_by_role("heading", level=1, name="张伟")).to_be_visible()
    await expect(page.get_by_role("button", name="Call +44 20 7946 0958").first).to_be_visible()
    await page.goto(f"{house.url}/customers")
    await page.get_by_placeholder("Name, company, e-mail or number").fill("张")
    await expect(page.get_by_role("link", name="张伟")).to_be_visible()


async def test_two_people_change_one_customer(house: House) -> None:
    customer = await house.customer("John Smith", NUMBER, company="Smith & Sons")
    li, mei = await house.window(), await house.window(MEI)
    for page in (li, mei):
        await page.goto(f"{house.url}/customers/{customer}")
        await page.get_by_role("button", name="Edit").click()

    await mei.get_by_label("Name", exact=True).fill("Jon Smith")
    await mei.get_by_label("Company").fill("Smith Ltd")
    await mei.get_by_role("button", name="Save").click()
    await expect(mei.get_by_text("Smith Ltd")).to_be_visible()
    await li.get_by_label("Name", exact=True).fill("Johnny Smith")
    await li.get_by_label("E-mail").fill("john@smith.example")
    await li.get_by_role("button", name="Save").click()

    await expect(li.get_by_text("Somebody else has changed this customer")).to_be_visible()
    name = li.get_by_role("group", name="Name")
    await expect(name).to_contain_text("Jon Smith")
    await expect(name).to_contain_text("Johnny Smith")
    await expect(li.get_by_role("group")).to_have_count(1)
    await name.get_by_text("Stored now:").click()
    await li.get_by_role("button", name="Save this choice").click()
    # Theirs is kept where that was chosen, and nothing of either is lost.
    await expect(li.get_by_role("heading", level=1, name="Jon Smith")).to_be_visible()
    await expect(li.get_by_text("Smith Ltd")).to_be_visible()
    await expect(li.get_by_text("john@smith.example")).to_be_visible()


async def test_changes_of_two_people_that_do_not_touch_are_joined(house: House) -> None:
    customer = await house.customer("John Smith", NUMBER)
    li, mei = await house.window(), await house.window(MEI)
    for page in (li, mei):
        await page.goto(f"{house.url}/customers/{customer}")
        await page.get_by_role("button", name="Edit").click()
    await mei.get_by_label("Company").fill("Smith Ltd")
    await mei.get_by_role("button", name="Save").click()
    await expect(mei.get_by_text("Smith Ltd")).to_be_visible()
    await li.get_by_label("Name", exact=True).fill("Johnny Smith")
    await li.get_by_role("button", name="Save").click()
    await expect(li.get_by_role("heading", level=1, name="Johnny Smith")).to_be_visible()
    await expect(li.get_by_text("Smith Ltd")).to_be_visible()
