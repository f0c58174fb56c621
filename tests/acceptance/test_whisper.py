"""Who hears a supervisor: sound that they send is looked for in the RTP that goes to the agent, and to the customer."""

import asyncio

import pytest

from tests.acceptance.house import House
from tests.acceptance.sounds import heard, port_of
from tests.acceptance.watcher import Watcher
from tests.testbed import AmiLink, Pbx

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_agent_hears_a_whisper_and_the_customer_does_not(house: House) -> None:
    async def flow(pbx: Pbx, link: AmiLink) -> None:
        agent, boss = await pbx.phones("1001", "1010")
        # The customer sends silence, so that sound flows to the agent; the supervisor sends a tone.
        customer = await pbx.trunk.called.answers_speaks_and_hangs_up(after_s=0.2, talk_s=8)
        ear = await boss.called.answers_speaks_and_hangs_up(after_s=0.2, talk_s=20, tone=True)
        call = await agent.dials.stays("02079460331")
        async with Watcher(house.boss) as floor:
            seen = await floor.sees(lambda t: t["agents"]["amelia"]["call"]["state"] == "talking" and t, "they talk")
            call_id = seen["agents"]["amelia"]["call"]["call_id"]
            spy = await house.boss.ask("POST", f"/floor/calls/{call_id}/spy", agent="amelia", mode="listen")
            await floor.sees(lambda t: t["agents"]["amelia"]["listeners"] == ["Sam Rivers"], "who listens")
            channel = (await link.event("ChanSpyStart"))["SpyeeChannel"]
            trunk = (await link.event("Newchannel", Exten="02079460331"))["Channel"]
            assert trunk == channel
            out = await link.wait_for(lambda block: block.get("Channel", "").startswith("PJSIP/trunk-"))
            ear_of_agent, ear_of_customer = await port_of(link, channel), await port_of(link, out["Channel"])

            packets, loud = await heard(ear_of_agent)
            assert packets > 20 and loud == 0, "who listens is heard by nobody"
            await house.boss.ask("PATCH", "/floor/spying", spy_id=spy["spy_id"], mode="whisper")
            packets, loud = await heard(ear_of_agent)
            assert loud > 10, f"{loud} of {packets} packets to the agent carry the whisper"
            assert (await heard(ear_of_customer))[1] == 0
            await house.boss.ask("PATCH", "/floor/spying", spy_id=spy["spy_id"], mode="listen")
            async with asyncio.timeout(5):  # the first second may still hold what was on its way
                while (await heard(ear_of_agent))[1]:
                    pass
            await house.boss.ask("DELETE", f"/floor/spying?spy_id={spy['spy_id']}")
            await floor.sees(lambda t: t["agents"]["amelia"]["listeners"] == [], "nobody listens")
        await ear.stop()
        await pbx.finished(customer, call)

    (record,) = await house.play(flow)
    assert (record["direction"], record["status"]) == ("outbound", "answered")
    assert [one["agent"] for one in record["connections"]] == ["amelia"]
