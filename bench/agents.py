"""Memory that one connected agent costs the server.

`python -m bench.agents`: resident memory of the server's process before and after so many
pages connect, with the headers that a browser sends; for raw sockets, for websockets with and without compression, and
for the screen-pop server (with seat, stream, session), fresh and after calls for everybody. Budget (design): at most
25 KB all told.
"""

import argparse
import asyncio
import gc
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import uvloop
from msgspec.structs import replace

from bench.floor import KINDS, floor
from bench.rows import Row, table
from callcenter import changes
from callcenter.model import Call, CallStatus, Connection, Direction, Offer, OfferResult, Party
from screenpop.presence import Seat
from screenpop.server import ScreenpopServer

CALLS = 10


def resident() -> int:
    """Bytes of memory that this process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def one_call(agent: str, number: int) -> list[changes.CallChange]:
    """A call that an agent answers."""
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC) + timedelta(minutes=number)
    offer = Offer(interface=f"PJSIP/{agent}", rang_at=at, agent=agent)
    call = Call(
        call_id=UUID(int=number << 64 | hash(agent) & (1 << 62) - 1),
        tenant="default",
        pbx="pbx",
        linkedids=("1.1",),
        direction=Direction.INBOUND,
        caller=Party(number=f"+1202555{number:04}", name="Ada"),
        callee=Party(number="4000"),
        status=CallStatus.IN_PROGRESS,
        started_at=at,
        offers=(offer,),
    )
    ended = replace(offer, ended_at=at, result=OfferResult.ANSWERED)
    talk = Connection(from_=at, agent=agent, interface=offer.interface)
    talking = replace(call, offers=(ended,), connections=(talk,), answered_at=at)
    over = replace(talking, connections=(replace(talk, to=at),), ended_at=at, status=CallStatus.ANSWERED)
    return [
        changes.AgentRinging(at=at, call=call, offer=offer),
        changes.OfferEnded(at=at, call=talking, offer=ended),
        changes.CallAnswered(at=at, call=talking, connection=talk),
        changes.CallEnded(at=at, call=over),
    ]


async def work(server: ScreenpopServer, agents: int) -> None:
    """Calls for everybody."""
    for number in range(CALLS):
        for agent in range(agents):
            for change in one_call(f"agent{agent}", number):
                server.publish(change)
            if agent % 50 == 0:
                await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)


async def measure(kind: str, agents: int, busy: bool) -> float:
    """Kilobytes per agent."""
    async with floor(kind) as (port, _, server):
        before = resident()
        if server is not None:
            for number in range(agents):
                seat = Seat(agent=f"agent{number}", name="An Agent", extension=str(number), interface=f"PJSIP/{number}")
                server.seat("default", seat)
        crowd = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("crowd.py")),
            str(port),
            str(agents),
            KINDS[kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert crowd.stdout is not None and crowd.stdin is not None
        if (await asyncio.wait_for(crowd.stdout.readline(), 60)).strip() != b"ready":
            raise SystemExit(f"{kind}: the pages could not connect")
        if busy and server is not None:
            await work(server, agents)
        after = resident()
        crowd.stdin.close()
        await crowd.wait()
        return (after - before) / agents / 1024


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure each kind in a process of its own, and return the rows of the table."""
    agents = 2000
    found = {}
    for kind in (*KINDS, "screenpop+calls"):
        command = [sys.executable, "-m", "bench.agents", "--agents", str(agents), "--kind", kind]
        found[kind] = float(subprocess.check_output(command, timeout=120).split()[-1])
    names = {"screenpop": "ours, just connected", "screenpop+calls": f"ours, after {CALLS} calls each"}
    return [
        Row(
            name=f"{names.get(kind, kind)}, {agents:,} agents",
            value=size,
            unit="KB each",
            budget="≤ 25" if kind in names else "",
        )
        for kind, size in found.items()
    ]


def main() -> None:
    """Measure one kind, or print the table of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=2000)
    parser.add_argument("--kind", choices=[*KINDS, "screenpop+calls"], help="measure this one only")
    options = parser.parse_args()
    if options.kind:
        kind = options.kind.partition("+calls")[0]
        print(uvloop.run(measure(kind, options.agents, options.kind != kind)))
    else:
        print(table("Memory of a connected agent", run(False)))


if __name__ == "__main__":
    main()
