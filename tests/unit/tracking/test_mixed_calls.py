"""Events that mix two calls up: of lost or doubled events, and of linkedids that merged."""

from datetime import UTC, datetime, timedelta

from callcenter import events as ev
from callcenter.changes import AgentRinging, Anomaly, Change
from callcenter.tracking.directory import Device, Directory
from callcenter.tracking.tracker import Tracker

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
PHONES = Directory(devices={f"PJSIP/{n}": Device(str(n), agent=f"agent{n}") for n in (1001, 1002, 1003)})


def channel(uniqueid: str, linkedid: str, name: str, state: int = 0) -> ev.Newchannel:
    return ev.Newchannel(NOON, uniqueid, linkedid, name, state, "+447700900123", None, "from-trunk", "1001")


def dial(source: str, target: str, name: str) -> ev.DialBegin:
    return ev.DialBegin(NOON + timedelta(seconds=1), source, "1001", target, name, name)


def take(tracker: Tracker, *events: ev.Event) -> list[Change]:
    return [change for event in events for change in tracker.apply(event)]


def two_calls() -> Tracker:
    tracker = Tracker(PHONES)
    take(tracker, channel("1.1", "1.1", "PJSIP/trunk-1", 4), channel("2.1", "2.1", "PJSIP/trunk-2", 4))
    return tracker


def test_a_phone_that_came_under_another_linkedid_rings_for_the_call_that_dials_it() -> None:
    tracker = two_calls()
    changes = take(
        tracker,
        channel("2.2", "2.1", "PJSIP/1002-1"),
        dial("1.1", "2.2", "PJSIP/1002"),
        ev.Newstate(NOON + timedelta(seconds=2), "2.2", 5),
    )
    rung = [change for change in changes if isinstance(change, AgentRinging)]
    assert [(change.call_id, change.offer.agent) for change in rung] == [(tracker.call_id("1.1"), "agent1002")]
    assert [call.offers for call in tracker.calls() if call.call_id == tracker.call_id("2.1")] == [()]
    for uniqueid in ("1.1", "2.1", "2.2"):
        tracker.apply(ev.Hangup(NOON + timedelta(seconds=3), uniqueid, uniqueid, 16))
    assert (tracker.open_calls, tracker.open_channels) == (0, 0)


def test_a_channel_that_began_a_call_is_not_dialed_by_another() -> None:
    tracker = two_calls()
    before = tracker.calls()
    changes = take(tracker, dial("1.1", "2.1", "PJSIP/trunk"))
    assert [type(change) for change in changes] == [Anomaly]
    assert tracker.calls() == before
