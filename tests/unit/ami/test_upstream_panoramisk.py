"""What is wrong in panoramisk, as docs/upstream-panoramisk.md tells: a failure here says that it was mended
upstream.
"""

from collections import deque
from typing import Any

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def close(self) -> None:
        pass


class Factory:
    """The part of a manager that the protocol talks to."""

    save_stream = None
    forgetable_actions = ("ping", "login")

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.awaiting_actions: deque[Any] = deque()

    def dispatch(self, message: Any) -> None:
        self.events.append(message)


def protocol() -> Any:
    """Return a connected protocol of panoramisk's."""
    made = AMIProtocol()
    made.connection_made(Transport())
    made.factory = Factory()
    made.encoding = "utf8"
    return made


def test_a_character_cut_by_tcp_is_lost() -> None:
    made = protocol()
    data = "Event: Newchannel\r\nCallerIDName: 王小明\r\n\r\n".encode()
    cut = data.index("王".encode()) + 1
    made.data_received(data[:cut])
    made.data_received(data[cut:])
    assert made.factory.events[0]["calleridname"] == "小明"


async def test_a_line_break_in_a_value_adds_an_action() -> None:
    made = protocol()
    made.send({"Action": "Originate", "Exten": "1\r\n\r\nAction: Command\r\nCommand: core stop now"})
    assert b"\r\n\r\nAction: Command\r\nCommand: core stop now" in made.transport.data


def test_a_block_without_end_is_kept_whatever_its_size() -> None:
    made = protocol()
    for _ in range(20):
        made.data_received(b"x" * 1_000_000)
    assert len(made.queue[0]) == 20_000_000


async def test_an_originate_that_was_not_answered_is_kept_to_be_done_again_after_a_reconnect() -> None:
    made = protocol()
    made.send({"Action": "Originate", "Channel": "PJSIP/1001"})
    made.close()
    assert made.factory.awaiting_actions[0]["action"] == "Originate"


def test_a_greeting_in_two_reads_is_not_seen() -> None:
    made = protocol()
    made.data_received(b"Asterisk Call ")
    made.data_received(b"Manager/11.0.0\r\n")
    assert made.version is None


def test_a_value_named_result_is_decoded_as_if_it_were_agi() -> None:
    assert Message.from_line("Event: UserEvent\r\nResult: 100%41")["result"] == "100A"
