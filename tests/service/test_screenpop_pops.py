"""Pops as pages see them, over a real WebSocket."""

from typing import Any

from callcenter.model import CallStatus, OfferResult, Party
from screenpop.messages import Notice
from screenpop.presence import Seat
from screenpop.timing import Timing
from tests.service.screenpop_house import House, running
from tests.unit.screenpop.script import Script

NUMBER = "+12025550123"


def shown(message: dict[str, Any]) -> tuple[str, str]:
    """A pop in short."""
    return message["call_id"], message["match"]["status"]


async def test_a_ring_pops_the_customer_and_is_measured() -> None:
    async with running(House()) as house, house.page() as page:
        assert page.welcome["protocol"] == 1 and page.welcome["resumed"] is False
        assert page.welcome["snapshot"]["agent"]["state"] == "ready"
        call = Script()
        for change in (call.started(), call.queued(), call.rings("li")):
            house.server.publish(change)
        pop = await page.next("pop")
        assert shown(pop) == (str(call.call.call_id), "one")
        assert pop["match"]["candidates"][0]["name"] == "Ada Lovelace"
        assert pop["caller"] == {"number": NUMBER, "e164": None, "name": "Ada"}
        assert house.book.asked == [(1, NUMBER, "pbx", "trunk")]
        await house.until(lambda: house.count("callcenter_pop_seconds_count") == 1)


async def test_text_from_the_caller_arrives_as_text() -> None:
    name = "<img src=x onerror=alert(1)>'; DROP TABLE customers;-- \u202e\U0001f980\x00"
    async with running(House()) as house, house.page() as page:
        call = Script(caller=Party(number=NUMBER, name=name))
        house.server.publish(call.rings("li"))
        assert (await page.next("pop"))["caller"]["name"] == name


async def test_answered_elsewhere_withdraws_on_the_other_pages_only() -> None:
    async with running(House()) as house, house.page("li") as li, house.page("wu") as wu:
        call = Script()
        for change in (call.started(), call.rings("li"), call.rings("wu")):
            house.server.publish(change)
        await li.next("pop")
        await wu.next("pop")
        assert len(house.book.asked) == 1
        house.server.publish(call.stops("li", OfferResult.ANSWERED))
        house.server.publish(call.stops("wu", OfferResult.ANSWERED_ELSEWHERE))
        house.server.publish(call.talks("li"))
        house.server.publish(call.leaves("li"))
        house.server.publish(call.ends())
        withdrawn = await wu.next("pop_withdrawn")
        assert withdrawn["reason"] == "answered_elsewhere"
        while (message := await li.read())["type"] != "agent" or message["state"] != "ready":
            assert message["type"] != "pop_withdrawn"


async def test_a_slow_match_delays_only_its_own_pop() -> None:
    async with running(House(Timing(patience_s=0.1))) as house, house.page("li") as li, house.page("wu") as wu:
        house.book.open.clear()
        slow = Script("slow")
        house.server.publish(slow.rings("li"))
        anonymous = Script("anonymous", caller=Party())
        house.server.publish(anonymous.rings("wu"))
        assert (await wu.next("pop"))["match"]["status"] == "none"
        assert (await li.next("pop"))["match"]["status"] == "incomplete"
        house.book.open.set()
        update = await li.next("pop_update")
        assert shown(update) == (str(slow.call.call_id), "one")
        await house.until(lambda: house.count("callcenter_screenpop_lookups_total", outcome="late") == 1)


async def test_a_match_that_fails_pops_incomplete_at_once() -> None:
    async with running(House(Timing(patience_s=60))) as house, house.page() as page:
        house.book.problem = ConnectionError("the database is gone")
        house.server.publish(Script().rings("li"))
        assert (await page.next("pop"))["match"]["status"] == "incomplete"


async def test_a_match_that_never_answers_is_given_up() -> None:
    async with running(House(Timing(patience_s=0.05, lookup_s=0.1))) as house, house.page() as page:
        house.book.open.clear()
        house.server.publish(Script().rings("li"))
        assert (await page.next("pop"))["match"]["status"] == "incomplete"
        await house.until(lambda: house.count("callcenter_screenpop_lookups_total", outcome="timeout") == 1)


async def test_no_pop_for_a_call_that_was_taken_before_the_match() -> None:
    async with running(House()) as house, house.page("wu") as wu:
        house.book.open.clear()
        call = Script()
        house.server.publish(call.rings("wu"))
        await wu.next("call")
        house.server.publish(call.stops("wu", OfferResult.ANSWERED_ELSEWHERE))
        house.book.open.set()
        await house.until(lambda: house.count("callcenter_screenpop_lookups_total", outcome="in time") == 1)
        house.server.broadcast("default", Notice(level="info", code="end", text=""), ["wu"])
        while (message := await wu.read())["type"] != "notice":
            assert message["type"] in ("call", "agent")


async def test_tenants_do_not_see_each_other() -> None:
    async with running(House()) as house, house.page("li", tenant_id=2) as other, house.page("li") as page:
        house.server.publish(Script().rings("li"))
        await page.next("pop")
        house.server.publish(Script("lost", tenant="unknown").rings("li"))
        house.server.broadcast("other", Notice(level="info", code="end", text=""))
        assert (await other.read())["type"] == "notice"


async def test_an_unacknowledged_pop_survives_a_reload_and_an_acknowledged_one_does_not() -> None:
    async with running(House()) as house:
        async with house.page() as page:
            call = Script()
            house.server.publish(call.rings("li"))
            pop = await page.next("pop")
        async with house.page() as page:
            assert page.welcome["snapshot"]["pops"] == [pop]
            assert page.welcome["snapshot"]["calls"][0]["state"] == "ringing"
            await page.say({"type": "ack", "seq": pop["seq"] + 100})
            await page.say({"type": "ack", "seq": pop["seq"]})
            assert (await page.next("pop_acknowledged"))["call_id"] == pop["call_id"]
        async with house.page() as page:
            assert page.welcome["snapshot"]["pops"] == []
            house.server.publish(call.rings("li", "PJSIP/second"))
            house.server.publish(call.ends(CallStatus.ABANDONED))
            while (message := await page.read())["type"] != "pop_withdrawn":
                assert message["type"] != "pop"  # still one pop per call and agent


async def test_a_page_that_opens_while_the_phone_rings_shows_the_pop() -> None:
    async with running(House()) as house:
        house.server.publish(Script().rings("li"))
        await house.until(lambda: house.count("callcenter_screenpop_lookups_total", outcome="in time") == 1)
        async with house.page() as page:
            assert [p["match"]["status"] for p in page.welcome["snapshot"]["pops"]] == ["one"]


async def test_every_tab_gets_the_stream_and_hears_of_the_others_ack() -> None:
    async with running(House()) as house, house.page() as one, house.page() as two:
        assert one.welcome["session"] != two.welcome["session"]
        house.server.publish(Script().rings("li"))
        pop = await one.next("pop")
        assert await two.next("pop") == pop
        await one.say({"type": "ack", "seq": pop["seq"]})
        assert (await two.next("pop_acknowledged"))["call_id"] == pop["call_id"]


async def test_seat_and_state_are_told() -> None:
    async with running(House(Timing(absent_s=0.1, sweep_s=0.05))) as house:
        house.server.seat("default", Seat(agent="li", name="Li", extension="1001", interface="PJSIP/1001"))
        async with house.page() as page:
            agent = page.welcome["snapshot"]["agent"]
            assert (agent["name"], agent["extension"], agent["state"]) == ("Li", "1001", "ready")
            house.server.seat("default", Seat(agent="li", name="Li", paused=True))
            assert (await page.next("agent"))["state"] == "paused"
            resume = page.resume
        await house.until(lambda: house.count("callcenter_screenpop_agents") == 0)
        async with house.page(resume=resume) as page:
            assert page.welcome["resumed"] is True
            assert [(await page.next("agent"))["state"] for _ in range(2)] == ["offline", "paused"]


async def test_verbs_are_done_and_answered() -> None:
    async with running(House(Timing(verb_s=0.2))) as house, house.page() as page:
        call = Script().call
        await page.say({"type": "dial", "id": "a", "number": "+1 202 555 0123"})
        assert (await page.next("notice"))["code"] == "done"
        await page.say({"type": "hangup", "id": "b", "call_id": str(call.call_id)})
        notice = await page.next("notice")
        assert (notice["id"], notice["code"]) == ("b", "done")
        assert house.exchange.orders == [("li", "+1 202 555 0123"), ("li", str(call.call_id))]
        await page.say({"type": "dial", "id": "c", "number": "engaged"})
        notice = await page.next("notice")
        assert (notice["code"], notice["text"]) == ("failed", "you are in a call already: end it first")
        await page.say({"type": "dial", "id": "d", "number": "broken"})
        notice = await page.next("notice")
        assert notice["code"] == "failed" and "wire" not in notice["text"]
        house.exchange.open.clear()
        for n in range(5):
            await page.say({"type": "dial", "id": f"e{n}", "number": "1"})
        notices = [await page.next("notice") for _ in range(5)]
        assert [n["id"] for n in notices] == ["e4", "e0", "e1", "e2", "e3"]
        assert "wait" in notices[0]["text"] and "in time" in notices[1]["text"]


async def test_what_agents_say_of_themselves_is_done_and_answered() -> None:
    async with running(House()) as house, house.page() as page:
        assert house.roster.there == [("li", True)]
        await page.say({"type": "pause", "id": "a", "reason": "lunch"})
        assert (await page.next("notice"))["code"] == "done"
        await page.say({"type": "pause", "id": "b", "reason": "siesta"})
        notice = await page.next("notice")
        assert (notice["id"], notice["code"]) == ("b", "failed") and "choose from lunch" in notice["text"]
        for message in (
            {"type": "ready", "id": "c"},
            {"type": "extend", "id": "d", "seconds": 30},
            {"type": "queues", "id": "e", "logged_in": False},
        ):
            await page.say(message)
            assert (await page.next("notice"))["code"] == "done"
        assert house.roster.said == [("li", "lunch"), ("li", "ready"), ("li", "30 s more"), ("li", "out")]
