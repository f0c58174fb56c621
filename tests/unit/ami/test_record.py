"""Transcripts: what is written reads back, in both forms."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.ami import wire
from callcenter.ami.record import Recorder, json_line, read
from callcenter.errors import BadFile

AT = datetime(2026, 11, 23, 13, 0, 0, 123456, tzinfo=UTC)
BLOCKS = [
    "Event: Newchannel\r\nTimestamp: 1.5\r\nCallerIDName: 王小明: sales\r\nAccountCode: ".encode(),
    b"Event: Hangup\r\nTimestamp: 2.5\r\nno colon\r\nBytes: \xff\xe7",
]


def written(raw: bool) -> bytes:
    file = io.BytesIO()
    recorder = Recorder(file, raw=raw)
    for block in BLOCKS:
        recorder.write(block, AT)
    assert recorder.blocks == 2
    return file.getvalue()


@pytest.mark.parametrize("raw", [True, False])
def test_both_forms_read_back(tmp_path: Path, raw: bool) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(written(raw))
    assert list(read(path)) == BLOCKS


def test_json_lines_can_be_read_by_people(tmp_path: Path) -> None:
    line = json_line(BLOCKS[0], AT)
    assert line.startswith(b'{"at": "2026-11-23T13:00:00.123456+00:00", "headers": [["Event", "Newchannel"], ')
    assert "王小明: sales".encode() in line


def test_a_block_without_a_time_gets_that_of_its_arrival(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(json_line(b"Event: Hangup", AT))
    [block] = read(path)
    assert wire.fields(block) == {"Event": "Hangup", "Timestamp": f"{AT.timestamp():.6f}"}


def test_the_greeting_is_no_block(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(b"Asterisk Call Manager/11.0.0\r\nEvent: A\r\n\r\n")
    assert list(read(path)) == [b"Event: A"]


def test_line_ends_that_an_editor_changed(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(written(raw=True).replace(b"\r\n", b"\n"))
    assert list(read(path)) == BLOCKS


def test_a_last_block_without_its_empty_line_counts_only_if_its_lines_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(b"Event: A\r\n\r\nEvent: B\r\n")
    assert list(read(path)) == [b"Event: A", b"Event: B"]
    path.write_bytes(b"Event: A\r\n\r\nEvent: Hang")
    assert list(read(path)) == [b"Event: A"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x00\x01\x02" * 100, "no AMI event"),
        (b'{"at": 1}\n', "line 1"),
        (b'{"headers": [["Event", "A"]]}\n{"headers": 3}\n', "line 2"),
        (b'{"headers": [["Event", "A\\r\\nB: c"]]}\n', "line break"),
        (b'{"at": "yesterday", "headers": [["Event", "A"]]}\n', "line 1"),
        (b'{"headers": [["Event"]]}\n', "line 1"),
        (b"{\n", "line 1"),
        (b'{"headers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "line 1"),
    ],
)
def test_what_is_no_transcript_is_told_in_plain_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=words):
        list(read(path))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        list(read(tmp_path / "none"))


@settings(max_examples=200, deadline=None)
@given(block=st.binary(max_size=200).map(lambda data: b"Event: A\r\nTimestamp: 1\r\nX: " + data.replace(b"\r\n", b"")))
def test_no_byte_is_lost_in_json(tmp_path_factory: pytest.TempPathFactory, block: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.jsonl"
    path.write_bytes(json_line(block, AT))
    assert list(read(path)) == [block]
