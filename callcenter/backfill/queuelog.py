"""A line of Asterisk's queue_log: what a queue did with a caller.

Source: https://docs.asterisk.org/Configuration/Applications/Queue-Logs/.
"""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from callcenter.backfill.cel import moment
from callcenter.errors import BadInput

LONGEST: Final = 4096

ENDINGS: Final = frozenset({"CONNECT", "ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "AGENTDUMP"})
"""Words that end a stay in a queue, but for AGENTDUMP, which only ends the try of one member."""

NOBODY: Final = frozenset({"NONE", "REALTIME", "MANAGER", ""})
"""What stands for the caller where a line is about none."""


class QueueLine(NamedTuple):
    """A line about a caller, `uniqueid`; `at` is cut to whole seconds."""

    at: datetime
    uniqueid: str
    queue: str
    member: str
    word: str
    data: tuple[str, ...]


def parsed(line: str) -> QueueLine | None:
    """The line, or None where it is about no caller.

    Raises:
        BadInput: it is no line of a queue_log.
    """
    if len(line) > LONGEST:
        raise BadInput(f"a line of queue_log has {len(line)} characters")
    parts = line.rstrip("\r\n").split("|")
    if len(parts) < 5:
        raise BadInput("a line of queue_log has fewer than five parts")
    stamp, uniqueid, queue, member, word, *data = parts
    at = moment(stamp)
    return None if uniqueid in NOBODY else QueueLine(at, uniqueid, queue, member, word, tuple(data))


def seconds(line: str) -> datetime:
    """The time of a line, without looking at the rest of it; the beginning of time where it has none."""
    try:
        return moment(line.partition("|")[0])
    except BadInput:
        return datetime.min.replace(tzinfo=UTC)
