"""From the last byte of a ringing event to the message in the page's hand, over real sockets on both sides.

`python -m bench.pops [--quick] [--full]`: a simulated PBX plays calls at 1, 50 and 200 a second to three servers in
turn (see `popserver`), whose pages are in this process too, so that one clock tells. The database has a million
customers (quick: 100 000), and each call comes from another one. A call's first event comes as long before its ringing
as in the quickest of the recorded traces, 2.2 ms, where a real Asterisk and its phones were on one machine; with
telephones on a desk it is longer. Where a row says "at once" all of it comes in one breath, so that nobody can use
that time: no PBX is so quick, but a look-up that begins with the ringing is, after a long wait in a queue.
Budget: p50 ≤ 2 ×, p99 ≤ 3 × the limit at 200 calls a second.

The servers take turns of a few seconds, so that each has the same share of what else the machine does, and a
percentile is that of all turns together. The naive way has fewer turns: it is there to be seen beside them. Each
server is warmed up first. The collector of this process is told to leave alone what is there by then, and goes on;
that of `ours` runs as it does in the service, and the other two have Python's own.
"""

import argparse
import asyncio
import gc
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from bench.lookup import fill
from bench.people import phone, scratch_database
from bench.popserver import KINDS, Ready, Spec
from bench.rows import Row, table
from callcenter.ami import parse
from callcenter.db.embedded import EmbeddedPostgres
from callcenter.db.engine import Database
from callcenter.simulator.desk import Desk
from callcenter.simulator.flows import inbound
from callcenter.simulator.load import START, VirtualPbx, big_company
from callcenter.simulator.people import Answers, Caller, Manners
from callcenter.simulator.session import BANNER, Account, Session

AGENTS = 300
COMPANY = big_company(AGENTS)
PHONES = list(COMPANY.phones)
MANNERS = Manners(callee=lambda extension, attempt: Answers(1.5), talk=0.5)
SECRET = "bench-secret"
BUDGET: dict[float, str] = {50: "≤ 2", 99: "≤ 3"}
DEEP = (50, 90, 99, 99.9)
NAIVE_ROUNDS = 2
PACE = (0.0, 0.0009, 0.0011, 0.0021, 0.0021, 0.0022, 0.0022)
"""Seconds from a call's first event to its others up to the ringing, in tests/replay/inbound-voicemail."""
RINGING = b"ChannelState: 5\r\n"
READY_S = 60
DRAIN_S = 5
TOO_BUSY_MS = 50


class Load(msgspec.Struct, frozen=True):
    """Calls a second, for how many seconds, how often, and whether a call's events come in one breath."""

    rate: int
    seconds: float
    rounds: int
    at_once: bool = False
    percentiles: tuple[float, ...] = (50, 99)
    """Those of which there are enough pops."""

    def __str__(self) -> str:
        return f"{self.rate} calls/s{', at once' if self.at_once else ''}"


class Place(NamedTuple):
    """A server, its PBX, and those of its pages that are in this process."""

    exchange: "Exchange"
    crowd: "Crowd"
    ready: Ready
    pid: int


Step = tuple[float, bytes, str | None]
"""When, what the PBX says, and whose call rings with its last byte."""


class Exchange:
    """The AMI port of one server."""

    def __init__(self) -> None:
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> asyncio.Server:
        """Listen."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def say(self, data: bytes) -> None:
        """Send events."""
        for writer in self._writers:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        virtual = VirtualPbx(COMPANY)
        desk = Desk(virtual.pbx, virtual.schedule.signal, lambda order: None)
        session = Session(desk, Account(secret=SECRET), writer.write)
        writer.write(BANNER)
        self._writers.append(writer)
        try:
            while data := await reader.read(65536):
                session.receive(data)
        except ConnectionError:
            pass
        finally:
            self._writers.remove(writer)
            writer.close()


class Crowd:
    """The pages of one server's agents, and how long each pop took to reach them."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.rang: dict[str, float] = {}
        """Number of a caller → when the event was sent."""

    async def read(self, page: ClientConnection) -> None:
        """Be a page: take everything, and acknowledge pops."""
        async for text in page:
            now = time.perf_counter()
            message = json.loads(text)
            if message["type"] == "pop":
                rang = self.rang.pop(message["caller"]["number"], None)
                if rang is not None:
                    self.took.append((now - rang) * 1000)
                if "seq" in message:
                    await page.send(json.dumps({"type": "ack", "seq": message["seq"]}))


def script(load: Load, callers: "itertools.count[int]", customers: int, phones: Collection[str] = PHONES) -> list[Step]:
    """What a PBX says to a filtered client, while calls for `phones` begin at random, so many a second."""
    virtual = VirtualPbx(COMPANY, seed=next(callers))
    # Later than all scripts before, so that no channel's id comes again.
    start = virtual.time = START + next(callers) * 1000
    draw = virtual.pbx.random
    dids = [did for did, to in COMPANY.numbers.items() if to in phones]
    at = 0.0
    for did in itertools.cycle(dids):
        at += draw.expovariate(load.rate)
        if at > load.seconds:
            break
        caller = Caller(phone(next(callers) * 7919 % customers))
        virtual.schedule.place(inbound(virtual.pbx, caller, did, MANNERS), at)
    virtual.run()
    steps: list[Step] = []
    arrived = datetime.now(UTC)
    for moment, timed in itertools.groupby(virtual.blocks, key=lambda item: item[0]):
        blocks = [block for _, block in timed if parse.event(block, arrived) is not None]
        paced = not load.at_once and any(map(rings, blocks))
        for place, block in enumerate(blocks):
            number = block.partition(b"ConnectedLineNum: ")[2].partition(b"\r\n")[0].decode() if rings(block) else None
            after = PACE[min(place, len(PACE) - 1)] if paced else 0.0
            steps.append((moment - start + after, block + b"\r\n\r\n", number))
    return joined(sorted(steps, key=lambda step: step[0]))


def rings(block: bytes) -> bool:
    """Whether a phone rings with this event."""
    return block.startswith(b"Event: Newstate") and RINGING in block


def joined(steps: list[Step]) -> list[Step]:
    """What is said at one time in one piece, up to a ringing."""
    whole: list[Step] = []
    for at, said, number in steps:
        if whole and whole[-1][0] == at and whole[-1][2] is None:
            said = whole.pop()[1] + said
        whole.append((at, said, number))
    return whole


async def play(exchange: Exchange, crowd: Crowd, steps: list[Step]) -> list[float]:
    """Say it all at its time; milliseconds of each pop."""
    crowd.took = []
    began = time.perf_counter() + 0.1
    for at, said, number in steps:
        wait = began + at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        if number is not None:
            crowd.rang[number] = time.perf_counter()
        exchange.say(said)
    ended = time.perf_counter() + DRAIN_S
    while crowd.rang and time.perf_counter() < ended:  # noqa: ASYNC110 — an event would cost each pop
        await asyncio.sleep(0.02)
    # One that never came counts as if it came now: a call is over by then.
    crowd.took += [DRAIN_S * 1000] * len(crowd.rang)
    crowd.rang.clear()
    return crowd.took


async def move_in(database: Database, tenant_id: int, phones: Sequence[str]) -> dict[str, str]:
    """An agent at each phone, logged in with the agent's name as the token."""
    seats = {extension: f"agent{extension}" for extension in phones}
    for statement in (
        "INSERT INTO users (tenant_id, login, name, role) SELECT $1, 'agent' || e, 'Agent ' || e, 'agent' FROM x",
        "INSERT INTO agents (tenant_id, agent_id, name, login) SELECT $1, 'agent' || e, 'Agent', 'agent' || e FROM x",
        "INSERT INTO extensions (tenant_id, pbx, extension, interface, agent_id)"
        " SELECT $1, 'pbx', e, 'PJSIP/' || e, 'agent' || e FROM x",
        "INSERT INTO sessions (tenant_id, token_hash, login, expires_at)"
        " SELECT $1, sha256(convert_to('agent' || e, 'UTF8')), 'agent' || e, now() + interval '1 day' FROM x",
    ):
        await database.pool.execute(f"WITH x AS (SELECT unnest($2::text[]) AS e) {statement}", tenant_id, phones)
    return seats


@asynccontextmanager
async def server(
    kind: str, url: str, tenant_id: int, agents: dict[str, str], phones: Collection[str] = PHONES
) -> AsyncIterator[Place]:
    """One server with its PBX and the pages of those who sit at `phones`."""
    exchange, crowd = Exchange(), Crowd()
    listener = await exchange.open()
    spec = msgspec.json.encode(Spec(url, tenant_id, exchange.port, SECRET, agents)).decode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.popserver", kind, spec),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        limit=1 << 20,
    )
    pages: list[ClientConnection] = []
    readers: list[asyncio.Task[None]] = []
    try:
        assert process.stdout is not None
        line = b""
        while not line.startswith(b"{"):
            line = await asyncio.wait_for(process.stdout.readline(), READY_S)
            if not line:
                raise RuntimeError(f"the server {kind} did not start")
        ready = msgspec.json.decode(line, type=Ready)
        compression = "deflate" if kind == "naive" else None
        async with asyncio.TaskGroup() as group:
            for hello in [ready.hellos[phone] for phone in phones]:
                page = await connect(f"ws://127.0.0.1:{ready.port}/screenpop", compression=compression)
                await page.send(hello)
                pages.append(page)
                readers.append(group.create_task(crowd.read(page)))
            yield Place(exchange, crowd, ready, process.pid)
            for reader in readers:
                reader.cancel()
    finally:
        for page in pages:
            page.transport.abort()
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        listener.close()


async def _run(customers: int, plan: list[Load]) -> list[Row]:
    rows: list[Row] = []
    callers = itertools.count(1)
    async with scratch_database() as (database, tenant_id, directory), AsyncExitStack() as stack:
        await fill(database, tenant_id, customers)
        agents = await move_in(database, tenant_id, PHONES)
        url = (await stack.enter_async_context(EmbeddedPostgres(directory / "postgresql"))).url()
        places = {kind: await stack.enter_async_context(server(kind, url, tenant_id, agents)) for kind in KINDS}

        async def turn(load: Load, kind: str) -> list[float]:
            # In a thread, because the servers expect a PBX that answers meanwhile.
            steps = await asyncio.to_thread(script, load, callers, customers)
            return await play(places[kind].exchange, places[kind].crowd, steps)

        for kind in KINDS:
            await turn(Load(20, 2.0, 1), kind)
        gc.collect()
        gc.freeze()
        for load in plan:
            found: dict[str, list[float]] = defaultdict(list)
            for place in range(load.rounds):
                for kind in KINDS:
                    if kind == "naive" and place >= NAIVE_ROUNDS:
                        continue
                    took = await turn(load, kind)
                    if kind == "limit" and statistics.median(took) > TOO_BUSY_MS:
                        raise RuntimeError("this machine is too busy: even the least that can be done takes too long")
                    found[kind] += took
            rows += _rows(load, found)
    return rows


def _rows(load: Load, found: dict[str, list[float]]) -> list[Row]:
    """The percentiles of all turns."""
    rows = [Row(name=f"pops of ours at {load}", value=len(found["ours"]), unit="pops")]
    cuts = {kind: statistics.quantiles(took, n=1000, method="inclusive") for kind, took in found.items()}
    for percentile in load.percentiles:
        place = round(percentile * 10) - 1
        for kind, thousandths in cuts.items():
            rows.append(
                Row(
                    name=f"{kind}, p{percentile:g} at {load}",
                    value=thousandths[place],
                    unit="ms",
                    ratio=thousandths[place] / cuts["limit"][place],
                    ratio_to="limit",
                    budget=BUDGET.get(percentile, "") if kind == "ours" and load.rate == 200 else "",
                )
            )
    return rows


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    if quick:
        plan = [
            Load(1, 6.0, 1, percentiles=(50,)),
            Load(50, 3.0, 2),
            Load(200, 5.0, 5, percentiles=DEEP),
            Load(200, 4.0, 2, at_once=True),
        ]
    else:
        plan = [
            Load(1, 30.0, 1, percentiles=(50,)),
            Load(50, 5.0, 4),
            Load(200, 5.0, 20, percentiles=DEEP),
            Load(200, 5.0, 5, at_once=True),
        ]
    return uvloop.run(_run(100_000 if quick else 1_000_000, plan))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    print(table("From ringing to the page", run(arguments.parse_args().quick)))
