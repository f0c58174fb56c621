"""What the benches of the screen-pop server compare: raw sockets, bare websockets, and the server itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, cast
from uuid import UUID

from prometheus_client import CollectorRegistry
from websockets.asyncio.server import ServerConnection, broadcast, serve

from callcenter.settings import ScreenpopSettings
from screenpop.contracts import Identity
from screenpop.messages import Candidate, Match, Notice
from screenpop.origins import Origins
from screenpop.server import ScreenpopServer

TEXT = "x" * 240
NOTICE = Notice(level="info", code="queue", text=TEXT)
BYTES = b'{"seq":123,"type":"notice","level":"info","code":"queue","text":"%b","id":null}' % TEXT.encode()


class Doors:
    """Lets everybody in: the ticket is the agent's name."""

    async def redeem(self, ticket: str) -> Identity | None:
        """Who the ticket names."""
        return Identity(tenant_id=1, agent=ticket, login=ticket, role="agent", session=ticket)


class Book:
    """Knows everybody at once."""

    async def match(self, tenant_id: int, number: str, pbx: str, trunk: str | None) -> Match:
        """One customer."""
        candidate = Candidate(customer_id=UUID(int=1), name="Ada Lovelace", company="Analytical Engines")
        return Match(status="one", number=number, candidates=(candidate,))


class Phones:
    """Never used."""

    async def dial(self, who: Identity, number: str) -> None:
        """Nothing."""

    async def hangup(self, who: Identity, call_id: UUID) -> None:
        """Nothing."""

    async def transfer(self, who: Identity, call_id: UUID, number: str, *, attended: bool) -> None:
        """Nothing."""

    async def cancel_transfer(self, who: Identity, call_id: UUID) -> None:
        """Nothing."""

    async def park(self, who: Identity, call_id: UUID) -> None:
        """Nothing."""

    async def fetch(self, who: Identity, call_id: UUID) -> None:
        """Nothing."""


class Roster:
    """Never used."""

    def present(self, tenant_id: int, agent: str, present: bool) -> None:
        """Nothing."""

    async def pause(self, who: Identity, reason: str) -> None:
        """Nothing."""

    async def ready(self, who: Identity) -> None:
        """Nothing."""

    async def extend(self, who: Identity, seconds: int) -> None:
        """Nothing."""

    async def log_into_queues(self, who: Identity, logged_in: bool) -> None:
        """Nothing."""


class Raw(asyncio.Protocol):
    """A bare socket of the asyncio kind."""

    everyone: ClassVar[set["Raw"]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its type
        Raw.everyone.add(self)


def screenpop_server() -> ScreenpopServer:
    """The real server, on a free port."""
    return ScreenpopServer(
        ScreenpopSettings(port=0, queue_limit=4096),
        origins=Origins(["https://calls.example.com"]),
        tenants={"default": 1},
        tickets=Doors(),
        matcher=Book(),
        dialer=Phones(),
        duty=Roster(),
        registry=CollectorRegistry(),
    )


@asynccontextmanager
async def floor(kind: str) -> AsyncIterator[tuple[int, Callable[[], None], ScreenpopServer | None]]:
    """Serve one kind: its port, what sends one message to everybody, and the screen-pop server."""
    if kind == "raw":
        loop = asyncio.get_running_loop()
        # The frame of the same message, so that the bytes on the wire are the same.
        frame = b"\x81\x7e" + len(BYTES).to_bytes(2) + BYTES

        def write_raw() -> None:
            for one in Raw.everyone:
                one.transport.write(frame)

        server = await loop.create_server(Raw, "127.0.0.1", 0, backlog=4096)
        yield server.sockets[0].getsockname()[1], write_raw, None
        for one in list(Raw.everyone):
            one.transport.abort()
        server.close()
    elif kind in ("websockets", "websockets+deflate"):
        logging.getLogger("websockets").setLevel(logging.CRITICAL)

        async def hold(socket: ServerConnection) -> None:
            await socket.wait_closed()

        compression = "deflate" if kind.endswith("deflate") else None
        async with serve(hold, "127.0.0.1", 0, compression=compression, close_timeout=1, backlog=4096) as bare:
            port = next(iter(bare.sockets)).getsockname()[1]
            yield port, lambda: broadcast(bare.connections, BYTES, text=True), None
    else:
        server_ = screenpop_server()
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server_.serve())
            await server_.ready.wait()
            yield server_.port, lambda: server_.broadcast("default", NOTICE), server_
            serving.cancel()


KINDS = {"raw": "raw", "websockets": "bare", "websockets+deflate": "bare", "screenpop": "hello"}
