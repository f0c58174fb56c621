"""Who is told what: one pop per call and agent, withdrawn when somebody else gets the call."""

import pytest
from msgspec.structs import replace

from callcenter import changes
from callcenter.model import CallStatus, Direction, OfferResult, Party
from screenpop.audience import FRESH, Audience, Delivery, Effect, Lookup
from screenpop.messages import AgentState, CallChanged, Match, Pop, PopUpdate, PopWithdrawn
from screenpop.presence import Seat
from tests.unit.screenpop.script import EPOCH, Script, agent_party, found

NUMBER = "+12025550123"
ADA = found(NUMBER, "Ada Lovelace")


class House:
    """An audience whose look-ups are answered at once, unless told otherwise."""

    def __init__(self, answer: Match | None = ADA) -> None:
        self.audience = Audience()
        self.answer = answer
        self.lookups: list[Lookup] = []

    def hear(self, *heard: changes.Change) -> list[tuple[str, object]]:
        told: list[Effect] = []
        for change in heard:
            effects = self.audience.apply(change)
            told += effects
            for effect in effects:
                if isinstance(effect, Lookup):
                    self.lookups.append(effect)
                    if self.answer is not None:
                        told += self.audience.matched(effect.call_id, effect.number, self.answer, change.at)
        return told_by(told)


def told_by(effects: list[Effect]) -> list[tuple[str, object]]:
    """Agents and messages alone."""
    return [(e.agent, e.message) for e in effects if isinstance(e, Delivery)]


def pops(told: list[tuple[str, object]]) -> list[str]:
    """A short word for each message about pops."""
    words = []
    for agent, message in told:
        match message:
            case Pop():
                words.append(f"{agent} pop {message.match.status}")
            case PopUpdate():
                words.append(f"{agent} update {message.match.status}")
            case PopWithdrawn():
                words.append(f"{agent} withdrawn {message.reason}")
    return words


def views(told: list[tuple[str, object]]) -> list[str]:
    """A short word for each view of a call."""
    return [f"{agent} {m.call.state}" for agent, m in told if isinstance(m, CallChanged)]


def states(told: list[tuple[str, object]]) -> list[str]:
    """A short word for each agent's state."""
    return [f"{agent} {m.state}" for agent, m in told if isinstance(m, AgentState)]


def test_a_ring_pops_with_the_match_and_shows_the_call() -> None:
    house, call = House(), Script()
    assert house.hear(call.started(), call.queued()) == []
    told = house.hear(call.rings("li"))
    assert isinstance(told[0][1], Pop)  # before all else: it is what the person waits for
    assert pops(told) == ["li pop one"]
    assert views(told) == ["li ringing"]
    pop = next(m for _, m in told if isinstance(m, Pop))
    assert (pop.queue, pop.caller.number, pop.caller.name) == ("sales", NUMBER, "Ada")
    assert pop.match.candidates[0].name == "Ada Lovelace"
    last = [m for _, m in told if isinstance(m, CallChanged)][-1]
    assert last.call.customer is not None and last.call.customer.name == "Ada Lovelace"
    assert house.lookups == [Lookup(call.call.call_id, NUMBER, "pbx", "trunk")]


def test_who_calls_is_asked_as_the_call_begins() -> None:
    house, call = House(answer=None), Script()
    house.hear(call.started())
    assert house.lookups == [Lookup(call.call.call_id, NUMBER, "pbx", "trunk")]
    told = house.hear(call.rings("li"))
    assert (pops(told), views(told)) == ([], ["li ringing"])  # the answer is not there yet: the call shows, it rings
    told = told_by(house.audience.matched(call.call.call_id, NUMBER, ADA, call.now))
    assert (pops(told), views(told)) == (["li pop one"], ["li ringing"])  # now with the customer
    assert len(house.lookups) == 1


def test_a_caller_who_waited_long_is_asked_for_again_as_the_first_phone_rings() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.queued())
    house.answer = found(NUMBER, "Ada Lovelace", "Grace Hopper")  # entered while the caller waited
    call.now += FRESH
    told = house.hear(call.rings("li"), call.rings("wu"))
    assert pops(told) == ["li pop several", "wu pop several"]
    call.now += FRESH
    assert pops(house.hear(call.rings("bo"))) == ["bo pop several"]
    assert len(house.lookups) == 2  # who has the pop keeps it as it is


def test_an_incomplete_answer_is_asked_for_again_as_the_first_phone_rings() -> None:
    house, call = House(answer=None), Script()
    house.hear(call.started())
    assert house.audience.overdue(call.call.call_id, NUMBER, call.now) == []
    house.answer = ADA
    assert pops(house.hear(call.rings("li"))) == ["li pop one"]
    assert len(house.lookups) == 2


def test_ring_all_looks_up_once_and_pops_each_agent_once() -> None:
    house, call = House(), Script()
    agents = [f"agent{n}" for n in range(10)]
    told = house.hear(call.started(), call.queued(), *(call.rings(a) for a in agents))
    assert pops(told) == [f"{a} pop one" for a in agents]
    assert len(house.lookups) == 1


def test_answered_elsewhere_withdraws_from_everybody_else() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.queued(), call.rings("li"), call.rings("wu"), call.rings("bo"))
    told = house.hear(
        call.stops("li", OfferResult.ANSWERED),
        call.stops("wu", OfferResult.ANSWERED_ELSEWHERE),
        call.stops("bo", OfferResult.ANSWERED_ELSEWHERE),
        call.talks("li"),
    )
    assert pops(told) == ["wu withdrawn answered_elsewhere", "bo withdrawn answered_elsewhere"]
    assert views(told) == ["wu ended", "bo ended", "li talking"]
    told = house.hear(call.leaves("li"), call.ends())
    assert pops(told) == []  # the agent who took the call keeps the card until they are done
    assert views(told) == ["li ended"]
    assert house.audience.calls == 0


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (OfferResult.NO_ANSWER, "no_answer"),
        (OfferResult.BUSY, "busy"),
        (OfferResult.REJECTED, "rejected"),
        (OfferResult.UNAVAILABLE, "unavailable"),
        (OfferResult.CALLER_GAVE_UP, "caller_gave_up"),
    ],
)
def test_an_unanswered_ring_takes_its_pop_with_it(result: OfferResult, reason: str) -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li"))
    assert pops(house.hear(call.stops("li", result))) == [f"li withdrawn {reason}"]


def test_a_queue_that_rings_again_pops_again_without_asking_again() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.queued(), call.rings("li"), call.stops("li", OfferResult.NO_ANSWER))
    assert pops(house.hear(call.rings("li"))) == ["li pop one"]
    assert len(house.lookups) == 1


def test_a_second_device_does_not_pop_again_and_keeps_the_pop_alive() -> None:
    house, call = House(), Script()
    told = house.hear(call.started(), call.rings("li", "PJSIP/1"), call.rings("li", "PJSIP/2"))
    assert pops(told) == ["li pop one"]
    told = house.hear(call.stops("li", OfferResult.NO_ANSWER, "PJSIP/1"))
    assert pops(told) == [] and views(told) == []
    told = house.hear(call.stops("li", OfferResult.NO_ANSWER, "PJSIP/2"))
    assert pops(told) == ["li withdrawn no_answer"]


def test_the_agents_own_other_device_is_not_elsewhere() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li", "PJSIP/1"), call.rings("li", "PJSIP/2"))
    told = house.hear(
        call.stops("li", OfferResult.ANSWERED_ELSEWHERE, "PJSIP/1"),
        call.stops("li", OfferResult.ANSWERED, "PJSIP/2"),
        call.talks("li", "PJSIP/2"),
    )
    assert pops(told) == []


def test_no_pop_where_the_call_is_gone_before_the_match() -> None:
    house, call = House(answer=None), Script()
    told = house.hear(
        call.started(), call.rings("li"), call.rings("wu"), call.stops("wu", OfferResult.ANSWERED_ELSEWHERE)
    )
    assert pops(told) == []
    told = told_by(house.audience.matched(call.call.call_id, NUMBER, ADA, EPOCH))
    assert pops(told) == ["li pop one"]


def test_a_late_match_pops_incomplete_and_then_updates() -> None:
    house, call = House(answer=None), Script()
    house.hear(call.started(), call.rings("li"))
    audience, call_id = house.audience, call.call.call_id
    late = told_by(audience.overdue(call_id, NUMBER, EPOCH))
    assert pops(late) == ["li pop incomplete"]
    assert audience.overdue(call_id, NUMBER, EPOCH) == []
    assert pops(house.hear(call.rings("wu"))) == ["wu pop incomplete"]  # it is known to be late
    then = told_by(audience.matched(call_id, NUMBER, ADA, EPOCH))
    assert pops(then) == ["li update one", "wu update one"]


def test_a_stale_answer_is_not_used() -> None:
    house, call = House(answer=None), Script()
    house.hear(call.started(), call.rings("li"))
    caller = replace(call.call.caller, number="+12025550199")
    house.hear(call.updated(caller=caller))
    assert [lookup.number for lookup in house.lookups] == [NUMBER, "+12025550199"]
    assert house.audience.matched(call.call.call_id, NUMBER, ADA, EPOCH) == []
    told = house.audience.matched(call.call.call_id, "+12025550199", found("+12025550199"), EPOCH)
    assert pops(told_by(told)) == ["li pop none"]


def test_a_number_that_changes_updates_the_pop() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li"))
    house.answer = found("+12025550199")
    told = house.hear(call.updated(caller=replace(call.call.caller, number="+12025550199")))
    assert pops(told) == ["li update none"]


def test_an_anonymous_caller_pops_at_once_and_nobody_is_asked() -> None:
    house, call = House(), Script(caller=Party(name="anonymous"))
    assert pops(house.hear(call.started(), call.rings("li"))) == ["li pop none"]
    assert house.lookups == []


def test_a_ring_of_nobodys_phone_tells_nobody() -> None:
    house, call = House(), Script()
    assert house.hear(call.started(), call.rings(None)) == []


def test_the_caller_who_gives_up_without_a_word_about_the_offer() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li"))
    told = house.hear(call.ends(CallStatus.ABANDONED))
    assert pops(told) == ["li withdrawn caller_gave_up"] and views(told) == ["li ended"]
    assert house.hear(call.updated()) == []  # a correction after the end


def test_an_outbound_call_pops_for_who_dialed_once_the_number_is_known() -> None:
    house = House()
    call = Script(direction=Direction.OUTBOUND, caller=agent_party("li"), callee=agent_party("li"))
    told = house.hear(call.started())
    assert pops(told) == [] and views(told) == ["li ringing"] and states(told) == ["li busy"]
    callee = Party(number=NUMBER, channel="PJSIP/out-00000002")
    told = house.hear(call.updated(callee=callee))
    assert pops(told) == ["li pop one"]
    pop = next(m for _, m in told if isinstance(m, Pop))
    assert (pop.direction, pop.caller.number) == ("outbound", NUMBER)
    assert house.lookups[0].trunk == "out"
    assert pops(house.hear(call.talks("li"), call.updated(), call.leaves("li"), call.ends())) == []


def test_click_to_dial_pops_once_though_the_agents_own_phone_rings_first() -> None:
    house = House()
    call = Script(direction=Direction.OUTBOUND, caller=agent_party("li"), callee=Party(number=NUMBER))
    told = house.hear(
        call.rings("li"), call.started(), call.stops("li", OfferResult.ANSWERED), call.updated(), call.talks("li")
    )
    assert pops(told) == ["li pop one"]


def test_an_unanswered_outbound_call_keeps_its_card() -> None:
    house = House()
    call = Script(direction=Direction.OUTBOUND, caller=agent_party("li"), callee=Party(number=NUMBER))
    told = house.hear(call.started(), call.ends(CallStatus.NO_ANSWER))
    assert pops(told) == ["li pop one"] and views(told)[-1] == "li ended"


def test_colleagues_see_each_others_names_and_are_not_looked_up() -> None:
    house = House()
    call = Script(direction=Direction.INTERNAL, caller=agent_party("li"), callee=agent_party("wu"))
    told = house.hear(call.started(), call.rings("wu"))
    assert pops(told) == ["wu pop ignored"] and house.lookups == []
    assert next(m for _, m in told if isinstance(m, Pop)).caller.name == "Li"
    assert views(told) == ["li ringing", "wu ringing"]
    told = house.hear(call.stops("wu", OfferResult.ANSWERED), call.talks("wu"), call.talks("li"))
    assert pops(told) == [] and views(told)[-2:] == ["li talking", "wu talking"]


def test_a_colleague_who_called_and_was_left_alone_for_a_moment_sees_the_call_again() -> None:
    house = House()
    call = Script(direction=Direction.INTERNAL, caller=agent_party("wu"), callee=agent_party("li"))
    answered = OfferResult.ANSWERED
    house.hear(call.started(), call.rings("li", "PJSIP/2"), call.rings("li", "PJSIP/1"))
    house.hear(call.stops("li", answered, "PJSIP/2"), call.talks("li", "PJSIP/2"))
    assert "wu ended" in views(house.hear(call.leaves("li")))
    told = house.hear(call.stops("li", answered, "PJSIP/1"), call.talks("li", "PJSIP/1"))
    assert sorted(views(told)[-2:]) == ["li talking", "wu talking"]


def test_who_picks_up_without_being_rung_gets_the_pop_when_they_talk() -> None:
    house, call = House(), Script()
    told = house.hear(call.started(), call.rings("li"), call.talks("wu"))
    assert pops(told) == ["li pop one", "wu pop one"]


def test_hold_and_transfer_move_the_call_between_agents() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li"), call.stops("li", OfferResult.ANSWERED), call.talks("li"))
    assert views(house.hear(call.holds("li"))) == ["li held"]
    assert views(house.hear(call.resumes())) == ["li talking"]
    told = house.hear(call.rings("wu"), call.leaves("li"), call.stops("wu", OfferResult.ANSWERED), call.talks("wu"))
    assert pops(told) == ["wu pop one"]
    assert "li ended" in views(told) and views(told)[-1] == "wu talking"


def test_a_merged_call_keeps_its_pop_and_leaves_the_list() -> None:
    house = House()
    first, consult = Script("first"), Script("consult", caller=Party(number=NUMBER))
    house.hear(first.started(), first.rings("li"), first.stops("li", OfferResult.ANSWERED), first.talks("li"))
    assert pops(house.hear(consult.started(), consult.rings("wu"))) == ["wu pop one"]
    house.hear(consult.stops("wu", OfferResult.ANSWERED), consult.talks("wu"))
    told = house.hear(first.merges(consult))
    assert pops(told) == []
    ended = [m.call.call_id for a, m in told if isinstance(m, CallChanged) and m.call.state == "ended"]
    assert ended == [consult.call.call_id]
    assert house.audience.calls == 1


def test_a_call_found_after_a_restart_pops_for_who_is_in_it() -> None:
    house, call = House(), Script()
    call.started(), call.rings("wu"), call.talks("li")  # before the restart: nobody listened
    told = house.hear(call.updated())
    assert sorted(pops(told)) == ["li pop one", "wu pop one"]


def test_states_of_an_agent_through_a_day() -> None:
    house, call = House(), Script()
    audience = house.audience

    def word(effects: list[Effect]) -> list[str]:
        return states(told_by(effects))

    seat = Seat(agent="li", name="Li", extension="1001", interface="PJSIP/1001")
    assert word(audience.sit(seat, EPOCH)) == ["li offline"]
    assert word(audience.arrive("li", EPOCH)) == ["li ready"]
    assert word(audience.arrive("li", EPOCH)) == []
    assert word(audience.sit(replace(seat, paused=True), EPOCH)) == ["li paused"]
    assert word(audience.sit(seat, EPOCH)) == ["li ready"]
    assert states(house.hear(call.started(), call.rings("li"))) == ["li ringing"]
    assert states(house.hear(call.stops("li", OfferResult.ANSWERED), call.talks("li"))) == ["li busy"]
    assert states(house.hear(call.leaves("li"), call.ends())) == ["li ready"]
    assert word(audience.leave("li", EPOCH)) == ["li offline"]
    state = audience.state("li")
    assert state is not None and (state.name, state.extension) == ("Li", "1001")


def test_a_name_of_any_length_is_bounded_and_otherwise_passed_as_it_is() -> None:
    house = House()
    call = Script(caller=Party(number=NUMBER, name="<b>Robert'); DROP TABLE--" + "x" * 10_000))
    told = house.hear(call.started(), call.rings("li"))
    name = next(m for _, m in told if isinstance(m, Pop)).caller.name
    assert name is not None and name.startswith("<b>Robert'); DROP TABLE--") and len(name) == 256


def test_a_call_that_comes_back_after_a_transfer_pops_again() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li"), call.stops("li", OfferResult.ANSWERED), call.talks("li"))
    house.hear(call.leaves("li"))
    assert pops(house.hear(call.rings("li"))) == ["li pop one"]  # the stream swallows it while the first is shown
    assert len(house.lookups) == 1


def test_merging_calls_that_both_pop_for_one_agent_leaves_one_pop() -> None:
    house, first, second = House(), Script("first"), Script("second")
    house.hear(first.rings("li"), second.rings("li"))
    told = house.hear(first.merges(second))
    assert pops(told) == ["li withdrawn ended"]
    withdrawn = next(m for _, m in told if isinstance(m, PopWithdrawn))
    assert withdrawn.call_id == second.call.call_id


def test_a_pop_that_waits_for_its_match_survives_a_merge() -> None:
    house, first, second = House(answer=None), Script("first"), Script("second")
    house.hear(first.started(), second.rings("li"))
    assert pops(house.hear(first.merges(second))) == []
    told = told_by(house.audience.matched(first.call.call_id, NUMBER, ADA, first.now))
    assert pops(told) == ["li pop one"]


def test_who_was_consulted_sees_the_customer_once_the_calls_are_one() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li"), call.stops("li", OfferResult.ANSWERED), call.talks("li"))
    consult = Script("consult", direction=Direction.INTERNAL, caller=agent_party("li"), callee=agent_party("wu"))
    told = house.hear(call.holds("li"), consult.started(), consult.rings("wu"))
    assert pops(told) == ["wu pop ignored"]
    told = house.hear(consult.stops("wu", OfferResult.ANSWERED), consult.talks("wu"))
    assert views(told) == ["li talking", "wu talking"]
    told = house.hear(call.leaves("li"), call.merges(consult))
    assert pops(told) == ["wu withdrawn ended", "wu pop one"]
    pop = next(m for _, m in told if isinstance(m, Pop))
    assert (pop.call_id, pop.caller.number) == (call.call.call_id, NUMBER)
    assert states(told) == ["li offline"] and sorted(views(told)[-2:]) == ["li ended", "wu ended"]
    assert len(house.lookups) == 1


def test_all_who_were_in_a_consultation_are_told_which_call_it_became() -> None:
    house, call = House(), Script()
    house.hear(call.started(), call.rings("li"), call.stops("li", OfferResult.ANSWERED), call.talks("li"))
    consult = Script("consult", direction=Direction.INTERNAL, caller=agent_party("li"), callee=agent_party("wu"))
    house.hear(consult.started(), consult.rings("wu"), consult.stops("wu", OfferResult.ANSWERED), consult.talks("wu"))
    # Li's phone may have left the consultation before the two calls are known to be one.
    told = house.hear(consult.updated(caller=agent_party("nobody")))
    assert "li ended" in views(told)
    told = house.hear(call.leaves("li"), call.merges(consult))
    became = [(agent, m.call.merged_into) for agent, m in told if isinstance(m, CallChanged) and m.call.merged_into]
    assert sorted(became) == [("li", call.call.call_id), ("wu", call.call.call_id)]
