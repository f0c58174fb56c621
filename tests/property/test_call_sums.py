"""What must add up at every moment, however calls are mixed, cut off, or told in another order."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter import events as ev
from callcenter.changes import CallChange, CallMerged, CallQueued, Change, QueueLeft
from callcenter.joints.directory import directory_of
from callcenter.metrics import durations
from callcenter.model import Call, QueueExit
from callcenter.tracking import ids
from callcenter.tracking.tracker import Tracker
from tests import recorded_pbx, traces
from tests.allowance import may_swap
from tests.property.test_tracker import CALLS, are_independent
from tests.replay.expectation import SETTINGS

MOMENT = timedelta(milliseconds=100)
"""A talk that moves to another bridge is in two of them for less than this."""
ZERO = timedelta(0)
WHOLE = timedelta(seconds=1)
QUEUES = [name for name in CALLS if any(isinstance(event, ev.QueueCallerJoin) for event in traces.events(name))]
case = st.sampled_from(CALLS)
mixtures = st.lists(case, min_size=2, max_size=4, unique=True).filter(are_independent)
visiting = st.lists(st.sampled_from(QUEUES), min_size=1, max_size=4, unique=True).filter(are_independent)
randoms = st.randoms(use_true_random=False)


def tracker() -> Tracker:
    return Tracker(directory_of(SETTINGS, tenant="default"))


def said(stream: Iterable[ev.Event]) -> list[CallChange]:
    """What is said of all calls, in order."""
    one = tracker()
    return [change for event in stream for change in one.apply(event) if isinstance(change, CallChange)]


def said_of(stream: Iterable[ev.Event]) -> dict[object, list[Change]]:
    """What is said of each call, in order; of calls that met, as of one."""
    found: dict[object, list[Change]] = {}
    for change in said(stream):
        found.setdefault(change.call_id, []).append(change)
    return found


def last_records(changes: Iterable[Change]) -> list[Call]:
    """How each call ended."""
    found: dict[object, Call] = {}
    for change in changes:
        if isinstance(change, CallChange):
            found[change.call_id] = change.call
        if isinstance(change, CallMerged):
            found.pop(change.merged, None)
    return list(found.values())


def mixed(names: Sequence[str], random: Random) -> list[ev.Event]:
    """The events of several traces in one stream; each trace's own keep their order."""
    waiting = [list(reversed(traces.events(name))) for name in names]
    stream: list[ev.Event] = []
    while any(waiting):
        stream.append(random.choice([events for events in waiting if events]).pop())
    return stream


@given(mixtures, randoms)
@settings(max_examples=60, deadline=None)
def test_the_same_is_said_of_each_call_whatever_else_goes_on(names: list[str], random: Random) -> None:
    alone: dict[object, list[Change]] = {}
    for name in names:
        alone |= said_of(traces.events(name))
    assert said_of(mixed(names, random)) == alone


@given(case, st.data())
@settings(max_examples=80, deadline=None)
def test_an_order_that_asterisk_might_have_sent_ends_in_the_same_calls(name: str, data: st.DataObject) -> None:
    stream = list(traces.events(name))
    at = st.integers(min_value=0, max_value=max(len(stream) - 2, 0))
    for index in data.draw(st.lists(at, max_size=2 * len(stream))):
        if len(stream) > 1 and may_swap(stream[index], stream[index + 1]):
            stream[index], stream[index + 1] = stream[index + 1], stream[index]
    found, wanted = (
        {
            call.call_id: (call.direction, call.status, call.did, call.hangup_by, call.caller, call.callee)
            for call in last_records(said(events))
        }
        for events in (stream, traces.events(name))
    )
    assert found == wanted


@given(visiting, randoms, st.data())
@settings(max_examples=80, deadline=None)
def test_offered_is_answered_and_abandoned_and_others_and_still_waiting(
    names: list[str], random: Random, data: st.DataObject
) -> None:
    stream = mixed(names, random)
    lost = data.draw(st.sets(st.integers(min_value=0, max_value=len(stream) - 1), max_size=6))
    one = tracker()
    offered = refused = 0
    exits: Counter[QueueExit | None] = Counter()
    for index, event in enumerate(stream):
        if index in lost and not isinstance(event, ev.Newchannel | ev.Hangup):
            continue
        for change in one.apply(event):
            offered += isinstance(change, CallQueued)
            if isinstance(change, QueueLeft):
                exits[change.visit.exit] += 1
                refused += change.visit.joined_at == change.visit.left_at
        waiting = sum(
            visit.left_at is None or visit.exit is None for call in one.calls() for visit in call.queue_visits
        )
        assert offered + refused == exits.total() + waiting
    assert exits[None] == 0
    assert one.calls() == []
    if not lost:
        assert offered == sum(isinstance(event, ev.QueueCallerJoin) for event in stream)


@given(case, st.data())
@settings(max_examples=120, deadline=None)
def test_durations_add_up_whatever_was_not_heard(name: str, data: st.DataObject) -> None:
    moments = recorded_pbx.moments(name)
    first = data.draw(st.integers(min_value=0, max_value=len(moments) - 1))
    last = data.draw(st.integers(min_value=max(first, 1), max_value=len(moments)))
    one = tracker()
    changes: list[Change] = []
    for moment in moments[:first]:
        changes += one.apply(moment.event)
    changes += one.resync(moments[last - 1].snapshot())
    for moment in moments[last:]:
        changes += one.apply(moment.event)
    for call in last_records(changes):
        spent = durations.of(call)
        assert spent.wait is not None and spent.talk is not None and spent.duration is not None
        # A snapshot tells the age of a wait in whole seconds.
        connected = spent.talk + (spent.hold or ZERO)
        assert min(spent.wait, connected) >= ZERO
        assert spent.wait + connected <= spent.duration + WHOLE


@given(mixtures, randoms)
@settings(max_examples=40, deadline=None)
def test_a_customer_talks_with_one_agent_at_a_time(names: list[str], random: Random) -> None:
    shared = {call_id for name in names for call_id in _conferences(name)}
    stream = mixed(names, random)
    for call in last_records(said(stream)):
        answered = [offer for offer in call.offers if offer.result == "answered" and offer.queue is not None]
        assert len(answered) <= sum(visit.exit is QueueExit.ANSWERED for visit in call.queue_visits)
        agents = [one for one in call.connections if one.agent is not None]
        for one, other in combinations(agents, 2):
            assert one.to is not None and other.to is not None
            together = min(one.to, other.to) - max(one.from_, other.from_)
            assert together <= MOMENT or call.call_id in shared


def _conferences(name: str) -> set[object]:
    """The calls of a trace in which three and more stood in one bridge for longer than a moment."""
    inside: dict[str, set[str]] = {}
    since: dict[str, datetime] = {}
    local: set[str] = set()
    found: set[object] = set()
    for event in traces.events(name):
        if isinstance(event, ev.Newchannel) and event.channel.startswith("Local/"):
            local.add(event.uniqueid)
        if not isinstance(event, ev.BridgeEnter | ev.BridgeLeave) or event.uniqueid in local:
            continue
        people = inside.setdefault(event.bridge, set())
        begun = since.pop(event.bridge, None)
        if begun is not None and event.at - begun > MOMENT:
            found |= {
                ids.call_id(SETTINGS.id, born.linkedid)
                for born in traces.events(name)
                if isinstance(born, ev.Newchannel)
            }
        if isinstance(event, ev.BridgeEnter):
            people.add(event.uniqueid)
        else:
            people.discard(event.uniqueid)
        if len(people) > 2:
            since[event.bridge] = event.at
    return found
