"""What phones and their owners arrange: forwards of every kind, two phones for one person, take-overs, holds."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.outbound import CUSTOMER
from tests.testbed.cases.registry import case
from tests.testbed.cases.trunk import ringing
from tests.testbed.pbx import Pbx
from tests.testbed.script import hangs_up, holds, is_hung_up, resumes, told, waits


@case()
async def forward_to_outside(pbx: Pbx, link: AmiLink) -> None:
    """+447700900190 calls extension 1001 by +442079460991. The phone forwards the call to 02079460150 (302), on the
    trunk, which answers after 0.8 s. They talk 1 s and the one outside hangs up.

    Expected: one inbound call, answered by 02079460150, no phone of ours; the offer to PJSIP/1001 did not end in an
    answer; no Local channel is shown; hung up by the callee.
    """
    amelia = await pbx.phone("1001")
    forwarder = await amelia.called.forwards(CUSTOMER)
    outside = await pbx.trunk.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900190").stays("+442079460991")
    await pbx.finished(forwarder, outside, caller)


@case()
async def forward_in_dialplan(pbx: Pbx, link: AmiLink) -> None:
    """1001 has forwarded all calls to 1002: the dialplan reads that in AstDB (CFU/1001) and dials 1002 in its place.
    +447700900191 calls extension 1001 by +442079460991; 1002 answers after 0.8 s. They talk 1 s and 1002 hangs up.

    Expected: one inbound call, answered by 1002; one offer, to PJSIP/1002, answered; hung up by the callee (1002).
    """
    ben = await pbx.phone("1002")
    await pbx.asterisk.console("database put CFU 1001 1002")
    await pbx.asterisk.extend(
        "from-trunk", "02079460991", "Dial(Local/${DB(CFU/1001)}@from-internal/n,5,t)", "Hangup()"
    )
    agent = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900191").stays("+442079460991")
    await pbx.finished(agent, caller)


@case()
async def forward_in_dialplan_to_outside(pbx: Pbx, link: AmiLink) -> None:
    """1001 has forwarded all calls to 02079460150, in AstDB as before. +447700900192 calls extension 1001 by
    +442079460991; 02079460150 answers after 0.8 s. They talk 1.5 s and the caller hangs up.

    Expected: one inbound call, answered by 02079460150; no offer; hung up by the caller.
    """
    await pbx.asterisk.console("database put CFU 1001 02079460150")
    await pbx.asterisk.extend(
        "from-trunk", "02079460991", "Dial(Local/${DB(CFU/1001)}@from-internal/n,5,t)", "Hangup()"
    )
    outside = await pbx.trunk.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900192").hangs_up("+442079460991", after_s=1.5)
    await pbx.finished(outside, caller)


@case()
async def two_phones_one_answers(pbx: Pbx, link: AmiLink) -> None:
    """A person has two phones, 1001 and 1002, and their number rings both. +447700900193 calls it by +442079460991.
    1002 answers after 0.8 s, the other stops ringing. They talk 1 s and 1002 hangs up.

    Expected: one inbound call, answered at PJSIP/1002; one offer to each of the two phones, PJSIP/1001 answered
    elsewhere; hung up by the callee (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    await pbx.asterisk.extend("from-trunk", "02079460991", "Dial(PJSIP/1001&PJSIP/1002,5,t)", "Hangup()")
    other = await amelia.called.rings()
    agent = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900193").stays("+442079460991")
    await pbx.finished(other, agent, caller)


@case()
async def two_phones_one_refuses(pbx: Pbx, link: AmiLink) -> None:
    """A person has two phones, 1001 and 1002, and their number rings both. +447700900194 calls it by +442079460991.
    1001 is busy (486 after 0.4 s), 1002 rings on for the 2 s that the dialplan allows, and nobody answers.

    Expected: one inbound call, no answer; one offer to PJSIP/1001, busy, and one to PJSIP/1002, no answer; hung up by
    the system.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    await pbx.asterisk.extend("from-trunk", "02079460991", "Dial(PJSIP/1001&PJSIP/1002,2,t)", "Hangup(19)")
    busy = await amelia.called.refuses(after_s=0.4)
    rung = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900194").is_refused("+442079460991")
    await pbx.finished(busy, rung, caller)


@case(extension_ring_s=8)
async def pickup_by_replaces(pbx: Pbx, link: AmiLink) -> None:
    """+447700900195 calls extension 1001 by +442079460991, which rings. 1003 takes the call over by an INVITE that
    Replaces the one that 1001 was sent (what a phone with a busy lamp field does, RFC 3891). They talk 1.2 s and 1003
    hangs up.

    Expected: one inbound call, answered by 1003 (PJSIP/1003); the offer to PJSIP/1001 ended as answered elsewhere;
    the leg of 1003 is no internal call of its own; hung up by the callee (1003).
    """
    amelia, chloe = await pbx.phones("1001", "1003")
    rung = await amelia.called.rings()
    caller = await pbx.trunk.caller("+447700900195").stays("+442079460991")
    await ringing(link, "PJSIP/1001-")
    await asyncio.sleep(0.3)
    picker = await chloe.dials.plays("1001", waits(1.2), hangs_up(), replaces=rung.replaces())
    await pbx.finished(rung, caller, picker)


@case()
async def held_by_both_in_turn(pbx: Pbx, link: AmiLink) -> None:
    """+447700900196 calls extension 1001 by +442079460991, who answers after 0.5 s. They talk 0.6 s, 1001 holds the
    caller for 0.8 s and talks again; then the caller holds 1001 for 0.8 s; then 1001 holds again, for 0.8 s, in which
    the caller holds too, for 0.4 s (re-INVITE each time). They talk 0.5 s and the caller hangs up.

    Expected: one inbound call, answered; one offer and one connection; four holds, two by PJSIP/1001 and two by the
    other side, each as long as it was; the time in which both held counts once; hung up by the caller.
    """
    amelia = await pbx.phone("1001")
    agent = await amelia.called.plays(
        waits(0.6), holds(), waits(0.8), resumes(), told(), holds(), told(), resumes(), is_hung_up()
    )
    customer = await pbx.trunk.caller("+447700900196").plays(
        "+442079460991",
        told(),
        holds(),
        waits(0.8),
        resumes(),
        told(),
        holds(),
        waits(0.4),
        resumes(),
        told(),
        hangs_up(),
    )
    await link.event("Unhold")
    await asyncio.sleep(0.4)  # they talk
    await pbx.tell(customer)
    await link.event("Unhold", count=2)
    await asyncio.sleep(0.4)  # they talk
    await pbx.tell(agent)
    await link.event("Hold", count=3)
    await asyncio.sleep(0.2)
    await pbx.tell(customer)
    await link.event("Unhold", count=3)
    await asyncio.sleep(0.2)
    await pbx.tell(agent)
    await link.event("Unhold", count=4)
    await asyncio.sleep(0.5)  # they talk
    await pbx.tell(customer)
    await pbx.finished(agent, customer)


FOLLOW_ME = """
[1001]
context => from-internal
number => 1002,3
number => 02079460150,4
enable_callee_prompt => false
"""
"""Where 1001 is to be found: first at 1002, then outside. Whoever is found need not press a key to take the call."""


async def follows(pbx: Pbx, link: AmiLink) -> None:
    """Let the calls of 1001 follow their owner."""
    (pbx.asterisk.home / "etc" / "followme.conf").write_text(FOLLOW_ME)
    await link.action("ModuleLoad", LoadType="load", Module="app_followme.so")
    await pbx.asterisk.extend("from-trunk", "02079460991", "FollowMe(1001,d)", "Hangup()")


@case()
async def follow_me_second_number_answers(pbx: Pbx, link: AmiLink) -> None:
    """The calls of 1001 follow their owner (FollowMe): first to 1002, for 3 s, then to 02079460150 on the trunk.
    +447700900197 calls extension 1001 by +442079460991. 1002 rings in vain; 02079460150 answers after 0.8 s. They talk
    about 1.5 s and the caller hangs up.

    Expected: one inbound call, answered by 02079460150; one offer, to PJSIP/1002, no answer; hung up by the caller.
    """
    ben = await pbx.phone("1002")
    await follows(pbx, link)
    rung = await ben.called.rings()
    outside = await pbx.trunk.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900197").plays("+442079460991", told(), hangs_up())
    await link.event("BridgeEnter", count=4)
    await asyncio.sleep(1.5)  # they talk
    await pbx.tell(caller)
    await pbx.finished(rung, outside, caller)


@case()
async def follow_me_first_number_answers(pbx: Pbx, link: AmiLink) -> None:
    """As before, but 1002 answers after 0.8 s. The caller is +447700900198. They talk about 1.5 s and the caller hangs
    up.

    Expected: one inbound call, answered by 1002; one offer, to PJSIP/1002, answered; hung up
    by the caller.
    """
    ben = await pbx.phone("1002")
    await follows(pbx, link)
    agent = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900198").plays("+442079460991", told(), hangs_up())
    await link.event("BridgeEnter", count=4)
    await asyncio.sleep(1.5)  # they talk
    await pbx.tell(caller)
    await pbx.finished(agent, caller)


@case(queue_ring_s=8)
async def pickup_by_replaces_from_queue(pbx: Pbx, link: AmiLink) -> None:
    """02079460121 calls 02079460996, the queue billing, whose member 1008 rings. 1003, who is no member, takes the call
    over by an INVITE that Replaces the one that 1008 was sent. They talk 1.2 s and 1003 hangs up.

    Expected: one inbound call, answered by 1003; the visit to billing was answered; the offer to PJSIP/1008 ended as
    answered elsewhere; hung up by the callee (1003).
    """
    hannah, chloe = await pbx.phones("1008", "1003")
    rung = await hannah.called.rings()
    caller = await pbx.trunk.caller("02079460121").stays("02079460996")
    await ringing(link, "PJSIP/1008-")
    await asyncio.sleep(0.3)
    picker = await chloe.dials.plays("1008", waits(1.2), hangs_up(), replaces=rung.replaces())
    await pbx.finished(rung, caller, picker)


@case()
async def forward_in_vain(pbx: Pbx, link: AmiLink) -> None:
    """+447700900199 calls extension 1001 by +442079460991. The phone forwards the call to 1002 (302), which rings for
    the 3 s that the dialplan allows; nobody answers.

    Expected: one inbound call, no answer; offers to PJSIP/1001, which never rang, and to PJSIP/1002, no answer; hung up
    by the system.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    forwarder = await amelia.called.forwards("1002")
    rung = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900199").is_refused("+442079460991")
    await pbx.finished(forwarder, rung, caller)


@case()
async def forward_twice(pbx: Pbx, link: AmiLink) -> None:
    """02079460122 calls extension 1001 by 02079460991. The phone forwards the call to 1002 (302), which forwards it to
    1003 (302), which answers after 0.8 s. They talk 1 s and 1003 hangs up.

    Expected: one inbound call, answered by 1003; offers to PJSIP/1001 and PJSIP/1002, neither answered, and to
    PJSIP/1003, answered; hung up by the callee (1003).
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    first = await amelia.called.forwards("1002")
    second = await ben.called.forwards("1003")
    agent = await chloe.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("02079460122").stays("02079460991")
    await pbx.finished(first, second, agent, caller)


@case()
async def queue_member_forwards_to_outside(pbx: Pbx, link: AmiLink) -> None:
    """02079460123 calls 02079460996, the queue billing. The phone of its member 1008 forwards the call to 02079460150
    (302), on the trunk, which answers after 0.8 s. They talk 1 s and the one outside hangs up.

    Expected: one inbound call, answered in billing by 02079460150, no phone of ours; hung up by the callee.
    """
    hannah = await pbx.phone("1008")
    forwarder = await hannah.called.forwards(CUSTOMER)
    outside = await pbx.trunk.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("02079460123").stays("02079460996")
    await pbx.finished(forwarder, outside, caller)
