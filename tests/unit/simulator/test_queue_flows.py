"""What a recorded call does not show: queues in which everything is against the caller."""

from collections import Counter

import pytest

from callcenter.ami import wire
from callcenter.simulator.load import START, VirtualPbx
from callcenter.simulator.people import Answers, Caller, Ignores, Manners, Refuses, Signal
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.schedule import Flow
from tests.traces import calls_of, parsed

QUEUES = {"sales": "02079460993", "support": "02079460994", "service": "02079460995", "billing": "02079460996"}


def count(virtual: VirtualPbx) -> Counter[str]:
    return Counter((wire.name(block) or b"").decode() for _, block in virtual.blocks)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("behavior", [Refuses("busy"), Refuses("rejected", 2.0), Ignores()])
def test_nobody_ever_takes_the_call(queue: str, behavior: Refuses | Ignores) -> None:
    virtual = VirtualPbx()
    manners = Manners(callee=lambda extension, attempt: behavior)
    virtual.schedule.place(inbound_queue(virtual.pbx, Caller("1"), QUEUES[queue], manners))
    virtual.run()
    assert 120 <= virtual.time - START < 125
    [call] = calls_of(parsed([block for _, block in virtual.blocks]))
    assert [visit.exit for visit in call.queue_visits] == ["timeout"]
    # Each pause is at least three seconds, so nobody is rung without end.
    assert 3 <= count(virtual)["AgentCalled"] <= 120 / 3 * 3


@pytest.mark.parametrize("queue", QUEUES)
def test_members_who_are_paused_are_waited_for(queue: str) -> None:
    virtual = VirtualPbx()
    for member in virtual.pbx.queues[queue].members:
        member.paused = True

    def comes_back() -> Flow:
        yield 20
        virtual.pbx.queues[queue].members[0].paused = False

    manners = Manners(callee=lambda extension, attempt: Answers(2), talk=5)
    virtual.schedule.place(comes_back())
    virtual.schedule.place(inbound_queue(virtual.pbx, Caller("1"), QUEUES[queue], manners))
    virtual.run()
    [call] = calls_of(parsed([block for _, block in virtual.blocks]))
    assert [offer.result for offer in call.offers] == ["answered"]
    assert call.answered_at is not None
    assert 20 <= call.answered_at.timestamp() - START < 30


def test_callers_are_served_in_the_order_in_which_they_came() -> None:
    virtual = VirtualPbx()
    manners = Manners(callee=lambda extension, attempt: Answers(1), talk=10)
    for number in range(4):
        call = inbound_queue(virtual.pbx, Caller(f"0770090000{number}"), QUEUES["billing"], manners)
        virtual.schedule.place(call, number)
    virtual.run()
    served = [wire.fields(block)["CallerIDNum"] for _, block in virtual.blocks if wire.name(block) == b"AgentConnect"]
    assert served == [f"0770090000{number}" for number in range(4)]
    positions = [
        wire.fields(block)["Position"] for _, block in virtual.blocks if wire.name(block) == b"QueueCallerJoin"
    ]
    assert positions == ["1", "1", "2", "3"]


@pytest.mark.parametrize("after", [0.2, 2.0, 14.5])
def test_a_caller_who_is_hung_up_by_ami_leaves_nothing_behind(after: float) -> None:
    virtual = VirtualPbx()

    def cuts() -> Flow:
        virtual.schedule.signal(Signal("hangup", "PJSIP/trunk-00000000"))
        yield 0

    manners = Manners(callee=lambda extension, attempt: Ignores())
    virtual.schedule.place(inbound_queue(virtual.pbx, Caller("1"), QUEUES["sales"], manners))
    virtual.schedule.place(cuts(), after)
    virtual.run()
    assert not virtual.pbx.channels
    assert not virtual.pbx.queues["sales"].waiting
    assert count(virtual)["HangupRequest"] == 0
    assert virtual.time - START < after + 1
