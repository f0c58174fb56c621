"""The servers that `bench.pops` compares, each in a process of its own: `python -m bench.popserver KIND SPEC`.

`ours` is the whole service as `callcenter serve` runs it. `limit` does the least that could be done: it cuts the
stream, reads the headers of the ringing event alone, asks one prepared statement and sends one message. `naive` is
how it is usually put together: stock panoramisk, SQLModel's ORM, websockets with its defaults. All run on uvloop.
"""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import panoramisk
import uvloop
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import col, select
from websockets.asyncio.server import ServerConnection, serve

import callcenter.accounts.tables  # noqa: F401 — the ORM wants every table that a foreign key names
from callcenter import logs
from callcenter.accounts.roles import Principal, Role
from callcenter.ami import wire
from callcenter.app import Application
from callcenter.cli.serving import spare_collector
from callcenter.customers.index import EXACT
from callcenter.customers.tables import Customer, CustomerPhone
from callcenter.settings import DatabaseSettings, PbxSettings, ScreenpopSettings, Settings, WebSettings
from callcenter.web.frontend import FRONTEND, Frontend

CONNECTIONS = 10
ORIGIN = "https://calls.example.com"
"""Of the pages of `crowd`."""


class Spec(msgspec.Struct, frozen=True):
    """What a server must know: where the database and the PBX are, and who the agents are, by extension.

    `static` is the front end of `ours`, where it is to be another one than the built.
    """

    url: str
    tenant_id: int
    ami_port: int
    secret: str
    agents: dict[str, str]
    static: str = ""


class Ready(msgspec.Struct, frozen=True):
    """What a server prints when it can be used. `hellos` has the first message of each agent's page.

    `web` is the port of the pages, where there are any.
    """

    port: int
    hellos: dict[str, str]
    web: int = 0


Pages = dict[str, ServerConnection]


def card(number: str, customer_id: object, name: str, company: str | None, email: str | None) -> dict[str, Any]:
    """The message that the two others send: what a page needs to show a card."""
    customer = {"customer_id": str(customer_id), "name": name, "company": company, "email": email}
    match = {"status": "one", "number": number, "candidates": [customer]}
    return {"type": "pop", "caller": {"number": number}, "match": match}


def e164(national: str) -> str:
    """The simulated callers are all in Great Britain."""
    return f"+44{national[1:]}"


def extension(channel: str) -> str:
    """`PJSIP/10001-0000002a` → `10001`."""
    return channel.partition("/")[2].rpartition("-")[0]


@asynccontextmanager
async def listening(pages: Pages, compression: str | None) -> AsyncIterator[int]:
    """Serve pages whose first message is their agent's extension."""

    async def hold(socket: ServerConnection) -> None:
        pages[str(await socket.recv())] = socket
        await socket.wait_closed()

    async with serve(hold, "127.0.0.1", 0, compression=compression) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def limit(spec: Spec) -> None:
    """Parse, one look-up, one send."""
    pages: Pages = {}
    idle: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
    for _ in range(CONNECTIONS):
        connection = await asyncpg.connect(spec.url)
        idle.put_nowait(await connection.prepare(EXACT))

    async def pop(block: bytes) -> None:
        fields = wire.fields(block)
        number = fields["ConnectedLineNum"]
        statement = await idle.get()
        row = (await statement.fetch(spec.tenant_id, e164(number)))[0]
        idle.put_nowait(statement)
        message = msgspec.json.encode(card(number, row[0], row[1], row[2], row[3]))
        await pages[extension(fields["Channel"])].send(message, text=True)

    async with listening(pages, None) as port, asyncio.TaskGroup() as group:
        reader, writer = await asyncio.open_connection("127.0.0.1", spec.ami_port)
        login = [("Action", "Login"), ("Username", "callcenter"), ("Secret", spec.secret)]
        writer.write(wire.encode(login))
        decoder = wire.Decoder()
        tell(Ready(port, {agent: agent for agent in spec.agents}))
        while data := await reader.read(65536):
            for block in decoder.feed(data):
                if block.startswith(b"Event: Newstate") and b"ChannelState: 5\r\n" in block:
                    group.create_task(pop(block))


async def naive(spec: Spec) -> None:
    """Stock panoramisk, the ORM, websockets with compression."""
    pages: Pages = {}
    engine = create_async_engine(spec.url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=CONNECTIONS)
    manager = panoramisk.Manager(
        loop=asyncio.get_running_loop(),
        host="127.0.0.1",
        port=spec.ami_port,
        username="callcenter",
        secret=spec.secret,
    )

    async def pop(manager: Any, event: Any) -> None:
        if event.ChannelState != "5":
            return
        async with AsyncSession(engine) as session:
            query = (
                select(Customer)
                .join(CustomerPhone, col(CustomerPhone.customer_id) == col(Customer.customer_id))
                .where(CustomerPhone.tenant_id == spec.tenant_id, Customer.tenant_id == spec.tenant_id)
                .where(CustomerPhone.e164 == e164(event.ConnectedLineNum))
            )
            one = (await session.execute(query)).scalars().one()
            message = card(event.ConnectedLineNum, one.customer_id, one.name, one.company, one.email)
        await pages[extension(event.Channel)].send(json.dumps(message))

    manager.register_event("Newstate", pop)
    async with listening(pages, "deflate") as port:
        await manager.connect()
        tell(Ready(port, {agent: agent for agent in spec.agents}))
        await asyncio.Event().wait()


async def ours(spec: Spec) -> None:
    """The service with its default settings."""
    settings = Settings(
        database=DatabaseSettings(url=SecretStr(spec.url)),
        web=WebSettings(port=0),
        screenpop=ScreenpopSettings(port=0, ticket_s=600, allowed_origins=(ORIGIN,)),
        pbx=(PbxSettings(port=spec.ami_port, secret=SecretStr(spec.secret), region="GB", trunks=("trunk",)),),
    )
    logs.configure(settings.log)
    async with Application.open(settings) as application, asyncio.TaskGroup() as group:
        if spec.static:
            application.web[FRONTEND] = Frontend(Path(spec.static))
        spare_collector()
        group.create_task(application.run())
        await application.ready.wait()
        while not application.pbxs["pbx"].synced:  # noqa: ASYNC110 — the service tells nobody
            await asyncio.sleep(0.05)
        hellos = {}
        for phone, agent in spec.agents.items():
            who = Principal(
                tenant_id=spec.tenant_id,
                role=Role.AGENT,
                name=agent,
                permissions=frozenset(),
                agent=agent,
                session=hashlib.sha256(agent.encode()).hexdigest(),
            )
            hellos[phone] = json.dumps({"type": "hello", "ticket": application.access.issue(who)[0]})
        tell(Ready(application.screenpop.port, hellos, application.web_port))


def tell(ready: Ready) -> None:
    """Say that this server can be used."""
    print(msgspec.json.encode(ready).decode(), flush=True)


KINDS = {"limit": limit, "ours": ours, "naive": naive}

if __name__ == "__main__":
    uvloop.run(KINDS[sys.argv[1]](msgspec.json.decode(sys.argv[2], type=Spec)))
