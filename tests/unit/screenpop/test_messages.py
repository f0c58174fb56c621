"""The wire format: strict about what comes in, exact about what goes out."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import BadInput
from screenpop import messages
from screenpop.client import frame
from screenpop.messages import Ack, Dial, Hello, Notice, Resume


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
def test_nothing_but_bad_input_comes_of_garbage(text: str | bytes) -> None:
    with pytest.raises(BadInput, match=r"^not a message of protocol 1: "):
        messages.decode(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"type":"ack"}', "missing required field `seq`"),
        ('{"type":"ack","seq":-1}', "`int` >= 0 - at `$.seq`"),
        ('{"type":"ack","seq":9007199254740992}', "at `$.seq`"),
        ('{"type":"ack","seq":1,"more":2}', "unknown field `more`"),
        ('{"type":"pop"}', "Invalid value 'pop'"),
        ('{"type":"hangup","id":"a","call_id":"x"}', "Invalid UUID - at `$.call_id`"),
        ('{"type":"ack",', "it is not JSON"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(text: str, problem: str) -> None:
    with pytest.raises(BadInput) as refusal:
        messages.decode(text)
    assert problem in str(refusal.value)


def test_a_message_that_is_too_long_is_not_parsed() -> None:
    with pytest.raises(BadInput, match="4096 bytes at most"):
        messages.decode("x" * 4097)


def test_what_clients_say() -> None:
    assert messages.decode('{"type":"hello","ticket":"t"}') == Hello(ticket="t")
    resumed = messages.decode('{"type":"hello","ticket":"t","resume":{"session":"s","seq":3}}')
    assert resumed == Hello(ticket="t", resume=Resume(session="s", seq=3))
    assert messages.decode(b'{"type":"ack","seq":3}') == Ack(seq=3)
    assert messages.decode('{"type":"dial","id":"1","number":"+1 (202)"}') == Dial(id="1", number="+1 (202)")


@given(st.text(), st.integers(min_value=1, max_value=2**53))
def test_a_numbered_message_is_the_message_with_its_number(text: str, seq: int) -> None:
    notice = Notice(level="info", code="x", text=text.encode(errors="replace").decode())
    numbered = json.loads(messages.number(seq, messages.encode(notice)))
    assert numbered.pop("seq") == seq
    assert msgspec.convert(numbered, Notice) == notice


@pytest.mark.parametrize("size", [0, 1, 125, 126, 255, 256, 65535, 65536, 70000])
def test_a_frame_says_its_length(size: int) -> None:
    data = frame(b"x" * size)
    short = data[1]
    length, head = (short, 2) if short < 126 else (int.from_bytes(data[2:4]), 4)
    if short == 127:
        length, head = int.from_bytes(data[2:10]), 10
    assert (data[0], length, data[head:]) == (0x81, size, b"x" * size)
