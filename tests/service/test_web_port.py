"""Clients that begin a request and never finish it, and too many of them: on raw sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from callcenter.db.engine import Database
from tests.service.web_world import World, run_world

DESCRIPTION = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: calls.example.com\r\n\r\n"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: calls.example.com\r\n"
QUICK = {"head_s": 0.5}
PATIENCE_S = 20.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(world: World) -> AsyncIterator[Streams]:
    """A connection of somebody who speaks HTTP by hand."""
    place = urlsplit(world.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """What still comes; a reset is an end too."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("begun", [b"", b"GET", HEAD])
async def test_who_never_finishes_the_headers_is_cut_off(database: Database, begun: bytes) -> None:
    async with run_world(database, bounds=QUICK) as world, connected(world) as (reader, writer):
        writer.write(begun)
        assert await until_closed(reader) == b""


async def test_headers_that_trickle_in_win_no_time(database: Database) -> None:
    async with run_world(database, bounds=QUICK) as world, connected(world) as (reader, writer):
        writer.write(HEAD)

        async def trickle() -> None:
            for number in range(1000):
                writer.write(b"X-%d: 1\r\n" % number)
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as group:
            dripping = group.create_task(trickle(), name="trickle")
            assert await until_closed(reader) == b""
            assert not dripping.done()
            dripping.cancel()


async def test_the_deadline_holds_for_the_second_request_of_a_connection_too(database: Database) -> None:
    async with run_world(database, bounds=QUICK) as world, connected(world) as (reader, writer):
        writer.write(HEAD + b"\r\n")
        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.write(HEAD)
        rest = await until_closed(reader)
        assert rest.endswith(b'{"status":"alive"}')


async def test_who_comes_when_all_places_are_taken_is_refused_until_one_is_free(database: Database) -> None:
    async with run_world(database, bounds={"most": 2}) as world, connected(world) as (first, writer):
        async with connected(world), connected(world) as (refused, _):
            assert await until_closed(refused) == b""
            writer.write(HEAD + b"\r\n")
            async with asyncio.timeout(PATIENCE_S):
                assert (await first.readline()).startswith(b"HTTP/1.1 200")
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with connected(world) as (reader, later):
                    later.write(HEAD + b"\r\n")
                    if (await until_answered(reader)).startswith(b"HTTP/1.1 200"):
                        break


async def test_who_never_reads_an_answer_does_not_keep_the_place(database: Database) -> None:
    async with run_world(database, bounds={"most": 1, "taken_s": 0.3}) as world:
        place = urlsplit(world.url)
        with socket.socket() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            silent.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(silent, (place.hostname, place.port))
            await loop.sock_sendall(silent, DESCRIPTION * 200)
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    async with connected(world) as (reader, writer):
                        writer.write(HEAD + b"\r\n")
                        if (await until_answered(reader)).startswith(b"HTTP/1.1 200"):
                            break


async def test_who_reads_gets_all_however_much_it_is(database: Database) -> None:
    async with run_world(database, bounds={"taken_s": 5.0}) as world, connected(world) as (reader, writer):
        writer.write(DESCRIPTION * 200 + HEAD + b"Connection: close\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            everything = await reader.read()
        assert everything.count(b"HTTP/1.1 200") == 201
        assert everything.endswith(b'{"status":"alive"}')


async def until_answered(reader: asyncio.StreamReader) -> bytes:
    """The first line of the answer; empty where the connection was refused."""
    try:
        return await reader.readline()
    except ConnectionResetError:
        return b""
