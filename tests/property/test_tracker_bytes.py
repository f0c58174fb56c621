"""Whatever a PBX writes into its events, reading them and following the calls never raises anything unforeseen."""

from datetime import UTC, datetime
from itertools import chain
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.ami import parse, wire
from callcenter.ami.snapshot import snapshot
from callcenter.calllog import record
from callcenter.changes import CallChange
from callcenter.errors import ProtocolError
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker
from tests import traces

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ODD = (
    *(b"", b"-", b"/", b";", b"-1", b"0", b"1.5", b"nan", b"1e400", b"9" * 30, b"\x00", b"\xff\xfe", b"<unknown>"),
    *(b"253402300799", b"-62135596800", b"PJSIP/", b"Local/x@y;1", b"x" * 5000, "١٢".encode()),
)
CLOCKS = ("00:00:07", "999999:999999:999999", ":".join(["9"] * 12), "x", "-1:0:0", "")

changes_of_a_block = st.lists(st.tuples(st.integers(1, 30), st.sampled_from(ODD)), max_size=3)


def altered(block: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    """The block with some headers' values exchanged; the name of the event stays."""
    lines = block.split(b"\r\n")
    for index, value in changes:
        if index < len(lines):
            lines[index] = lines[index].partition(b": ")[0] + b": " + value
    return b"\r\n".join(lines)


@given(st.sampled_from(traces.CASES), st.sampled_from(traces.CASES), st.randoms(use_true_random=False), st.data())
@settings(max_examples=60, deadline=None)
def test_no_value_of_a_header_raises(name: str, other: str, random: Random, data: st.DataObject) -> None:
    blocks = [*chain.from_iterable(wire.Decoder().feed(traces.transcript(case)) for case in {name, other})]
    if data.draw(st.booleans()):
        random.shuffle(blocks)
    tracker = Tracker(Directory())
    at = data.draw(st.lists(st.integers(0, len(blocks) - 1), min_size=1, max_size=40, unique=True))
    for index, block in enumerate(blocks):
        if index in at:
            block = altered(block, data.draw(changes_of_a_block))
        try:
            event = parse.event(block, NOW)
        except ProtocolError as problem:
            assert len(str(problem)) < 300
            continue
        for change in tracker.apply(event) if event is not None else ():
            if isinstance(change, CallChange):
                record.to_json(record.of(change.call))


@given(
    st.lists(st.tuples(st.sampled_from(CLOCKS), st.sampled_from(ODD)), min_size=1, max_size=4),
    st.sampled_from(ODD),
)
def test_no_value_of_a_snapshot_raises(channels: list[tuple[str, bytes]], wait: bytes) -> None:
    head = "Event: CoreShowChannel\r\nLinkedid: 1.0\r\nUniqueid: 1.{0}\r\nChannel: PJSIP/100{0}-1\r\nDuration: {1}"
    shown = [
        head.format(n, clock).encode() + b"\r\nChannelState: " + state for n, (clock, state) in enumerate(channels)
    ]
    waiting = [b"Event: QueueEntry\r\nUniqueid: 1.0\r\nQueue: sales\r\nPosition: " + wait + b"\r\nWait: " + wait]
    tracker = Tracker(Directory())
    for change in tracker.resync(snapshot(shown, waiting, NOW)):
        assert isinstance(change.at, datetime)
    assert tracker.open_channels == len(channels)
