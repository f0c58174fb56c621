"""Whatever happens in whatever order, an agent's stretches are one shift without a gap."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callcenter import changes
from callcenter.errors import Conflict
from callcenter.live.agents import WRAPUP, Activity, Agents, Stretch
from callcenter.model import (
    Call,
    CallStatus,
    Connection,
    Direction,
    Offer,
    OfferResult,
    Party,
)

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = ("ann", "bob")
RESTS = {"sales": timedelta(seconds=20), "support": timedelta(0)}

steps = st.lists(
    st.tuples(
        st.sampled_from(("arrive", "leave", "pause", "ring", "answer", "end", "merge", "extend", "finish", "tick")),
        st.sampled_from(NAMES),
        st.integers(0, 3),
        st.sampled_from((None, "", "lunch", WRAPUP)),
        st.integers(-2, 25),
    ),
    max_size=60,
)


class Floor:
    """Two agents and four calls, and every stretch that was told, by agent and beginning."""

    def __init__(self) -> None:
        self.agents = Agents(lambda queue: RESTS[queue])
        self.told: dict[tuple[str, datetime], Stretch] = {}
        self.calls: dict[int, Call] = {}
        self.latest = EPOCH

    def note(self, stretches: list[Stretch]) -> None:
        for stretch in stretches:
            self.told[stretch.agent, stretch.from_] = stretch

    def change(self, place: int, at: datetime, verb: str, agent: str) -> None:
        call = self.calls.get(place)
        if verb == "ring" and call is None:
            call = Call(
                call_id=UUID(int=place),
                tenant="default",
                pbx="pbx",
                linkedids=("1.1",),
                direction=Direction.INBOUND,
                caller=Party(number="+12025550123"),
                callee=Party(number="4000"),
                status=CallStatus.IN_PROGRESS,
                started_at=at,
            )
        if call is None:
            return
        call = _next(call, verb, at, agent)
        if verb == "end":
            del self.calls[place]
        else:
            self.calls[place] = call
        self.note(self.agents.take(changes.CallUpdated(at=at, call=call), at))

    def merge(self, place: int, at: datetime) -> None:
        other = (place + 1) % 4
        if place in self.calls and other in self.calls:
            del self.calls[other]
            change = changes.CallMerged(at=at, call=self.calls[place], merged=UUID(int=other))
            self.note(self.agents.take(change, at))


def _next(call: Call, verb: str, at: datetime, agent: str) -> Call:
    if verb == "ring":
        queue = "sales" if call.call_id.int % 2 else "support"
        offer = Offer(interface=f"PJSIP/{agent}", rang_at=at, agent=agent, queue=queue)
        return replace(call, offers=(*call.offers, offer))
    if verb == "answer":
        offers = tuple(
            replace(one, ended_at=at, result=OfferResult.ANSWERED)
            if one.agent == agent and one.ended_at is None
            else one
            for one in call.offers
        )
        return replace(call, offers=offers, connections=(*call.connections, Connection(from_=at, agent=agent)))
    ended = tuple(one if one.to else replace(one, to=at) for one in call.connections)
    return replace(call, ended_at=at, connections=ended)


def play(floor: Floor, verb: str, agent: str, place: int, reason: str | None, at: datetime) -> None:
    agents = floor.agents
    if verb == "arrive":
        floor.note(agents.arrive(agent, at))
    elif verb == "leave":
        floor.note(agents.leave(agent, at))
    elif verb == "pause":
        floor.note(agents.pause(agent, reason, at))
    elif verb in ("ring", "answer", "end"):
        floor.change(place, at, verb, agent)
    elif verb == "merge":
        floor.merge(place, at)
    elif verb == "finish":
        floor.note(agents.finish(agent, at))
    elif verb == "tick":
        floor.note(agents.tick(at))
    else:
        try:
            floor.note(agents.extend(agent, timedelta(seconds=10), at))
        except Conflict:
            return


@given(steps)
def test_the_stretches_of_an_agent_are_the_shift(script: list[tuple[str, str, int, str | None, int]]) -> None:
    floor = Floor()
    at = EPOCH
    for name in NAMES:
        floor.note(floor.agents.settle(name, at))
    for verb, agent, place, reason, seconds in script:
        # Clocks are set back now and then.
        at += timedelta(seconds=seconds)
        floor.latest = max(floor.latest, at)
        play(floor, verb, agent, place, reason, at)
    for name in NAMES:
        own = sorted((one for one in floor.told.values() if one.agent == name), key=lambda one: one.from_)
        assert own[0].from_ == EPOCH
        assert all(before.to == after.from_ for before, after in pairwise(own))
        assert own[-1].to is None and own[-1] == floor.agents.now(name)
        assert all(one.to is None or one.to > one.from_ for one in own)
        total = sum(((one.to or floor.latest) - one.from_ for one in own), timedelta(0))
        assert total == floor.latest - EPOCH
        for before, after in pairwise(own):
            assert (before.activity, before.reason, before.call_id) != (after.activity, after.reason, after.call_id)
        for one in own:
            assert (one.activity is Activity.WRAPUP) == (one.until is not None) == (one.call_id is not None)


@given(steps)
def test_once_every_call_is_over_and_every_time_is_up_nobody_wraps_up(
    script: list[tuple[str, str, int, str | None, int]],
) -> None:
    floor = Floor()
    at = EPOCH
    for name in NAMES:
        floor.note(floor.agents.settle(name, at))
    for verb, agent, place, reason, seconds in script:
        at += timedelta(seconds=abs(seconds))
        play(floor, verb, agent, place, reason, at)
    for place in list(floor.calls):
        floor.change(place, at, "end", NAMES[0])
    floor.note(floor.agents.tick(at + timedelta(hours=2)))
    assert floor.agents.due is None
    for now in floor.agents.all().values():
        assert now.activity in (Activity.OFFLINE, Activity.READY, Activity.PAUSED)
