"""A running screen-pop server with the real parts, and in-memory ones where the rest of the service would be."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from callcenter.errors import BadInput, Conflict
from callcenter.settings import ScreenpopSettings
from screenpop.contracts import Identity, Overseer
from screenpop.messages import Match
from screenpop.origins import Origins
from screenpop.server import ScreenpopServer
from screenpop.timing import Timing
from tests.unit.screenpop.script import found

DEADLINE = 10.0
ORIGIN = "https://calls.example.com"


class TicketOffice:
    """Tickets in memory, each good once."""

    def __init__(self) -> None:
        self._valid: dict[str, Identity] = {}
        self._count = 0

    def issue(self, agent: str, tenant_id: int = 1, session: str | None = None, role: str = "agent") -> str:
        self._count += 1
        ticket = f"ticket-{self._count}"
        self._valid[ticket] = Identity(
            tenant_id=tenant_id, agent=agent, login=agent, role=role, session=session or f"session of {agent}"
        )
        return ticket

    async def redeem(self, ticket: str) -> Identity | None:
        return self._valid.pop(ticket, None)


class AddressBook:
    """Answers look-ups; a test may hold answers back, or make them fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str, str, str | None]] = []
        self.names: dict[str, tuple[str, ...]] = {"+12025550123": ("Ada Lovelace",)}
        self.open = asyncio.Event()
        self.open.set()
        self.problem: Exception | None = None

    async def match(self, tenant_id: int, number: str, pbx: str, trunk: str | None) -> Match:
        self.asked.append((tenant_id, number, pbx, trunk))
        await self.open.wait()
        if self.problem is not None:
            raise self.problem
        return found(number, *self.names.get(number, ()))


class Exchange:
    """Takes orders; refuses a number that it does not like."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, str]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def dial(self, who: Identity, number: str) -> None:
        await self.open.wait()
        if number == "engaged":
            raise Conflict("you are in a call already: end it first")
        if number == "broken":
            raise RuntimeError("the wire is cut")
        self.orders.append((who.agent, number))

    async def hangup(self, who: Identity, call_id: UUID) -> None:
        self.orders.append((who.agent, str(call_id)))

    async def transfer(self, who: Identity, call_id: UUID, number: str, *, attended: bool) -> None:
        self.orders.append((who.agent, f"{'attended' if attended else 'blind'} {call_id} {number}"))

    async def cancel_transfer(self, who: Identity, call_id: UUID) -> None:
        raise Conflict("nobody waits: there is no consultation to give up")

    async def park(self, who: Identity, call_id: UUID) -> None:
        self.orders.append((who.agent, f"park {call_id}"))

    async def fetch(self, who: Identity, call_id: UUID) -> None:
        self.orders.append((who.agent, f"fetch {call_id}"))


class Roster:
    """Takes down who is there and what agents say of themselves; knows one reason to pause."""

    def __init__(self) -> None:
        self.there: list[tuple[str, bool]] = []
        self.said: list[tuple[str, str]] = []

    def present(self, tenant_id: int, agent: str, present: bool) -> None:
        self.there.append((agent, present))

    async def pause(self, who: Identity, reason: str) -> None:
        if reason != "lunch":
            raise BadInput(f"{reason!r} is no pause reason in use: choose from lunch")
        self.said.append((who.agent, reason))

    async def ready(self, who: Identity) -> None:
        self.said.append((who.agent, "ready"))

    async def extend(self, who: Identity, seconds: int) -> None:
        self.said.append((who.agent, f"{seconds} s more"))

    async def log_into_queues(self, who: Identity, logged_in: bool) -> None:
        self.said.append((who.agent, "in" if logged_in else "out"))


class House:
    """A server and what stands around it."""

    def __init__(
        self,
        timing: Timing | None = None,
        port: int = 0,
        queue_limit: int = 16,
        strangers: int = 1024,
        overseer: Overseer | None = None,
    ) -> None:
        self.tickets = TicketOffice()
        self.book = AddressBook()
        self.exchange = Exchange()
        self.roster = Roster()
        self.registry = CollectorRegistry()
        self.server = ScreenpopServer(
            ScreenpopSettings(port=port, queue_limit=queue_limit),
            origins=Origins([ORIGIN]),
            tenants={"default": 1, "other": 2},
            tickets=self.tickets,
            matcher=self.book,
            dialer=self.exchange,
            duty=self.roster,
            registry=self.registry,
            timing=timing or Timing(),
            strangers=strangers,
            overseer=overseer,
        )

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}/screenpop"

    def count(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(name, labels) or 0.0

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, with a deadline."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)

    def page(self, agent: str = "li", **options: Any) -> "Page":
        """A page that has yet to connect: `async with house.page() as page`."""
        return Page(self, agent, **options)


class Page:
    """A browser page: connects, says hello, reads."""

    def __init__(
        self,
        house: House,
        agent: str,
        resume: dict[str, Any] | None = None,
        tenant_id: int = 1,
        session: str | None = None,
        role: str = "agent",
        **options: Any,
    ) -> None:
        self._house, self._agent, self._tenant_id, self._session = house, agent, tenant_id, session
        self._role = role
        self._resume, self._options = resume, options
        self.socket: ClientConnection
        self.welcome: dict[str, Any] = {}
        self.seq = 0

    async def __aenter__(self) -> "Page":
        options = {"compression": None, "origin": ORIGIN} | self._options
        self.socket = await connect(self._house.url, **options)
        hello: dict[str, Any] = {
            "type": "hello",
            "ticket": self._house.tickets.issue(self._agent, self._tenant_id, self._session, self._role),
        }
        if self._resume is not None:
            hello["resume"] = self._resume
        await self.say(hello)
        self.welcome = await self.read()
        assert self.welcome["type"] == "welcome"
        self.seq = self.welcome["seq"]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.socket.close()

    @property
    def resume(self) -> dict[str, Any]:
        """What to come back with."""
        return {"session": self.welcome["session"], "seq": self.seq}

    async def say(self, message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def read(self) -> dict[str, Any]:
        """The next message; numbers must follow each other."""
        async with asyncio.timeout(DEADLINE):
            message: dict[str, Any] = json.loads(await self.socket.recv())
        if "seq" in message and message["type"] != "welcome":
            assert message["seq"] == self.seq + 1
            self.seq = message["seq"]
        return message

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next message of these types; others are passed over."""
        while (message := await self.read())["type"] not in kinds:
            pass
        return message

    async def closed(self) -> tuple[int | None, str | None]:
        """Read to the end; code and reason of the close."""
        async with asyncio.timeout(DEADLINE):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        return self.socket.close_code, self.socket.close_reason


@contextlib.asynccontextmanager
async def running(house: House) -> AsyncIterator[House]:
    """Serve while the block runs."""
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(house.server.serve())
        async with asyncio.timeout(DEADLINE):
            await house.server.ready.wait()
        try:
            yield house
        finally:
            serving.cancel()
