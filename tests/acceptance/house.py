"""A company in which everything is real: Asterisk with phones and a trunk, the service, people at their desks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from typer.testing import CliRunner

from callcenter.cli import user
from tests.acceptance.people import Somebody
from tests.acceptance.service import Service, until
from tests.evidence import disagreements
from tests.testbed import AmiLink, Asterisk, Pbx

PASSWORD = "four words are enough"
AGENTS = {
    "amelia": ("1001", "Amelia Hart"),
    "ben": ("1002", "Ben Okafor"),
    "chloe": ("1003", "Chloe Singh"),
    "daniel": ("1004", "Daniel Reyes"),
    "ewa": ("1005", "Ewa Nowak"),
    "farah": ("1006", "Farah Aziz"),
    "george": ("1007", "George Li"),
    "hannah": ("1008", "Hannah Moore"),
    "ivan": ("1009", "Иван Петров"),
}
"""Login → extension and name; as the members of the queues are called, where Asterisk has a name."""
RECORD_S = 5
NO_RING_S = 0.1

Record = dict[str, Any]
Play = Callable[[Pbx, AmiLink], Awaitable[None]]


class House:
    """Use it as an async context manager: inside, the service follows Asterisk, and every agent's page is open."""

    def __init__(self, home: Path, chroot: Path, *, database_url: str | None = None, **values: int) -> None:
        """`values` are those of the testbed's Asterisk."""
        self._home, self._chroot, self._database_url = home, chroot, database_url
        self._values = values
        self._stack = AsyncExitStack()
        self._known: set[str] = set()
        self.agents: dict[str, Somebody] = {}

    async def __aenter__(self) -> Self:
        try:
            self.pbx = await self._stack.enter_async_context(Pbx(self._chroot, **self._values))
            self.service = Service(self._home, self.pbx.asterisk, database_url=self._database_url)
            await add_people(self.service)
            await self._stack.enter_async_context(self.service)
            self.boss = await self._enter("boss", listens=False)
            for login in AGENTS:
                self.agents[login] = await self._enter(login)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def play(self, flow: Play, *, calls: int = 1, **values: int) -> list[Record]:
        """Play a flow, and return the records of the calls that were new in it, oldest first, when they are complete.

        `values` are those of the dialplan's times that can be changed while Asterisk runs.
        """
        async with self.pbx.asterisk.observer() as link:
            for name, value in {"queue_wait_s": 8, **values}.items():
                await link.action("Setvar", Variable=_GLOBALS[name], Value=str(value))
            await flow(self.pbx, link)
            await link.all_hung_up()
        return await self.new_records(calls)

    async def new_records(self, count: int, *, deadline_s: float = RECORD_S) -> list[Record]:
        """The records of calls that were not returned before, when there are as many, and all are over."""
        found: list[Record] = []

        async def come() -> bool:
            found[:] = [one for one in await self.records() if one["call_id"] not in self._known]
            return len(found) >= count and all(one["ended_at"] for one in found)

        try:
            await until(come, f"{count} ended calls in the log", deadline_s=deadline_s)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; there are {[brief(one) for one in found]}") from None
        self._known |= {one["call_id"] for one in found}
        assert len(found) == count, f"{len(found)} calls instead of {count}: {[brief(one) for one in found]}"
        return sorted(found, key=lambda one: str(one["started_at"]))

    async def records(self) -> list[Record]:
        """Every record of the call log."""
        found: list[Record] = []
        cursor = ""
        while True:
            page = await self.boss.ask("GET", f"/calls?limit=100{cursor}")
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def agree(self, records: list[Record]) -> None:
        """Check records against Asterisk's own files."""
        await agreement(self.pbx.asterisk, records)

    async def popped_as_offered(self, records: list[Record]) -> None:
        """Check that each agent got one pop for each stretch of ringing, and lost it where they did not answer.

        Who dials somebody outside gets their pop too, known or not. A phone that says busy at once has not rung: it
        may pop or not, but what popped must be taken away.
        """
        for record in records:
            for login, person in self.agents.items():
                call_id = record["call_id"]
                offers = [offer for offer in record["offers"] if offer["agent"] == login]
                expected = [word for offer in offers for word in _expected_words(offer["result"])]
                if record["direction"] == "outbound" and record["caller"]["number"] == AGENTS[login][0]:
                    expected = ["pop"]

                async def told(person: Somebody = person, call_id: str = call_id, count: int = len(expected)) -> bool:
                    return len(person.of_call(call_id, "pop", "pop_withdrawn")) >= count

                if all(offer["ring_s"] >= NO_RING_S for offer in offers):
                    await until(told, f"pops of {login}, {brief(record)}: {expected}", deadline_s=3)
                pops = [one.get("reason", "pop") for one in person.of_call(call_id, "pop", "pop_withdrawn")]
                if pops or all(offer["ring_s"] >= NO_RING_S for offer in offers):
                    assert pops == expected, f"{login}, {brief(record)}: {pops}, not {expected}"

    async def _enter(self, login: str, *, listens: bool = True) -> Somebody:
        return await self._stack.enter_async_context(Somebody(self.service.url, login, PASSWORD, listens=listens))


async def agreement(asterisk: Asterisk, records: list[Record]) -> None:
    """Check records against Asterisk's CEL, CDR and queue log, whose last rows come a moment after a call."""
    linkedids = {linkedid for record in records for linkedid in record["linkedids"]}
    found: list[str] = []

    async def agreed() -> bool:
        cel = [row for row in asterisk.cel() if row.linkedid in linkedids]
        uniqueids = {row.uniqueid for row in cel}
        cdr = [row for row in asterisk.cdr() if row.uniqueid in uniqueids]
        if linkedids - {row.linkedid for row in cel if row.eventtype == "LINKEDID_END"} or not cdr:
            found[:] = ["Asterisk has not written the end of the call"]
            return False
        found[:] = disagreements(records, cdr, cel, asterisk.queue_log())
        return not found

    try:
        await until(agreed, "agreement", deadline_s=RECORD_S, every_s=0.1)
    except AssertionError:
        raise AssertionError("record and Asterisk disagree:\n" + "\n".join(found)) from None


async def add_people(service: Service) -> None:
    """Add the agents and a supervisor, by the command that an admin uses."""
    # The first time as the admin does it. The command's start is the slow part: the others share one process.
    boss = ("add", "boss", "--role", "supervisor", "--name", "Sam Rivers", "--extension", "1010", "--password-stdin")
    await service.run("user", *boss, stdin=f"{PASSWORD}\n")
    await asyncio.to_thread(_add_agents, service.config)


def _add_agents(config: Path) -> None:
    for login, (extension, name) in AGENTS.items():
        options = ["--extension", extension, "--name", name, "--password-stdin", "--config", str(config)]
        result = CliRunner().invoke(user.app, ["add", login, *options], input=f"{PASSWORD}\n")
        assert result.exit_code == 0, result.output


def brief(record: Record) -> str:
    """A call in one line."""
    offers = [(offer["interface"], offer["result"]) for offer in record["offers"]]
    visits = [(visit["queue"], visit["exit"]) for visit in record["queue_visits"]]
    return f"{record['direction']} {record['status']} by {record['hangup_by']} {offers} {visits} {record['linkedids']}"


def _expected_words(result: str) -> list[str]:
    return ["pop"] if result == "answered" else ["pop", result]


_GLOBALS = {"queue_wait_s": "QUEUE_WAIT", "extension_ring_s": "EXTENSION_RING", "trunk_ring_s": "TRUNK_RING"}
