"""The page of webhooks: an admin makes one, sees its secret once, tests it, and sends dead letters again."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from playwright.async_api import Page, expect

from callcenter.accounts.roles import Role
from callcenter.settings import WebhookSettings
from tests.fixtures.receiver import Receiver, open_receiver, say
from tests.pages.house import LONG_MS, House, add_person, open_house

ADMIN = "ada"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as running:
        yield running


@pytest.fixture
async def house(page_is_built: None, database_url: str, receiver: Receiver) -> AsyncIterator[House]:
    """The whole service, which may send webhooks to the receiver."""
    expect.set_options(timeout=LONG_MS)
    settings = WebhookSettings(
        allow_http=True, allow_networks=(ip_network("127.0.0.0/8"),), ports=(443, receiver.port), timeout_s=2
    )
    async with open_house(database_url, webhooks=settings) as house:
        await add_person(database_url, ADMIN, "Ada Admin", Role.ADMIN)
        yield house


async def make(page: Page, receiver: Receiver, name: str = "CRM") -> str:
    """Make a webhook for the receiver; gives its secret."""
    await page.get_by_role("link", name="Administration").click()
    await page.get_by_role("link", name="Webhooks").click()
    await page.get_by_role("button", name="New webhook").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("URL").fill(receiver.url)
    await page.get_by_role("button", name="Create").click()
    return await page.locator(".secret code").inner_text()


async def test_a_webhook_is_made_tested_told_of_a_call_and_told_again(house: House, receiver: Receiver) -> None:
    page = await house.window(ADMIN)
    secret = await make(page, receiver)
    assert secret.startswith("whsec_")
    await page.get_by_role("button", name="I have noted it").click()
    await expect(page.get_by_text(secret)).to_have_count(0)

    await page.get_by_role("button", name="Send a test").click()
    await expect(page.get_by_text("The receiver answered 204.")).to_be_visible()
    [got] = receiver.got
    assert got.json["type"] == "webhook.test"

    house.call("02079460958", talk=0.2)
    await receiver.until_count(2)
    assert receiver.got[1].json["type"] == "call.ended"
    await expect(page.get_by_role("button", name="call.ended")).to_be_visible()
    await page.get_by_role("button", name="call.ended").click()
    await expect(page.locator("pre")).to_contain_text('"type": "call.ended"')

    receiver.manner = say(400, "no such field")
    house.call("02079460958", talk=0.2)
    await page.get_by_role("button", name="Send 1 dead again").wait_for()
    assert len(receiver.got) == 3
    receiver.manner = say(200)
    await page.get_by_role("button", name="Send 1 dead again").click()
    await receiver.until_count(4)
    assert receiver.got[2].id == receiver.got[3].id
    await expect(page.locator(".log .mark.done")).to_have_count(3)


async def test_what_is_not_allowed_is_not_offered_or_refused(house: House) -> None:
    agent = await house.window()
    await expect(agent.get_by_role("link", name="Customers")).to_be_visible()
    await expect(agent.get_by_role("link", name="Webhooks")).to_have_count(0)
    await agent.goto(f"{house.url}/webhooks")
    await expect(agent).to_have_url(f"{house.url}/")

    page = await house.window(ADMIN)
    await page.get_by_role("link", name="Administration").click()
    await page.get_by_role("link", name="Webhooks").click()
    await page.get_by_role("button", name="New webhook").click()
    await page.get_by_label("Name").fill("metadata")
    await page.get_by_label("URL").fill("https://169.254.169.254/latest/meta-data")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_text("169.254.169.254 is not a public address")).to_be_visible()
