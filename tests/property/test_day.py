"""Today's numbers: however often, in whatever order and across whatever restart calls are told of, the sums are those
of the calls as they are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from callcenter.changes import CallMerged, CallUpdated
from callcenter.live.day import IDLE, AgentDay, Day
from callcenter.metrics.service_level import NOTHING, Tally, count
from callcenter.model import (
    Call,
    CallStatus,
    Connection,
    Direction,
    Offer,
    OfferResult,
    Party,
    QueueExit,
    QueueVisit,
)

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
TIMES = st.integers(-600, 3600).map(lambda s: BEGAN + timedelta(seconds=s))
SPANS = st.integers(0, 120).map(lambda s: timedelta(seconds=s))
QUEUES = st.sampled_from(["sales", "support"])
AGENTS = st.sampled_from(["li", "mei", None])


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A call as it may be at some moment."""
    at = draw(TIMES)
    visit = st.builds(
        lambda queue, wait, how: QueueVisit(queue=queue, joined_at=at, left_at=at + wait if how else None, exit=how),
        QUEUES,
        SPANS,
        st.sampled_from([None, *QueueExit]),
    )
    talk = st.builds(
        lambda agent, took, over: Connection(from_=at, to=at + took if over else None, agent=agent),
        AGENTS,
        SPANS,
        st.booleans(),
    )
    offer = st.builds(
        lambda agent, result: Offer(interface="PJSIP/1", rang_at=at, agent=agent, result=result),
        AGENTS,
        st.sampled_from([None, *OfferResult]),
    )
    return Call(
        call_id=UUID(int=draw(st.integers(1, 5))),
        tenant="default",
        pbx="pbx",
        linkedids=("1",),
        direction=draw(st.sampled_from(list(Direction))),
        caller=Party(agent=draw(AGENTS)),
        callee=Party(),
        status=CallStatus.IN_PROGRESS,
        started_at=at,
        ended_at=draw(st.none() | st.just(at + timedelta(seconds=200))),
        queue_visits=tuple(draw(st.lists(visit, max_size=2))),
        offers=tuple(draw(st.lists(offer, max_size=2))),
        connections=tuple(draw(st.lists(talk, max_size=2))),
    )


def expected(now: dict[UUID, Call]) -> tuple[dict[str, Tally], dict[str, AgentDay]]:
    """Counted from the calls themselves, the plain way."""
    queues = {"sales": NOTHING, "support": NOTHING}
    agents = {"li": IDLE, "mei": IDLE}
    for call in now.values():
        for visit in call.queue_visits:
            if visit.joined_at >= BEGAN:
                queues[visit.queue] += count(visit)
        for one in call.connections:
            if one.agent is not None and one.from_ >= BEGAN:
                dialed = call.direction is Direction.OUTBOUND and call.caller.agent == one.agent
                took = one.to - one.from_ if one.to else timedelta(0)
                agents[one.agent] += AgentDay(answered=not dialed, dialed=dialed, connected=took)
        for offer in call.offers:
            if offer.agent and offer.rang_at >= BEGAN and offer.result in (OfferResult.NO_ANSWER, OfferResult.REJECTED):
                agents[offer.agent] += AgentDay(missed=1)
    return queues, agents


def found(day: Day) -> tuple[dict[str, Tally], dict[str, AgentDay]]:
    return (
        {name: day.tally(("pbx", name)) for name in ("sales", "support")},
        {name: day.agent(name) for name in ("li", "mei")},
    )


@given(st.lists(calls(), max_size=12))
def test_the_sums_are_those_of_the_calls_as_they_are(told: list[Call]) -> None:
    day, now = Day(BEGAN), {}
    for call in told:
        now[call.call_id] = call
        day.take(CallUpdated(at=BEGAN, call=call))
    assert found(day) == expected(now)


@given(st.lists(calls(), min_size=1, max_size=8), calls())
def test_a_call_that_became_part_of_another_counts_no_more(told: list[Call], survivor: Call) -> None:
    day, now = Day(BEGAN), {}
    for call in told:
        now[call.call_id] = call
        day.take(CallUpdated(at=BEGAN, call=call))
    merged = told[0].call_id
    if merged == survivor.call_id:
        return
    del now[merged]
    now[survivor.call_id] = survivor
    day.take(CallMerged(at=BEGAN, call=survivor, merged=merged))
    assert found(day) == expected(now)


@given(st.lists(calls(), max_size=8), st.lists(calls(), max_size=8))
def test_counting_anew_from_the_log_changes_nothing(told: list[Call], later: list[Call]) -> None:
    day, now = Day(BEGAN), {}
    for call in told:
        now[call.call_id] = call
        day.take(CallUpdated(at=BEGAN, call=call))
    kept = day.settle(BEGAN + timedelta(seconds=1800))
    log = {call_id: call for call_id, call in now.items() if call_id not in kept}
    queues, agents = expected(log)
    day.load({("pbx", name): tally for name, tally in queues.items()}, agents)
    assert found(day) == expected(now)
    for call in later:
        if call.call_id in log:
            continue  # what the log has ended is not told of again
        now[call.call_id] = call
        day.take(CallUpdated(at=BEGAN, call=call))
    assert found(day) == expected(now)
