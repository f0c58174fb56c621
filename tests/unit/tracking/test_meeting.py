"""Calls that meet: which of two goes on, and what it takes over."""

from datetime import UTC, datetime, timedelta

from callcenter import events as ev
from callcenter.changes import CallEnded, CallMerged, CallTransferred, Change
from callcenter.model import Call, Direction, OfferResult, TransferKind
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
UP, RING, DOWN = 6, 4, 0


def channel_of(device: str, uniqueid: str) -> str:
    return f"PJSIP/{device}-{int(uniqueid.partition('.')[2]):08x}"


class Pbx:
    """Says what Asterisk would, a second after the other."""

    def __init__(self) -> None:
        self.tracker = Tracker(Directory(trunks=frozenset({"trunk"})))
        self.told: list[Change] = []
        self._seconds = 0
        self._linkedids: dict[str, str] = {}

    def now(self) -> datetime:
        self._seconds += 1
        return NOON + timedelta(seconds=self._seconds)

    def say(self, event: ev.Event) -> None:
        self.told += self.tracker.apply(event)

    def arrives(self, uniqueid: str, exten: str = "1001") -> None:
        """Somebody calls in."""
        self.say(
            ev.Newchannel(self.now(), uniqueid, uniqueid, channel_of("trunk", uniqueid), RING, "1", None, "x", exten)
        )

    def dials(self, uniqueid: str, device: str, exten: str) -> None:
        """A phone of ours begins a call."""
        channel = channel_of(device, uniqueid)
        self.say(ev.Newchannel(self.now(), uniqueid, uniqueid, channel, RING, device, None, "x", exten))

    def rings(self, caller: str, uniqueid: str, device: str) -> None:
        """A phone of ours is rung for a call."""
        channel = channel_of(device, uniqueid)
        self._linkedids[uniqueid] = caller
        self.say(ev.Newchannel(self.now(), uniqueid, caller, channel, DOWN, device, None, "x", "s"))
        self.say(ev.DialBegin(self.now(), caller, device, uniqueid, channel, device))
        self.say(ev.Newstate(self.now(), uniqueid, 5))

    def answers(self, caller: str, uniqueid: str, bridge: str) -> None:
        """The phone that rings takes the call."""
        self.say(ev.Newstate(self.now(), uniqueid, UP))
        self.say(ev.DialEnd(self.now(), caller, uniqueid, "ANSWER", None))
        self.enters(bridge, uniqueid, caller)

    def enters(self, bridge: str, *uniqueids: str) -> None:
        """Channels come to a bridge; their linkedids follow later, as they do in Asterisk."""
        for uniqueid in uniqueids:
            linkedid = self._linkedids.get(uniqueid, uniqueid)
            self.say(ev.BridgeEnter(self.now(), uniqueid, linkedid, bridge, "simple_bridge"))

    def leaves(self, bridge: str, uniqueid: str) -> None:
        self.say(ev.BridgeLeave(self.now(), uniqueid, bridge))

    def hangs_up(self, *uniqueids: str) -> None:
        for uniqueid in uniqueids:
            self.say(ev.Hangup(self.now(), uniqueid, uniqueid, 16))

    def ended(self) -> list[Call]:
        return [change.call for change in self.told if isinstance(change, CallEnded)]

    def merged(self) -> list[CallMerged]:
        return [change for change in self.told if isinstance(change, CallMerged)]


def consulting() -> Pbx:
    """A customer at 1001, who calls 1002 on another line; 1002 answers."""
    pbx = Pbx()
    pbx.arrives("1.0")
    pbx.rings("1.0", "1.1", "1001")
    pbx.answers("1.0", "1.1", "sale")
    pbx.say(ev.Hold(pbx.now(), "1.1"))
    pbx.dials("1.2", "1001", "1002")
    pbx.rings("1.2", "1.3", "1002")
    pbx.answers("1.2", "1.3", "question")
    return pbx


def test_a_consultation_that_is_joined_becomes_part_of_the_customers_call() -> None:
    pbx = consulting()
    pbx.leaves("sale", "1.0")
    pbx.leaves("question", "1.2")
    pbx.enters("question", "1.0")
    pbx.say(ev.AttendedTransfer(pbx.now(), "1.1", "1.2", "1002", "1.3", UP, None))
    pbx.hangs_up("1.1", "1.2", "1.3", "1.0")
    (call,) = pbx.ended()
    assert call.direction is Direction.INBOUND and call.linkedids == ("1.0", "1.2")
    assert [one.merged for one in pbx.merged()] == [pbx.tracker.call_id("1.2")]
    assert [one.interface for one in call.connections] == ["PJSIP/1001", "PJSIP/1002"]
    assert [one.interface for one in call.offers] == ["PJSIP/1001", "PJSIP/1002"]
    assert [(one.kind, one.by, one.to) for one in call.transfers] == [
        (TransferKind.ATTENDED, "PJSIP/1001", "PJSIP/1002")
    ]
    assert [one.to is not None for one in call.holds] == [True]
    assert pbx.tracker.open_calls == pbx.tracker.open_channels == 0


def test_a_consultation_that_is_not_joined_stays_a_call_of_its_own() -> None:
    pbx = consulting()
    pbx.hangs_up("1.3", "1.2")
    pbx.say(ev.Unhold(pbx.now(), "1.1"))
    pbx.hangs_up("1.0", "1.1")
    assert [call.direction for call in pbx.ended()] == [Direction.INTERNAL, Direction.INBOUND]
    assert not pbx.merged()


def test_the_call_with_a_customer_goes_on_though_the_colleagues_call_is_older() -> None:
    pbx = Pbx()
    pbx.dials("1.0", "1001", "1002")
    pbx.rings("1.0", "1.1", "1002")
    pbx.answers("1.0", "1.1", "chat")
    pbx.arrives("1.2", "1001")
    pbx.rings("1.2", "1.3", "1001")
    pbx.answers("1.2", "1.3", "sale")
    pbx.leaves("sale", "1.3")
    pbx.leaves("chat", "1.1")
    pbx.enters("sale", "1.1")
    pbx.hangs_up("1.0", "1.3", "1.1", "1.2")
    (call,) = pbx.ended()
    assert call.direction is Direction.INBOUND
    assert call.call_id == pbx.tracker.call_id("1.2")
    assert [one.interface for one in call.connections] == ["PJSIP/1001", "PJSIP/1002"]


def test_of_two_customers_who_are_joined_the_first_ones_call_goes_on() -> None:
    pbx = Pbx()
    pbx.arrives("1.0")
    pbx.rings("1.0", "1.1", "1001")
    pbx.answers("1.0", "1.1", "first")
    pbx.arrives("1.2")
    pbx.rings("1.2", "1.3", "1001")
    pbx.answers("1.2", "1.3", "second")
    pbx.leaves("first", "1.1")
    pbx.leaves("second", "1.2")
    pbx.enters("first", "1.2")
    pbx.hangs_up("1.1", "1.3", "1.2", "1.0")
    (call,) = pbx.ended()
    assert call.call_id == pbx.tracker.call_id("1.0")
    assert [one.merged for one in pbx.merged()] == [pbx.tracker.call_id("1.2")]
    assert [one.interface for one in call.connections] == ["PJSIP/1001", None]


def test_a_pick_up_is_no_call_of_its_own_and_nobody_is_told_of_one() -> None:
    pbx = Pbx()
    pbx.arrives("1.0")
    pbx.rings("1.0", "1.1", "1001")
    pbx.rings("1.0", "1.2", "1002")
    pbx.dials("1.3", "1003", "*8")
    pbx.say(ev.Pickup(pbx.now(), "1.3", "1.1"))
    pbx.hangs_up("1.1", "1.2")
    pbx.enters("sale", "1.3", "1.0")
    pbx.hangs_up("1.0", "1.3")
    (call,) = pbx.ended()
    assert not pbx.merged()
    assert [one.result for one in call.offers] == [OfferResult.ANSWERED_ELSEWHERE] * 2
    assert [one.interface for one in call.connections] == ["PJSIP/1003"]


def test_colleagues_who_wait_in_one_parking_lot_do_not_meet() -> None:
    pbx = Pbx()
    for uniqueid in ("1.0", "1.1"):
        pbx.arrives(uniqueid)
        pbx.say(ev.BridgeEnter(pbx.now(), uniqueid, uniqueid, "lot", "holding_bridge"))
    pbx.hangs_up("1.0", "1.1")
    assert len(pbx.ended()) == 2


def test_a_caller_who_handed_a_colleague_on_leaves_the_two_others_talking() -> None:
    pbx = Pbx()
    pbx.dials("1.0", "1001", "1002")
    pbx.rings("1.0", "1.1", "1002")
    pbx.answers("1.0", "1.1", "chat")
    pbx.dials("1.2", "1001", "1003")
    pbx.rings("1.2", "1.3", "1003")
    pbx.answers("1.2", "1.3", "question")
    pbx.leaves("chat", "1.1")
    pbx.leaves("question", "1.2")
    pbx.enters("question", "1.1")
    pbx.say(ev.AttendedTransfer(pbx.now(), "1.0", "1.2", "1003", "1.3", UP, None))
    pbx.hangs_up("1.0", "1.2")
    pbx.hangs_up("1.1", "1.3")
    (call,) = pbx.ended()
    assert call.direction is Direction.INTERNAL
    assert {one.interface for one in call.connections} == {"PJSIP/1002", "PJSIP/1003"}


def test_who_consults_by_a_feature_code_has_the_customer_on_hold_until_the_transfer() -> None:
    pbx = Pbx()
    pbx.arrives("1.0")
    pbx.rings("1.0", "1.1", "1001")
    pbx.answers("1.0", "1.1", "sale")
    pbx.say(ev.Hold(pbx.now(), "1.1"))
    pbx.leaves("sale", "1.1")
    pbx.enters("question", "1.1")
    pbx.rings("1.0", "1.2", "1002")
    pbx.say(ev.AttendedTransfer(handed := pbx.now(), "1.1", "1.1", None, None, None, None))
    pbx.hangs_up("1.1")
    pbx.answers("1.0", "1.2", "sale")
    pbx.hangs_up("1.2", "1.0")
    (call,) = pbx.ended()
    assert [one.to for one in call.connections][:1] == [handed]
    assert [one.to for one in call.holds] == [handed]
    (transfer,) = (change.transfer for change in pbx.told if isinstance(change, CallTransferred))
    assert (transfer.kind, transfer.to) == (TransferKind.BLONDE, "PJSIP/1002")
