"""An admin erases a customer for good: asked twice, and nobody else is even offered it."""

import re

from playwright.async_api import expect

from callcenter.simulator.people import Answers
from tests.pages.house import ADMIN, House

NUMBER, AS_DIALED = "+442079460958", "02079460958"


async def test_an_admin_erases_a_customer_in_the_middle_of_a_call(house: House) -> None:
    customer = await house.customer("John Smith", NUMBER)
    li, admin = await house.window(), await house.window(ADMIN)
    await expect(li.get_by_text("Ready")).to_be_visible()
    house.call(AS_DIALED, name="J SMITH", callee=lambda extension, attempt: Answers(1), talk=60)
    await expect(li.get_by_text("Talking").first).to_be_visible()

    await admin.goto(f"{house.url}/customers/{customer}")
    await admin.get_by_role("button", name="Erase…").click()
    dialog = admin.get_by_role("alertdialog")
    await expect(dialog).to_contain_text("This cannot be undone.")
    do = dialog.get_by_role("button", name="Erase for good")
    await expect(do).to_be_disabled()
    await dialog.get_by_label("Type “John Smith” to confirm").fill("john")
    await expect(do).to_be_disabled()
    await admin.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await admin.get_by_role("button", name="Erase…").click()
    await dialog.get_by_label("Type “John Smith” to confirm").fill("john  smith")
    await admin.keyboard.press("Enter")
    await expect(admin.get_by_text("The customer is erased")).to_be_visible()
    await expect(admin.get_by_text("1 call says no longer who it was.")).to_be_visible()

    # the call goes on, ends, and is in the list of the day without the person
    await li.get_by_role("button", name="Hang up", exact=True).click()
    today = li.get_by_role("region", name="My calls today")
    await expect(today).to_contain_text(re.compile("erased-[0-9a-f]{16}"))
    await expect(today).not_to_contain_text("Smith")
    await admin.goto(f"{house.url}/customers/{customer}")
    await expect(admin.get_by_text("This customer does not exist, or was removed.")).to_be_visible()


async def test_an_agent_is_not_offered_it(house: House) -> None:
    customer = await house.customer("John Smith", NUMBER)
    li = await house.window()
    await li.goto(f"{house.url}/customers/{customer}")
    await expect(li.get_by_role("button", name="Edit")).to_be_visible()
    await expect(li.get_by_role("button", name="Erase…")).to_have_count(0)
