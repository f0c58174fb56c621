"""What no recorded trace shows: impossible events, lost beginnings, and what is known of a PBX."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter import events as ev
from callcenter.changes import Anomaly, CallEnded, CallStarted
from callcenter.model import CallStatus, Direction, HangupBy, PartyKind
from callcenter.tracking.directory import Device, Directory
from callcenter.tracking.tracker import HANDLERS, Tracker
from tests import traces

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def inbound(uniqueid: str = "1.1") -> ev.Newchannel:
    """A call from the trunk."""
    return ev.Newchannel(
        at(0), uniqueid, uniqueid, "PJSIP/trunk-00000001", 4, "+447700900123", "Zoë", "from-trunk", "1001"
    )


@pytest.mark.parametrize("case", traces.CASES)
def test_every_event_about_an_unknown_channel_is_an_anomaly_and_nothing_else(case: str) -> None:
    for event in traces.events(case):
        if isinstance(event, ev.Newchannel | ev.OriginateResponse) or type(event) not in HANDLERS:
            continue
        changes = Tracker(Directory()).apply(event)
        assert changes and all(isinstance(change, Anomaly) for change in changes), event


def test_an_event_of_no_concern_changes_nothing() -> None:
    member = ev.QueueMemberState(at(0), "support", "PJSIP/1001", None, None, False, None, 1, False)
    assert Tracker(Directory()).apply(member) == []


def test_a_leg_never_goes_back_from_up() -> None:
    tracker = Tracker(Directory())
    tracker.apply(inbound())
    tracker.apply(ev.Newstate(at(1), "1.1", 6))
    before = tracker.calls()
    changes = tracker.apply(ev.Newstate(at(2), "1.1", 5))
    assert [type(change) for change in changes] == [Anomaly]
    assert tracker.calls() == before


def test_a_late_word_about_a_channel_that_is_gone_is_no_anomaly() -> None:
    tracker = Tracker(Directory())
    tracker.apply(inbound())
    tracker.apply(ev.Hangup(at(1), "1.1", "1.1", 16))
    assert tracker.apply(ev.Hangup(at(1), "1.1", "1.1", 16)) == []
    assert tracker.apply(ev.VarSet(at(1), "1.1", "QUEUESTATUS", "TIMEOUT")) == []
    assert isinstance(tracker.apply(inbound())[0], Anomaly)


def test_who_sits_at_a_phone_is_known_from_the_directory() -> None:
    tracker = Tracker(Directory(devices={"PJSIP/1001": Device("1001", "li", "Li Wei")}))
    for event in traces.events("inbound-direct-answered-agent-hangs-up"):
        changes = tracker.apply(event)
    call = changes[-1].call if isinstance(changes[-1], CallEnded) else None
    assert call is not None
    assert (call.callee.name, call.callee.kind, call.callee.agent) == ("Li Wei", PartyKind.AGENT, "li")
    assert [offer.agent for offer in call.offers] == ["li"]
    assert [connection.agent for connection in call.connections] == ["li"]
    assert call.hangup_by is HangupBy.AGENT


def test_what_is_learned_of_phones_counts_for_calls_that_begin_later() -> None:
    tracker = Tracker(Directory())
    tracker.apply(inbound("1.1"))
    tracker.learn(Directory(tenant="other"))
    tracker.apply(inbound("2.1"))
    assert [call.tenant for call in tracker.calls()] == ["default", "other"]


def test_our_own_originate_is_an_outbound_call_from_its_first_event_on() -> None:
    tracker = Tracker(Directory(pbx="pbx"))
    tracker.originate("ctd-1001-a", "02079460150")
    events = traces.events("click-to-dial-answered")
    first = next(event for event in events if isinstance(event, ev.Newchannel))
    started = [change for change in tracker.apply(first) if isinstance(change, CallStarted)]
    assert [change.call.direction for change in started] == [Direction.OUTBOUND]
    assert started[0].call_id == tracker.call_id("ctd-1001-a")
    assert started[0].call.callee.number == "02079460150"


def test_an_originate_that_came_to_nothing_is_forgotten() -> None:
    tracker = Tracker(Directory())
    tracker.originate("x", "02079460150")
    tracker.forget("x")
    tracker.forget("never noted")
    assert tracker.apply(inbound("x"))[0].call.direction is Direction.INBOUND  # type: ignore[union-attr]


def test_a_resync_ends_what_is_gone_and_begins_what_is_new() -> None:
    tracker = Tracker(Directory())
    tracker.apply(inbound("1.1"))
    snapshot = ev.Snapshot(
        at=at(60),
        channels=(
            ev.ChannelNow(uniqueid="5.1", linkedid="5.1", channel="PJSIP/trunk-00000009", state=6, age_s=30,
                          context="from-trunk", caller_num="+447700900124", exten="sales", bridge="b"),
            ev.ChannelNow(uniqueid="5.2", linkedid="5.1", channel="PJSIP/1001-0000000a", state=6, age_s=20,
                          context="from-internal", bridge="b"),
            ev.ChannelNow(uniqueid="6.1", linkedid="6.1", channel="PJSIP/trunk-0000000b", state=6, age_s=8,
                          context="from-trunk", caller_num="+447700900125", exten="sales"),
        ),
        waiting=(ev.WaitingNow(uniqueid="6.1", queue="sales", position=1, wait_s=5),),
    )  # fmt: skip
    changes = tracker.resync(snapshot)
    assert not any(isinstance(change, Anomaly) for change in changes)
    ended = [change.call for change in changes if isinstance(change, CallEnded)]
    assert [(call.status, call.complete) for call in ended] == [(CallStatus.FAILED, False)]
    talking, waiting = tracker.calls()
    assert (talking.started_at, talking.complete) == (at(30), False)
    assert [connection.interface for connection in talking.connections] == ["PJSIP/1001"]
    assert [(visit.queue, visit.joined_at) for visit in waiting.queue_visits] == [("sales", at(55))]
    again = tracker.resync(snapshot)
    assert [change for change in again if not isinstance(change, Anomaly)] == []
