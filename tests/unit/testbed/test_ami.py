"""The plain AMI connection of the testbed, against a peer that says what it is told to say."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.testbed.ami import AmiLink

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
WELCOME = b"Response: Success\r\nActionID: testbed-1\r\nMessage: Authentication accepted\r\n\r\n"

Say = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(say: Say) -> AsyncIterator[AmiLink]:
    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield AmiLink("127.0.0.1", server.sockets[0].getsockname()[1], "user", "secret", deadline_s=2)


def channel(name: str, uniqueid: str) -> bytes:
    return f"Event: {name}\r\nUniqueid: {uniqueid}\r\n\r\n".encode()


async def test_a_message_may_arrive_in_pieces(tmp_path: Path) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in BANNER + WELCOME + "Event: Newchannel\r\nCallerIDName: Zoë\r\n\r\nEvent: half".encode():
            writer.write(bytes([byte]))
            await writer.drain()
        await reader.read()
        writer.close()

    async with peer(say) as link:
        async with link:
            event = await link.event("Newchannel")
            link.save(tmp_path / "events.ami")

    assert event["CallerIDName"] == "Zoë"
    assert (tmp_path / "events.ami").read_bytes().endswith("Zoë\r\n\r\n".encode())


async def test_a_refused_log_in_says_why() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(BANNER + b"Response: Error\r\nActionID: testbed-1\r\nMessage: Authentication failed\r\n\r\n")
        await reader.read()
        writer.close()

    async with peer(say) as link:
        with pytest.raises(PermissionError, match="Authentication failed"):
            async with link:
                raise AssertionError("logged in")


async def test_waiting_ends_with_the_connection() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(BANNER + WELCOME + channel("Newchannel", "1.1"))
        await writer.drain()
        writer.close()

    async with peer(say) as link:
        async with link:
            with pytest.raises(ConnectionError):
                await link.all_hung_up()


async def test_all_hung_up_waits_for_the_last_channel() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(BANNER + WELCOME + channel("Newchannel", "1.1") + channel("Newchannel", "1.2"))
        writer.write(channel("Hangup", "1.1"))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(channel("Hangup", "1.2"))
        await reader.read()
        writer.close()

    async with peer(say) as link:
        async with link:
            waiting = asyncio.ensure_future(link.all_hung_up(channels=2))
            await link.event("Hangup", Uniqueid="1.1")
            assert not waiting.done()
            with pytest.raises(TimeoutError):
                await link.wait_for(lambda block: False, deadline_s=0.05)
            assert not waiting.done()
            link.send("Ping")
            await waiting
