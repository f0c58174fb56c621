"""What agents do, step by step, and on the calls that a real Asterisk was recorded with."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.changes import CallChange
from callcenter.errors import Conflict
from callcenter.live.agents import WRAPUP, Activity, Agents
from callcenter.model import OfferResult, Party
from callcenter.tracking.directory import Device, Directory
from callcenter.tracking.tracker import Tracker
from screenpop.audience import Audience
from screenpop.presence import Seat
from tests import traces
from tests.unit.screenpop.script import Script

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REST = timedelta(seconds=30)
PHONES = {f"PJSIP/{n}": Device(extension=str(n), agent=str(n), name=f"Agent {n}") for n in range(1001, 1010)}


class Shift:
    """One agent's day; the clock moves a second with each verb."""

    def __init__(self, rest: timedelta = REST) -> None:
        self.agents = Agents(lambda queue: rest)
        self.at = EPOCH
        self.agents.settle("li", self.at)
        self.agents.arrive("li", self.at)

    def then(self, seconds: float = 1) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at

    def take(self, *all_changes: CallChange) -> None:
        for change in all_changes:
            self.agents.take(change, self.then())

    def does(self, activity: Activity) -> bool:
        now = self.agents.now("li")
        return now is not None and now.activity is activity

    def answer(self, call: Script) -> None:
        """A call rings at the agent, who takes it."""
        self.take(call.started(), call.rings("li"))
        assert self.does(Activity.RINGING)
        self.take(call.stops("li", OfferResult.ANSWERED), call.talks("li"))
        assert self.does(Activity.BUSY)

    def queue_call(self, name: str = "call") -> UUID:
        """A call from a queue, from its ring to its end."""
        call = Script(name)
        call.queued()
        self.answer(call)
        self.take(call.ends())
        return call.call.call_id


def test_a_call_from_a_queue_is_wrapped_up_until_its_time_is_over() -> None:
    shift = Shift()
    call_id = shift.queue_call()
    now = shift.agents.now("li")
    assert now is not None
    assert (now.activity, now.call_id, now.until) == (Activity.WRAPUP, call_id, shift.at + REST)
    assert shift.agents.due == shift.at + REST
    assert shift.agents.tick(shift.then(29)) == []
    ended, after = shift.agents.tick(shift.then(1))
    assert (ended.activity, ended.to) == (Activity.WRAPUP, shift.at)
    assert (after.activity, after.from_) == (Activity.READY, shift.at)
    assert shift.agents.due is None


def test_without_a_time_for_it_nothing_is_wrapped_up() -> None:
    shift = Shift(timedelta(0))
    shift.queue_call()
    assert shift.does(Activity.READY)


def test_a_direct_call_is_not_wrapped_up() -> None:
    shift = Shift()
    call = Script()
    shift.answer(call)
    shift.take(call.ends())
    assert shift.does(Activity.READY)


def test_the_agent_takes_more_time_or_ends_it() -> None:
    shift = Shift()
    shift.queue_call()
    (longer,) = shift.agents.extend("li", REST, shift.then())
    assert longer.until == shift.at - timedelta(seconds=1) + 2 * REST
    with pytest.raises(Conflict, match="an hour at most"):
        shift.agents.extend("li", timedelta(hours=1), shift.then())
    shift.agents.finish("li", shift.then())
    assert shift.does(Activity.READY)
    with pytest.raises(Conflict, match="nothing to wrap up"):
        shift.agents.extend("li", REST, shift.then())


def test_a_wrap_up_that_somebody_ends_at_the_pbx_is_over() -> None:
    shift = Shift()
    shift.queue_call()
    # What queues say before they have heard of the pause does not end it.
    shift.agents.pause("li", None, shift.then())
    assert shift.does(Activity.WRAPUP)
    shift.agents.pause("li", WRAPUP, shift.then())
    assert shift.does(Activity.WRAPUP)
    shift.agents.pause("li", None, shift.then())
    assert shift.does(Activity.READY)


def test_a_wrap_up_becomes_a_pause() -> None:
    shift = Shift()
    shift.queue_call()
    shift.agents.pause("li", WRAPUP, shift.then())
    shift.agents.pause("li", "lunch", shift.then())
    now = shift.agents.now("li")
    assert now is not None
    assert (now.activity, now.reason) == (Activity.PAUSED, "lunch")
    assert shift.agents.wrapup("li") is None


def test_a_pause_during_a_call_begins_after_its_wrap_up() -> None:
    shift = Shift()
    call = Script()
    call.queued()
    shift.answer(call)
    shift.agents.pause("li", "lunch", shift.then())
    assert shift.does(Activity.BUSY)
    shift.take(call.ends())
    assert shift.does(Activity.WRAPUP)
    shift.agents.pause("li", "lunch", shift.then())
    assert shift.does(Activity.WRAPUP)
    shift.agents.finish("li", shift.then())
    assert shift.does(Activity.PAUSED)


def test_another_call_during_a_wrap_up_weighs_more_and_does_not_stop_the_clock() -> None:
    shift = Shift()
    shift.queue_call()
    direct = Script("another", caller=Party(number="+12025550199"))
    shift.answer(direct)
    assert shift.agents.wrapup("li") is not None
    shift.agents.tick(shift.then(40))
    assert shift.agents.wrapup("li") is None
    shift.take(direct.ends())
    assert shift.does(Activity.READY)


def test_who_has_no_page_open_is_offline_and_wraps_nothing_up() -> None:
    shift = Shift()
    shift.agents.leave("li", shift.then())
    assert shift.does(Activity.OFFLINE)
    shift.queue_call()
    assert shift.does(Activity.OFFLINE)
    assert shift.agents.due is None


def test_a_restart_goes_on_with_what_was_known() -> None:
    shift = Shift()
    shift.queue_call()
    known = shift.agents.all().values()
    again = Agents(lambda queue: REST)
    again.restore(known)
    assert again.now("li") is None
    again.pause("li", WRAPUP, shift.then())
    again.arrive("li", shift.then())
    assert again.settle("li", shift.then()) == []
    assert again.all() == shift.agents.all()
    _, after = again.tick(shift.then(60))
    assert after.activity is Activity.READY


def test_a_stretch_of_no_time_is_written_over() -> None:
    shift = Shift()
    (only,) = shift.agents.pause("li", "lunch", shift.at)
    assert (only.activity, only.from_, only.to) == (Activity.PAUSED, EPOCH, None)


@pytest.mark.parametrize("case", traces.CASES)
def test_on_each_recorded_call_an_agent_is_what_the_page_says(case: str) -> None:
    """The stored state and the one on the page are derived apart, and must never disagree."""
    agents, audience = Agents(lambda queue: timedelta(0)), Audience()
    for device in PHONES.values():
        assert device.agent is not None
        agents.settle(device.agent, EPOCH)
        agents.arrive(device.agent, EPOCH)
        audience.sit(Seat(agent=device.agent), EPOCH)
        audience.arrive(device.agent, EPOCH)
    tracker = Tracker(Directory(devices=PHONES))
    for event in traces.events(case):
        for change in tracker.apply(event):
            if isinstance(change, CallChange):
                agents.take(change, change.at)
                audience.apply(change)
        told = {agent: now.activity.value for agent, now in agents.all().items()}
        shown = {agent: state.state for agent, state in audience.states().items()}
        for agent in told.keys() - _picked_up(agents):
            assert told[agent] == shown[agent], f"{agent} at {event}"
    assert {agent: now.activity.value for agent, now in agents.all().items()} == shown


def _picked_up(agents: Agents) -> set[str]:
    """Who rings: where calls meet, the page takes the consultation's ring away a moment before the connection."""
    return {agent for agent, now in agents.all().items() if now.activity is Activity.RINGING}
