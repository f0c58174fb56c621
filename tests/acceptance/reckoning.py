"""What an hour came to: counted from Asterisk's own files, and looked for on the pages."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Self

from playwright.async_api import Page, expect

from tests.acceptance.hour import PATIENT_MS, Office, Seat
from tests.acceptance.house import Record, agreement
from tests.acceptance.service import until

ROUNDED_S = 1.5
"""Pages show whole seconds, cut off; the records have microseconds."""


class Reckoning:
    """Numbers of the queue and of the agents."""

    def __init__(self, records: list[Record], queue_log: list[tuple[str, str]]) -> None:
        self.records = records
        events = [event for queue, event in queue_log if queue == "billing"]
        self.offered, self.answered, self.abandoned = (
            events.count(event) for event in ("ENTERQUEUE", "CONNECT", "ABANDON")
        )
        talks = [(one["agent"], record["direction"], one) for record in records for one in record["connections"]]
        self.talks = {agent: [one for name, _, one in talks if name == agent] for agent in ("karim", "lena")}
        self.dialed = sum(direction == "outbound" for agent, direction, _ in talks if agent == "karim")

    @classmethod
    async def made(cls, office: Office) -> Self:
        """Read the call log once all is in it, and hold it against CEL, CDR and queue log."""
        records: list[Record] = []

        async def ended() -> bool:
            records[:] = (await office.house.boss.ask("GET", "/calls?limit=100"))["items"]
            return len(records) == 4 and all(one["ended_at"] for one in records)

        await until(ended, "four ended calls in the log")
        await agreement(office.asterisk, records)
        return cls(records, [(row.queue, row.event) for row in office.asterisk.queue_log()])

    @property
    def level(self) -> str:
        """Service level in percent; nobody waited for long here, and nobody left at once."""
        return f"{self.answered / self.offered:.0%}"

    def connected_s(self, agent: str) -> float:
        """Seconds that an agent was connected."""
        return sum(seconds_between(one["from"], one["to"]) for one in self.talks[agent])

    async def floor_agrees(self, sam: Seat) -> None:
        """The supervisor's tables, once the last call is in them."""
        await expect(sam.region("floor.agents").get_by_role("row").filter(has_text="Karim")).to_contain_text(
            sam.words("agent.ready"), timeout=PATIENT_MS
        )
        found: dict[str, str] = {}
        wanted = {
            "waiting": "0",
            "offered": str(self.offered),
            "answered": str(self.answered),
            "abandoned": str(self.abandoned),
            "level": self.level,
        }

        async def same() -> bool:
            found.update(await sam.row("floor.queues", "billing", "floor"))
            return found.items() >= wanted.items()

        await self._until(same, wanted, found)
        for agent, name in (("karim", "Karim Haddad"), ("lena", "Lena Fischer")):
            row = await sam.row("floor.agents", name, "floor")
            assert int(row["answered"]) + int(row["dialed"]) == len(self.talks[agent]), (row, self.talks[agent])
            assert abs(seconds_of(row["connected"]) - self.connected_s(agent)) <= ROUNDED_S, (row, self.talks[agent])
            if agent == "karim":
                assert int(row["dialed"]) == self.dialed == 1

    async def wallboard_agrees(self, page: Page) -> None:
        """The queue's tile."""
        tile = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="billing"))
        wanted = (self.level, str(self.answered), str(self.abandoned))
        for place, text in enumerate(wanted):
            await expect(tile.locator("dd").nth(place)).to_have_text(text, timeout=PATIENT_MS)

    async def queue_report_agrees(self, sam: Seat) -> None:
        """The report of queues, which is summed up anew every few seconds."""
        waits = [
            visit["wait_s"] for one in self.records for visit in one["queue_visits"] if visit["exit"] == "answered"
        ]
        found: dict[str, str] = {}
        wanted = {
            "offered": str(self.offered),
            "answered": str(self.answered),
            "abandoned": str(self.abandoned),
            "service_level": f"{self.answered / self.offered:.1%}",
            "abandon_rate": f"{self.abandoned / self.offered:.1%}",
        }

        async def same() -> bool:
            found.update(await sam.row("reports.title", "billing", "reports.number"))
            return found.items() >= wanted.items()

        await self._until(same, wanted, found)
        assert abs(seconds_of(found["asa_s"]) - sum(waits) / len(waits)) <= ROUNDED_S, (found, waits)

    async def agent_report_agrees(self, sam: Seat) -> None:
        """The report of agents."""
        for agent, name in (("karim", "Karim"), ("lena", "Lena")):
            await expect(sam.region("reports.title").get_by_role("rowheader").filter(has_text=name)).to_be_visible()
            row = await sam.row("reports.title", name, "reports.number")
            assert int(row["answered"]) + int(row["dialed"]) == len(self.talks[agent]), (row, self.talks[agent])
            assert abs(seconds_of(row["connected_s"]) - self.connected_s(agent)) <= ROUNDED_S, (row, self.talks[agent])

    async def number_leads_to_its_calls(self, sam: Seat) -> None:
        """A press on what was offered lists just these calls."""
        row = sam.region("reports.title").locator("tbody tr").filter(has_text="billing")
        await row.get_by_role("link", name=str(self.offered), exact=True).click()
        await expect(sam.page.locator("tbody tr")).to_have_count(self.offered)

    async def _until(self, same: Callable[[], Awaitable[bool]], wanted: object, found: object) -> None:
        try:
            await until(same, "the page's numbers", deadline_s=15, every_s=0.3)
        except AssertionError as problem:
            raise AssertionError(f"{problem}: {found}, not {wanted}") from None


def seconds_between(begin: str, end: str) -> float:
    """Seconds from one time stamp to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def seconds_of(text: str) -> int:
    """`1:05` as 65."""
    found = 0
    for part in text.split(":"):
        found = found * 60 + int(part)
    return found
