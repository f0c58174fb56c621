"""Everybody can use the page: axe-core finds nothing against WCAG 2.1 A and AA, in light and in dark."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callcenter.simulator.people import Answers
from tests.pages.house import ADMIN, LI, House

AXE = Path(__file__).parents[2] / "screenpop" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = """async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
    const found = await axe.run(document, { runOnly: tags });
    return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
}"""


SETTLED = """async (dark) => {
    const frame = () => new Promise(requestAnimationFrame);
    while (document.documentElement.classList.contains("dark") !== dark) await frame();
    await frame();
    await frame();
    document.getAnimations().forEach((one) => {
        if (Number.isFinite(one.effect.getComputedTiming().endTime)) one.finish();
    });
}"""


async def problems(page: Page) -> list[str]:
    """What axe-core has against the page as it is now."""
    await page.evaluate(AXE.read_text())
    found: list[str] = await page.evaluate(RULES)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_anybody_out(house: House, scheme: str) -> None:
    customer = await house.customer("Margaret Chen", "+442079460958", company="Harbor Light Optics", tags=["gold"])
    guest = await house.guest(color_scheme=scheme)
    await expect(guest.get_by_role("button", name="Log in")).to_be_visible()
    assert await problems(guest) == []

    page = await house.window(color_scheme=scheme)
    await expect(page.get_by_text("Ready")).to_be_visible()
    assert await problems(page) == []
    house.call("02079460958", callee=lambda extension, attempt: Answers(1), talk=120)
    await expect(page.get_by_text("Talking").first).to_be_visible()
    await expect(page.get_by_text("Last calls")).to_be_visible()
    assert await problems(page) == []
    house.call("02079460911", callee=lambda extension, attempt: Answers(60))
    await page.get_by_role("tab").first.click()
    await page.get_by_role("button", name="Create a customer").click()
    assert await problems(page) == []

    for path in ("seat", "customers", f"customers/{customer}", "account"):
        await page.goto(f"{house.url}/{path}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await problems(page) == [], path


async def test_nothing_keeps_anybody_out_of_any_page_in_any_language(house: House) -> None:
    page, guest, newcomer, paths = await everywhere(house)
    found: list[str] = []
    for language in ("en", "zh-CN", "zh-TW"):
        for one in (guest, newcomer, page):
            await one.evaluate("language => localStorage.setItem('callcenter.language', language)", language)
            await one.reload()
        await look(guest, f"login {language}", found)
        await look(newcomer, f"password {language}", found)
        for path in paths:
            await page.goto(f"{house.url}/{path}")
            await expect(page.locator("main")).to_be_visible()
            await expect(page.locator(".el-skeleton")).to_have_count(0)
            if path == "admin/users":
                await page.locator("button.line").first.click()
            if path == "admin/keys":
                await page.locator("main .el-button--primary").click()
            if path == "calls":
                await page.locator("main tbody tr").first.click()
                await expect(page.locator("aside.drawer")).to_be_visible()
            await look(page, f"{path or 'desk'} {language}", found)
    assert found == [], "\n".join(found)


async def everywhere(house: House) -> tuple[Page, Page, Page, list[str]]:
    """An admin with a call in hand, a guest, somebody who has to choose a password; and the paths of all pages."""
    customer = await house.customer("Margaret Chen", "+442079460958", company="Harbor Light Optics", tags=["gold"])
    admin = await house.window(ADMIN)
    headers = {"X-Callcenter": "1", "Origin": house.url}
    api = f"{house.url}/api/v1"
    changed = await admin.context.request.patch(f"{api}/users/{LI}", data={"role": "admin"}, headers=headers)
    assert changed.ok, await changed.text()
    new = {"login": "new", "name": "New", "role": "agent"}
    made = await (await admin.context.request.post(f"{api}/users", data=new, headers=headers)).json()
    await admin.context.close()

    newcomer = await house.guest()
    session = {"login": "new", "password": made["password"]}
    entered = await newcomer.context.request.post(f"{api}/session", data=session, headers=headers)
    assert entered.ok, await entered.text()
    page = await house.window(LI)
    await expect(page.get_by_text("Ready")).to_be_visible()
    house.call("02079460958", callee=lambda extension, attempt: Answers(0.3), talk=600)
    await expect(page.get_by_text("Talking").first).to_be_visible()
    paths = [
        *("", "seat", "phone", "customers", f"customers/{customer}", "calls", "reports", "floor", "wallboard"),
        *("admin/users", "admin/sessions", "admin/keys", "admin/audit", "webhooks", "reconciliations", "account"),
        "no/such/page",
    ]
    return page, await house.guest(), newcomer, paths


async def look(page: Page, where: str, found: list[str]) -> None:
    """Note what axe-core has against a page, in both colors; what moves is at its end."""
    await page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await page.evaluate(SETTLED, scheme == "dark")
        problems: list[str] = await page.evaluate(RULES)
        found.extend(f"{where} {scheme}: {problem}" for problem in problems)
    await page.emulate_media(color_scheme="light")
