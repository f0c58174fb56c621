"""The load generator: the same seed, the same bytes; and calls that the tracker understands."""

from callcenter.ami import wire
from callcenter.changes import Anomaly
from callcenter.simulator.load import Mix, VirtualPbx, load
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker
from tests.traces import calls_of, parsed


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(load(5, 20)) == list(load(5, 20))
    assert list(load(5, 20)) != list(load(5, 20, seed=2))


def test_the_rate_is_what_was_asked_for() -> None:
    data = b"".join(load(10, 60, mix=Mix(queue=0, internal=0, outbound=0)))
    begun = sum(
        1
        for block in wire.Decoder().feed(data)
        if block.startswith(b"Event: Newchannel") and b"\r\nContext: from-trunk" in block
    )
    assert 480 < begun < 720


def test_time_stamps_rise_and_no_block_is_broken() -> None:
    decoder = wire.Decoder()
    stamps = []
    for data in load(10, 30):
        for block in decoder.feed(data):
            headers = wire.fields(block)
            assert headers["Event"] and headers["Privilege"].endswith(",all")
            stamps.append(float(headers["Timestamp"]))
    assert stamps == sorted(stamps)
    assert len(stamps) > 1000


def test_the_tracker_finds_nothing_impossible_in_it() -> None:
    decoder = wire.Decoder()
    blocks = [block for data in load(5, 120, agents=60) for block in decoder.feed(data)]
    tracker = Tracker(Directory())
    anomalies = [change for event in parsed(blocks) for change in tracker.apply(event) if isinstance(change, Anomaly)]
    assert anomalies == []
    statuses = {call.status for call in calls_of(parsed(blocks))}
    assert {"answered", "abandoned", "no_answer", "busy"} <= {str(status) for status in statuses}


def test_nothing_is_left_when_all_calls_are_over() -> None:
    virtual = VirtualPbx()
    assert virtual.schedule.next_due is None
    virtual.run()
    assert virtual.take() == b""
