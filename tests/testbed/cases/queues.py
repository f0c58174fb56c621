"""Calls from outside to a queue."""

from tests.testbed.ami import AmiLink
from tests.testbed.callees import BUSY, DECLINED
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx


@case()
async def queue_ringall_one_member(pbx: Pbx, link: AmiLink) -> None:
    """+447700900131 calls +442079460996, the queue billing, and is answered by the PBX at once. Its only member,
    1008, rings 1 s and answers. They talk 1.2 s and the caller hangs up.

    Expected: one inbound call, answered; one visit to billing, answered after about 1 s; one offer to PJSIP/1008,
    answered; hung up by the caller.
    """
    phone = await pbx.phone("1008")
    agent = await phone.called.answers(after_s=1)
    caller = await pbx.trunk.caller("+447700900131").hangs_up("+442079460996", after_s=2.2)
    await pbx.finished(agent, caller)


@case()
async def queue_ringall_three_members(pbx: Pbx, link: AmiLink) -> None:
    """02079460104 calls 02079460993, the queue sales, where 1001, 1002 and 1003 ring together. 1002 answers after 1.2
    s, talks 1 s and hangs up.

    Expected: one inbound call, answered, one pop for 1002; three offers: PJSIP/1002 answered, PJSIP/1001 and
    PJSIP/1003 answered elsewhere, none of them missed; hung up by the agent.
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    agents = [
        await amelia.called.rings(),
        await ben.called.answers_and_hangs_up(after_s=1.2, talk_s=1),
        await chloe.called.rings(),
    ]
    caller = await pbx.trunk.caller("02079460104").stays("02079460993")
    await pbx.finished(*agents, caller)


@case()
async def queue_linear_second_member_answers(pbx: Pbx, link: AmiLink) -> None:
    """+447700900132 calls +442079460994, the queue support. 1004 rings for 3 s and does not answer; then 1005 rings
    and answers after 0.8 s. They talk 1 s and the agent hangs up.

    Expected: one inbound call, answered; two offers: PJSIP/1004 no answer after 3 s, PJSIP/1005 answered; hung up by
    the agent.
    """
    daniel, ewa = await pbx.phones("1004", "1005")
    agents = [await daniel.called.rings(), await ewa.called.answers_and_hangs_up(after_s=0.8, talk_s=1)]
    caller = await pbx.trunk.caller("+447700900132").stays("+442079460994")
    await pbx.finished(*agents, caller)


@case()
async def queue_leastrecent(pbx: Pbx, link: AmiLink) -> None:
    """Two calls, one after the other, to 02079460995, the queue service, whose members 1006 and 1007 get calls in
    turn. The PBX does not answer before an agent does: the callers hear ringing. First +447700900133 is answered by
    1007, who hangs up after 1 s; then +447700900134 is answered by 1006, and the caller hangs up after 1 s.

    Expected: two inbound calls, both answered, with one offer each: PJSIP/1007, then PJSIP/1006.
    """
    farah, george = await pbx.phones("1006", "1007")
    # Neither has had a call yet: Asterisk then begins at an end of its list that is no order of the configuration.
    agent = await george.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    caller = await pbx.trunk.caller("+447700900133").stays("02079460995")
    await pbx.finished(agent, caller)
    await link.all_hung_up()
    agent = await farah.called.answers(after_s=0.6)
    caller = await pbx.trunk.caller("+447700900134").hangs_up("02079460995", after_s=1)
    await pbx.finished(agent, caller)


@case(queue_wait_s=20)
async def queue_ring_no_answer_and_again(pbx: Pbx, link: AmiLink) -> None:
    """+447700900135 calls +442079460996, the queue billing. Its only member, 1008, rings for 3 s and does not answer;
    after the pause of 1 s it rings again and is answered after 0.8 s. They talk 1 s and the agent hangs up.

    Expected: one inbound call, answered; two offers to PJSIP/1008: no answer, then answered; hung up by the agent.
    """
    phone = await pbx.phone("1008")
    missed = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900135").stays("+442079460996")
    await missed.finished()
    agent = await phone.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    await pbx.finished(agent, caller)


@case()
async def queue_abandoned_while_ringing(pbx: Pbx, link: AmiLink) -> None:
    """+447700900136 calls +442079460996, the queue billing. Its only member, 1008, rings; the caller hangs up after 2
    s.

    Expected: one inbound call, abandoned although the PBX answered the channel; one visit to billing of 2 s,
    abandoned; one offer to PJSIP/1008, caller gave up; hung up by the caller.
    """
    phone = await pbx.phone("1008")
    agent = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900136").hangs_up("+442079460996", after_s=2)
    await pbx.finished(agent, caller)


@case(queue_wait_s=20)
async def queue_abandoned_no_member_free(pbx: Pbx, link: AmiLink) -> None:
    """+447700900137 calls the queue billing and talks with its only member, 1008. Meanwhile 02079460105 calls the
    same queue, where nobody is free, waits 2 s and hangs up. Then the first caller's agent hangs up.

    Expected: two inbound calls. The first answered, hung up by the agent; the second abandoned after 2 s without an
    offer, hung up by the caller.
    """
    phone = await pbx.phone("1008")
    agent = await phone.called.answers_and_hangs_up(after_s=0.5, talk_s=4)
    first = await pbx.trunk.caller("+447700900137").stays("+442079460996")
    await link.event("AgentConnect")
    second = await pbx.trunk.caller("02079460105").hangs_up("02079460996", after_s=2)
    await pbx.finished(agent, first, second)


@case()
async def queue_ringall_abandoned(pbx: Pbx, link: AmiLink) -> None:
    """+447700900138 calls +442079460993, the queue sales. 1001, 1002 and 1003 ring together; the caller hangs up
    after 2 s.

    Expected: one inbound call, abandoned; three offers, each caller gave up; one abandoned visit, not three missed
    calls.
    """
    agents = [await phone.called.rings() for phone in await pbx.phones("1001", "1002", "1003")]
    caller = await pbx.trunk.caller("+447700900138").hangs_up("+442079460993", after_s=2)
    await pbx.finished(*agents, caller)


@case(queue_wait_s=5)
async def queue_timeout(pbx: Pbx, link: AmiLink) -> None:
    """+447700900139 calls +442079460996, the queue billing, whose limit is 5 s of waiting. 1008 rings for 3 s, and
    again after 1 s until the limit; nobody answers. The dialplan goes on: it says good-bye and hangs up.

    Expected: one inbound call that nobody answered; one visit to billing of 5 s, ended by timeout; two offers to
    PJSIP/1008, both no answer; hung up by the system.
    """
    phone = await pbx.phone("1008")
    missed = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900139").stays("+442079460996")
    await missed.finished()
    again = await phone.called.rings()
    await pbx.finished(again, caller)


@case()
async def queue_join_empty(pbx: Pbx, link: AmiLink) -> None:
    """+447700900140 calls +442079460996, the queue billing, while no phone of it is registered: the queue lets nobody
    in. The dialplan goes on: it says good-bye and hangs up.

    Expected: one inbound call that nobody answered, refused by billing (join empty), not abandoned; no offer.
    """
    caller = await pbx.trunk.caller("+447700900140").stays("+442079460996")
    await pbx.finished(caller)


@case()
async def queue_member_busy(pbx: Pbx, link: AmiLink) -> None:
    """02079460106 calls 02079460994, the queue support. The phone of 1004 says 486 Busy Here at once; then 1005 rings
    and is answered after 0.8 s. They talk 1 s and the caller hangs up.

    Expected: one inbound call, answered; two offers: PJSIP/1004 busy, PJSIP/1005 answered; hung up by the caller.
    """
    daniel, ewa = await pbx.phones("1004", "1005")
    agents = [await daniel.called.refuses(BUSY), await ewa.called.answers(after_s=0.8)]
    caller = await pbx.trunk.caller("02079460106").hangs_up("02079460994", after_s=3.5)
    await pbx.finished(*agents, caller)


@case()
async def queue_member_rejects(pbx: Pbx, link: AmiLink) -> None:
    """+447700900141 calls +442079460994, the queue support. 1004 rings 1 s and the agent presses "decline" (603);
    then 1005 rings and is answered after 0.8 s. They talk 1 s and the agent hangs up.

    Expected: one inbound call, answered; two offers: PJSIP/1004 rejected after 1 s, PJSIP/1005 answered; hung up by
    the agent.
    """
    daniel, ewa = await pbx.phones("1004", "1005")
    agents = [
        await daniel.called.refuses(DECLINED, after_s=1),
        await ewa.called.answers_and_hangs_up(after_s=0.8, talk_s=1),
    ]
    caller = await pbx.trunk.caller("+447700900141").stays("+442079460994")
    await pbx.finished(*agents, caller)


@case()
async def queue_member_local(pbx: Pbx, link: AmiLink) -> None:
    """+447700900142 calls +442079460997, the queue backoffice, whose only member is Local/1002@from-queue/n with the
    state interface PJSIP/1002, as FreePBX writes members. 1002 rings 1 s and answers; they talk 1.2 s and the agent
    hangs up.

    Expected: one inbound call, answered; one offer to PJSIP/1002 (never to the Local channel), answered; hung up by
    the agent.
    """
    phone = await pbx.phone("1002")
    agent = await phone.called.answers_and_hangs_up(after_s=1, talk_s=1.2)
    caller = await pbx.trunk.caller("+447700900142").stays("+442079460997")
    await pbx.finished(agent, caller)


@case(queue_wait_s=20)
async def queue_member_local_no_answer_and_again(pbx: Pbx, link: AmiLink) -> None:
    """+447700900143 calls +442079460997, the queue backoffice, whose only member is Local/1002@from-queue/n. 1002
    rings for 3 s and does not answer; after the pause of 1 s it rings again and is answered after 0.8 s. The caller
    hangs up 1 s later.

    Expected: one inbound call, answered; two offers to PJSIP/1002: no answer, then answered.
    """
    phone = await pbx.phone("1002")
    missed = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900143").hangs_up("+442079460997", after_s=6)
    await missed.finished()
    agent = await phone.called.answers(after_s=0.8)
    await pbx.finished(agent, caller)


@case(queue_wait_s=20)
async def inbound_ivr_then_queue_abandoned(pbx: Pbx, link: AmiLink) -> None:
    """+447700900144 calls the main number, +442079460990. The menu answers, speaks, waits 1 s for a key, and sends
    the caller to the queue sales, where 1001 rings. The caller hangs up about 2 s later.

    Expected: one inbound call, abandoned although the menu answered the channel; one visit to sales, abandoned; one
    offer to PJSIP/1001, caller gave up; the time in the menu is neither waiting nor talking; hung up by the caller.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900144").hangs_up("+442079460990", after_s=6.5)
    await pbx.finished(agent, caller)


@case(queue_wait_s=20)
async def inbound_ivr_then_queue_answered(pbx: Pbx, link: AmiLink) -> None:
    """02079460115 calls the main number, 02079460990. The menu answers, speaks, waits 1 s for a key, and sends the
    caller to the queue sales, where 1001 rings 0.8 s and is answered. They talk 1.2 s and the agent hangs up.

    Expected: one inbound call, answered by 1001, not by the menu; one visit to sales; one offer to PJSIP/1001,
    answered; the time in the menu is neither waiting nor talking; hung up by the agent.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers_and_hangs_up(after_s=0.8, talk_s=1.2)
    caller = await pbx.trunk.caller("02079460115").stays("02079460990")
    await pbx.finished(agent, caller)


@case()
async def queue_all_paused_abandoned(pbx: Pbx, link: AmiLink) -> None:
    """1008, the only member of the queue billing, is paused. +447700900166 calls +442079460996, is let in, hears
    music for 2 s and hangs up.

    Expected: one inbound call, abandoned after 2 s without an offer; hung up by the caller.
    """
    await pbx.phone("1008")
    await link.action("QueuePause", Interface="PJSIP/1008", Paused="true", Reason="lunch")
    caller = await pbx.trunk.caller("+447700900166").hangs_up("+442079460996", after_s=2)
    await pbx.finished(caller)


@case(queue_wait_s=20)
async def queue_two_callers_one_agent(pbx: Pbx, link: AmiLink) -> None:
    """+447700900167 calls the queue billing and is answered by 1008 after 0.5 s. Meanwhile 02079460116 calls the same
    queue and waits. 1008 hangs up after 2.5 s, is rung for the second caller, answers after 0.6 s, talks 1 s and
    hangs up.

    Expected: two inbound calls, both answered by 1008, the second after about 3 s of waiting; both hung up by the
    agent.
    """
    phone = await pbx.phone("1008")
    agent = await phone.called.answers_and_hangs_up(after_s=0.5, talk_s=2.5)
    first = await pbx.trunk.caller("+447700900167").stays("+442079460996")
    await link.event("AgentConnect")
    second = await pbx.trunk.caller("02079460116").stays("02079460996")
    await agent.finished()
    again = await phone.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    await pbx.finished(first, second, again)
