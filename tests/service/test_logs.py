"""What the log lines of a process hold, and what they must never hold: in a process of its own, as it is global."""

import json
import subprocess
import sys
from enum import StrEnum
from uuid import UUID

import pytest
import structlog

from callcenter.logs import PlainLine

PROGRAM = """
import logging, sys
import structlog
from callcenter import logs
from callcenter.settings import LogSettings

logs.configure(LogSettings(level="INFO", format=sys.argv[1]))

def log_in(password):
    raise RuntimeError("it broke")

try:
    log_in("hunter2")
except RuntimeError:
    structlog.get_logger("ours").exception("crashed")
    logging.getLogger("theirs").exception("crashed too")
evil = "Ann\\nfake: admin logged in\\x1b[2Jgone\\u202e"
structlog.get_logger("ours").info("call", name=evil, word=evil.replace(" ", ""))
structlog.get_logger("ours").info(evil)
logging.getLogger("theirs").warning("library says %s", evil)
print("end", file=sys.stderr)
"""


@pytest.fixture(scope="module", params=["console", "json"])
def lines(request: pytest.FixtureRequest) -> list[str]:
    """The lines that the program writes in one of the shapes."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, request.param], capture_output=True, check=True, timeout=60, encoding="utf-8"
    )
    assert done.stderr.endswith("end\n")
    assert done.stdout == ""
    if request.param == "json":
        for line in done.stderr.splitlines()[:-1]:
            json.loads(line)
    return done.stderr.split("\n")


def test_a_traceback_tells_where_it_broke_and_not_with_which_values(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert "it broke" in text
    assert "log_in" in text
    assert "'hunter2'" not in text.replace('log_in("hunter2")', "")


def test_a_text_from_outside_begins_no_line_and_steers_no_terminal(lines: list[str]) -> None:
    assert sum("admin logged in" in line or "adminloggedin" in line for line in lines) == 3
    assert not any(line.startswith("fake") for line in lines)
    assert not any(sign in line for line in lines for sign in ("\x1b[2J", "\u202e"))


class Word(StrEnum):
    """A word of ours."""

    ONE = "one"


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"call_id": "5f1f7a3e", "pbx": "pbx", "status": Word.ONE},
        {"zulu": 1, "alpha": None, "pbxs": ["a", "b"], "took_s": 0.5, "id": UUID(int=7)},
        {"empty": "", "spaced": "two words", "equal": "a=b", "quoted": "it's", "twice": 'a "b"', "tab": "a\tb"},
        {"logger": "theirs"},
        {"stack": "Stack (most recent call last):"},
    ],
)
@pytest.mark.parametrize("event", ["call_ended", "a text that is longer than the thirty columns", ""])
def test_a_plain_line_is_what_the_console_writes(pairs: dict[str, object], event: str) -> None:
    console = structlog.dev.ConsoleRenderer(colors=False)
    line = {"timestamp": "2026-11-23T19:49:02.600922Z", "level": "info", "event": event, **pairs}
    assert PlainLine(console)(None, "info", dict(line)) == console(None, "info", dict(line))
