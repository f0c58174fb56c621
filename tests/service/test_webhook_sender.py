"""One webhook to a real receiver that behaves badly in every way: the sender says what came of it, in time."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from crm_bridge.webhooks.sender import MOST_SHOWN, Sender
from crm_bridge.webhooks.signature import make_secret, sign
from crm_bridge.webhooks.values import Answer, Failure, Parcel, Target, TargetRules
from tests.fixtures.receiver import Receiver, open_receiver, say

SECRET = make_secret()
PARCEL = Parcel(event_seq=1, event_id=UUID(int=7), body=b'{"type":"call.ended"}', attempts=1)
LOOPBACK = (ip_network("127.0.0.0/8"),)
PUBLIC = "93.184.216.34"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as running:
        yield running


def inside(port: int) -> TargetRules:
    """Rules that allow the receiver of the test."""
    return TargetRules(allow_http=True, allow_networks=LOOPBACK, ports=frozenset({port}))


class Names:
    """A resolver under the test's control: each look-up of a name gets the next answer, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def send(url: str, rules: TargetRules, *, timeout_s: float = 5.0, **more: Any) -> Answer:
    target = Target(subscription_id=UUID(int=1), url=url, secrets=(SECRET,))
    async with Sender(rules, timedelta(seconds=timeout_s), connections=2, **more) as sender:
        return await sender.send(target, PARCEL)


async def test_an_event_arrives_signed_with_the_time_of_the_attempt(receiver: Receiver) -> None:
    answer = await send(receiver.url, inside(receiver.port))
    assert (answer.status, answer.failure) == (204, None)
    [got] = receiver.got
    assert got.body == PARCEL.body
    assert got.headers["content-type"] == "application/json"
    assert got.id == str(PARCEL.event_id)
    stamp = int(got.headers["webhook-timestamp"])
    assert got.headers["webhook-signature"] == sign((SECRET,), got.id, stamp, got.body)


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async with open_receiver() as inner:
        receiver.manner = say(302, Location=inner.url)
        answer = await send(receiver.url, inside(receiver.port))
        assert answer.status == 302
        assert inner.got == []


async def test_a_receiver_that_hangs_is_given_up(receiver: Receiver) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    receiver.manner = hang
    answer = await send(receiver.url, inside(receiver.port), timeout_s=0.5)
    assert answer.failure is Failure.TIMEOUT
    assert timedelta(seconds=0.4) < answer.took < timedelta(seconds=3)


async def test_an_answer_without_end_is_cut_off(receiver: Receiver) -> None:
    sent = 0
    over = asyncio.Event()

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(10 * 1024**3)})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
                sent += 65536
        finally:
            over.set()

    receiver.manner = flood
    answer = await send(receiver.url, inside(receiver.port))
    assert (answer.status, answer.text) == (200, "x" * MOST_SHOWN)
    await asyncio.wait_for(over.wait(), 10)
    assert sent < 64 * 1024**2


async def test_a_body_that_hangs_does_not_undo_the_status(receiver: Receiver) -> None:
    async def dribble(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        await asyncio.Event().wait()
        return response

    receiver.manner = dribble
    answer = await send(receiver.url, inside(receiver.port), timeout_s=0.5)
    assert (answer.status, answer.text) == (200, "begun")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: ",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\x00\xff" * 1000,
    ],
)
async def test_what_is_no_answer_is_said_to_be_none(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(f"http://127.0.0.1:{port}/", inside(port))
    assert answer.failure is Failure.BROKEN


async def test_a_port_on_which_nobody_listens_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        answer = await send(f"http://127.0.0.1:{port}/", inside(port))
    assert answer.failure is Failure.UNREACHABLE


async def test_a_receiver_without_tls_is_no_secure_one(receiver: Receiver) -> None:
    answer = await send(receiver.url.replace("http", "https"), inside(receiver.port))
    assert answer.failure is Failure.TLS


async def test_a_busy_receiver_names_a_time(receiver: Receiver) -> None:
    receiver.manner = say(429, "slow down", Retry_After="17")
    answer = await send(receiver.url, inside(receiver.port))
    assert (answer.status, answer.retry_after, answer.text) == (429, timedelta(seconds=17), "slow down")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1"]
)
async def test_an_inside_address_is_not_connected_to_in_any_spelling(receiver: Receiver, host: str) -> None:
    """The URL was refused before; this is what stands behind that."""
    answer = await send(f"http://{host}:{receiver.port}/", TargetRules(allow_http=True))
    assert answer.failure is Failure.NOT_ALLOWED
    assert receiver.got == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["169.254.169.254"], ["::1"], [PUBLIC, "127.0.0.1"], ["::ffff:127.0.0.1"], ["100.64.0.9"]],
)
async def test_a_name_that_leads_inside_is_not_connected_to(receiver: Receiver, addresses: list[str]) -> None:
    names = Names(addresses)
    answer = await send(f"http://crm.example.com:{receiver.port}/", TargetRules(allow_http=True), lookup=names)
    assert answer.failure is Failure.NOT_ALLOWED
    assert answer.error is not None and "webhooks.allow_networks" in answer.error
    assert names.asked == ["crm.example.com"]
    assert receiver.got == []


async def test_a_name_is_looked_up_once_and_that_address_is_used(receiver: Receiver) -> None:
    """A name that answers otherwise the second time gains nothing: nobody asks a second time."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    answer = await send(f"http://crm.example.com:{receiver.port}/calls", inside(receiver.port), lookup=names)
    assert answer.status == 204
    assert names.asked == ["crm.example.com"]
    assert receiver.got[0].headers["host"] == f"crm.example.com:{receiver.port}"


async def test_each_connection_is_checked_anew(receiver: Receiver) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    receiver.manner = say(200, "bye", Connection="close")
    target = Target(subscription_id=UUID(int=1), url=f"http://crm.example.com:{receiver.port}/", secrets=(SECRET,))
    rules = inside(receiver.port)
    async with Sender(rules, timedelta(seconds=5), connections=2, lookup=names) as sender:
        assert (await sender.send(target, PARCEL)).status == 200
        assert (await sender.send(target, PARCEL)).failure is Failure.NOT_ALLOWED


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    async def unknown(name: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    answer = await send("https://crm.example.com/", TargetRules(), lookup=unknown)
    assert (answer.failure, answer.error) == (Failure.UNREACHABLE, "no connection: Name or service not known")


async def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", receiver.url)
    answer = await send("http://crm.example.com/", TargetRules(allow_http=True), lookup=Names(["127.0.0.1"]))
    assert answer.failure is Failure.NOT_ALLOWED
    assert receiver.got == []
