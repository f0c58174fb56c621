"""What must hold for every stream of events, however it is cut, mixed, doubled or broken."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter import events as ev
from callcenter.ami import wire
from callcenter.changes import Anomaly, CallChange, CallEnded
from callcenter.metrics import durations
from callcenter.model import Call, CallStatus, QueueExit
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker
from tests import traces

CALLS = [name for name in traces.CASES if any(isinstance(event, ev.Newchannel) for event in traces.events(name))]
"""Cases in which somebody calls; in the others a phone is away, or queue members come and go."""
case = st.sampled_from(CALLS)
MOMENT = timedelta(milliseconds=1)


@given(case, st.lists(st.integers(min_value=1, max_value=5000), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_cutting_of_the_bytes_gives_the_same_calls(name: str, sizes: list[int]) -> None:
    data = traces.transcript(name)
    decoder = wire.Decoder()
    blocks: list[bytes] = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        blocks += decoder.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert traces.calls_of(traces.parsed(blocks)) == traces.calls_of(traces.events(name))


def are_independent(names: list[str]) -> bool:
    """Traces of different runs may have channels of one name; such calls are not independent."""
    channels = [e.uniqueid for name in names for e in traces.events(name) if isinstance(e, ev.Newchannel)]
    return len(set(channels)) == len(channels)


@given(st.lists(case, min_size=2, max_size=4, unique=True).filter(are_independent), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_independent_calls_do_not_touch_each_other(names: list[str], random: Random) -> None:
    waiting = [list(traces.events(name)) for name in names]
    alone = [call for name in names for call in traces.calls_of(traces.events(name))]
    mixed: list[ev.Event] = []
    while any(waiting):
        stream = random.choice([events for events in waiting if events])
        mixed.append(stream.pop(0))
    together = {call.call_id: call for call in traces.calls_of(mixed)}
    assert together == {call.call_id: call for call in alone}


@given(case, st.data())
@settings(max_examples=120, deadline=None)
def test_no_order_of_events_raises_and_no_call_outlives_its_channels(name: str, data: st.DataObject) -> None:
    events = list(traces.events(name))
    kept = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=len(events) * 2))
    tracker = Tracker(Directory())
    for index in kept:
        tracker.apply(events[index])
    gone = [event for event in events if isinstance(event, ev.Hangup)]
    for event in gone:
        tracker.apply(event)
    assert tracker.open_channels == 0
    assert tracker.open_calls == 0


@given(case, st.data())
@settings(max_examples=80, deadline=None)
def test_an_event_delivered_twice_changes_nothing(name: str, data: st.DataObject) -> None:
    events = list(traces.events(name))
    index = data.draw(st.integers(min_value=0, max_value=len(events) - 1))
    tracker = Tracker(Directory())
    for event in events[: index + 1]:
        tracker.apply(event)
    before = tracker.calls()
    again = tracker.apply(events[index])
    assert [change for change in again if not isinstance(change, Anomaly)] == []
    assert tracker.calls() == before
    doubled = events[: index + 1] + events[index:]
    assert traces.calls_of(doubled) == traces.calls_of(events)


@given(case, st.data())
@settings(max_examples=120, deadline=None)
def test_durations_add_up_whatever_was_lost(name: str, data: st.DataObject) -> None:
    events = list(traces.events(name))
    lost = data.draw(st.sets(st.integers(min_value=0, max_value=len(events) - 1), max_size=8))
    kept = [
        event for index, event in enumerate(events) if index not in lost or isinstance(event, ev.Newchannel | ev.Hangup)
    ]
    for call in traces.calls_of(kept):
        assert_adds_up(call)


@pytest.mark.parametrize("name", CALLS)
def test_each_recorded_call_is_whole(name: str) -> None:
    tracker = Tracker(Directory())
    ended: list[Call] = []
    for event in traces.events(name):
        for change in tracker.apply(event):
            assert isinstance(change, CallChange), change
            if isinstance(change, CallEnded):
                ended.append(change.call)
    assert tracker.open_calls == 0
    assert len({call.call_id for call in ended}) == len(ended) > 0
    for call in ended:
        assert call.status is not CallStatus.IN_PROGRESS
        assert call.complete
        assert_adds_up(call)


def assert_adds_up(call: Call) -> None:
    spent = durations.of(call)
    if call.ended_at is None:
        assert spent == durations.NONE_YET
        return
    assert spent.wait is not None and spent.talk is not None and spent.hold is not None and spent.duration is not None
    assert min(spent.wait, spent.talk, spent.hold, spent.ring or spent.wait) >= timedelta(0)
    connected = spent.talk + spent.hold
    assert spent.wait + connected <= spent.duration + MOMENT
    assert spent.hold <= connected
    answered = [offer for offer in call.offers if offer.result and offer.result.value == "answered"]
    assert len({offer.rang_at for offer in answered}) == len(answered)
    for offer in call.offers:
        assert offer.result is not None and offer.ended_at is not None and offer.ended_at >= offer.rang_at
    for visit in call.queue_visits:
        assert visit.exit is not None and visit.left_at is not None and visit.left_at >= visit.joined_at
    exits = [visit.exit for visit in call.queue_visits]
    assert len(exits) == sum(exits.count(way) for way in QueueExit)
