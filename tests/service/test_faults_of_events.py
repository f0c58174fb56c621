"""Events lost, doubled, and swapped as Asterisk might have: each one of each trace. No call is lost, none doubled."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from callcenter import events as ev
from callcenter.changes import Anomaly, CallChange, CallEnded, CallMerged, CallStarted, Change
from callcenter.joints.directory import directory_of
from callcenter.model import Connection
from callcenter.tracking.tracker import Tracker
from tests import recorded_pbx, traces
from tests.allowance import may_swap
from tests.faults import ALL
from tests.replay.expectation import SETTINGS

MOMENT = timedelta(milliseconds=100)
"""What takes another's place took it within this time, so times differ by it at most."""
MIXTURES = 150 if ALL else 12
"""Random orders of each trace; every single swap is always tried."""


class Outcome:
    """What a tracker made of a stream, and then of a snapshot in which nothing goes on."""

    def __init__(self, stream: Iterable[ev.Event], end: ev.Snapshot) -> None:
        self.tracker = Tracker(directory_of(SETTINGS, tenant="default"))
        self.changes: list[Change] = []
        for event in stream:
            self.changes += self.tracker.apply(event)
        self.open_before = self.tracker.open_calls
        self.changes += self.tracker.resync(end)

    @property
    def anomalies(self) -> list[Anomaly]:
        return [change for change in self.changes if isinstance(change, Anomaly)]

    def calls(self) -> dict[object, Any]:
        """The last record of each call."""
        found: dict[object, Any] = {}
        for change in self.changes:
            if isinstance(change, CallChange):
                found[change.call_id] = change.call
            if isinstance(change, CallMerged):
                found.pop(change.merged, None)
        return found

    def assert_each_call_begins_and_ends_once(self) -> None:
        """Nothing is said of a call before it begins nor after it ended, and none is left open."""
        open_calls: set[object] = set()
        over: set[object] = set()
        for change in self.changes:
            if not isinstance(change, CallChange):
                continue
            assert change.call_id not in over, change
            if isinstance(change, CallStarted):
                assert change.call_id not in open_calls
                open_calls.add(change.call_id)
            assert change.call_id in open_calls, change
            gone = change.merged if isinstance(change, CallMerged) else change.call_id
            if isinstance(change, CallMerged | CallEnded):
                open_calls.discard(gone)
                over.add(gone)
        assert open_calls == set()
        assert self.tracker.open_calls == self.tracker.open_channels == 0


def events_of(case: str) -> tuple[ev.Event, ...]:
    """The events of a trace that tell of calls."""
    return tuple(
        moment.event for moment in recorded_pbx.moments(case) if not isinstance(moment.event, ev.QueueMemberState)
    )


CASES = [case for case in traces.CASES if len(events_of(case)) > 1]


def outcome(stream: Sequence[ev.Event]) -> Outcome:
    return Outcome(stream, ev.Snapshot(at=stream[-1].at))


def in_order(parts: tuple[object, ...]) -> list[object]:
    """Connections by who talked: which of those that come into a conference together is first is chance."""
    return sorted(parts, key=lambda part: repr((part.interface, part.number)) if isinstance(part, Connection) else "")


def alike(one: object, other: object) -> bool:
    """Whether two records say the same, but for moments."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) <= MOMENT
    if isinstance(one, msgspec.Struct) and type(one) is type(other):
        return all(alike(getattr(one, name), getattr(other, name)) for name in one.__struct_fields__)
    if isinstance(one, tuple) and isinstance(other, tuple):
        one, other = in_order(one), in_order(other)
        return len(one) == len(other) and all(alike(*pair) for pair in zip(one, other, strict=True))
    return one == other


def differences(got: dict[object, Any], wanted: dict[object, Any]) -> list[str]:
    """What differs between calls that should be the same."""
    if got.keys() != wanted.keys():
        return [f"calls {sorted(map(str, got))}, not {sorted(map(str, wanted))}"]
    return [
        f"{name}: {getattr(got[call], name)}, not {getattr(wanted[call], name)}"
        for call in got
        for name in got[call].__struct_fields__
        if not alike(getattr(got[call], name), getattr(wanted[call], name))
    ]


def swapped(stream: Sequence[ev.Event], index: int) -> list[ev.Event]:
    """The stream with two neighbors swapped; times still only go forward."""
    one, other = stream[index], stream[index + 1]
    return [
        *stream[:index],
        msgspec.structs.replace(other, at=one.at),
        msgspec.structs.replace(one, at=other.at),
        *stream[index + 2 :],
    ]


@pytest.mark.parametrize("case", CASES)
def test_any_event_may_be_lost(case: str) -> None:
    stream = events_of(case)
    whole = outcome(stream).calls()
    for index, lost in enumerate(stream):
        found = outcome([*stream[:index], *stream[index + 1 :]])
        assert found.tracker.open_calls == 0
        assert not found.open_before or isinstance(lost, ev.Hangup), f"without {lost}"
        if isinstance(lost, ev.Newchannel):
            # Where nothing joins the others, they come one after the other, and are several calls.
            continue
        found.assert_each_call_begins_and_ends_once()
        back = isinstance(lost, ev.DialBegin) and lost.uniqueid is None
        makes = ev.BridgeEnter | ev.AttendedTransfer | ev.Pickup | ev.NewConnectedLine | ev.SpyStarted
        if not back and not isinstance(lost, makes):
            # These make a call, one of two, or none of who only listens; without any other the same calls are found.
            assert found.calls().keys() == whole.keys(), f"without {lost}"
            # A channel is talked of in a few more events at most; only where it was never seen, in all of its own.
            assert len(found.anomalies) <= 2, f"without {lost}"


@pytest.mark.parametrize("case", CASES)
def test_any_event_may_come_twice(case: str) -> None:
    stream = events_of(case)
    whole = outcome(stream)
    for index, twice in enumerate(stream):
        found = outcome([*stream[: index + 1], *stream[index:]])
        assert found.calls() == whole.calls(), f"with {twice} twice"
        assert len(found.anomalies) <= 1
    doubled = outcome([event for event in stream for _ in range(2)])
    doubled.assert_each_call_begins_and_ends_once()
    assert doubled.calls() == whole.calls()


@pytest.mark.parametrize("case", CASES)
def test_any_two_neighbors_may_be_swapped_where_asterisk_might_have(case: str) -> None:
    stream = events_of(case)
    whole = outcome(stream).calls()
    for index in range(len(stream) - 1):
        if may_swap(stream[index], stream[index + 1]):
            found = outcome(swapped(stream, index))
            found.assert_each_call_begins_and_ends_once()
            assert differences(found.calls(), whole) == [], f"{stream[index]} after {stream[index + 1]}"
            assert found.anomalies == []


@pytest.mark.parametrize("case", CASES)
def test_any_order_that_asterisk_might_have_sent_gives_the_same_calls(case: str) -> None:
    stream = events_of(case)
    whole = outcome(stream).calls()
    random = Random(case)
    for _ in range(MIXTURES):
        mixed = list(stream)
        for _ in range(2 * len(stream)):
            index = random.randrange(len(stream) - 1)
            if may_swap(mixed[index], mixed[index + 1]):
                mixed = swapped(mixed, index)
        found = outcome(mixed)
        found.assert_each_call_begins_and_ends_once()
        assert differences(found.calls(), whole) == [], mixed
        assert found.anomalies == []


def test_the_allowance_is_used() -> None:
    pairs = [(stream[at], stream[at + 1]) for stream in map(events_of, CASES) for at in range(len(stream) - 1)]
    allowed = [pair for pair in pairs if may_swap(*pair)]
    assert len(allowed) > len(pairs) / 5
    kinds = {frozenset((type(one), type(other))) for one, other in allowed}
    assert frozenset((ev.Newstate, ev.DialBegin)) in kinds and frozenset((ev.BridgeEnter,)) in kinds
