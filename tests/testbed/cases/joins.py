"""Attended and blonde transfers by the phone (REFER with Replaces): in every order, from every side."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.outbound import CUSTOMER, originate
from tests.testbed.cases.registry import case
from tests.testbed.cases.trunk import ringing
from tests.testbed.pbx import Pbx
from tests.testbed.script import hangs_up, holds, is_hung_up, joins, refers, resumes, told, waits
from tests.testbed.sipp import SippRun


async def joined(pbx: Pbx, link: AmiLink, *, held: SippRun, consultation: SippRun) -> None:
    """Let both talk for a moment, and have the held call joined with the consultation."""
    await link.event("BridgeEnter", count=4)
    await asyncio.sleep(0.8)  # they talk
    await pbx.tell(held, "1002", joins=consultation)


@case()
async def join_consultation_hangs_up_first(pbx: Pbx, link: AmiLink) -> None:
    """+447700900180 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call and
    calls 1002, who answers after 0.6 s. They talk 0.8 s, and 1001 joins the two (SIP REFER with Replaces), hangs up
    the consultation at once and the first call 0.5 s later. 1002 hangs up 3 s after its answer.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one hold; one attended
    transfer by 1001 to 1002; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.plays(waits(1), holds(), joins(), waits(0.5), hangs_up())
    second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=3)
    caller = await pbx.trunk.caller("+447700900180").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.plays("1002", told(), hangs_up())
    await joined(pbx, link, held=held, consultation=consultation)
    await pbx.tell(consultation)
    await pbx.finished(held, consultation, second, caller)


@case()
async def join_first_call_hangs_up_first(pbx: Pbx, link: AmiLink) -> None:
    """As before, but 1001 hangs up the call that it held at once, and the PBX the consultation. The caller is
    +447700900181 and hangs up 6 s after the answer.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one hold; one attended
    transfer by 1001 to 1002; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.plays(waits(1), holds(), joins(), hangs_up())
    second = await ben.called.answers(after_s=0.6)
    caller = await pbx.trunk.caller("+447700900181").hangs_up("+442079460991", after_s=6)
    await link.event("Hold")
    consultation = await amelia.dials.plays("1002", is_hung_up())
    await joined(pbx, link, held=held, consultation=consultation)
    await pbx.finished(held, consultation, second, caller)


@case()
async def join_waits_for_the_pbx(pbx: Pbx, link: AmiLink) -> None:
    """As before, but 1001 leaves both hang-ups to the PBX. The PBX hangs up the consultation alone; the call that was
    held stays with the phone until it hangs up, 2 s later. The caller is +447700900182, and 1002 hangs up 3 s after
    its answer.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one hold; one attended
    transfer by 1001 to 1002; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.plays(waits(1), holds(), joins(), waits(2), hangs_up())
    second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=3)
    caller = await pbx.trunk.caller("+447700900182").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.plays("1002", is_hung_up())
    await joined(pbx, link, held=held, consultation=consultation)
    await pbx.finished(held, consultation, second, caller)


@case()
async def join_consultation_came_first(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 1002, who answers after 0.5 s; they talk. Then +447700900183 calls extension 1001 by +442079460991;
    1001 holds 1002, answers after 0.6 s, talks 1 s and joins the caller with 1002 (SIP REFER with Replaces), whose
    linkedid is the older one. 1002 hangs up 6 s after its first answer.

    Expected: one inbound call, answered by 1001, transferred (attended) by 1001 to 1002; the internal call is part of
    it; the caller talked with 1001, then with 1002; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    second = await ben.called.answers_and_hangs_up(after_s=0.5, talk_s=6)
    first = await amelia.dials.plays("1002", told(), holds(), is_hung_up())
    await link.event("BridgeEnter", count=2)
    await asyncio.sleep(0.5)  # they talk
    inbound = await amelia.called.plays(waits(1), joins(), waits(0.3), hangs_up(), after_s=0.6)
    caller = await pbx.trunk.caller("+447700900183").stays("+442079460991")
    await ringing(link, "PJSIP/1001-")
    await pbx.tell(first)
    await link.event("BridgeEnter", count=4)
    await asyncio.sleep(1.2)  # they talk
    await pbx.tell(inbound, "1002", joins=first)
    await pbx.finished(first, inbound, second, caller)


@case()
async def join_by_outbound_caller(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460150, which answers after 0.5 s. 1001, who called, holds the customer after 1 s and calls
    1002, who answers after 0.6 s. They talk 0.8 s, and 1001 joins the two (SIP REFER with Replaces). 1002 hangs up
    3 s after its answer.

    Expected: one outbound call by 1001, answered; one hold; one attended transfer by 1001 to 1002; the customer talked
    with 1001, then with 1002; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    customer = await pbx.trunk.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=3)
    held = await amelia.dials.plays(CUSTOMER, waits(1), holds(), joins(), waits(0.3), hangs_up())
    await link.event("Hold")
    consultation = await amelia.dials.plays("1002", is_hung_up())
    await joined(pbx, link, held=held, consultation=consultation)
    await pbx.finished(held, consultation, second, customer)


@case()
async def join_by_click_to_dial_agent(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001, who answers after 0.5 s; the customer answers after 0.6
    s. 1001 holds the customer after about 1 s and calls 1002, who answers after 0.6 s. They talk 0.8 s, and 1001 joins
    the two (SIP REFER with Replaces). 1002 hangs up 3 s after its answer.

    Expected: one outbound call by 1001, answered; one hold; one offer, to PJSIP/1002; one attended transfer by 1001 to
    1002; the customer talked with 1001, then with 1002; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    customer = await pbx.trunk.called.answers(after_s=0.6)
    second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=3)
    held = await amelia.called.plays(waits(1.8), holds(), joins(), waits(0.3), hangs_up())
    await originate(link)
    await link.event("Hold")
    consultation = await amelia.dials.plays("1002", is_hung_up())
    await joined(pbx, link, held=held, consultation=consultation)
    await pbx.finished(held, consultation, second, customer)


@case()
async def join_by_internal_caller(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 1003, who answers after 0.5 s. 1001 holds 1003 after 1 s and calls 1002, who answers after 0.6 s.
    They talk 0.8 s, and 1001 joins the two (SIP REFER with Replaces). 1002 hangs up 3 s after its answer.

    Expected: one internal call, answered; offers to PJSIP/1003 and PJSIP/1002, both answered; one hold; one attended
    transfer by 1001 to 1002; 1001 talked with 1003, then 1003 with 1002; hung up by the callee (1002).
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    third = await chloe.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=3)
    held = await amelia.dials.plays("1003", waits(1), holds(), joins(), waits(0.3), hangs_up())
    await link.event("Hold")
    consultation = await amelia.dials.plays("1002", is_hung_up())
    await joined(pbx, link, held=held, consultation=consultation)
    await pbx.finished(held, consultation, second, third)


@case()
async def join_two_customers(pbx: Pbx, link: AmiLink) -> None:
    """+447700900184 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s and holds the call.
    +447700900185 calls 1001 too, who answers after 0.5 s, talks 0.8 s and joins the two customers (SIP REFER with
    Replaces). They talk about 2 s, and the first hangs up.

    Expected: one inbound call by +447700900184, answered by 1001, transferred (attended) by 1001 to +447700900185;
    hung up by the caller.
    """
    amelia = await pbx.phone("1001")
    held = await amelia.called.plays(waits(1), holds(), joins(), waits(0.3), hangs_up())
    caller = await pbx.trunk.caller("+447700900184").hangs_up("+442079460991", after_s=6)
    await link.event("Hold")
    line = await amelia.second_line()
    other = await line.plays(is_hung_up())
    second = await pbx.trunk.caller("+447700900185").stays("+442079460991")
    await joined(pbx, link, held=held, consultation=other)
    await pbx.finished(held, other, caller, second)


@case(extension_ring_s=8)
async def join_while_it_rings(pbx: Pbx, link: AmiLink) -> None:
    """+447700900186 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call and
    calls 1002. While 1002 still rings, 1001 joins the two (SIP REFER with Replaces of the call that was not answered
    yet): a blonde transfer. 1002 answers 1.5 s after it began to ring, and hangs up after 1 s.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one blonde transfer by
    1001 to 1002; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.plays(waits(1), holds(), joins(), waits(0.3), hangs_up())
    second = await ben.called.answers_and_hangs_up(after_s=1.5, talk_s=1)
    caller = await pbx.trunk.caller("+447700900186").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.is_refused("1002")
    await ringing(link, "PJSIP/1002-")
    await asyncio.sleep(0.5)
    await pbx.tell(held, "1002", joins=consultation)
    await pbx.finished(held, consultation, second, caller)


@case()
async def join_while_it_rings_in_vain(pbx: Pbx, link: AmiLink) -> None:
    """As before, but 1002 never answers: it rings for the 3 s that the dialplan allows. The caller is +447700900187.

    Expected: one inbound call, answered (by 1001); offers to PJSIP/1001, answered, and to PJSIP/1002, no answer; one
    blonde transfer by 1001 to 1002; hung up by the system.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.plays(waits(1), holds(), joins(), waits(0.3), hangs_up())
    second = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900187").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.is_refused("1002")
    await ringing(link, "PJSIP/1002-")
    await asyncio.sleep(0.5)
    await pbx.tell(held, "1002", joins=consultation)
    await pbx.finished(held, consultation, second, caller)


@case(extension_ring_s=8)
async def blonde_by_cancel_and_refer(pbx: Pbx, link: AmiLink) -> None:
    """What most phones make of a transfer while it rings. +447700900188 calls extension 1001 by +442079460991, who
    answers after 0.5 s, talks 1 s, holds the call and calls 1002. After 1 s of ringing 1001 takes that call away
    (CANCEL) and transfers the caller blindly to 1002 (SIP REFER), who answers after 0.8 s, talks 1 s and hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one hold; one blind
    transfer by 1001 to 1002; hung up by the callee (1002). And one internal call from 1001 to 1002, canceled.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.plays(waits(1), holds(), told(), refers("1002"), waits(0.3), hangs_up())
    rung = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900188").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.gives_up("1002", after_s=1)
    await pbx.finished(rung, consultation)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    await pbx.tell(held)
    await pbx.finished(held, second, caller)


@case()
async def join_after_the_target_left(pbx: Pbx, link: AmiLink) -> None:
    """+447700900189 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call and calls
    1002, who answers after 0.6 s, talks 1 s and hangs up. 1001 wants to join the two all the same (SIP REFER with
    Replaces of a call that is gone, 404 by NOTIFY), takes the caller back after 0.5 s, talks 1 s and hangs up.

    Expected: one inbound call, answered by 1001 alone, with one hold and no transfer, hung up by the callee (1001); and
    one internal call from 1001 to 1002, answered.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    held = await amelia.called.plays(waits(1), holds(), joins(), waits(0.5), resumes(), waits(1), hangs_up())
    second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    caller = await pbx.trunk.caller("+447700900189").stays("+442079460991")
    await link.event("Hold")
    consultation = await amelia.dials.plays("1002", is_hung_up())
    await pbx.finished(second, consultation)
    await pbx.tell(held, "1002", joins=consultation)
    await pbx.finished(held, caller)


@case()
async def join_two_queue_calls(pbx: Pbx, link: AmiLink) -> None:
    """02079460120 calls 02079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s, holds the call and calls
    2002, the queue support, whose member 1004 answers after 0.6 s. They talk 0.8 s, and 1008 joins the caller with 1004
    (SIP REFER with Replaces). 1004 hangs up 3 s after its answer.

    Expected: one inbound call, answered; visits to billing and (of the consultation) to support, both answered; offers
    to PJSIP/1008 and PJSIP/1004, both answered; one attended transfer by 1008 to PJSIP/1004; hung up by the callee
    (1004).
    """
    hannah, daniel = await pbx.phones("1008", "1004")
    held = await hannah.called.plays(waits(1), holds(), joins(), waits(0.3), hangs_up())
    second = await daniel.called.answers_and_hangs_up(after_s=0.6, talk_s=3)
    caller = await pbx.trunk.caller("02079460120").stays("02079460996")
    await link.event("Hold")
    consultation = await hannah.dials.plays("2002", is_hung_up())
    await joined(pbx, link, held=held, consultation=consultation)
    await pbx.finished(held, consultation, second, caller)
