"""The pages of administration: a person is added, chooses a password, and is shut out."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from callcenter.accounts.roles import Role
from tests.pages.house import LI, LONG_MS, PASSWORD, House, add_person, open_house

ADMIN = "ada"
GOOD = "marmalade on tuesdays"


@pytest.fixture
async def house(page_is_built: None, database_url: str) -> AsyncIterator[House]:
    """The whole service, with an admin."""
    expect.set_options(timeout=LONG_MS)
    async with open_house(database_url) as house:
        await add_person(database_url, ADMIN, "Ada Admin", Role.ADMIN)
        yield house


async def log_in(page: Page, login: str, password: str) -> None:
    await page.get_by_label("Login name").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def test_a_person_is_added_and_chooses_a_password_first(house: House) -> None:
    page = await house.window(ADMIN)
    await page.get_by_role("link", name="Administration").click()
    await page.get_by_role("button", name="New person").click()
    await page.get_by_label("Login name").fill("chen.yu")
    await page.get_by_label("Name", exact=True).fill("Chen Yu <b>")
    await page.get_by_label("Role").select_option("supervisor")
    await page.get_by_label("All queues, new ones too").uncheck()
    await expect(page.get_by_text("No queue is chosen")).to_be_visible()
    await page.get_by_role("button", name="Add", exact=True).click()
    password = await page.locator("code.secret").inner_text()
    await page.get_by_role("button", name="I have noted it").click()
    await expect(page.get_by_text(password)).to_have_count(0)

    guest = await house.guest()
    await log_in(guest, "chen.yu", password)
    await expect(guest.get_by_role("heading", name="Choose your own password")).to_be_visible()
    await guest.goto(f"{house.url}/customers")
    await expect(guest.get_by_role("heading", name="Choose your own password")).to_be_visible()
    for wanted in ("password2026", GOOD):
        await guest.get_by_label("Current password").fill(password)
        await guest.get_by_label("New password", exact=True).fill(wanted)
        await guest.get_by_label("New password once more").fill(wanted)
        await guest.get_by_role("button", name="Change the password").click()
        if wanted != GOOD:
            await expect(guest.get_by_role("alert")).to_contain_text("too easy to guess")
    await expect(guest.get_by_role("link", name="Customers")).to_be_visible()
    assert house.faults == []


async def test_who_is_shut_out_loses_the_page_at_once(house: House) -> None:
    desk = await house.window(LI)
    await expect(desk.get_by_text("Ready")).to_be_visible()
    page = await house.window(ADMIN)
    page.on("dialog", lambda dialog: dialog.accept())
    await page.goto(f"{house.url}/admin/users")
    await page.get_by_role("button", name="Li").first.click()
    await page.get_by_role("button", name="Shut out").click()
    await expect(desk.get_by_label("Login name")).to_be_visible()
    await expect(page.get_by_role("button", name="Let in again")).to_be_visible()


async def test_one_logs_out_somewhere_else(house: House) -> None:
    stolen = await house.window(LI)
    await expect(stolen.get_by_text("Ready")).to_be_visible()
    page = await house.window(LI)
    await page.goto(f"{house.url}/account")
    await expect(page.get_by_text("This one")).to_have_count(1)
    await page.get_by_role("main").get_by_role("button", name="Log out").click()
    await expect(stolen.get_by_label("Login name")).to_be_visible()
    await expect(page.get_by_text("This one")).to_have_count(1)


async def test_the_trail_is_searched(house: House) -> None:
    page = await house.window(ADMIN)
    await page.goto(f"{house.url}/admin/audit")
    await page.get_by_label("What", exact=True).fill("user.add")
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_role("cell", name="user.add").first).to_be_visible()
    await page.get_by_label("What", exact=True).fill("nothing.of.the.kind")
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_text("Nothing fits.")).to_be_visible()


async def test_a_key_is_made_shown_once_and_revoked(house: House) -> None:
    page = await house.window(ADMIN)
    page.on("dialog", lambda dialog: dialog.accept())
    await page.goto(f"{house.url}/admin/keys")
    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name").fill("CRM")
    await page.get_by_label("calls:read").check()
    await page.get_by_role("button", name="Make the key").click()
    key = await page.locator("code.secret").inner_text()
    assert key.startswith("cck_")
    await page.get_by_role("button", name="I have noted it").click()
    await page.get_by_role("button", name="Revoke CRM").click()
    await expect(page.get_by_text("revoked")).to_be_visible()
    assert PASSWORD not in await page.content()
