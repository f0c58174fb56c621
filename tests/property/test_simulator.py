"""Whatever the people of the simulated PBX do, and whoever interferes: all ends, and the tracker understands it."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.changes import Anomaly
from callcenter.model import CallStatus
from callcenter.simulator.flows import Order, click_to_dial, inbound, internal, outbound
from callcenter.simulator.load import VirtualPbx
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Answers, Callee, Caller, Ignores, Manners, Refuses, Signal
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.schedule import Flow
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker
from tests.traces import calls_of, parsed

SECONDS = st.floats(0, 40, allow_nan=False).map(lambda value: round(value, 2))
CALLEES = st.one_of(
    SECONDS.map(Answers),
    st.just(Ignores()),
    st.builds(Refuses, st.sampled_from(["busy", "rejected", "failed"]), st.sampled_from([0.0, 1.5])),
)


@st.composite
def manners(draw: st.DrawFn) -> Manners:
    behaviors = draw(st.lists(CALLEES, min_size=1, max_size=4))

    def callee(extension: str, attempt: int) -> Callee:
        return behaviors[(int(extension) + attempt) % len(behaviors)]

    return Manners(
        callee=callee,
        customer=draw(CALLEES),
        patience=draw(st.none() | SECONDS),
        talk=draw(SECONDS),
        caller_ends=draw(st.booleans()),
        holds=draw(st.sampled_from([(), ((1.0, 2.0),)])),
    )


PHONES = st.sampled_from(["1001", "1002", "1004", "1006", "1008"])


@st.composite
def calls(draw: st.DrawFn) -> Callable[[Pbx], Flow]:
    how = draw(manners())
    caller = Caller(draw(st.sampled_from(["+447700900123", "02079460101", "anonymous", None])))
    one, two = draw(st.lists(PHONES, min_size=2, max_size=2, unique=True))
    direct = draw(st.sampled_from(["02079460991", "+442079460992", "02079460000"]))
    queue = draw(st.sampled_from(["02079460993", "+442079460994", "02079460995", "02079460996"]))
    order = Order(
        action_id="mine",
        channel=f"PJSIP/{one}",
        context="from-internal",
        exten=draw(st.sampled_from(["02079460150", two, "nonsense"])),
        number="02079460150",
        name=None,
        timeout=timedelta(seconds=20),
    )
    kinds: list[Callable[[Pbx], Flow]] = [
        lambda pbx: inbound(pbx, caller, direct, how),
        lambda pbx: inbound_queue(pbx, caller, queue, how),
        lambda pbx: internal(pbx, one, two, how),
        lambda pbx: outbound(pbx, one, "02079460150", how),
        lambda pbx: click_to_dial(pbx, order, how.callee(one, 0), how),
    ]
    return draw(st.sampled_from(kinds))


def interfering(virtual: VirtualPbx, kind: str, which: int) -> Flow:
    """Hang up or move one of the channels that are there, as AMI may at any time."""
    names = list(virtual.pbx.channels)
    if names:
        virtual.schedule.signal(Signal(kind, names[which % len(names)], "1006"))
    yield 0


@settings(max_examples=50, deadline=None)
@given(
    placed=st.lists(st.tuples(calls(), SECONDS), min_size=1, max_size=6),
    interference=st.lists(st.tuples(st.sampled_from(["hangup", "redirect"]), st.integers(0, 9), SECONDS), max_size=4),
)
def test_all_ends_and_makes_sense(
    placed: list[tuple[Callable[[Pbx], Flow], float]], interference: list[tuple[str, int, float]]
) -> None:
    virtual = VirtualPbx()
    for call, after in placed:
        virtual.schedule.place(call(virtual.pbx), after)
    for kind, which, after in interference:
        virtual.schedule.place(interfering(virtual, kind, which), after)
    virtual.run()

    pbx = virtual.pbx
    assert not pbx.channels
    assert not pbx.bridges
    assert {pbx.status(phone) for phone in pbx.registered} == {1}
    assert not any(queue.waiting or queue.joined for queue in pbx.queues.values())

    events = parsed([block for _, block in virtual.blocks])
    tracker = Tracker(Directory())
    assert [change for event in events for change in tracker.apply(event) if isinstance(change, Anomaly)] == []
    for found in calls_of(events):
        assert found.ended_at is not None
        assert found.status is not CallStatus.IN_PROGRESS
        assert all(offer.result is not None for offer in found.offers)
        assert all(visit.exit is not None for visit in found.queue_visits)
