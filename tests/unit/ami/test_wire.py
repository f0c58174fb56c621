"""Framing, headers and encoding."""

import pytest

from callcenter.ami import parse, wire
from callcenter.errors import BadInput
from tests import traces

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def test_the_greeting_is_taken_off_and_kept() -> None:
    decoder = wire.Decoder()
    assert decoder.feed(BANNER + b"Response: Success\r\n\r\n") == [b"Response: Success"]
    assert decoder.banner == "Asterisk Call Manager/11.0.0"


def test_the_greeting_is_known_before_the_first_block() -> None:
    decoder = wire.Decoder()
    assert decoder.feed(BANNER[:25]) == []
    assert decoder.banner is None
    decoder.feed(BANNER[25:])
    assert decoder.banner == "Asterisk Call Manager/11.0.0"


def test_a_stream_without_a_greeting_is_read_from_its_first_byte() -> None:
    decoder = wire.Decoder()
    assert decoder.feed(b"Asterisk: 1\r\n\r\nEvent: A\r\n\r\n") == [b"Asterisk: 1", b"Event: A"]
    assert decoder.banner == ""


def test_a_greeting_without_end_is_none() -> None:
    decoder = wire.Decoder()
    block = b"Asterisk Call Manager/" + b"9" * 500
    assert decoder.feed(block + b"\r\n\r\n") == [block]
    assert decoder.banner == ""


@pytest.mark.parametrize("step", [1, 7, 1000, 100_000])
def test_an_oversized_block_is_skipped_to_its_end_and_counted(step: int) -> None:
    decoder = wire.Decoder(max_block=5000)
    stream = b"Event: A\r\n\r\nEvent: B\r\nX: " + b"x" * 50_000 + b"\r\n\r\nEvent: C\r\n\r\n"
    blocks = [block for at in range(0, len(stream), step) for block in decoder.feed(stream[at : at + step])]
    assert blocks == [b"Event: A", b"Event: C"]
    assert decoder.oversized == 1


@pytest.mark.parametrize("step", [1, 3, 100_000])
def test_a_block_of_just_the_allowed_size_is_kept(step: int) -> None:
    decoder = wire.Decoder(max_block=20_000)
    block = b"Event: B" + b"x" * (20_000 - 8)
    stream = block + b"\r\n\r\n" + block + b"x\r\n\r\n"
    blocks = [found for at in range(0, len(stream), step) for found in decoder.feed(stream[at : at + step])]
    assert blocks == [block]
    assert decoder.oversized == 1


def test_what_is_skipped_is_not_kept_in_memory() -> None:
    decoder = wire.Decoder(max_block=1000)
    for _ in range(100):
        decoder.feed(b"x" * 10_000)
        assert len(decoder._held) <= 1003


def test_a_lone_line_feed_ends_nothing() -> None:
    assert wire.Decoder().feed(b"Event: UserEvent\r\nText: a\n\nb\r\n\r\n") == [b"Event: UserEvent\r\nText: a\n\nb"]


def test_a_character_cut_in_two_is_whole_again() -> None:
    block = "Event: Newchannel\r\nCallerIDName: 王小明".encode()
    decoder = wire.Decoder()
    assert decoder.feed(block[:-2]) == []
    [found] = decoder.feed(block[-2:] + b"\r\n\r\n")
    assert wire.fields(found)["CallerIDName"] == "王小明"


@pytest.mark.parametrize(
    ("block", "name"),
    [
        (b"Event: Hangup\r\nChannel: x", b"Hangup"),
        (b"Event: Hangup", b"Hangup"),
        (b"\r\nEvent: Hangup\r\nA: b", b"Hangup"),
        (b"Asterisk Call Manager/11.0.0\r\nEvent: Hangup", b"Hangup"),
        (b"Response: Success\r\nMessage: Event: Hangup", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_name(block: bytes, name: bytes | None) -> None:
    assert wire.name(block) == name


def test_fields_of_an_ordinary_block() -> None:
    block = "Event: Newstate\r\nCallerIDName: Zoë: Sales\r\nAccountCode: ".encode()
    assert wire.fields(block) == {"Event": "Newstate", "CallerIDName": "Zoë: Sales", "AccountCode": ""}


def test_of_a_header_that_comes_twice_the_first_counts() -> None:
    assert wire.fields(b"Event: A\r\nUniqueid: 1.1\r\nUniqueid: 2.2")["Uniqueid"] == "1.1"


def test_headers_that_asterisk_repeats_are_joined() -> None:
    block = b"Response: Success\r\nOutput: a\r\nOutput: b\r\nChanVariable: x=1\r\nChanVariable: y=2"
    assert wire.fields(block) == {"Response": "Success", "Output": "a\nb", "ChanVariable": "x=1\ny=2"}


def test_lines_that_are_no_headers_are_left_out() -> None:
    assert wire.fields(b"Event: A\r\nrubbish\r\nEmpty:\r\nX:y\r\n\xff: \xff") == {
        "Event": "A",
        "Empty": "",
        "X": "y",
        "\ufffd": "\ufffd",
    }


def test_encode() -> None:
    assert wire.encode([("Action", "Ping"), ("ActionID", "é")]) == "Action: Ping\r\nActionID: é\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Exten", "1\r\nAction: Command"),
        ("Exten", "1\n2"),
        ("Exten", "1\r2"),
        ("Exten", "1\0"),
        ("Exten\r\nX", "1"),
        ("Exten: x", "1"),
        ("", "1"),
        ("Exten", "\ud800"),
        ("Exten", "x" * 1001),
    ],
)
def test_what_could_become_another_header_is_refused(key: str, value: str) -> None:
    with pytest.raises(BadInput):
        wire.encode([("Action", "Originate"), (key, value)])


def test_headers_looked_for_one_by_one_are_those_of_the_whole() -> None:
    blocks = [block for case in traces.CASES for block in wire.Decoder().feed(traces.transcript(case))]
    assert len(blocks) > 1000
    for block in blocks:
        headers = parse.Fields(block)
        for key, value in list(wire.fields(block).items())[1:]:
            if not key.endswith(("Variable", "Output")):
                assert headers[key] == headers.get(key) == value


def test_a_header_that_is_not_there() -> None:
    headers = parse.Fields(b"Event: Hangup\r\nChannel: Uniqueid: 1\r\nExtension: 1\r\nUniqueid: 2\r\nUniqueid: 3")
    assert headers.get("Exten") is None
    with pytest.raises(KeyError, match="Exten"):
        headers["Exten"]
    assert headers["Uniqueid"] == "2"
