"""An agent's hour: the page of everybody in it, what they do there by mouse and keyboard, and what they see."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.acceptance.browser import page_of
from tests.acceptance.phonehouse import PhoneHouse
from tests.acceptance.service import until
from tests.acceptance.sounds import AUDIBLE, KEEPS_PEERS, energy, port_of
from tests.acceptance.words import Words
from tests.testbed import AmiLink

PATIENT_MS = 10_000


class Album:
    """Pictures in the order in which they were taken."""

    def __init__(self, directory: Path, language: str) -> None:
        self._directory, self._language, self._count = directory, language, 0
        directory.mkdir(parents=True, exist_ok=True)

    async def take(self, page: Page, name: str) -> None:
        """Take one of what a page shows now."""
        self._count += 1
        path = self._directory / f"{self._language}-{self._count:02}-{name}.png"
        await page.screenshot(path=path, animations="disabled")


class Seat:
    """Somebody in front of a page in their language. All that they do is a click or a key."""

    def __init__(self, page: Page, words: Words) -> None:
        self.page, self.words = page, words

    @classmethod
    async def taken(cls, stack: AsyncExitStack, house: PhoneHouse, login: str, words: Words) -> "Seat":
        """Log in."""
        entered = page_of(house.browser, house.service.url, login, language=words.language, script=KEEPS_PEERS)
        return cls(await stack.enter_async_context(entered), words)

    @property
    def phone(self) -> Locator:
        """The phone on the desk."""
        return self.region("phone.title")

    @property
    def state(self) -> Locator:
        """The own state, in the header."""
        return self.page.locator("button.state")

    def region(self, key: str) -> Locator:
        """A part of the page."""
        return self.page.get_by_role("region", name=self.words(key), exact=True)

    def button(self, key: str, *, within: Locator | None = None, **parts: str) -> Locator:
        """A button by its text, whatever key is written behind it."""
        name = re.compile(f"^{re.escape(self.words(key, **parts))}( Alt [A-Z]| ?Esc| ?[A-Z])?$")
        return (within or self.page).get_by_role("button", name=name)

    async def opens(self, key: str, heading: str) -> None:
        """Go to a page of the menu."""
        await self.page.get_by_role("navigation").get_by_role("link", name=self.words(key), exact=True).click()
        await expect(self.page.get_by_role("heading", level=1, name=self.words(heading))).to_be_visible()

    async def is_ready_for_calls(self) -> None:
        """Wait until the phone in the browser is registered."""
        await expect(self.phone).to_contain_text(self.words("phone.registration.registered"), timeout=15_000)
        await expect(self.state).to_contain_text(self.words("agent.ready"))

    async def answers(self) -> None:
        """Answer what rings, by the keyboard."""
        await expect(self.button("phone.answer", within=self.phone)).to_be_visible(timeout=PATIENT_MS)
        await self.page.keyboard.press("Alt+KeyA")
        await expect(self.button("phone.hold", within=self.phone)).to_be_visible(timeout=PATIENT_MS)

    async def hears(self) -> None:
        """Wait until something audible comes out of the phone."""
        before = await energy(self.page)

        async def rises() -> bool:
            return await energy(self.page) > before + AUDIBLE

        await until(rises, "something is heard in the browser", deadline_s=8, every_s=0.2)

    async def writes_up(self, outcome: str, note: str) -> None:
        """Say what the call came to, and write a note."""
        page = self.page
        await page.get_by_role("group", name=self.words("outcome.label")).get_by_role("button", name=outcome).click()
        await page.get_by_label(self.words("note.label")).fill(note)
        await expect(page.get_by_text(self.words("note.saved"), exact=True)).to_be_visible()

    async def closes_the_card(self) -> None:
        """Put a call that is over away."""
        await self.button("call.done").click()
        await expect(self.page.get_by_text(self.words("call.idleTitle"))).to_be_visible()

    async def row(self, table: str, name: str, group: str) -> dict[str, str]:
        """The cells of a table's row by the names that the heads of its columns have in the texts of `group`."""
        row = self.region(table).locator("tbody tr")
        row = row.filter(has=self.page.get_by_role("rowheader").filter(has_text=name))
        await expect(row).to_have_count(1)
        # Both at one moment: the page may draw its table anew, with other columns, at any time.
        heads, cells = await row.evaluate(
            """row => [row.closest("table").querySelectorAll("thead th"), row.querySelectorAll("th, td")]
                .map(found => [...found].map(cell => cell.innerText.trim()))"""
        )
        known = [(head, cell) for head, cell in zip(heads, cells, strict=True) if head][1:]
        return {self.words.key_of(group, head): cell for head, cell in known}


class Office:
    """Everybody and everything that is in the hour."""

    BILLING = "02079460996"
    """Dialed from outside: the queue billing."""

    def __init__(
        self, house: PhoneHouse, words: Words, album: Album, link: AmiLink, karim: Seat, lena: Seat, sam: Seat
    ) -> None:
        self.house, self.words, self.album, self.link = house, words, album, link
        self.karim, self.lena, self.sam = karim, lena, sam
        self.asterisk = house.pbx.asterisk

    @classmethod
    async def opened(
        cls, stack: AsyncExitStack, house: PhoneHouse, words: Words, album: Album, link: AmiLink
    ) -> "Office":
        """Log everybody in."""
        karim, lena, sam = [await Seat.taken(stack, house, login, words) for login in ("karim", "lena", "boss")]
        return cls(house, words, album, link, karim, lena, sam)

    async def channel_of(self, device: str) -> str:
        """The newest channel of a device."""
        begun = [one["Channel"] for one in self.link.blocks if one.get("Event") == "Newchannel"]
        return [name for name in begun if name.startswith(f"PJSIP/{device}-")][-1]

    async def port_of(self, device: str) -> int:
        """Where Asterisk sends the sound of a device's newest channel to."""
        return await port_of(self.link, await self.channel_of(device))
