"""Everything that a client can do wrong: each costs that client its connection, and nobody else anything."""

import asyncio
import base64
import os
import socket
import struct
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from screenpop.messages import Notice
from screenpop.timing import Timing
from tests.service.screenpop_house import DEADLINE, ORIGIN, House, running

GARBAGE = [
    "",
    "{",
    "null",
    "[]",
    '"hello"',
    "\u0000",
    '{"type":"nonsense"}',
    '{"type":"hello"}',
    '{"type":"hello","ticket":5}',
    '{"type":"hello","ticket":""}',
    '{"type":"hello","ticket":"x","extra":1}',
    '{"type":"hello","ticket":"x","resume":{"session":"s","seq":-1}}',
    '{"type":"hello","ticket":"x","resume":{"session":"s","seq":1e400}}',
    '{"type":"hello","ticket":"' + "x" * 300 + '"}',
    '{"type":"ack","seq":1}',
    "[" * 4000,
    b"\x00\x01\x02",
    b'{"type":"hello","ticket":"x"}',
]


async def upgrade(house: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket by hand, for what no library would do."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /screenpop HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    async with asyncio.timeout(DEADLINE):
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def frame(opcode: int, payload: bytes) -> bytes:
    """A masked client frame; the mask is zero."""
    size = struct.pack("!B", 0x80 | len(payload)) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


async def close_code(reader: asyncio.StreamReader) -> int | None:
    """Read server frames up to the close frame; its code, or None where the connection just ends."""
    async with asyncio.timeout(DEADLINE):
        try:
            while True:
                first, size = await reader.readexactly(2)
                if size == 126:
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                payload = await reader.readexactly(size)
                if first & 0x0F == 8:
                    return int.from_bytes(payload[:2])
        except (asyncio.IncompleteReadError, ConnectionError):
            return None


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_instead_of_hello(garbage: str | bytes) -> None:
    async with running(House()) as house, house.page() as bystander, connect(house.url) as stranger:
        await stranger.send(garbage)
        await stranger.wait_closed()
        assert stranger.close_code == 4400 and stranger.close_reason
        house.server.broadcast("default", Notice(level="info", code="x", text="fine"), ["li"])
        assert (await bystander.next("notice"))["text"] == "fine"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "hello", "ticket": "again"},
        {"type": "dial", "id": "", "number": "1"},
        {"type": "dial", "id": "a", "number": "1" * 65},
        {"type": "hangup", "id": "a", "call_id": "1'; DROP TABLE calls"},
        {"type": "ack", "seq": "1"},
    ],
)
async def test_garbage_after_hello(message: object) -> None:
    async with running(House()) as house, house.page() as page:
        await page.say(message)
        assert (await page.closed())[0] == 4400
        await house.until(lambda: house.count("callcenter_screenpop_refused_total", reason="message") == 1)
        assert house.exchange.orders == []


async def test_text_that_is_no_utf8() -> None:
    async with running(House()) as house:
        reader, writer = await upgrade(house)
        writer.write(frame(1, b"\xff\xfe"))
        assert await close_code(reader) == 1007
        writer.close()


async def test_an_oversized_message() -> None:
    async with running(House()) as house, house.page() as page:
        await page.socket.send("x" * 5000)
        assert (await page.closed())[0] == 1009


async def test_a_ticket_is_good_once() -> None:
    async with running(House()) as house:
        hello = '{"type":"hello","ticket":"' + house.tickets.issue("li") + '"}'
        async with connect(house.url) as first, connect(house.url) as second:
            await first.send(hello)
            await first.recv()
            await second.send(hello)
            await second.wait_closed()
            assert second.close_code == 4401
            assert second.close_reason == "the ticket is unknown, used or too old: get a new one"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://calls.example.com", f"{ORIGIN}.evil.example", f"{ORIGIN}:8443"]
)
async def test_a_page_of_another_origin_is_refused_before_the_upgrade(origin: str) -> None:
    async with running(House()) as house:
        with pytest.raises(InvalidStatus) as refusal:
            await connect(house.url, origin=Origin(origin))
        response = refusal.value.response
        assert response.status_code == 403
        assert "its origin is not allowed" in response.body.decode()
        assert house.count("callcenter_screenpop_refused_total", reason="origin") == 1


async def test_another_path_is_not_found() -> None:
    async with running(House()) as house:
        with pytest.raises(InvalidStatus) as refusal:
            await connect(house.url + "s")
        assert refusal.value.response.status_code == 404


async def test_no_hello_in_time() -> None:
    async with running(House(Timing(hello_s=0.2))) as house, connect(house.url) as silent:
        await silent.wait_closed()
        assert (silent.close_code, silent.close_reason) == (4400, "no hello in time")


async def test_a_request_that_never_ends_is_dropped() -> None:
    async with running(House(Timing(hello_s=0.2))) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        writer.write(b"GET /screenpop HTTP/1.1\r\nHost: x\r\n")
        async with asyncio.timeout(DEADLINE):
            await reader.read()
        writer.close()


async def test_a_crowd_that_says_nothing_is_bounded_before_the_upgrade_and_leaves_room_again() -> None:
    async with running(House(Timing(hello_s=2.0, sweep_s=0.05), strangers=3)) as house:
        async with house.page() as page:
            crowd = [await asyncio.open_connection("127.0.0.1", house.server.port) for _ in range(6)]
            await house.until(lambda: house.count("callcenter_screenpop_refused_total", reason="crowd") == 3)
            house.server.broadcast("default", Notice(level="info", code="x", text="fine"), ["li"])
            assert (await page.next("notice"))["text"] == "fine"
            for reader, writer in crowd:
                async with asyncio.timeout(DEADLINE):
                    with suppress(ConnectionError):
                        await reader.read()
                writer.close()
        async with house.page("wu"):
            pass


async def test_a_flood_of_messages() -> None:
    async with running(House()) as house, house.page() as page, house.page("wu") as bystander:
        for _ in range(100):
            await page.say({"type": "ack", "seq": 0})
        assert (await page.closed())[0] == 4429
        house.server.broadcast("default", Notice(level="info", code="x", text="fine"), ["wu"])
        assert (await bystander.next("notice"))["text"] == "fine"
        await house.until(lambda: house.count("callcenter_screenpop_refused_total", reason="flood") == 1)


async def test_a_flood_of_pings() -> None:
    async with running(House()) as house:
        reader, writer = await upgrade(house)
        writer.write(frame(9, b"x" * 125) * 500)
        assert await close_code(reader) == 4429
        writer.close()


async def test_a_flood_before_the_upgrade() -> None:
    async with running(House()) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        writer.write(b"x" * 1_000_000)
        async with asyncio.timeout(DEADLINE):
            try:
                await reader.read()
            except ConnectionError:
                pass
        writer.close()


async def test_a_page_that_does_not_read_is_cut_off_and_delays_nobody() -> None:
    async with running(House(Timing(close_s=0.2, sweep_s=0.05))) as house, house.page("wu") as bystander:
        small = socket.create_connection(("127.0.0.1", house.server.port))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf = await house.page("li", sock=small, max_queue=1).__aenter__()
        for n in range(300):
            house.server.broadcast("default", Notice(level="info", code="x", text=f"{n:>2000}"))
            assert (await bystander.next("notice"))["text"].strip() == str(n)
        await house.until(lambda: house.count("callcenter_screenpop_clients") == 1)
        assert house.count("callcenter_screenpop_refused_total", reason="slow") == 1
        deaf.socket.transport.abort()


async def test_a_page_that_stops_reading_for_long_is_cut_off_with_little_waiting() -> None:
    timing = Timing(write_s=0.2, close_s=0.2, sweep_s=0.05)
    async with running(House(timing, queue_limit=4096)) as house:
        small = socket.create_connection(("127.0.0.1", house.server.port))
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf = await house.page("li", sock=small, max_queue=1).__aenter__()
        for n in range(300):
            house.server.broadcast("default", Notice(level="info", code="x", text=f"{n:>2000}"), ["li"])
        await house.until(lambda: house.count("callcenter_screenpop_clients") == 0)
        deaf.socket.transport.abort()


async def test_a_dead_page_is_noticed_and_a_silent_one_is_not_taken_for_dead() -> None:
    timing = Timing(heartbeat_s=0.2, sweep_s=0.05)
    async with running(House(timing)) as house, house.page() as alive:
        reader, writer = await upgrade(house)
        ticket = house.tickets.issue("wu")
        writer.write(frame(1, f'{{"type":"hello","ticket":"{ticket}"}}'.encode()))
        await house.until(lambda: house.count("callcenter_screenpop_clients") == 2)
        await house.until(lambda: house.count("callcenter_screenpop_clients") == 1)  # it answers no ping
        house.server.broadcast("default", Notice(level="info", code="x", text="fine"), ["li"])
        assert (await alive.next("notice"))["text"] == "fine"
        del reader
        writer.close()
