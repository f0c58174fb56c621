"""Takes the pictures of the documentation: `python -m tests.pages.pictures DIRECTORY`.

They show what the page really is: a full service, calls of the simulated PBX, and nothing retouched.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, ViewportSize, expect

from callcenter.db import migrations
from callcenter.db.embedded import EmbeddedPostgres
from callcenter.db.engine import connect
from callcenter.simulator.people import Answers, Ignores
from tests.pages.house import LONG_MS, House, open_house

CHEN, CHEN_DIALED = "+442079460958", "02079460958"
MEILING, MEILING_DIALED = "+442079460917", "02079460917"
STRANGER_DIALED = "02079460934"
WIDE: ViewportSize = {"width": 1366, "height": 768}
NARROW: ViewportSize = {"width": 390, "height": 844}


async def main(directory: Path) -> None:
    """Take all pictures."""
    expect.set_options(timeout=LONG_MS)
    with tempfile.TemporaryDirectory(prefix="callcenter-pictures-") as place:
        server = EmbeddedPostgres(Path(place) / "postgresql", {"fsync": "off"})
        await server.start()
        try:
            url = server.url("postgres")
            database = await connect(url, pool_size=1)
            await migrations.upgrade(database)
            await database.close()
            async with open_house(url) as house:
                await _take(house, directory)
        finally:
            await server.stop()


async def _take(house: House, directory: Path) -> None:
    await _company(house)
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    await _yesterday(house, page)

    house.call(CHEN_DIALED, callee=lambda extension, attempt: Answers(6), talk=300)
    await expect(page.get_by_text("Last calls")).to_be_visible()
    await expect(page.get_by_text("Asked for the new price list")).to_be_visible()
    await _picture(page, directory / "pop-en.png")
    await page.emulate_media(color_scheme="dark")
    await _picture(page, directory / "pop-dark.png")
    await page.emulate_media(color_scheme="light")

    await expect(page.get_by_text("Talking").first).to_be_visible()
    await page.get_by_label("Note of this call").fill("Wants the second microscope before June; send an offer.")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    house.call(MEILING_DIALED, callee=lambda extension, attempt: Ignores())
    await expect(page.get_by_role("tab")).to_have_count(2)
    await _picture(page, directory / "two-calls-en.png")
    await page.get_by_role("tab").first.click()
    await expect(page.get_by_text("2 customers have this number")).to_be_visible()
    await _picture(page, directory / "which-customer-en.png")

    await page.get_by_label("Language").select_option("zh-CN")
    await page.get_by_role("listitem").filter(has_text="陈美玲").get_by_role("button", name="是这位").click()
    await expect(page.get_by_role("heading", level=1, name="陈美玲")).to_be_visible()
    await _picture(page, directory / "pop-zh-CN.png")
    await page.set_viewport_size(NARROW)
    await _picture(page, directory / "pop-narrow-zh-CN.png")
    await page.set_viewport_size(WIDE)
    await page.get_by_label("语言").select_option("en")
    await page.goto(f"{house.url}/customers")
    await expect(page.get_by_role("link", name="Margaret Chen")).to_be_visible()
    await _picture(page, directory / "customers-en.png")


async def _company(house: House) -> None:
    await house.customer(
        "Margaret Chen",
        CHEN,
        company="Harbor Light Optics",
        email="margaret.chen@harborlight.example",
        address="12 Wharf Road, London",
        owner="li",
        tags=["gold", "renewal 2027"],
        fields={"Contract": "HL-20417"},
        note="Prefers calls in the morning.\nAsk about the second microscope.",
    )
    await house.customer("陈美玲", MEILING, company="海港光学有限公司", tags=["重要客户"], note="上午联系为宜。")
    await house.customer("Chen Wei", MEILING, company="Harbor Light (warehouse)")
    await house.customer("Oliver Grant", "+442079460921", company="Grant & Daughters", tags=["new"])
    await house.customer("林怡君", "+442079460922", company="晨光科技", tags=["試用"])


async def _yesterday(house: House, page: Page) -> None:
    """A few calls that were: one with a note, one that nobody answered."""
    house.call(CHEN_DIALED, callee=lambda extension, attempt: Answers(0.5), talk=3)
    await expect(page.get_by_role("heading", level=1, name="Margaret Chen")).to_be_visible()
    await page.get_by_label("Note of this call").fill("Asked for the new price list; sent by e-mail.")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(page.get_by_text("Ended")).to_be_visible()
    await page.get_by_role("button", name=re.compile("^Done")).click()
    house.call(STRANGER_DIALED, callee=lambda extension, attempt: Ignores(), patience=1.5)
    await expect(page.get_by_text("the caller hung up before an answer")).to_be_visible()
    await page.get_by_role("button", name="Close this line").click()
    await expect(page.get_by_role("region", name="My calls today").get_by_text("Missed")).to_be_visible()


async def _picture(page: Page, path: Path) -> None:
    """A picture without messages that are about to go away."""
    await page.mouse.move(0, 0)
    await expect(page.locator(".el-message")).to_have_count(0)
    await page.screenshot(path=path, animations="disabled")
    print(path)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
