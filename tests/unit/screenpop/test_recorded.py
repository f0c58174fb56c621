"""Pops of the calls that a real Asterisk was recorded with: tracker and audience together."""

from collections.abc import Iterable, Mapping

import pytest

from callcenter.changes import CallChange, CallEnded
from callcenter.model import Call, CallStatus, OfferResult
from callcenter.tracking.directory import Device, Directory
from callcenter.tracking.tracker import Tracker
from screenpop.audience import FRESH, Audience, Effect, Lookup
from screenpop.messages import CallChanged, Pop, PopWithdrawn
from screenpop.stream import Stream
from tests import traces
from tests.unit.screenpop.script import found

PHONES = {f"PJSIP/{n}": Device(extension=str(n), agent=str(n), name=f"Agent {n}") for n in range(1001, 1010)}


class Screens:
    """The streams of all agents of a recorded call, and in short what was told."""

    def __init__(self, case: str, phones: Mapping[str, Device] = PHONES) -> None:
        self.audience = Audience()
        self.streams: dict[str, Stream] = {}
        self.pops: list[str] = []
        self.lookups: list[Lookup] = []
        self.calls: dict[object, Call] = {}
        self.going_on: set[object] = set()
        tracker = Tracker(Directory(devices=phones))
        for event in traces.events(case):
            for change in tracker.apply(event):
                if isinstance(change, CallChange):
                    self.calls[change.call_id] = change.call
                    self.going_on.add(change.call_id)
                    if isinstance(change, CallEnded):
                        self.going_on.discard(change.call_id)
                self.tell(self.audience.apply(change))

    def tell(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Lookup):
                self.lookups.append(effect)
                at = self.calls[effect.call_id].started_at
                self.tell(self.audience.matched(effect.call_id, effect.number, found(effect.number, "Ada"), at))
                continue
            stream = self.streams.setdefault(effect.agent, Stream("epoch"))
            shown = stream.append(effect.message)
            match effect.message:
                case Pop(match=match) if shown:
                    self.pops.append(f"{effect.agent} {match.status}")
                case PopWithdrawn(reason=reason):
                    self.pops.append(f"{effect.agent} {reason}")
                case CallChanged(call=view):
                    assert view.state != "talking" or view.answered_at is not None or view.direction == "internal"


@pytest.mark.parametrize("case", traces.CASES)
def test_after_the_last_event_only_who_had_the_call_still_has_its_pop(case: str) -> None:
    screens = Screens(case)
    for agent, stream in screens.streams.items():
        assert set(stream.calls) <= screens.going_on
        for call_id in stream.pops:
            call = screens.calls[call_id]
            had = {c.agent for c in call.connections} | {call.caller.agent}
            had |= {o.agent for o in call.offers if o.result is OfferResult.ANSWERED}  # a colleague was asked
            assert agent in had or call_id in screens.going_on
    short = {i for i, call in screens.calls.items() if call.ended_at and call.ended_at - call.started_at < FRESH}
    asked = [(lookup.call_id, lookup.number) for lookup in screens.lookups if lookup.call_id in short]
    assert len(asked) == len(set(asked))
    assert screens.audience.calls <= len(screens.going_on)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("inbound-direct-answered-agent-hangs-up", ["1001 one"]),
        ("inbound-direct-no-answer", ["1001 one", "1001 no_answer"]),
        ("inbound-direct-caller-gives-up", ["1001 one", "1001 caller_gave_up"]),
        (
            "queue-ringall-three-members",
            ["1003 one", "1002 one", "1001 one", "1003 answered_elsewhere", "1001 answered_elsewhere"],
        ),
        ("queue-ring-no-answer-and-again", ["1008 one", "1008 no_answer", "1008 one"]),
        ("blind-transfer-answered", ["1001 one", "1002 one"]),
        ("join-while-it-rings", ["1001 one", "1002 ignored", "1002 ended", "1002 one"]),
        ("refer-that-comes-back", ["1001 one", "1002 one", "1002 busy"]),
        ("pickup-by-replaces", ["1001 one", "1003 one", "1001 answered_elsewhere"]),
        ("parked-and-returned", ["1001 one"]),
        ("outbound-answered", ["1001 one"]),
        ("click-to-dial-answered", ["1001 one"]),
        ("click-to-dial-agent-no-answer", ["1001 one"]),
        ("internal-answered", ["1002 ignored"]),
        ("inbound-anonymous", ["1001 none"]),
    ],
)
def test_what_popped(case: str, expected: list[str]) -> None:
    assert Screens(case).pops == expected


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("two-phones-one-answers", ["ann one"]),
        ("two-phones-one-refuses", ["ann one", "ann no_answer"]),
    ],
)
def test_a_person_with_two_phones_gets_one_pop(case: str, expected: list[str]) -> None:
    both = {f"PJSIP/{number}": Device(extension=number, agent="ann", name="Ann") for number in ("1001", "1002")}
    screens = Screens(case, both)
    assert screens.pops == expected
    (call,) = screens.calls.values()
    assert [(offer.interface, offer.agent) for offer in call.offers] == [("PJSIP/1001", "ann"), ("PJSIP/1002", "ann")]
    assert {connection.agent for connection in call.connections} <= {"ann"}


def test_an_unanswered_call_leaves_no_pop_behind() -> None:
    screens = Screens("queue-ringall-abandoned")
    assert all(call.status is CallStatus.ABANDONED for call in screens.calls.values())
    assert all(not stream.pops for stream in screens.streams.values())
    assert screens.pops and {word.split()[1] for word in screens.pops} == {"one", "caller_gave_up"}
