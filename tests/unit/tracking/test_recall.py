"""A service that is killed in the middle of calls, and what the next one makes of a snapshot and of the log."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from callcenter import events as ev
from callcenter.calllog.record import call_of, hold_records, of
from callcenter.changes import AgentRinging, CallChange, CallMerged, CallStarted, Change
from callcenter.model import Call, CallStatus, Source
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker
from tests import traces

POINTS = 12
"""Moments of each trace at which the service is killed."""


class Asterisk:
    """What a snapshot would tell, by the events so far."""

    def __init__(self) -> None:
        self.channels: dict[str, ev.ChannelNow] = {}
        self.born: dict[str, datetime] = {}
        self.waiting: dict[str, ev.WaitingNow] = {}
        self.holding: set[str] = set()

    def see(self, event: ev.Event) -> None:
        """Take note of an event."""
        match event:
            case ev.Newchannel():
                self.born[event.uniqueid] = event.at
                self.channels[event.uniqueid] = ev.ChannelNow(
                    uniqueid=event.uniqueid,
                    linkedid=event.linkedid,
                    channel=event.channel,
                    state=event.state,
                    caller_num=event.caller_num,
                    caller_name=event.caller_name,
                    context=event.context,
                    exten=event.exten,
                )
            case ev.Newstate():
                self._set(event.uniqueid, state=event.state)
            case ev.Newexten():
                self._set(event.uniqueid, application=event.application)
            case ev.SpyStarted():
                self._set(event.uniqueid, application="ChanSpy")
            case ev.NewCallerid():
                self._set(event.uniqueid, caller_num=event.caller_num, caller_name=event.caller_name)
            case ev.BridgeEnter():
                self._set(event.uniqueid, bridge=event.bridge, linkedid=event.linkedid)
                if event.technology == "holding_bridge":
                    self.holding.add(event.bridge)
            case ev.BridgeLeave():
                self._set(event.uniqueid, bridge=None)
            case ev.QueueCallerJoin():
                self.waiting[event.uniqueid] = ev.WaitingNow(uniqueid=event.uniqueid, queue=event.queue)
            case ev.QueueCallerLeave():
                self.waiting.pop(event.uniqueid, None)
            case ev.Hangup():
                self.channels.pop(event.uniqueid, None)
                self.waiting.pop(event.uniqueid, None)

    def snapshot(self, now: datetime) -> ev.Snapshot:
        """What goes on now."""
        return ev.Snapshot(
            at=now,
            channels=tuple(self.channels.values()),
            waiting=tuple(self.waiting.values()),
            holding=frozenset(self.holding),
        )

    def _set(self, uniqueid: str, **facts: object) -> None:
        known = self.channels.get(uniqueid)
        if known is not None:
            plain = {name: getattr(known, name) for name in known.__struct_fields__} | facts
            self.channels[uniqueid] = ev.ChannelNow(**plain)


class Log:
    """The call log: the last state of each call, as it would be read again."""

    def __init__(self) -> None:
        self.calls: dict[object, Call] = {}
        self.merged: set[object] = set()

    def take(self, changes: Sequence[Change]) -> None:
        """Write changes."""
        for change in changes:
            if isinstance(change, CallChange):
                self.calls[change.call_id] = change.call
            if isinstance(change, CallMerged):
                self.calls.pop(change.merged, None)
                self.merged.add(change.merged)

    def in_progress(self) -> list[Call]:
        """What the next process reads."""
        return [
            call_of(of(call), hold_records(call.holds))
            for call in self.calls.values()
            if call.status is CallStatus.IN_PROGRESS
        ]


@pytest.mark.parametrize("case", traces.CASES)
def test_a_kill_at_any_moment_loses_no_call_doubles_none_and_leaves_none_open(case: str) -> None:
    events = traces.events(case)
    whole = {call.call_id: call for call in traces.calls_of(events)}
    step = max(1, len(events) // POINTS)
    for moment in range(1, len(events), step):
        log, asterisk, tracker = Log(), Asterisk(), Tracker(Directory())
        for event in events[:moment]:
            asterisk.see(event)
            log.take(tracker.apply(event))
        known = log.in_progress()
        tracker = Tracker(Directory())
        changes = tracker.resync(asterisk.snapshot(events[moment - 1].at), known)
        log.take(changes)
        begun = [change.call_id for change in changes if isinstance(change, CallStarted)]
        assert len(begun) == len(set(begun))
        for event in events[moment:]:
            log.take(tracker.apply(event))
        assert tracker.open_calls == 0, (case, moment)
        left_open = {one.call_id for one in log.calls.values() if one.ended_at is None}
        # those are ended by the log, since no channel of theirs was in the snapshot
        assert left_open <= {one.call_id for one in known}
        assert set(log.calls) - log.merged == set(whole), (case, moment)
        for call in known:
            now = log.calls.get(call.call_id)
            if now is None or now.ended_at is None or now.call_id not in whole:
                continue
            assert (now.complete, now.source) == (False, Source.RESYNC)
            for name in ("did", "started_at"):
                assert getattr(now, name) == getattr(call, name), (case, moment, name)
            assert all(offer.result is not None for offer in now.offers), (case, moment)
            assert all(one.to is not None for one in now.connections), (case, moment)


def talks(call: Call) -> list[object]:
    """Who talked when. What was dialed to reach an outside party that somebody else brought in, no snapshot tells."""
    return [(one.from_, one.to, one.interface, one.interface and one.number) for one in call.connections]


CONSULTING = ("feature-attended-transfer-by-caller", "feature-attended-transfer-to-busy")
"""A snapshot amid these consultations by feature code does not tell whose call the new leg is."""


@pytest.mark.parametrize(
    "case",
    [case for case in traces.CASES if (case.startswith("queue") or "transfer" in case) and case not in CONSULTING],
)
def test_a_kill_while_people_talk_changes_nothing_of_who_talked_when(case: str) -> None:
    events = traces.events(case)
    whole = {call.call_id: call for call in traces.calls_of(events)}
    tried = 0
    for moment in range(1, len(events)):
        log, asterisk, tracker = Log(), Asterisk(), Tracker(Directory())
        for event in events[:moment]:
            asterisk.see(event)
            log.take(tracker.apply(event))
        known = log.in_progress()
        if len(known) != 1 or not isinstance(events[moment - 1], ev.BridgeEnter) or not known[0].connections:
            continue
        tried += 1
        tracker = Tracker(Directory())
        changes = tracker.resync(asterisk.snapshot(events[moment - 1].at), known)
        assert not any(isinstance(change, AgentRinging) for change in changes), "nobody is rung again"
        log.take(changes)
        for event in events[moment:]:
            log.take(tracker.apply(event))
        if known[0].call_id not in whole:
            continue
        now, wanted = log.calls[known[0].call_id], whole[known[0].call_id]
        assert talks(now) == talks(wanted), (case, moment)
        assert [(one.interface, one.result) for one in now.offers] == [
            (one.interface, one.result) for one in wanted.offers
        ]
        assert (now.status, now.queue_visits) == (wanted.status, wanted.queue_visits)
        assert [(one.kind, one.by, one.to) for one in now.transfers] == [
            (one.kind, one.by, one.to) for one in wanted.transfers
        ]
    if not tried:
        assert all(call.answered_at is None for call in whole.values()) or len(whole) > 1
