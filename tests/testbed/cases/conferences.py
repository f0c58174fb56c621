"""Talks of more than two: conferences, and colleagues who are brought into a call."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.registry import case
from tests.testbed.cases.transfers import talking
from tests.testbed.pbx import Pbx


@case()
async def conference_of_colleagues(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 2080, a conference, and waits there alone for 1.5 s. 1002 comes, and 1 s later 1003. 1003 stays 1.5 s,
    1002 stays 4 s, 1001 hangs up 1 s after 1002.

    Expected: three internal calls, each answered when its caller first had company; 1001 talked with 1002 and 1003,
    and so each of the others; hung up by the caller each.
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    first = await amelia.dials.hangs_up("2080", after_s=7.5)
    await link.event("ConfbridgeJoin", count=1)
    await asyncio.sleep(1.5)  # alone
    second = await ben.dials.hangs_up("2080", after_s=4.5)
    await link.event("ConfbridgeJoin", count=2)
    await asyncio.sleep(1)  # they talk
    third = await chloe.dials.hangs_up("2080", after_s=2)
    await pbx.finished(first, second, third)


@case()
async def conference_with_a_customer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900230 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s and sends the caller
    into the conference 2080 (SIP REFER), then dials it too, and 1002, a colleague, 1 s after 1001. 1002 stays 1.5 s
    there, and the caller hangs up 6 s after the first answer.

    Expected: one inbound call, answered; one blind transfer by 1001 to 2080; the customer talked with 1001, in the
    conference with 1001 again, and with 1002; hung up by the caller. 1001 and 1002 have an internal call each, in
    which they talked with the customer's number.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_transfers("2080", after_s=0.5, talk_s=1)
    caller = await pbx.trunk.caller("+447700900230").hangs_up("+442079460991", after_s=6)
    await first.finished()
    back = await amelia.dials.hangs_up("2080", after_s=5.5)
    await link.event("ConfbridgeJoin", count=2)
    await asyncio.sleep(1)  # they talk
    colleague = await ben.dials.hangs_up("2080", after_s=2)
    await pbx.finished(caller, back, colleague)


@case()
async def conference_of_two_customers(pbx: Pbx, link: AmiLink) -> None:
    """+447700900231 calls +442079460987, which leads to the conference 2080, and waits there. 1001 dials 2080 1 s
    later, and 02079460231 calls 02079460987 after 1 s more. All three talk; the second customer hangs up 2.5 s after
    the PBX answered, the first 7 s after, and 1001 8 s after.

    Expected: two inbound calls and one internal one, for Asterisk merges nothing in a conference; all answered. The
    first customer talked with 1001 and the second customer's number, the second with 1001 and the first's; hung up by
    the caller each.
    """
    amelia = await pbx.phone("1001")
    first = await pbx.trunk.caller("+447700900231").hangs_up("+442079460987", after_s=7)
    await link.event("ConfbridgeJoin", count=1)
    await asyncio.sleep(1)  # alone
    agent = await amelia.dials.hangs_up("2080", after_s=8)
    await link.event("ConfbridgeJoin", count=2)
    await asyncio.sleep(1)  # they talk
    second = await pbx.trunk.caller("02079460231").hangs_up("02079460987", after_s=2.5)
    await pbx.finished(first, agent, second)


@case()
async def conference_by_redirect_with_consultation(pbx: Pbx, link: AmiLink) -> None:
    """02079460232 calls 02079460996, the queue billing; 1008 answers after 0.5 s. A panel has 1002 called into the
    conference 2081 (AMI's Originate), who answers after 0.6 s, and then moves the caller and 1008 there (AMI's
    Redirect with ExtraChannel). 1008 leaves 2 s later, and the caller hangs up 7 s after the PBX answered.

    Expected: one inbound call, answered; one visit to billing, answered; the customer talked with 1008, and with 1002
    to the end; one internal call of 1002; hung up by the caller.
    """
    hannah, ben = await pbx.phones("1008", "1002")
    agent = await hannah.called.answers(after_s=0.5)
    colleague = await ben.called.answers(after_s=0.6)
    caller = await pbx.trunk.caller("02079460232").hangs_up("02079460996", after_s=7)
    customer_channel = (await talking(link, "PJSIP/trunk-"))["Channel"]
    agent_channel = (await talking(link, "PJSIP/1008-"))["Channel"]
    await link.action("Originate", Channel="PJSIP/1002", Context="from-internal", Exten="2081", Priority="1")
    await link.event("ConfbridgeJoin", count=1)
    there = {"Context": "from-internal", "Exten": "2081", "Priority": "1"}
    extra = {f"Extra{key}": value for key, value in there.items()}
    await link.action("Redirect", Channel=customer_channel, ExtraChannel=agent_channel, **there, **extra)
    await link.event("ConfbridgeJoin", count=3)
    await asyncio.sleep(2)  # they talk
    await link.action("Hangup", Channel=agent_channel)
    await pbx.finished(agent, caller)
    await link.action("Hangup", Channel=(await link.event("ConfbridgeJoin"))["Channel"])
    await pbx.finished(colleague)
