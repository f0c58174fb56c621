"""A desk phone by AMI, on a real Asterisk: hand on, ask first, park and fetch, over the screen-pop's WebSocket."""

import itertools
from typing import Any

import pytest

from tests.acceptance.house import House
from tests.acceptance.people import Message, Somebody
from tests.testbed import AmiLink, Pbx
from tests.testbed.script import is_hung_up, speaks

pytestmark = pytest.mark.asyncio(loop_scope="session")
_ids = itertools.count(1)


async def test_a_call_is_handed_on_blindly(house: House) -> None:
    amelia = house.agents["amelia"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        own, other = await pbx.phones("1001", "1002")
        agent = await own.called.answers(after_s=0.3)
        colleague = await other.called.answers_and_hangs_up(after_s=0.3, talk_s=0.5)
        caller = await pbx.trunk.caller("+447700900401").stays("+442079460991")
        call_id = await talking(amelia, "+447700900401")
        await done(amelia, "transfer", call_id=call_id, number="1002")
        await pbx.finished(agent, colleague, caller)

    (record,) = await house.play(flow)
    assert [(one["kind"], one["by"], one["to"]) for one in record["transfers"]] == [("blind", "PJSIP/1001", "1002")]
    assert [one["agent"] for one in record["connections"]] == ["amelia", "ben"]
    await house.agree([record])


async def test_the_target_is_asked_first_and_hanging_up_joins_the_two(house: House) -> None:
    amelia = house.agents["amelia"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        own, other = await pbx.phones("1001", "1002")
        agent = await own.called.answers(after_s=0.3)
        colleague = await other.called.answers(after_s=0.3)
        caller = await pbx.trunk.caller("+447700900402").hangs_up("+442079460991", after_s=8)
        call_id = await talking(amelia, "+447700900402")
        order = {"call_id": call_id, "number": "1002", "kind": "attended"}
        await done(amelia, "transfer", **order)
        await link.event("BridgeEnter", count=6)
        await done(amelia, "hangup", call_id=call_id)
        await pbx.finished(agent, colleague, caller)

    (record,) = await house.play(flow)
    (handed,) = record["transfers"]
    assert (handed["kind"], handed["by"], handed["to"]) == ("attended", "PJSIP/1001", "PJSIP/1002")
    assert [one["agent"] for one in record["connections"]] == ["amelia", "ben"]
    await house.agree([record])


async def test_who_was_asked_in_vain_is_let_go_and_the_caller_is_back(house: House) -> None:
    amelia = house.agents["amelia"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        own, other = await pbx.phones("1001", "1002")
        agent = await own.called.answers(after_s=0.3)
        colleague = await other.called.answers(after_s=0.3)
        caller = await pbx.trunk.caller("+447700900403").stays("+442079460991")
        call_id = await talking(amelia, "+447700900403")
        refused = await verb(amelia, "transfer_cancel", call_id=call_id)
        assert (refused["code"], "nobody waits" in refused["text"]) == ("failed", True)
        order = {"call_id": call_id, "number": "1002", "kind": "attended"}
        await done(amelia, "transfer", **order)
        await link.event("BridgeEnter", count=6)
        await done(amelia, "transfer_cancel", call_id=call_id)
        await pbx.finished(colleague)
        await link.event("Unhold")
        await done(amelia, "hangup", call_id=call_id)
        await pbx.finished(agent, caller)

    (record,) = await house.play(flow)
    assert record["transfers"] == []
    assert "amelia" in [one["agent"] for one in record["connections"]]


async def test_a_caller_is_parked_seen_by_all_and_fetched(house: House) -> None:
    amelia, ben = house.agents["amelia"], house.agents["ben"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        own, other = await pbx.phones("1001", "1002")
        agent = await own.called.answers(after_s=0.3)
        caller = await pbx.trunk.caller("+447700900404").stays("+442079460991")
        call_id = await talking(amelia, "+447700900404")
        # Ready before they are parked: the testbed's parking gives them back after a few seconds.
        again = await other.called.answers_and_hangs_up(after_s=0.2, talk_s=0.6)
        await done(amelia, "park", call_id=call_id)
        await pbx.finished(agent)
        for person, mine in ((amelia, True), (ben, False)):
            (parked,) = (await person.ask("GET", "/phone/parked"))["items"]
            assert (parked["call_id"], parked["number"], parked["mine"]) == (call_id, "+447700900404", mine)
        await done(ben, "fetch", call_id=call_id)
        await pbx.finished(again, caller)
        assert (await ben.ask("GET", "/phone/parked"))["items"] == []
        await refused(ben, "fetch", call_id=call_id)

    (record,) = await house.play(flow)
    assert (record["direction"], record["status"]) == ("inbound", "answered")
    assert [one["agent"] for one in record["connections"]] == ["amelia", "ben"]
    # Ben's phone rang because Ben asked for the call: that is no offer, which he could have missed.
    assert [one["interface"] for one in record["offers"]] == ["PJSIP/1001"]


async def test_what_cannot_be_is_refused_in_plain_words(house: House) -> None:
    amelia, ben = house.agents["amelia"], house.agents["ben"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        (own,) = await pbx.phones("1001")
        agent = await own.called.answers(after_s=0.3)
        caller = await pbx.trunk.caller("+447700900405").plays("+442079460991", speaks(), is_hung_up())
        call_id = await talking(amelia, "+447700900405")
        for who, order, words in (
            (ben, {"type": "park"}, "your phone is not in this call"),
            (ben, {"type": "transfer", "number": "1003"}, "your phone is not in this call"),
            (amelia, {"type": "transfer", "number": "*97"}, "dialed at the phone"),
            (amelia, {"type": "transfer", "number": "Local/1@x"}, "no number"),
            (amelia, {"type": "fetch"}, "not parked any more"),
        ):
            kind = str(order.pop("type"))
            told = await verb(who, kind, call_id=call_id, **order)
            assert (told["code"], words in told["text"]) == ("failed", True), told
        await done(amelia, "hangup", call_id=call_id)
        await pbx.finished(agent, caller)
        late = await verb(amelia, "park", call_id=call_id)
        assert (late["code"], late["text"]) == ("failed", "the call is over already")

    await house.play(flow)


async def verb(person: Somebody, order: str, **about: Any) -> Message:
    """Ask for something over the WebSocket; the one notice that answers it."""
    name = f"v{next(_ids)}"
    await person.send(type=order, id=name, **about)
    return await person.told(lambda one: one["type"] == "notice" and one["id"] == name, f"how {order} went")


async def done(person: Somebody, order: str, **about: Any) -> None:
    """Ask for something, which has to go well."""
    told = await verb(person, order, **about)
    assert told["code"] == "done", told


async def refused(person: Somebody, order: str, **about: Any) -> None:
    """Ask for something, which has to be refused."""
    told = await verb(person, order, **about)
    assert told["code"] == "failed", told


async def talking(person: Somebody, number: str) -> str:
    """Wait until an agent talks with a caller; the id of the call."""
    found = await person.told(
        lambda one: one["type"] == "call" and one["call"]["state"] == "talking" and number == one["call"]["number"],
        f"talks with {number}",
    )
    call_id: str = found["call"]["call_id"]
    return call_id
