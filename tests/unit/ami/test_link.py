"""The bounds of one connection, with a transport that only keeps what is written."""

import asyncio
from typing import Any

import pytest

from callcenter.ami import actions
from callcenter.ami.link import MAX_PENDING, MAX_UNSENT, Link
from callcenter.errors import AmiActionFailed, AmiUnreachable, BadInput


class Transport:
    """Keeps what is written, and says how much is unsent."""

    def __init__(self) -> None:
        self.data = b""
        self.unsent = 0
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.data += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.aborted = True


@pytest.fixture
async def blocks() -> list[bytes]:
    return []


@pytest.fixture
async def connected(blocks: list[bytes]) -> Link:
    made = Link(blocks.append)
    made.connection_made(Transport())
    made.data_received(b"Asterisk Call Manager/11.0.0\r\n")
    return made


def transport(connected: Link) -> Transport:
    found: Any = connected.transport
    assert isinstance(found, Transport)
    return found


async def test_no_more_actions_wait_than_are_allowed(connected: Link) -> None:
    for number in range(MAX_PENDING):
        connected.request(actions.Ping(), str(number))
    with pytest.raises(AmiUnreachable, match="too slowly"):
        connected.request(actions.Ping(), "one more")
    connected.forget("0")
    connected.request(actions.Ping(), "one more")


async def test_a_peer_that_does_not_read_gets_no_more(connected: Link) -> None:
    transport(connected).unsent = MAX_UNSENT + 1
    with pytest.raises(AmiUnreachable, match="too slowly"):
        connected.request(actions.Ping(), "1")


async def test_a_list_without_end_is_given_up(blocks: list[bytes]) -> None:
    connected = Link(blocks.append, max_list_bytes=100_000)
    connected.connection_made(Transport())
    future = connected.request(actions.QueueStatus(), "mine")
    connected.data_received(b"Response: Success\r\nActionID: mine\r\nEventList: start\r\n\r\n")
    for _ in range(11):
        connected.data_received(b"Event: QueueEntry\r\nActionID: mine\r\nX: " + b"x" * 10_000 + b"\r\n\r\n")
    with pytest.raises(AmiActionFailed, match="longer than"):
        await future
    assert blocks == []
    connected.data_received(b"Event: QueueStatusComplete\r\nActionID: mine\r\nEventList: Complete\r\n\r\n")
    connected.data_received(b"Event: Hangup\r\nActionID: mine\r\n\r\n")
    assert blocks == [b"Event: Hangup\r\nActionID: mine"]


async def test_nothing_is_sent_of_an_action_that_cannot_be(connected: Link) -> None:
    with pytest.raises(BadInput):
        connected.request(actions.Hangup(channel="a\r\nb"), "1")
    with pytest.raises(BadInput):
        connected.request(actions.Ping(), "a\nb")
    assert transport(connected).data == b""


async def test_what_waits_fails_when_the_connection_is_lost(connected: Link) -> None:
    future = connected.request(actions.Ping(), "1")
    connected.connection_lost(None)
    with pytest.raises(AmiUnreachable, match="whether it was done is unknown"):
        await future
    with pytest.raises(AmiUnreachable, match="is lost"):
        connected.request(actions.Ping(), "2")


async def test_after_a_failure_nothing_more_is_read(blocks: list[bytes]) -> None:
    def full(block: bytes) -> None:
        blocks.append(block)
        raise AmiUnreachable("full")

    made = Link(full)
    made.connection_made(Transport())
    made.data_received(b"\r\n\r\nEvent: A\r\n\r\nEvent: B\r\n\r\n")
    made.data_received(b"Event: C\r\n\r\n")
    assert blocks == [b"Event: A"]
    assert str(made.failure) == "full"
    assert transport(made).aborted


async def test_an_event_with_an_empty_line_too_many_is_an_event(connected: Link, blocks: list[bytes]) -> None:
    connected.data_received(b"\r\nEvent: A\r\n\r\n")
    assert blocks == [b"\r\nEvent: A"]


async def test_a_late_answer_is_nobodys(connected: Link, blocks: list[bytes]) -> None:
    future = connected.request(actions.CoreShowChannels(), "1")
    connected.forget("1")
    connected.data_received(b"Response: Success\r\nActionID: 1\r\n\r\nResponse: Success\r\n\r\nrubbish\r\n\r\n")
    assert future.cancelled()
    assert blocks == []
    assert connected.unreadable == 1
    await asyncio.sleep(0)
