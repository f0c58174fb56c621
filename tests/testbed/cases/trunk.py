"""Calls from outside to one person, to a mailbox, and two at once."""

from tests.testbed.ami import AmiLink
from tests.testbed.callees import BUSY, DECLINED
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx


@case()
async def inbound_direct_answered_caller_hangs_up(pbx: Pbx, link: AmiLink) -> None:
    """+447700900123 calls +442079460991, which is extension 1001. 1001 rings 0.7 s and is answered, they talk 1.2 s,
    and the caller hangs up.

    Expected: one inbound call, answered; one offer to PJSIP/1001, answered; hung up by the caller, cause 16.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers(after_s=0.7)
    caller = await pbx.trunk.caller("+447700900123", "Olivia Bennett").hangs_up("+442079460991", after_s=1.2)
    await pbx.finished(agent, caller)


@case()
async def inbound_direct_answered_agent_hangs_up(pbx: Pbx, link: AmiLink) -> None:
    """02079460101 calls 02079460991 (the trunk writes both in national form), which is extension 1001. 1001 rings 0.7
    s and is answered, they talk 1.2 s, and the agent hangs up.

    Expected: one inbound call, answered; one offer to PJSIP/1001, answered; hung up by the agent, cause 16.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers_and_hangs_up(after_s=0.7, talk_s=1.2)
    caller = await pbx.trunk.caller("02079460101").stays("02079460991")
    await pbx.finished(agent, caller)


@case()
async def inbound_direct_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900124 calls extension 1001 by +442079460991. It rings for the 3 s that the dialplan allows, nobody
    answers, and the dialplan ends the call with cause 19.

    Expected: one inbound call, no answer; one offer to PJSIP/1001, no answer after 3 s; hung up by the system.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900124").is_refused("+442079460991")
    await pbx.finished(agent, caller)


@case()
async def inbound_direct_busy(pbx: Pbx, link: AmiLink) -> None:
    """02079460102 calls extension 1001 by 02079460991. The phone says 486 Busy Here at once; the dialplan passes busy
    on.

    Expected: one inbound call, busy; one offer to PJSIP/1001, busy; hung up by the system, cause 17.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.refuses(BUSY)
    caller = await pbx.trunk.caller("02079460102").is_refused("02079460991")
    await pbx.finished(agent, caller)


@case()
async def inbound_direct_rejected(pbx: Pbx, link: AmiLink) -> None:
    """+447700900125 calls extension 1001 by +442079460991. The phone rings 1 s, then the agent presses "decline"
    (603).

    Expected: one inbound call, no answer; one offer to PJSIP/1001, rejected after 1 s; hung up by the system, cause
    19.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.refuses(DECLINED, after_s=1)
    caller = await pbx.trunk.caller("+447700900125").is_refused("+442079460991")
    await pbx.finished(agent, caller)


@case()
async def inbound_direct_caller_gives_up(pbx: Pbx, link: AmiLink) -> None:
    """+447700900126 calls extension 1001 by +442079460991. It rings, and after 1.5 s the caller cancels.

    Expected: one inbound call, canceled (nobody answered); one offer to PJSIP/1001, caller gave up; hung up by the
    caller.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900126").gives_up("+442079460991", after_s=1.5)
    await pbx.finished(agent, caller)


@case()
async def inbound_anonymous(pbx: Pbx, link: AmiLink) -> None:
    """Someone who withholds the number (From anonymous@anonymous.invalid, Privacy: id) calls 02079460991, extension
    1001, who answers after 0.5 s. They talk 1 s and the caller hangs up.

    Expected: one inbound call, answered; the caller has no number; hung up by the caller.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers(after_s=0.5)
    caller = await pbx.trunk.anonymous_caller().hangs_up("02079460991", after_s=1)
    await pbx.finished(agent, caller)


@case()
async def inbound_unicode_name(pbx: Pbx, link: AmiLink) -> None:
    """+447700900127, whose name the trunk gives as "Zoë Müller-Nuñez 王小明", calls +442079460991, extension 1001, who
    answers after 0.5 s. They talk 1 s and the caller hangs up.

    Expected: one inbound call, answered; the caller's name is whole, also where TCP cuts a character in two.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("+447700900127", "Zoë Müller-Nuñez 王小明").hangs_up("+442079460991", after_s=1)
    await pbx.finished(agent, caller)


@case()
async def inbound_voicemail(pbx: Pbx, link: AmiLink) -> None:
    """+447700900128 calls +442079460998, extension 1003 with a mailbox. It rings 3 s, nobody answers, the mailbox
    answers, and the caller hangs up 3 s later.

    Expected: one inbound call, voicemail; one offer to PJSIP/1003, no answer; no time of talk; hung up by the caller.
    """
    phone = await pbx.phone("1003")
    agent = await phone.called.rings()
    caller = await pbx.trunk.caller("+447700900128").hangs_up("+442079460998", after_s=3)
    await pbx.finished(agent, caller)


@case()
async def inbound_unknown_number(pbx: Pbx, link: AmiLink) -> None:
    """+447700900168 calls +442079460000, which is not ours: the dialplan hangs up with cause 1 (unallocated).

    Expected: one inbound call, failed, without an offer; hung up by the system.
    """
    caller = await pbx.trunk.caller("+447700900168").is_refused("+442079460000")
    await pbx.finished(caller)


@case()
async def hold_and_resume(pbx: Pbx, link: AmiLink) -> None:
    """+447700900129 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call for 1.5
    s, takes it back, talks 1 s more and hangs up.

    Expected: one inbound call, answered; one hold of 1.5 s by the agent; talk 2 s; hung up by the agent.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers_holds_and_hangs_up(after_s=0.5, talk_s=1, hold_s=1.5)
    caller = await pbx.trunk.caller("+447700900129").stays("+442079460991")
    await pbx.finished(agent, caller)


@case()
async def two_calls_at_once(pbx: Pbx, link: AmiLink) -> None:
    """+447700900130 calls extension 1001, and before that is answered 02079460103 calls extension 1002. 1001 answers
    after 1 s, 1002 after 0.7 s; the second call ends first (its caller hangs up after 1 s), the first ends when its
    agent hangs up after 2.5 s.

    Expected: two inbound calls, both answered, with nothing of one in the other; the first hung up by the agent, the
    second by the caller.
    """
    first, second = await pbx.phones("1001", "1002")
    agents = [
        await first.called.answers_and_hangs_up(after_s=1, talk_s=2.5),
        await second.called.answers(after_s=0.7),
    ]
    one = await pbx.trunk.caller("+447700900130").stays("+442079460991")
    await ringing(link, "PJSIP/1001-")
    two = await pbx.trunk.caller("02079460103").hangs_up("02079460992", after_s=1)
    await pbx.finished(*agents, one, two)


async def ringing(link: AmiLink, prefix: str) -> None:
    """Wait until a channel whose name begins like this rings."""
    await link.wait_for(
        lambda block: (
            block.get("Event") == "Newstate"
            and block.get("ChannelStateDesc") == "Ringing"
            and block.get("Channel", "").startswith(prefix)
        )
    )
