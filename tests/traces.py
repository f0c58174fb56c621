"""The recorded traces of tests/replay, read into events, for tests of many kinds."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from callcenter import events as ev
from callcenter.ami import parse, wire
from callcenter.changes import CallChange, CallMerged
from callcenter.model import Call
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker

REPLAY = Path(__file__).parent / "replay"
CASES = sorted(path.parent.name for path in REPLAY.glob("*/events.ami"))
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Time of arrival in tests; recorded events have a time of their own."""


@cache
def transcript(case: str, stream: str = "events.ami") -> bytes:
    """The bytes that Asterisk sent; `filtered.ami` has what a second, filtered user was sent meanwhile."""
    return (REPLAY / case / stream).read_bytes()


@cache
def events(case: str, stream: str = "events.ami") -> tuple[ev.Event, ...]:
    """The events in them that are used."""
    return tuple(parsed(wire.Decoder().feed(transcript(case, stream))))


def parsed(blocks: list[bytes]) -> list[ev.Event]:
    """The events that blocks hold."""
    return [event for block in blocks if (event := parse.event(block, NEVER)) is not None]


def calls_of(stream: list[ev.Event] | tuple[ev.Event, ...], directory: Directory | None = None) -> list[Call]:
    """The last record of each call in a stream of events, in the order in which they began."""
    tracker = Tracker(directory or Directory())
    found: dict[object, Call] = {}
    for event in stream:
        for change in tracker.apply(event):
            if isinstance(change, CallChange):
                found[change.call_id] = change.call
            if isinstance(change, CallMerged):
                found.pop(change.merged, None)
    return list(found.values())
