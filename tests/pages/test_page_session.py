"""Logging in, taking a seat, languages, several windows, and a connection that is lost."""

import re

import pytest
from playwright.async_api import expect

from callcenter.accounts.store import People
from callcenter.db.engine import connect
from callcenter.simulator.people import Answers
from tests.pages.house import ADMIN, LI, PASSWORD, House


async def test_logging_in_says_what_is_wrong_and_leads_to_a_seat(house: House) -> None:
    page = await house.guest(language="zh-CN")
    await page.get_by_label("登录名").fill(LI)
    await page.get_by_label("密码").fill("wrong")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_text("登录名或密码不正确。")).to_be_visible()
    await page.get_by_label("语言").select_option("en")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_text("Ready")).to_be_visible()

    await page.get_by_role("link", name="Ext. 1001").click()
    await expect(page.get_by_role("listitem").filter(has_text="1002")).to_contain_text("mei sits here")
    await page.get_by_role("listitem").filter(has_text="1003").get_by_role("button", name="Sit here").click()
    await expect(page.get_by_role("link", name="Ext. 1003")).to_be_visible()

    await page.get_by_label("Language").select_option("zh-TW")
    await expect(page.get_by_role("heading", name="目前沒有通話")).to_be_visible()
    await page.get_by_role("button", name="登出").click()
    await expect(page.get_by_role("heading", name="登入")).to_be_visible()
    await page.goto(f"{house.url}/customers")
    await expect(page).to_have_url(re.compile(r"/login\?next=/customers$"))


async def test_two_windows_show_one_call_over_one_stream(house: House) -> None:
    first = await house.window()
    sockets: list[str] = []
    first.context.on("page", lambda page: page.on("websocket", lambda socket: sockets.append(socket.url)))
    await expect(first.get_by_text("Ready")).to_be_visible()
    second = await house.tab(first.context)
    await expect(second.get_by_text("Ready")).to_be_visible()
    house.call("02079460911", callee=lambda extension, attempt: Answers(1), talk=60)
    for page in (first, second):
        await expect(page.get_by_text("Talking").first).to_be_visible()
    assert sockets == []

    await first.close()

    await second.get_by_role("button", name="Hang up", exact=True).click()
    await expect(second.get_by_text("Ended")).to_be_visible()
    assert len(sockets) == 1


async def test_a_seat_that_is_taken_over_is_seen_at_once(house: House) -> None:
    page = await house.window()
    await expect(page.get_by_role("link", name="Ext. 1001")).to_be_visible()
    elsewhere = await house.window()
    await elsewhere.goto(f"{house.url}/seat")
    await elsewhere.get_by_role("button", name="Leave this extension").click()
    await expect(page.get_by_role("link", name="No extension")).to_be_visible()


async def test_who_is_shut_out_is_asked_to_log_in(house: House, database_url: str) -> None:
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    database = await connect(database_url, pool_size=1)
    try:
        await People(database).set_disabled(await database.ensure_tenant("default"), LI, True, by="test")
    finally:
        await database.close()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_a_lost_connection_is_said_and_comes_back_with_what_was_missed(house: House) -> None:
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()

    await page.context.set_offline(True)
    await expect(page.get_by_text("The connection is lost.")).to_be_visible()
    house.call("02079460911", callee=lambda extension, attempt: Answers(1), talk=60)
    await page.context.set_offline(False)

    await expect(page.get_by_text("Connected again.")).to_be_visible()
    await expect(page.get_by_text("Talking").first).to_be_visible()
    await expect(page.get_by_text("+44 20 7946 0911").first).to_be_visible()


async def test_the_card_fits_a_small_laptop_and_a_telephone(house: House) -> None:
    await house.customer(
        "Margaret Chen", "+442079460958", company="Harbor Light Optics", address="12 Wharf Road", note="A\nB"
    )
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    house.call("02079460958", callee=lambda extension, attempt: Answers(1), talk=60)
    card = page.get_by_role("region", name="Margaret Chen")
    await expect(card.get_by_text("12 Wharf Road")).to_be_visible()
    box = await card.bounding_box()
    assert box is not None and box["y"] + box["height"] <= 768
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
async def test_all_pages_of_an_admin_fit_a_telephone(house: House, language: str) -> None:
    page = await house.window(ADMIN, language, viewport={"width": 390, "height": 844})
    admins = ("webhooks", "admin/users", "admin/sessions", "admin/keys", "admin/audit")
    for path in ("", "customers", "reconciliations", "seat", "account", *admins):
        await page.goto(f"{house.url}/{path}")
        await expect(page.get_by_role("navigation").first.get_by_role("link")).not_to_have_count(0)
        await expect(page.locator("main")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390, path
