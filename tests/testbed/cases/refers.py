"""Blind transfers by the phone (REFER): by whoever called, to a number that refuses, fails or is none."""

from tests.testbed.ami import AmiLink
from tests.testbed.callees import BUSY
from tests.testbed.cases.outbound import originate
from tests.testbed.cases.registry import case
from tests.testbed.cases.transfers import talking
from tests.testbed.pbx import Pbx
from tests.testbed.script import hangs_up, holds, refers, waits


@case()
async def refer_by_internal_caller(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 1002, who answers after 0.5 s. They talk 1 s, and 1001, who called, transfers 1002 blindly to 1003
    (SIP REFER). 1003 answers after 0.8 s; they talk 1 s and 1003 hangs up.

    Expected: one internal call, answered; offers to PJSIP/1002 and PJSIP/1003, both answered; one blind transfer by
    1001 to 1003; 1002 talked with 1001, then with 1003; hung up by the callee (1003).
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    second = await ben.called.answers(after_s=0.5)
    third = await chloe.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    first = await amelia.dials.transfers("1002", "1003", after_s=1)
    await pbx.finished(first, second, third)


@case()
async def refer_by_click_to_dial_agent(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001, who answers after 0.5 s; the customer answers after 0.6
    s. They talk about 1 s, and 1001 transfers the customer blindly to 1002 (SIP REFER), who answers after 0.8 s. They
    talk 1 s and 1002 hangs up.

    Expected: one outbound call by 1001, answered; one offer, to PJSIP/1002, answered; one blind transfer by 1001 to
    1002; the customer talked with 1001, then with 1002; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_transfers("1002", after_s=0.5, talk_s=1.8)
    customer = await pbx.trunk.called.answers(after_s=0.6)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    await originate(link)
    await pbx.finished(first, customer, second)


@case()
async def refer_to_busy(pbx: Pbx, link: AmiLink) -> None:
    """+447700900170 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, transfers the caller
    blindly to 1002 (SIP REFER) and waits to hear how that goes. 1002 is busy (486): the dialplan hangs up the caller,
    the PBX notifies 1001 of a failure (503), and 1001, who has nobody left to talk with, hangs up.

    Expected: one inbound call, answered (by 1001); offers to PJSIP/1001, answered, and to PJSIP/1002, busy; one blind
    transfer by 1001 to 1002; hung up by the system.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.plays(waits(1), refers("1002"), waits(1), hangs_up())
    second = await ben.called.refuses(BUSY)
    caller = await pbx.trunk.caller("+447700900170").stays("+442079460991")
    await pbx.finished(first, second, caller)


@case()
async def refer_that_comes_back(pbx: Pbx, link: AmiLink) -> None:
    """In this dialplan a transfer that fails comes back to who made it. +447700900171 calls extension 1001 by
    +442079460991, who answers after 0.5 s, talks 1 s and transfers the caller blindly to 1002 (SIP REFER). 1002 is
    busy (486 after 0.5 s), and 1001 rings again. 1001 answers after 0.6 s; they talk 1 s and the agent hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001, answered, to PJSIP/1002, busy, and to PJSIP/1001 again,
    answered; one blind transfer by 1001 to 1002; 1001 talked twice; hung up by the agent (1001).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    await pbx.asterisk.extend(
        "internal", "1002", "Dial(PJSIP/1002,3,t)", "Dial(${CUT(BLINDTRANSFER,-,1)},5)", "Hangup()"
    )
    first = await amelia.called.plays(waits(1), refers("1002"), waits(0.2), hangs_up())
    second = await ben.called.refuses(BUSY, after_s=0.5)
    caller = await pbx.trunk.caller("+447700900171").stays("+442079460991")
    await pbx.finished(first)
    again = await amelia.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    await pbx.finished(second, again, caller)


@case()
async def refer_to_no_such_number(pbx: Pbx, link: AmiLink) -> None:
    """+447700900172 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s and wants to transfer
    the caller to 3999, which the dialplan does not know (REFER; NOTIFY says 404). They talk on for 1 s and the
    agent hangs up.

    Expected: one inbound call, answered; one offer and one connection, not cut in two; no transfer; hung up by the
    agent.
    """
    amelia = await pbx.phone("1001")
    first = await amelia.called.plays(waits(1), refers("3999"), waits(1), hangs_up())
    caller = await pbx.trunk.caller("+447700900172").stays("+442079460991")
    await talking(link, "PJSIP/1001-")
    await pbx.finished(first, caller)


@case()
async def refer_while_holding(pbx: Pbx, link: AmiLink) -> None:
    """+447700900173 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the caller for
    0.8 s and transfers them blindly to 1002 (SIP REFER), as most phones do. 1002 answers after 0.8 s; they talk 1 s and
    1002 hangs up.

    Expected: one inbound call, answered; one hold of 0.8 s, which ends with the transfer; one blind transfer by 1001
    to 1002; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.plays(waits(1), holds(), waits(0.8), refers("1002"), waits(0.3), hangs_up())
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900173").stays("+442079460991")
    await pbx.finished(first, second, caller)


@case()
async def refer_twice(pbx: Pbx, link: AmiLink) -> None:
    """+447700900174 calls +442079460996, the queue billing. 1008 answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 1002 (SIP REFER), who answers after 0.5 s, talks 1 s and transfers the caller blindly to 1003, who
    answers after 0.5 s. They talk 1 s and 1003 hangs up.

    Expected: one inbound call, answered; one visit to billing, answered; offers to PJSIP/1008 (of billing), PJSIP/1002
    and PJSIP/1003, all answered; two blind transfers, by 1008 to 1002 and by 1002 to 1003; each talked 1 s; hung up by
    the callee (1003).
    """
    hannah, ben, chloe = await pbx.phones("1008", "1002", "1003")
    first = await hannah.called.plays(waits(1), refers("1002"), waits(0.3), hangs_up())
    second = await ben.called.plays(waits(1), refers("1003"), waits(0.3), hangs_up())
    third = await chloe.called.answers_and_hangs_up(after_s=0.5, talk_s=1)
    caller = await pbx.trunk.caller("+447700900174").stays("+442079460996")
    await pbx.finished(first, second, third, caller)
