"""The people of the demo: what they do is drawn from a seed, and always something that can be."""

from collections import Counter

from callcenter.ami import wire
from callcenter.changes import Anomaly
from callcenter.simulator.load import START, VirtualPbx
from callcenter.simulator.people import ANONYMOUS, Caller
from callcenter.simulator.world import Habits, World
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker
from tests.traces import calls_of, parsed

CUSTOMERS = [Caller("02079460101", "Olivia Bennett"), Caller("+447700900123"), Caller("02079460102")]


def hour(world: World, calls_per_minute: float = 10) -> list[bytes]:
    """Let an hour pass."""
    virtual = VirtualPbx(world.company)
    virtual.schedule.place(world.traffic(virtual.pbx, virtual.schedule, calls_per_minute))
    virtual.run(START + 3600)
    return [block for _, block in virtual.blocks]


def test_an_hour_of_the_demo_is_free_of_the_impossible() -> None:
    world = World(customers=CUSTOMERS)
    world.attend("1001")
    blocks = hour(world)
    tracker = Tracker(Directory())
    assert not [change for event in parsed(blocks) for change in tracker.apply(event) if isinstance(change, Anomaly)]
    calls = calls_of(parsed(blocks))
    assert len(calls) > 200
    assert {call.direction for call in calls} == {"inbound", "outbound", "internal"}
    numbers = Counter(call.caller.number for call in calls)
    assert numbers["+447700900123"] > 10
    assert any(call.caller.name == "Anonymous" for call in calls)
    ringing = Counter(offer.interface for call in calls for offer in call.offers)
    assert ringing["PJSIP/1001"] > 30
    answered = [call for call in calls if call.status == "answered"]
    assert len(answered) > len(calls) / 2


def test_attended_phones_get_more_calls() -> None:
    def offers(attended: str) -> int:
        world = World(customers=CUSTOMERS, seed=5)
        if attended:
            world.attend(attended)
        return sum(
            wire.fields(block)["DialString"] in ("PJSIP/1008", "1008")
            for block in hour(world, 3)
            if wire.name(block) == b"DialBegin"
        )

    assert offers("1008") > 1.5 * offers("")


def test_who_leaves_is_treated_as_all_others() -> None:
    world = World()
    world.attend("1001")
    world.attend("1001")
    world.attend("4711")
    assert world.attended == ["1001"]
    world.leave("1001")
    world.leave("1001")
    assert world.attended == []


def test_callers_are_drawn_by_habit() -> None:
    everyone = Habits(anonymous=1.0)
    assert World(habits=everyone).caller() is ANONYMOUS
    strangers = World(habits=Habits(anonymous=0, stranger=1), customers=CUSTOMERS)
    number = strangers.caller().number
    assert number is not None and number.startswith("077009")
    known = World(habits=Habits(anonymous=0, stranger=0), customers=CUSTOMERS)
    assert known.caller() in CUSTOMERS


def test_a_number_that_leads_to_a_phone_is_found() -> None:
    world = World()
    virtual = VirtualPbx()
    call = world.to(virtual.pbx, "1008")
    assert call is not None
    virtual.schedule.place(call)
    virtual.run()
    assert any(b"PJSIP/1008" in block for _, block in virtual.blocks)
    assert world.to(virtual.pbx, "4711") is None
