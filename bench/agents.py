"""Memory that one connected agent costs the server.

`python bench/agents.py [--agents 2000] [--uvloop]`: resident memory of the server's process before and after so many
pages connect, with the headers that a browser sends; for raw sockets, for websockets with and without compression, and
for the screen-pop server (with seat, stream, session), fresh and after calls for everybody. Budget (design): at most
25 KB all told.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from msgspec.structs import replace

from bench.floor import KINDS, floor
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


def main() -> None:
    """Measure each kind in a process of its own, and print kilobytes per agent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=2000)
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--kind", choices=[*KINDS, "screenpop+calls"], help="measure this one only")
    options = parser.parse_args()
    if options.kind:
        kind = options.kind.partition("+calls")[0]
        work_ = measure(kind, options.agents, options.kind != kind)
        if options.uvloop:
            import uvloop

            print(uvloop.run(work_))
        else:
            print(asyncio.run(work_))
        return
    result = {}
    for kind in (*KINDS, "screenpop+calls"):
        command = [sys.executable, "-m", "bench.agents", *sys.argv[1:], "--kind", kind]
        result[kind] = round(float(subprocess.check_output(command, timeout=120).split()[-1]), 1)
    print(json.dumps({"kb_per_agent": result, "budget": "screenpop <= 25"}, indent=2))


if __name__ == "__main__":
    main()
