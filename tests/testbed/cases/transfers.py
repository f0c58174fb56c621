"""Calls that are transferred: blindly, after asking, and before the target has answered."""

import asyncio

from tests.testbed.ami import AmiLink, Block
from tests.testbed.callees import BUSY
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx


@case()
async def blind_transfer_answered(pbx: Pbx, link: AmiLink) -> None:
    """+447700900145 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 1002 (SIP REFER). 1002 answers after 0.8 s; they talk 1 s and the caller hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one blind transfer by
    1001 to 1002; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_transfers("1002", after_s=0.5, talk_s=1)
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900145").hangs_up("+442079460991", after_s=2.8)
    await pbx.finished(first, second, caller)


@case()
async def blind_transfer_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900146 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 1002 (SIP REFER). 1002 rings for 3 s and does not answer; the dialplan hangs up the caller.

    Expected: one inbound call, answered (by 1001); offers to PJSIP/1001, answered, and to PJSIP/1002, no answer; one
    blind transfer by 1001 to 1002; hung up by the system.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_transfers("1002", after_s=0.5, talk_s=1)
    second = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900146").stays("+442079460991")
    await pbx.finished(first, second, caller)


@case()
async def blind_transfer_to_queue(pbx: Pbx, link: AmiLink) -> None:
    """02079460107 calls extension 1001 by 02079460991, who answers after 0.5 s, talks 1 s and transfers the caller
    blindly to 2002, the queue support (SIP REFER). 1004 answers after 0.8 s; they talk 1 s and the agent hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001 and, from support, to PJSIP/1004, both answered; one
    visit to support; one blind transfer by 1001; hung up by the agent (1004).
    """
    amelia, daniel = await pbx.phones("1001", "1004")
    first = await amelia.called.answers_and_transfers("2002", after_s=0.5, talk_s=1)
    second = await daniel.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("02079460107").stays("02079460991")
    await pbx.finished(first, second, caller)


@case()
async def blind_transfer_to_queue_abandoned(pbx: Pbx, link: AmiLink) -> None:
    """+447700900147 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 2002, the queue support (SIP REFER). 1004 rings; the caller hangs up 2 s after the transfer.

    Expected: one inbound call. 1001 answered it, so it is not a missed call; its visit to support was abandoned, with
    one offer to PJSIP/1004, caller gave up; hung up by the caller.
    """
    amelia, daniel = await pbx.phones("1001", "1004")
    first = await amelia.called.answers_and_transfers("2002", after_s=0.5, talk_s=1)
    second = await daniel.called.rings()
    caller = await pbx.trunk.caller("+447700900147").hangs_up("+442079460991", after_s=3)
    await pbx.finished(first, second, caller)


@case()
async def queue_then_blind_transfer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900151 calls +442079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 1002 (SIP REFER). 1002 answers after 0.8 s; they talk 1 s and 1002 hangs up.

    Expected: one inbound call, answered; one visit to billing, answered; offers to PJSIP/1008 (of billing) and
    PJSIP/1002, both answered; one blind transfer by 1008 to 1002; hung up by the agent (1002).
    """
    hannah, ben = await pbx.phones("1008", "1002")
    first = await hannah.called.answers_and_transfers("1002", after_s=0.5, talk_s=1)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900151").stays("+442079460996")
    await pbx.finished(first, second, caller)


@case()
async def outbound_then_blind_transfer(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460150, which answers after 0.5 s; they talk 1 s, and 1001, who called, transfers the customer
    blindly to 1002 (SIP REFER). 1002 answers after 0.8 s; they talk 1 s and 1002 hangs up.

    Expected: one outbound call, answered; one blind transfer by 1001 to 1002; the customer talked with 1001, then
    with 1002; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    customer = await pbx.trunk.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    first = await amelia.dials.transfers("02079460150", "1002", after_s=1)
    await pbx.finished(first, second, customer)


@case()
async def attended_transfer_answered(pbx: Pbx, link: AmiLink) -> None:
    """+447700900148 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call and
    calls 1002. 1002 answers after 0.6 s, they talk 0.8 s, and 1001 joins the two (SIP REFER with Replaces). 1002
    hangs up 2.5 s after its answer.

    Expected: one inbound call, answered, though its consultation began with a linkedid of its own; offers to
    PJSIP/1001 and PJSIP/1002, both answered; one hold; one attended transfer by 1001 to 1002; hung up by the agent
    (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.answers_and_holds(after_s=0.5, talk_s=1)
    second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=2.5)
    caller = await pbx.trunk.caller("+447700900148").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.stays("1002")
    await link.event("BridgeEnter", count=4)
    await asyncio.sleep(0.8)  # they talk
    await amelia.called.joins(held, consultation, "1002")
    await pbx.finished(held, consultation, second, caller)


@case()
async def queue_then_attended_transfer(pbx: Pbx, link: AmiLink) -> None:
    """02079460108 calls 02079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s, holds the call and calls
    1002, who answers after 0.6 s. They talk 0.8 s, and 1008 joins the two (SIP REFER with Replaces). The caller hangs
    up 6 s after the PBX answered.

    Expected: one inbound call, answered; one visit to billing, answered; offers to PJSIP/1008 (of billing) and
    PJSIP/1002, both answered; one attended transfer by 1008 to 1002; hung up by the caller.
    """
    hannah, ben = await pbx.phones("1008", "1002")
    held = await hannah.called.answers_and_holds(after_s=0.5, talk_s=1)
    second = await ben.called.answers(after_s=0.6)
    caller = await pbx.trunk.caller("02079460108").hangs_up("02079460996", after_s=6)
    await link.event("Hold")
    consultation = await hannah.dials.stays("1002")
    await link.event("BridgeEnter", count=4)
    await asyncio.sleep(0.8)  # they talk
    await hannah.called.joins(held, consultation, "1002")
    await pbx.finished(held, consultation, second, caller)


@case()
async def attended_transfer_to_outside(pbx: Pbx, link: AmiLink) -> None:
    """+447700900152 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call and
    calls 02079460150 on the trunk, which answers after 0.6 s. They talk 0.8 s, and 1001 joins the two (SIP REFER with
    Replaces), so that no phone of ours is left in the call. The caller hangs up 5 s after the answer.

    Expected: one inbound call, answered by 1001, transferred (attended) by 1001 to 02079460150; the consultation, an
    outbound call of its own until then, is part of it; hung up by the caller.
    """
    amelia = await pbx.phone("1001")
    held = await amelia.called.answers_and_holds(after_s=0.5, talk_s=1)
    outside = await pbx.trunk.called.answers(after_s=0.6)
    caller = await pbx.trunk.caller("+447700900152").hangs_up("+442079460991", after_s=5)
    await link.event("Hold")
    consultation = await amelia.dials.stays("02079460150")
    await link.event("BridgeEnter", count=4)
    await asyncio.sleep(0.8)  # they talk
    await amelia.called.joins(held, consultation, "02079460150")
    await pbx.finished(held, consultation, outside, caller)


@case()
async def attended_transfer_refused(pbx: Pbx, link: AmiLink) -> None:
    """+447700900149 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call and
    calls 1002, who is busy (486). 1001 takes the held call back after 2 s, talks 1 s and hangs up.

    Expected: one inbound call, answered, with one hold of 2 s and no transfer, hung up by the agent; and one internal
    call from 1001 to 1002, busy.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_holds_and_hangs_up(after_s=0.5, talk_s=1, hold_s=2)
    second = await ben.called.refuses(BUSY)
    caller = await pbx.trunk.caller("+447700900149").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.is_refused("1002")
    await pbx.finished(first, second, consultation, caller)


@case()
async def ami_blind_transfer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900153 calls extension 1001 by +442079460991, who answers after 0.5 s. A supervisor moves the caller to
    1002 by AMI's BlindTransfer on the agent's channel; the agent is hung up on. 1002 answers after 0.8 s; the caller
    hangs up 3.5 s after the first answer.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one blind transfer to
    1002; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900153").hangs_up("+442079460991", after_s=3.5)
    agent = await talking(link, "PJSIP/1001-")
    await asyncio.sleep(0.8)  # they talk
    await link.action("BlindTransfer", Channel=agent["Channel"], Context="from-internal", Exten="1002")
    await pbx.finished(first, second, caller)


@case()
async def redirect(pbx: Pbx, link: AmiLink) -> None:
    """+447700900157 calls extension 1001 by +442079460991, who answers after 0.5 s. A supervisor moves the caller to
    1002 by AMI's Redirect on the caller's channel; the agent is hung up on. 1002 answers after 0.8 s; the caller
    hangs up 3.5 s after the first answer.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; moved by the system,
    with neither BlindTransfer nor AttendedTransfer told; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900157").hangs_up("+442079460991", after_s=3.5)
    customer = await talking(link, "PJSIP/trunk-")
    await asyncio.sleep(0.8)  # they talk
    await link.action("Redirect", Channel=customer["Channel"], Context="from-internal", Exten="1002", Priority="1")
    await pbx.finished(first, second, caller)


@case()
async def ami_attended_transfer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900154 calls extension 1001 by +442079460991, who answers after 0.5 s. By AMI's Atxfer the PBX itself
    (not the phone) puts the caller on music and calls 1002 for 1001, who answers after 0.6 s. They talk about 1 s,
    and 1001 hangs up, which completes the transfer. The caller hangs up 4.5 s after the first answer.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one attended transfer by
    1001 to 1002; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=2.5)
    second = await ben.called.answers(after_s=0.6)
    caller = await pbx.trunk.caller("+447700900154").hangs_up("+442079460991", after_s=4.5)
    agent = await talking(link, "PJSIP/1001-")
    await link.action("Atxfer", Channel=agent["Channel"], Context="from-internal", Exten="1002")
    await pbx.finished(first, second, caller)


@case()
async def blonde_transfer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900155 calls extension 1001 by +442079460991, who answers after 0.5 s. By AMI's Atxfer the PBX itself
    puts the caller on music and calls 1002 for 1001. While 1002 still rings, 1001 hangs up: a blonde transfer. 1002
    answers, talks 1.5 s and hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one blonde transfer by
    1001 to 1002; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=1.8)
    second = await ben.called.answers_and_hangs_up(after_s=2.5, talk_s=1.5)
    caller = await pbx.trunk.caller("+447700900155").stays("+442079460991")
    agent = await talking(link, "PJSIP/1001-")
    await link.action("Atxfer", Channel=agent["Channel"], Context="from-internal", Exten="1002")
    await pbx.finished(first, second, caller)


async def talking(link: AmiLink, prefix: str) -> Block:
    """Return the event with which a channel whose name begins like this came into a bridge of two."""
    await link.event("BridgeEnter", BridgeNumChannels="2")
    return await link.wait_for(
        lambda block: block.get("Event") == "BridgeEnter" and block["Channel"].startswith(prefix)
    )
