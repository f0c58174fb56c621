"""Calls that a panel or another program moves by AMI, in the middle of a talk and before."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.features import consulting
from tests.testbed.cases.registry import case
from tests.testbed.cases.transfers import talking
from tests.testbed.cases.trunk import ringing
from tests.testbed.pbx import Pbx


@case()
async def ami_redirect_both(pbx: Pbx, link: AmiLink) -> None:
    """+447700900200 calls extension 1001 by +442079460991, who answers after 0.5 s. A supervisor moves both at once
    (AMI's Redirect with ExtraChannel): the caller to 1002, the agent to 1003. 1002 answers after 0.8 s, and 1003
    after 0.6 s. 1003 hangs up 1 s after its answer, the caller 5 s after the first.

    Expected: one inbound call, answered; the customer talked with 1001, then with 1002; one blind transfer by 1001 to
    1002; hung up by the caller. That 1001 talked with 1003 is no talk with the customer.
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers(after_s=0.8)
    third = await chloe.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    caller = await pbx.trunk.caller("+447700900200").hangs_up("+442079460991", after_s=5)
    await redirect(link, "1002", "1003")
    await pbx.finished(first, second, third, caller)


@case()
async def ami_redirect_both_to_conference(pbx: Pbx, link: AmiLink) -> None:
    """02079460200 calls extension 1001 by 02079460991, who answers after 0.5 s. A panel moves both at once into the
    conference 2080 (AMI's Redirect with ExtraChannel), and 1001's colleague 1002 dials 2080 2 s later. 1002 leaves
    1.5 s after it came, and the caller hangs up 6 s after the first answer.

    Expected: one inbound call, answered; the customer talked with 1001, and for 1.5 s with 1002 too; hung up by the
    caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("02079460200").hangs_up("02079460991", after_s=6)
    agent = await redirect(link, "2080", "2080")
    await asyncio.sleep(2)
    colleague = await ben.dials.hangs_up("2080", after_s=1.5)
    await pbx.finished(colleague, caller)
    await link.action("Hangup", Channel=agent)
    await pbx.finished(first)


@case()
async def ami_redirect_agent(pbx: Pbx, link: AmiLink) -> None:
    """+447700900201 calls extension 1001 by +442079460991, who answers after 0.5 s. By mistake a panel moves the
    agent's channel, and not the caller's, to 1002 (AMI's Redirect): the caller loses the agent, and the dialplan
    hangs up. 1002 answers the agent after 0.8 s and hangs up 1 s later.

    Expected: one inbound call, answered by 1001, with no transfer; hung up by the system. What 1001 and 1002 talk
    about afterwards is not said to the customer.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900201").stays("+442079460991")
    agent = await talking(link, "PJSIP/1001-")
    await asyncio.sleep(0.8)  # they talk
    await link.action("Redirect", Channel=agent["Channel"], Context="from-internal", Exten="1002", Priority="1")
    await pbx.finished(first, second, caller)


@case()
async def ami_redirect_waiting(pbx: Pbx, link: AmiLink) -> None:
    """02079460202 calls 02079460996, the queue billing, whose member 1008 rings. A supervisor takes the caller out of
    the queue after 1.5 s, to 1002 (AMI's Redirect), who answers after 0.8 s. The caller hangs up 5 s after the PBX
    answered.

    Expected: one inbound call, answered by 1002; one visit to billing, left otherwise; the offer to PJSIP/1008 did
    not end in an answer; hung up by the caller.
    """
    hannah, ben = await pbx.phones("1008", "1002")
    rung = await hannah.called.rings()
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("02079460202").hangs_up("02079460996", after_s=5)
    join = await link.event("QueueCallerJoin")
    await ringing(link, "PJSIP/1008-")
    await asyncio.sleep(1.5)  # it rings
    await link.action("Redirect", Channel=join["Channel"], Context="from-internal", Exten="1002", Priority="1")
    await pbx.finished(rung, second, caller)


@case()
async def ami_redirect_to_queue(pbx: Pbx, link: AmiLink) -> None:
    """+447700900203 calls extension 1001 by +442079460991, who answers after 0.5 s. A supervisor moves the caller to
    2004, the queue billing (AMI's Redirect on the caller's channel); the agent is hung up on. 1008 answers after 0.8
    s and hangs up 1 s later.

    Expected: one inbound call, answered; offers to PJSIP/1001 and, from billing, to PJSIP/1008, both answered; one
    blind transfer by 1001 to 2004; hung up by the agent (1008).
    """
    amelia, hannah = await pbx.phones("1001", "1008")
    first = await amelia.called.answers(after_s=0.5)
    second = await hannah.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900203").stays("+442079460991")
    await redirect(link, "2004")
    await pbx.finished(first, second, caller)


@case()
async def ami_attended_transfer_canceled(pbx: Pbx, link: AmiLink) -> None:
    """02079460204 calls extension 1001 by 02079460991, who answers after 0.5 s. By AMI's Atxfer the PBX calls 1002 for
    1001, who answers after 0.8 s. They talk 1 s, and AMI's CancelAtxfer gives 1001 the caller back. The caller hangs
    up 7 s after the first answer.

    Expected: one inbound call, answered by 1001 alone, with no transfer; an offer to PJSIP/1002, answered, whom the
    customer never talked with; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("02079460204").hangs_up("02079460991", after_s=7)
    agent = (await talking(link, "PJSIP/1001-"))["Channel"]
    await asyncio.sleep(0.8)  # they talk
    await link.action("Atxfer", Channel=agent, Context="from-internal", Exten="1002")
    await consulting(link, "PJSIP/1002-")
    await link.action("CancelAtxfer", Channel=agent)
    await pbx.finished(first, second, caller)


@case()
async def ami_blind_transfer_to_nothing(pbx: Pbx, link: AmiLink) -> None:
    """+447700900205 calls extension 1001 by +442079460991, who answers after 0.5 s. A supervisor asks for a transfer
    to 5555, which is no extension (AMI's BlindTransfer): Asterisk says that it did, and hangs up both.

    Expected: one inbound call, answered by 1001; one blind transfer by 1001 to 5555; hung up by the system.
    """
    amelia = await pbx.phone("1001")
    first = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("+447700900205").stays("+442079460991")
    agent = await talking(link, "PJSIP/1001-")
    await asyncio.sleep(0.8)  # they talk
    await link.action("BlindTransfer", Channel=agent["Channel"], Context="from-internal", Exten="5555")
    await pbx.finished(first, caller)


@case()
async def ami_originate_by_another(pbx: Pbx, link: AmiLink) -> None:
    """Another program, not the service, has 1001 called (AMI's Originate, which waits for the answer and so gives no
    OriginateResponse), to be connected to 1002. 1001 answers after 0.5 s, 1002 after 0.8 s; 1002 hangs up 1 s later.

    Expected: one internal call by 1001, answered by 1002, who was offered it; 1001 was not.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    await link.action("Originate", Channel="PJSIP/1001", Context="from-internal", Exten="1002", Priority="1")
    await pbx.finished(first, second)


async def redirect(link: AmiLink, exten: str, extra: str | None = None) -> str:
    """Move the caller of 1001, and maybe 1001 itself, to these extensions after a moment of talk; return 1001's
    channel.
    """
    customer = (await talking(link, "PJSIP/trunk-"))["Channel"]
    agent = (await talking(link, "PJSIP/1001-"))["Channel"]
    await asyncio.sleep(0.8)  # they talk
    where = {"Channel": customer, "Context": "from-internal", "Exten": exten, "Priority": "1"}
    if extra is not None:
        where |= {"ExtraChannel": agent, "ExtraContext": "from-internal", "ExtraExten": extra, "ExtraPriority": "1"}
    await link.action("Redirect", **where)
    return agent
