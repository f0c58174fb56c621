"""The connection to the PBX cut at each event of each trace, and back at once or after some that nobody heard.

First the tracker alone, at every point and after every gap; then a sample of the same over real sockets, with the
service's own client, reconnection and snapshot. `CALLCENTER_ALL_FAULTS=1` tries all of them.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from callcenter import events as ev
from callcenter.changes import Anomaly, CallChange, CallEnded, CallMerged, CallStarted, Change
from callcenter.joints.directory import directory_of
from callcenter.model import Call, Source
from callcenter.pbx import Pbx
from callcenter.settings import PbxSettings
from callcenter.tracking import ids
from callcenter.tracking.tracker import Tracker
from tests import recorded_pbx, traces
from tests.faults import ALL
from tests.recorded_pbx import Moment
from tests.replay.expectation import SETTINGS
from tests.service.ami_peer import SECRET, Peer, Session, serving, unknown

CASES = [case for case in traces.CASES if any(isinstance(event, ev.Newchannel) for event in traces.events(case))]
GAPS = 3
"""Gaps after each cut, of different lengths, unless all are tried."""
OVER_SOCKETS = 60
"""Cuts over real sockets, unless all are tried."""
AT_ONCE = 40
"""Connections at one time: a new attempt waits a while, and they wait together."""


class Story:
    """What was said of the calls of one trace, and what must be true of it whatever was not heard."""

    def __init__(self, case: str, changes: list[Change]) -> None:
        self.changes = changes
        self.case = case

    def calls(self) -> dict[object, Call]:
        """The last record of each call."""
        found: dict[object, Call] = {}
        for change in self.changes:
            if isinstance(change, CallChange):
                found[change.call_id] = change.call
            if isinstance(change, CallMerged):
                found.pop(change.merged, None)
        return found

    def assert_whole(self, first: int, last: int) -> None:
        """Each call begins and ends once, those that were heard of or still went on are there, and no other."""
        started: set[object] = set()
        over: set[object] = set()
        for change in self.changes:
            if not isinstance(change, CallChange):
                continue
            assert change.call_id not in over, change
            if isinstance(change, CallStarted):
                assert change.call_id not in started, change
                started.add(change.call_id)
            if isinstance(change, CallEnded):
                over.add(change.call_id)
            if isinstance(change, CallMerged):
                over.add(change.merged)
        assert started == over
        assert started <= _possible(self.case)
        assert all(group & started for group in _must_be_told(self.case, first, last))

    def assert_few_anomalies(self, gone_unheard: int) -> None:
        """Of a channel that came and went in the gap a word may follow; nothing else is out of place."""
        assert len([change for change in self.changes if isinstance(change, Anomaly)]) <= gone_unheard


def _possible(case: str) -> set[object]:
    """The ids that calls of a trace may have: each is named by a channel."""
    return {ids.call_id(SETTINGS.id, event.uniqueid) for event in traces.events(case) if type(event) is ev.Newchannel}


def _must_be_told(case: str, first: int, last: int) -> list[set[object]]:
    """The calls of the truth that were told of before the cut, or whose first channel is there after the gap.

    Each as the ids of all that met in it: which of them goes on is another where a meeting was not heard.
    """
    truth = _truth(case)
    groups: dict[object, set[object]] = {
        change.call_id: {change.call_id} for change in truth[-1] if isinstance(change, CallStarted)
    }
    for change in truth[-1]:
        if isinstance(change, CallMerged):
            groups[change.call_id] |= groups.pop(change.merged)
    seen = {change.call_id for change in truth[first] if isinstance(change, CallChange)}
    seen |= {
        ids.call_id(SETTINGS.id, channel.uniqueid)
        for channel in recorded_pbx.moments(case)[last - 1].snapshot().channels
        if channel.uniqueid == channel.linkedid
    }
    return [group for group in groups.values() if group & seen]


def _truth(case: str) -> list[list[Change]]:
    """All that is said up to each event, where everything is heard; the whole story comes last."""
    known = _TRUTHS.get(case)
    if known is None:
        tracker = Tracker(directory_of(SETTINGS, tenant="default"))
        known = _TRUTHS[case] = [[]]
        for moment in recorded_pbx.moments(case):
            known.append(known[-1] + tracker.apply(moment.event))
    return known


_TRUTHS: dict[str, list[list[Change]]] = {}


def cut(case: str, first: int, last: int) -> tuple[Story, Tracker]:
    """Hear the first events, then a snapshot after those up to `last`, then the rest."""
    moments = recorded_pbx.moments(case)
    tracker = Tracker(directory_of(SETTINGS, tenant="default"))
    changes: list[Change] = []
    for moment in moments[:first]:
        changes += tracker.apply(moment.event)
    changes += tracker.resync(moments[last - 1].snapshot())
    for moment in moments[last:]:
        changes += tracker.apply(moment.event)
    return Story(case, changes), tracker


def as_heard(call: Call) -> Call:
    """A record without the remark that something may not have been heard."""
    return msgspec.structs.replace(call, complete=True, source=Source.LIVE)


def gaps(first: int, length: int, random: Random) -> Iterator[int]:
    """Where the connection is back after a cut: all possible places, or some of each distance."""
    if ALL:
        yield from range(first + 1, length)
    else:
        later = range(first + 1, length)
        yield from random.sample(later, min(GAPS, len(later)))


@pytest.mark.parametrize("case", CASES)
def test_a_connection_that_is_back_at_once_changes_nothing(case: str) -> None:
    wanted = {call_id: as_heard(call) for call_id, call in Story(case, _truth(case)[-1]).calls().items()}
    for at in range(1, len(recorded_pbx.moments(case))):
        story, tracker = cut(case, at, at)
        assert {call_id: as_heard(call) for call_id, call in story.calls().items()} == wanted, at
        assert tracker.open_calls == tracker.open_channels == 0
        story.assert_whole(at, at)
        story.assert_few_anomalies(0)


@pytest.mark.parametrize("case", CASES)
def test_no_call_is_lost_or_doubled_by_events_that_nobody_heard(case: str) -> None:
    random = Random(case)
    length = len(recorded_pbx.moments(case))
    for first in range(1, length):
        for last in gaps(first, length, random):
            story, tracker = cut(case, first, last)
            assert tracker.open_calls == tracker.open_channels == 0, (first, last)
            story.assert_whole(first, last)
            story.assert_few_anomalies(_excused(case, first, last))


def _excused(case: str, first: int, last: int) -> int:
    """How many channels came and went in the gap, of which a late word may follow; and how many wait after it.

    Whoever consults a queue while the customer talks is found waiting beside that talk, which is taken for its end: its
    leaving is then told once too often.
    """
    unheard = [moment.event for moment in recorded_pbx.moments(case)[first:last]]
    born = {event.uniqueid for event in unheard if isinstance(event, ev.Newchannel)}
    gone = sum(isinstance(event, ev.Hangup) and event.uniqueid in born for event in unheard)
    return gone + (len(recorded_pbx.moments(case)[last - 1].queues) if unheard else 0)


class Player:
    """A PBX on a socket that plays a trace, breaks the connection at one event, and goes on at another."""

    def __init__(self, moments: tuple[Moment, ...], first: int, last: int) -> None:
        self.peer = Peer()
        self.peer.answers |= {"CoreShowChannels": self._channels, "QueueStatus": self._queues, "Ping": self._ping}
        self.peer.answers["BridgeList"] = self._bridges
        self._moments = moments
        self._now = 0
        self._parts = [(0, first), (last, len(moments))]
        self._cut: Session | None = None

    async def _ping(self, session: Session, request: dict[str, str]) -> None:
        at = self._moments[max(self._now - 1, 0)].event.at
        session.reply(request, "Success", "Ping: Pong", f"Timestamp: {at.timestamp():.6f}")

    async def _channels(self, session: Session, request: dict[str, str]) -> None:
        self._now = self._parts[0][0] if self._parts else len(self._moments)
        rows = self._moments[self._now - 1].channels if self._now else ()
        self._list(session, request, rows, "CoreShowChannelsComplete")

    async def _queues(self, session: Session, request: dict[str, str]) -> None:
        rows = self._moments[self._now - 1].queues if self._now else ()
        self._list(session, request, rows, "QueueStatusComplete")
        # What comes after the snapshot; a reconnection that was cut short does not get here.
        begin, end = self._parts.pop(0)
        for moment in self._moments[begin:end]:
            session.writer.write(moment.block + b"\r\n\r\n")
        self._now = end
        if self._parts:
            self._now = self._parts[0][0]
            # Half of it: closed with a question unread, the socket would take back what is on its way.
            session.writer.write_eof()
            self._cut = session

    async def _bridges(self, session: Session, request: dict[str, str]) -> None:
        if session is not self._cut:
            await unknown(session, request)

    def _list(self, session: Session, request: dict[str, str], rows: tuple[bytes, ...], done: str) -> None:
        session.reply(request, "Success", "EventList: start", "Message: A list follows")
        session.writer.write(recorded_pbx.listed(rows, request["ActionID"]))
        session.send(f"Event: {done}", f"ActionID: {request['ActionID']}", "EventList: Complete")

    @property
    def done(self) -> bool:
        """Whether everything was sent."""
        return not self._parts


async def play(case: str, first: int, last: int) -> tuple[Story, Pbx]:
    """Follow a trace over real sockets, with a cut."""
    moments = recorded_pbx.moments(case)
    changes: list[Change] = []
    player = Player(moments, first, last)
    # With each log-in comes FullyBooted.
    heard = first + len(moments) - last + 2

    def publish(change: CallChange, arrived: datetime) -> None:
        changes.append(change)

    async with serving(player.peer) as peer:
        settings: dict[str, Any] = {"port": peer.port, "secret": SecretStr(SECRET), "action_timeout_s": 20.0}
        pbx = Pbx(
            PbxSettings(**{**SETTINGS.model_dump(), **settings}),
            directory_of(SETTINGS, tenant="default"),
            publish,
            lambda state: None,
            lambda alive, at: None,
        )
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            running = group.create_task(pbx.run(), name=f"{case} cut at {first}, back at {last}")
            while not (player.done and pbx.synced and pbx.counters.events >= heard):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            running.cancel()
    return Story(case, changes), pbx


@pytest.mark.timeout(1800)
async def test_the_service_itself_reconnects_and_loses_no_call() -> None:
    random = Random(22)
    cuts = [
        (case, first, random.choice((first, random.randrange(first, length))))
        for case in CASES
        for length in [len(recorded_pbx.moments(case))]
        for first in range(1, length)
    ]
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(case: str, first: int, last: int) -> None:
        async with slots:
            story, pbx = await play(case, first, last)
        where = f"{case} cut at {first}, back at {last}"
        assert pbx.counters.resyncs == 2, where
        assert pbx.counters.failed == pbx.counters.unreadable == 0, where
        assert pbx.tracker.open_calls == pbx.tracker.open_channels == 0, where
        assert pbx.counters.anomalies <= _excused(case, first, last), where
        story.assert_whole(first, last)
        assert story.calls() == cut(case, first, last)[0].calls(), where

    with capture_logs() as logs:
        async with asyncio.TaskGroup() as group:
            for chosen in cuts if ALL else random.sample(cuts, OVER_SOCKETS):
                group.create_task(one(*chosen), name=str(chosen))
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []
