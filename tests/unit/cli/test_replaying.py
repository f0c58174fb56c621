"""`callcenter replay`, run as people run it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callcenter.ami import record, wire
from tests import traces


def replay(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "callcenter", "replay", *arguments], capture_output=True, text=True, timeout=60
    )


def lines(text: str) -> list[dict[str, Any]]:
    """The JSON lines of an output."""
    return [json.loads(line) for line in text.splitlines()]


def test_changes_come_first_and_then_one_line_per_call() -> None:
    done = replay(str(traces.REPLAY / "two-calls-at-once" / "events.ami"), "--region", "GB", "--trunk", "trunk")
    assert done.returncode == 0, done.stderr
    said = lines(done.stdout)
    kinds = [line["type"] for line in said]
    assert kinds.index("call") == len(kinds) - 2
    assert kinds[-2:] == ["call", "call"]
    assert {line["call_id"] for line in said} == {line["call_id"] for line in said[-2:]}
    assert [line["status"] for line in said[-2:]] == ["answered", "answered"]
    assert said[-1]["caller"]["e164"] == "+442079460103"


def test_the_json_form_gives_the_same_calls(tmp_path: Path) -> None:
    raw = traces.REPLAY / "queue-ringall-three-members" / "events.ami"
    other = tmp_path / "events.jsonl"
    with other.open("wb") as file:
        recorder = record.Recorder(file)
        for block in wire.Decoder().feed(raw.read_bytes()):
            recorder.write(block)
    assert replay(str(raw)).stdout == replay(str(other)).stdout != ""


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff" * 4096, b"{not json\n", b"Event: Newchannel\r\nUniqueid: 1.1\r\n\r\n"]
)
def test_a_file_that_is_no_transcript_is_told_or_gives_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.ami"
    file.write_bytes(content)
    done = replay(str(file))
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_a_sentence() -> None:
    done = replay("there-is-no-such-file.ami")
    assert done.returncode == 1
    assert done.stderr.startswith("callcenter: ") and "there-is-no-such-file.ami" in done.stderr
