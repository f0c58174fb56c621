"""Where a queue's caller may be sent on to: a colleague, another queue, a group, the menu, a mailbox, the outside."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.features import consulting, transfer
from tests.testbed.cases.keys import press
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx


@case()
async def queue_then_blind_transfer_to_queue(pbx: Pbx, link: AmiLink) -> None:
    """+447700900210 calls +442079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 2002, the queue support (SIP REFER). 1004 answers after 0.8 s, talks 1 s and hangs up.

    Expected: one inbound call, answered; visits to billing and support, both answered; offers to PJSIP/1008 and
    PJSIP/1004, both answered; one blind transfer by 1008 to 2002; hung up by the agent (1004).
    """
    hannah, daniel = await pbx.phones("1008", "1004")
    first = await hannah.called.answers_and_transfers("2002", after_s=0.5, talk_s=1)
    second = await daniel.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900210").stays("+442079460996")
    await pbx.finished(first, second, caller)


@case()
async def queue_then_attended_transfer_to_queue(pbx: Pbx, link: AmiLink) -> None:
    """02079460210 calls 02079460996, the queue billing. 1008 answers after 0.5 s, talks 0.8 s, dials *2 and 2002, and
    waits in the queue support until 1004 answers after 0.8 s. They talk 1 s, and 1008 dials *2: the caller talks with
    1004, who hangs up 3 s after it answered.

    Expected: one inbound call, answered; visits to billing and support, both answered; offers to PJSIP/1008 and
    PJSIP/1004, both answered; one attended transfer by 1008; hung up by the agent (1004).
    """
    hannah, daniel = await pbx.phones("1008", "1004")
    first = await hannah.called.answers(after_s=0.5)
    second = await daniel.called.answers_and_hangs_up(after_s=0.8, talk_s=3)
    caller = await pbx.trunk.caller("02079460210").stays("02079460996")
    agent = await transfer(link, "*2", "2002", phone="1008")
    await consulting(link, "PJSIP/1004-")
    await press(link, agent, "*2")
    await pbx.finished(first, second, caller)


@case()
async def queue_then_blonde_transfer_to_queue(pbx: Pbx, link: AmiLink) -> None:
    """+447700900211 calls +442079460996, the queue billing. 1008 answers after 0.5 s, talks 0.8 s, dials *2 and 2002,
    and hangs up while 1004 of the queue support rings. 1004 answers after 2.5 s, talks 1 s and hangs up.

    Expected: one inbound call, answered; visits to billing and support, both answered; offers to PJSIP/1008 and
    PJSIP/1004, both answered; one transfer by 1008; hung up by the agent (1004).
    """
    hannah, daniel = await pbx.phones("1008", "1004")
    first = await hannah.called.answers_and_hangs_up(after_s=0.5, talk_s=4.5)
    second = await daniel.called.answers_and_hangs_up(after_s=2.5, talk_s=1)
    caller = await pbx.trunk.caller("+447700900211").stays("+442079460996")
    await transfer(link, "*2", "2002", phone="1008")
    await pbx.finished(first, second, caller)


@case()
async def queue_then_blind_transfer_to_group(pbx: Pbx, link: AmiLink) -> None:
    """02079460212 calls 02079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s and transfers the caller
    blindly to 2100 (SIP REFER), where 1001, 1002 and 1003 ring together. 1002 answers after 0.8 s, talks 1 s and
    hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1008 (of billing) and PJSIP/1002, answered, and to
    PJSIP/1001 and PJSIP/1003, answered elsewhere; one blind transfer by 1008 to 2100; hung up by the agent (1002).
    """
    hannah, amelia, ben, chloe = await pbx.phones("1008", "1001", "1002", "1003")
    first = await hannah.called.answers_and_transfers("2100", after_s=0.5, talk_s=1)
    others = [await amelia.called.rings(), await chloe.called.rings()]
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("02079460212").stays("02079460996")
    await pbx.finished(first, second, *others, caller)


@case()
async def queue_then_attended_transfer_to_group(pbx: Pbx, link: AmiLink) -> None:
    """+447700900213 calls +442079460996, the queue billing. 1008 answers after 0.5 s, talks 0.8 s, dials *2 and 2100,
    where 1001, 1002 and 1003 ring together. 1003 answers after 0.8 s; they talk 1 s, and 1008 hangs up, which joins
    the caller and 1003. The caller hangs up 8 s after the PBX answered.

    Expected: one inbound call, answered; offers to PJSIP/1008 (of billing) and PJSIP/1003, answered, and to
    PJSIP/1001 and PJSIP/1002, answered elsewhere; one attended transfer by 1008 to PJSIP/1003; hung up by the caller.
    """
    hannah, amelia, ben, chloe = await pbx.phones("1008", "1001", "1002", "1003")
    first = await hannah.called.answers_and_hangs_up(after_s=0.5, talk_s=5)
    others = [await amelia.called.rings(), await ben.called.rings()]
    second = await chloe.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900213").hangs_up("+442079460996", after_s=8)
    await transfer(link, "*2", "2100", phone="1008")
    await pbx.finished(first, second, *others, caller)


@case()
async def queue_then_blind_transfer_to_menu(pbx: Pbx, link: AmiLink) -> None:
    """02079460214 calls 02079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s and transfers the caller
    blindly to 2000, the menu (SIP REFER), where the caller presses 2 for the queue support. 1004 answers after 0.8 s,
    talks 1 s and hangs up.

    Expected: one inbound call, answered; visits to billing and support, both answered; one blind transfer by 1008 to
    2000; the time in the menu is neither talk nor waiting; hung up by the agent (1004).
    """
    hannah, daniel = await pbx.phones("1008", "1004")
    first = await hannah.called.answers_and_transfers("2000", after_s=0.5, talk_s=1)
    second = await daniel.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("02079460214").stays("02079460996")
    menu = await link.event("Newexten", Application="BackGround")
    await press(link, menu["Channel"], "2")
    await pbx.finished(first, second, caller)


@case()
async def queue_then_blind_transfer_to_outside(pbx: Pbx, link: AmiLink) -> None:
    """+447700900215 calls +442079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 02079460180 on the trunk (SIP REFER), which answers after 0.8 s, talks 1 s and hangs up.

    Expected: one inbound call, answered by 1008; one visit to billing, answered; one blind transfer by 1008 to
    02079460180; the talk with the outside is in the record, of a party without a device; hung up by the callee.
    """
    hannah = await pbx.phone("1008")
    first = await hannah.called.answers_and_transfers("02079460180", after_s=0.5, talk_s=1)
    outside = await pbx.trunk.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900215").stays("+442079460996")
    await pbx.finished(first, outside, caller)


@case()
async def queue_then_attended_transfer_to_outside(pbx: Pbx, link: AmiLink) -> None:
    """02079460216 calls 02079460996, the queue billing. 1008 answers after 0.5 s, talks 0.8 s, and AMI's Atxfer has
    the PBX call 02079460180 on the trunk for 1008, which answers after 0.8 s. They talk 1 s, and 1008 dials *2, which
    joins the caller and 02079460180. The caller hangs up 15 s after the PBX answered.

    Expected: one inbound call, answered by 1008; one attended transfer by 1008 to 02079460180; the consultation is no
    outbound call of its own; hung up by the caller.
    """
    hannah = await pbx.phone("1008")
    first = await hannah.called.answers(after_s=0.5)
    outside = await pbx.trunk.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("02079460216").hangs_up("02079460996", after_s=15)
    agent = await link.event("AgentConnect")
    await asyncio.sleep(0.8)  # they talk
    channel = agent["DestChannel"]
    await link.action("Atxfer", Channel=channel, Context="from-internal", Exten="02079460180")
    await consulting(link, "PJSIP/trunk-")
    await press(link, channel, "*2")
    await pbx.finished(first, outside, caller)


@case()
async def queue_then_blind_transfer_to_mailbox(pbx: Pbx, link: AmiLink) -> None:
    """+447700900217 calls +442079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s and transfers the
    caller blindly to *1003, the mailbox of 1003 (SIP REFER). The caller listens to the greeting and hangs up 5 s
    after the PBX answered.

    Expected: one inbound call, answered by 1008, not by the mailbox; one blind transfer by 1008 to *1003; hung up by
    the caller.
    """
    hannah = await pbx.phone("1008")
    first = await hannah.called.answers_and_transfers("*1003", after_s=0.5, talk_s=1)
    caller = await pbx.trunk.caller("+447700900217").hangs_up("+442079460996", after_s=5)
    await pbx.finished(first, caller)


@case()
async def queue_three_times_transferred(pbx: Pbx, link: AmiLink) -> None:
    """02079460218 calls 02079460996, the queue billing. 1008 answers after 0.5 s, talks 0.8 s and transfers the caller
    blindly to 2002, the queue support; 1004 answers after 0.5 s, talks 0.8 s and transfers the caller blindly to
    2003, the queue service; 1007 answers after 0.5 s, talks 1 s and hangs up (SIP REFER both times).

    Expected: one inbound call, answered; visits to billing, support and service, all answered; three offers, all
    answered; two blind transfers; three talks; hung up by the agent (1007).
    """
    hannah, daniel, george = await pbx.phones("1008", "1004", "1007")
    first = await hannah.called.answers_and_transfers("2002", after_s=0.5, talk_s=0.8)
    second = await daniel.called.answers_and_transfers("2003", after_s=0.5, talk_s=0.8)
    third = await george.called.answers_and_hangs_up(after_s=0.5, talk_s=1)
    caller = await pbx.trunk.caller("02079460218").stays("02079460996")
    await pbx.finished(first, second, third, caller)


@case(queue_ring_s=2)
async def queue_three_in_a_round(pbx: Pbx, link: AmiLink) -> None:
    """+447700900219 calls +442079460989, which leads to the queues billing, support and service, one round each. 1008,
    then 1004 and then 1005 ring 2 s each and do not answer; then 1007 answers after 0.6 s, talks 1 s and hangs up.

    Expected: one inbound call, answered; visits to billing and support, ended by timeout, and to service, answered;
    offers to PJSIP/1008, PJSIP/1004 and PJSIP/1005, no answer, and to PJSIP/1007, answered; hung up by the agent
    (1007).
    """
    *others, george = await pbx.phones("1008", "1004", "1005", "1007")
    missed = [await phone.called.rings() for phone in others]
    third = await george.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    caller = await pbx.trunk.caller("+447700900219").stays("+442079460989")
    await pbx.finished(*missed, third, caller)


@case(queue_ring_s=2)
async def queue_three_then_voicemail(pbx: Pbx, link: AmiLink) -> None:
    """02079460220 calls 02079460989, which leads to the queues billing, support and service, one round each. 1008,
    1004, 1005 and 1007 ring 2 s each and do not answer. The caller reaches the mailbox of 1003, and hangs up 14 s
    after the PBX answered.

    Expected: one inbound call that reached voicemail; three visits, all ended by timeout; four offers, all no
    answer; hung up by the caller.
    """
    phones = await pbx.phones("1008", "1004", "1005", "1007")
    missed = [await phone.called.rings() for phone in phones]
    caller = await pbx.trunk.caller("02079460220").hangs_up("02079460989", after_s=14)
    await pbx.finished(*missed, caller)


@case()
async def menu_then_extension(pbx: Pbx, link: AmiLink) -> None:
    """+447700900221 calls +442079460990, hears the menu and dials 1002, which rings 0.8 s and is answered. They talk 1
    s and 1002 hangs up.

    Expected: one inbound call, answered by 1002; no visit to a queue; answered when 1002 answered, not when the menu
    did; hung up by the agent (1002).
    """
    ben = await pbx.phone("1002")
    agent = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900221").stays("+442079460990")
    menu = await link.event("Newexten", Application="BackGround")
    await press(link, menu["Channel"], "1002")
    await pbx.finished(agent, caller)


@case()
async def group_answered(pbx: Pbx, link: AmiLink) -> None:
    """02079460222 calls 02079460988, for which 1001, 1002 and 1003 ring together, without a queue. 1003 answers after
    0.8 s, talks 1 s and hangs up.

    Expected: one inbound call, answered by 1003; offers to PJSIP/1003, answered, and to PJSIP/1001 and PJSIP/1002,
    answered elsewhere; hung up by the agent (1003).
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    others = [await amelia.called.rings(), await ben.called.rings()]
    agent = await chloe.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("02079460222").stays("02079460988")
    await pbx.finished(*others, agent, caller)


@case()
async def group_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900223 calls +442079460988, for which 1001, 1002 and 1003 ring together for 3 s, without a queue. 1002
    declines after 1 s (603), nobody answers, and the dialplan hangs up.

    Expected: one inbound call that nobody answered; offers to PJSIP/1001 and PJSIP/1003, no answer, and to
    PJSIP/1002, rejected; hung up by the system.
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    others = [await amelia.called.rings(), await chloe.called.rings()]
    declined = await ben.called.refuses("603 Decline", after_s=1)
    caller = await pbx.trunk.caller("+447700900223").is_refused("+442079460988")
    await pbx.finished(*others, declined, caller)
