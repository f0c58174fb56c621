"""Click-to-dial through a real Asterisk: one outbound call each; the agent's own leg is no call and no offer."""

import pytest

from tests.acceptance.house import House, Record
from tests.acceptance.people import Somebody
from tests.testbed import AmiLink, Pbx
from tests.testbed.callees import BUSY, DECLINED

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUSTOMER = "020 7946 0150"
E164 = "+442079460150"


async def test_answered(house: House) -> None:
    amelia = house.agents["amelia"]
    customer = await house.boss.ask("POST", "/customers", name="Renée O'Hara 吕", phones=[{"number": CUSTOMER}])

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1001")
        # The agent is answered, waits for the customer (0.8 s) and talks.
        agent = await phone.called.answers_and_hangs_up(after_s=0.6, talk_s=2)
        called = await pbx.trunk.called.answers(after_s=0.8)
        accepted = await amelia.ask("POST", "/calls", number=CUSTOMER)
        assert accepted["pbx"] == "pbx"
        house_call.append(accepted["call_id"])
        await pbx.finished(agent, called)

    house_call: list[str] = []
    (record,) = await house.play(flow)
    assert record["call_id"] == house_call[0]
    assert _told(record) == ("outbound", "answered", "agent")
    assert record["callee"]["e164"] == E164
    assert [one["interface"] for one in record["connections"]] == ["PJSIP/1001"]
    assert record["customer"]["id"] == customer["id"]
    await house.agree([record])
    pops = amelia.of_call(record["call_id"], "pop", "pop_withdrawn")
    assert [pop["type"] for pop in pops] == ["pop"]
    assert pops[0]["direction"] == "outbound"
    assert [one["name"] for one in pops[0]["match"]["candidates"]] == ["Renée O'Hara 吕"]
    assert not any(person.of_call(record["call_id"], "pop") for person in _others(house, "amelia"))


async def test_by_the_screen_pop_where_the_customer_is_busy(house: House) -> None:
    amelia = house.agents["amelia"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1001")
        agent = await phone.called.answers(after_s=0.4)
        called = await pbx.trunk.called.refuses(BUSY, after_s=0.5)
        await amelia.send(type="dial", id="busy-1", number=CUSTOMER)
        notice = await amelia.told(lambda one: one.get("id") == "busy-1", "the dial's result")
        assert notice["code"] == "done"
        await pbx.finished(agent, called)

    (record,) = await house.play(flow)
    assert _told(record) == ("outbound", "busy", "callee")
    assert record["offers"] == record["connections"] == []
    await house.agree([record])


async def test_agent_does_not_pick_up(house: House) -> None:
    farah = house.agents["farah"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1006")
        agent = await phone.called.refuses(DECLINED, after_s=0.5)
        await farah.ask("POST", "/calls", number=CUSTOMER)
        await pbx.finished(agent)

    (record,) = await house.play(flow)
    assert (record["direction"], record["status"]) == ("outbound", "canceled")
    assert record["offers"] == record["connections"] == []
    assert record["answered_at"] is None
    await house.agree([record])


async def test_agent_hangs_up_while_the_customer_rings(house: House) -> None:
    farah = house.agents["farah"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1006")
        agent = await phone.called.answers(after_s=0.3)
        called = await pbx.trunk.called.rings()
        accepted = await farah.ask("POST", "/calls", number=CUSTOMER)
        await link.event("Newstate", ChannelStateDesc="Ringing", Context="from-trunk")
        await farah.ask("POST", f"/calls/{accepted['call_id']}/hangup")
        await pbx.finished(agent, called)

    (record,) = await house.play(flow)
    assert (record["direction"], record["status"]) == ("outbound", "canceled")
    assert record["connections"] == []
    await house.agree([record])


async def test_the_agents_phone_is_not_there(house: House) -> None:
    """No channel ever comes of it: Asterisk has nothing to tell, and there is no call to log."""
    ivan = house.agents["ivan"]
    async with house.pbx.asterisk.observer() as link:
        await ivan.send(type="dial", id="away-1", number=CUSTOMER)
        await ivan.told(lambda one: one.get("id") == "away-1", "the dial's result")
        answer = await link.event("OriginateResponse")
        assert answer["Response"] == "Failure"
    assert await house.new_records(0) == []


def _told(record: Record) -> tuple[str, str, str]:
    return record["direction"], record["status"], record["hangup_by"]


def _others(house: House, login: str) -> list[Somebody]:
    return [person for name, person in house.agents.items() if name != login]
