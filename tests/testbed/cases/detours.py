"""Calls that reach another phone than the one they rang at: picked up, forwarded, parked; and members behind Local."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.registry import case
from tests.testbed.cases.transfers import talking
from tests.testbed.cases.trunk import ringing
from tests.testbed.pbx import Pbx


@case(extension_ring_s=8)
async def pickup_directed(pbx: Pbx, link: AmiLink) -> None:
    """+447700900160 calls extension 1001 by +442079460991, which rings. 1003 picks the call up by dialing **1001.
    They talk 1.2 s and 1003 hangs up.

    Expected: one inbound call, answered by 1003 (PJSIP/1003); the offer to PJSIP/1001 ended as answered elsewhere;
    the leg of 1003 is no internal call of its own; hung up by the agent (1003).
    """
    amelia, chloe = await pbx.phones("1001", "1003")
    rung = await amelia.called.rings()
    caller = await pbx.trunk.caller("+447700900160").stays("+442079460991")
    await ringing(link, "PJSIP/1001-")
    picker = await chloe.dials.hangs_up("**1001", after_s=1.2)
    await pbx.finished(rung, caller, picker)


@case(extension_ring_s=8)
async def pickup_group(pbx: Pbx, link: AmiLink) -> None:
    """02079460110 calls extension 1001 by 02079460991, which rings. 1003, of the same pickup group, takes the call by
    dialing *8. They talk 1.2 s and the caller hangs up.

    Expected: one inbound call, answered by 1003 (PJSIP/1003); the offer to PJSIP/1001 ended as answered elsewhere;
    hung up by the caller.
    """
    amelia, chloe = await pbx.phones("1001", "1003")
    rung = await amelia.called.rings()
    caller = await pbx.trunk.caller("02079460110").hangs_up("02079460991", after_s=1.2)
    await ringing(link, "PJSIP/1001-")
    picker = await chloe.dials.stays("*8")
    await pbx.finished(rung, caller, picker)


@case(queue_ring_s=8)
async def pickup_from_queue(pbx: Pbx, link: AmiLink) -> None:
    """+447700900161 calls +442079460996, the queue billing, whose member 1008 rings. 1003, who is no member, picks
    the call up by dialing **1008. They talk 1.2 s and 1003 hangs up.

    Expected: one inbound call, answered by 1003; the visit to billing was answered; the offer to PJSIP/1008 ended as
    answered elsewhere; hung up by the agent (1003).
    """
    hannah, chloe = await pbx.phones("1008", "1003")
    rung = await hannah.called.rings()
    caller = await pbx.trunk.caller("+447700900161").stays("+442079460996")
    await ringing(link, "PJSIP/1008-")
    picker = await chloe.dials.hangs_up("**1008", after_s=1.2)
    await pbx.finished(rung, caller, picker)


@case()
async def forward_answered(pbx: Pbx, link: AmiLink) -> None:
    """+447700900162 calls extension 1001 by +442079460991. The phone forwards the call to 1002 (302), which rings 0.8
    s and is answered. They talk 1 s and 1002 hangs up.

    Expected: one inbound call, answered by 1002; the offer to PJSIP/1001 did not end in an answer; an offer to
    PJSIP/1002, answered; no Local channel is shown; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    forwarder = await amelia.called.forwards("1002")
    agent = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900162").stays("+442079460991")
    await pbx.finished(forwarder, agent, caller)


@case()
async def queue_member_forwards(pbx: Pbx, link: AmiLink) -> None:
    """02079460111 calls 02079460996, the queue billing. The phone of its member 1008 forwards the call to 1002 (302),
    which rings 0.8 s and is answered. They talk 1 s and the caller hangs up 4 s after the PBX answered.

    Expected: one inbound call, answered in billing; talked with 1002 (PJSIP/1002), whom the queue knows as 1008.
    """
    hannah, ben = await pbx.phones("1008", "1002")
    forwarder = await hannah.called.forwards("1002")
    agent = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("02079460111").hangs_up("02079460996", after_s=4)
    await pbx.finished(forwarder, agent, caller)


@case()
async def queue_member_local_optimized(pbx: Pbx, link: AmiLink) -> None:
    """1009 is made a member of the queue billing as Local/1009@from-queue (without /n) with the state interface
    PJSIP/1009. +447700900163 calls +442079460996; 1009 rings 0.8 s and is answered, and Asterisk then takes the Local
    channel out of the call. They talk 1.5 s and the agent hangs up.

    Expected: one inbound call, answered; one offer to PJSIP/1009, answered; the talk is not cut in two; hung up by
    the agent.
    """
    ivan = await pbx.phone("1009")
    agent = await ivan.called.answers_speaks_and_hangs_up(after_s=0.8, talk_s=1.5)
    await link.action(
        "QueueAdd",
        Queue="billing",
        Interface="Local/1009@from-queue",
        MemberName="Ivan Petrov",
        StateInterface="PJSIP/1009",
    )
    caller = await pbx.trunk.caller("+447700900163").stays("+442079460996")
    await pbx.finished(agent, caller)


@case()
async def parked_and_fetched(pbx: Pbx, link: AmiLink) -> None:
    """+447700900164 calls extension 1001 by +442079460991, who answers after 0.5 s and talks 0.8 s. The caller is
    parked (AMI's Park); 1002 fetches the call by dialing 701, they talk 1.2 s, and 1002 hangs up.

    Expected: one inbound call, answered; talked with 1001 and then with 1002, and the time in the parking lot is not
    talk; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    agent = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("+447700900164").stays("+442079460991")
    await park(link)
    await asyncio.sleep(1)  # parked
    fetcher = await ben.dials.hangs_up("701", after_s=1.2)
    await pbx.finished(agent, caller, fetcher)


@case(park_timeout_s=2)
async def parked_and_returned(pbx: Pbx, link: AmiLink) -> None:
    """02079460112 calls extension 1001 by 02079460991, who answers after 0.5 s and talks 0.8 s. The caller is parked
    (AMI's Park), nobody fetches the call within 2 s, and 1001 is rung again; answers after 0.6 s, talks 1 s, hangs
    up.

    Expected: one inbound call, answered; two offers to PJSIP/1001, both answered; the time in the parking lot is not
    talk; hung up by the agent.
    """
    amelia = await pbx.phone("1001")
    agent = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("02079460112").stays("02079460991")
    await park(link)
    await agent.finished()
    again = await amelia.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    await pbx.finished(again, caller)


@case()
async def parked_and_given_up(pbx: Pbx, link: AmiLink) -> None:
    """+447700900165 calls extension 1001 by +442079460991, who answers after 0.5 s and talks 0.8 s. The caller is
    parked (AMI's Park) and hangs up 2.5 s after the answer.

    Expected: one inbound call, answered; hung up by the caller, in the parking lot.
    """
    amelia = await pbx.phone("1001")
    agent = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("+447700900165").hangs_up("+442079460991", after_s=2.5)
    await park(link)
    await pbx.finished(agent, caller)


async def park(link: AmiLink) -> None:
    """Park the caller once they have talked with 1001; on a time-out 1001 is rung."""
    agent = await talking(link, "PJSIP/1001-")
    customer = await talking(link, "PJSIP/trunk-")
    await asyncio.sleep(0.8)  # they talk
    await link.action("Park", Channel=customer["Channel"], TimeoutChannel=agent["Channel"].rpartition("-")[0])
