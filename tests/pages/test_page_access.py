"""Everybody can use the page: axe-core finds nothing against WCAG 2.1 A and AA, in light and in dark."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callcenter.simulator.people import Answers
from tests.pages.house import House

AXE = Path(__file__).parents[2] / "screenpop" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = """async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
    const found = await axe.run(document, { runOnly: tags });
    return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
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

    for path in ("seat", "customers", f"customers/{customer}"):
        await page.goto(f"{house.url}/{path}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await problems(page) == [], path
