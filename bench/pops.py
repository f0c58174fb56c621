"""From a ringing change to the agent's hand, at a steady rate of calls.

`python bench/pops.py [--rate 200] [--seconds 10] [--uvloop]`: the screen-pop server with a matcher that answers at
once, against the least that could be done (one JSON text, one send, the same websockets). Time is from `publish` to the
message having been read by a client in the same loop, so the client's cost is in both numbers alike.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import time

from msgspec.json import encode
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from bench.agents import one_call
from bench.floor import screenpop_server

AGENTS = 50


async def limit(rate: int, seconds: float) -> list[float]:
    """Milliseconds of each message: encode, send, read."""
    pages: list[ServerConnection] = []

    async def hold(socket: ServerConnection) -> None:
        pages.append(socket)
        await socket.wait_closed()

    took: list[float] = []
    sent: dict[int, float] = {}

    async def read(client: ClientConnection) -> None:
        async for text in client:
            took.append((time.perf_counter() - sent[json.loads(text)["n"]]) * 1000)

    async with serve(hold, "127.0.0.1", 0, compression=None, close_timeout=1) as server, asyncio.TaskGroup() as group:
        port = next(iter(server.sockets)).getsockname()[1]
        clients = [await connect(f"ws://127.0.0.1:{port}", compression=None) for _ in range(AGENTS)]
        readers = [group.create_task(read(client)) for client in clients]
        for n in range(int(rate * seconds)):
            sent[n] = time.perf_counter()
            await pages[n % AGENTS].send(encode({"n": n, "text": "x" * 600}).decode())
            await asyncio.sleep(1 / rate)
        for reader in readers:
            reader.cancel()
    return took


async def screenpop(rate: int, seconds: float) -> list[float]:
    """Milliseconds of each pop: decide, look up, number, send, read."""
    server = screenpop_server()
    took: list[float] = []
    rang: dict[str, float] = {}

    async def read(client: ClientConnection) -> None:
        async for text in client:
            now = time.perf_counter()
            message = json.loads(text)
            if message["type"] == "pop":
                took.append((now - rang[message["call_id"]]) * 1000)
                await client.send(json.dumps({"type": "ack", "seq": message["seq"]}))

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve())
        await server.ready.wait()
        clients = []
        for n in range(AGENTS):
            client = await connect(f"ws://127.0.0.1:{server.port}/screenpop", compression=None)
            await client.send(json.dumps({"type": "hello", "ticket": f"agent{n}"}))
            await client.recv()
            clients.append(client)
        readers = [group.create_task(read(client)) for client in clients]
        for n in range(int(rate * seconds)):
            ringing, *rest = one_call(f"agent{n % AGENTS}", n)
            rang[str(ringing.call.call_id)] = time.perf_counter()
            server.publish(ringing)
            await asyncio.sleep(0.5 / rate)
            for change in rest:  # between two rings, so that clients are not reading these when the next one comes
                server.publish(change)
            await asyncio.sleep(0.5 / rate)
        for reader in readers:
            reader.cancel()
        for client in clients:
            with contextlib.suppress(Exception):
                await client.close()
        serving.cancel()
    return took


def main() -> None:
    """Measure both, and print percentiles and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    result = {}
    for kind in (limit, screenpop):
        if options.uvloop:
            import uvloop

            took = uvloop.run(kind(options.rate, options.seconds))
        else:
            took = asyncio.run(kind(options.rate, options.seconds))
        hundredths = statistics.quantiles(took, n=100)
        result[kind.__name__] = {"p50_ms": round(hundredths[49], 3), "p99_ms": round(hundredths[98], 3), "n": len(took)}
    ratios = {p: round(result["screenpop"][p] / result["limit"][p], 2) for p in ("p50_ms", "p99_ms")}
    print(json.dumps(result | {"ratio": ratios}, indent=2))


if __name__ == "__main__":
    main()
