"""Transfers to a second Asterisk, a branch office behind the trunk: what the first one sees is one right record."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx
from tests.testbed.phones import Phone
from tests.testbed.script import hangs_up, holds, is_hung_up, joins, refers, waits

BRANCH_1001 = "02079460991"
"""What leads to the branch's extension 1001, from the first PBX by its trunk."""


@case()
async def branch_blind_transfer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900200 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s and transfers the
    caller blindly to 02079460991 (SIP REFER): by the trunk to a second Asterisk, whose extension 1001 answers after
    0.8 s. They talk 1 s, and the branch's 1001 hangs up.

    Expected: one inbound call, answered by 1001; one offer; one blind transfer by 1001 to 02079460991, who talked with
    the caller outside of our phones; hung up by the callee.
    """
    async with pbx.branch() as branch:
        amelia, distant = await pbx.phone("1001"), await branch.phone("1001")
        first = await amelia.called.plays(waits(1), refers(BRANCH_1001), waits(0.3), hangs_up())
        second = await distant.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
        caller = await pbx.trunk.caller("+447700900200").stays("+442079460991")
        await pbx.finished(first, second, caller)


@case()
async def branch_attended_transfer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900201 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 1 s, holds the call and calls
    02079460991: by the trunk extension 1001 of a second Asterisk, which answers after 0.6 s. They talk 0.8 s, and our
    1001 joins the two (SIP REFER with Replaces). The caller hangs up 5 s after the answer.

    Expected: one inbound call, answered by 1001; one hold; one attended transfer by 1001 to 02079460991, who talked
    with the caller; hung up by the caller.
    """
    async with pbx.branch() as branch:
        amelia, distant = await pbx.phone("1001"), await branch.phone("1001")
        held = await amelia.called.plays(waits(1), holds(), joins(), waits(0.3), hangs_up())
        second = await distant.called.answers(after_s=0.6)
        caller = await pbx.trunk.caller("+447700900201").hangs_up("+442079460991", after_s=5)
        await link.event("Hold")
        consultation = await amelia.dials.plays(BRANCH_1001, is_hung_up())
        await link.event("BridgeEnter", count=4)
        await asyncio.sleep(0.8)  # they talk
        await pbx.tell(held, BRANCH_1001, joins=consultation)
        await pbx.finished(held, consultation, second, caller)


@case()
async def branch_transfer_by_replaces(pbx: Pbx, link: AmiLink) -> None:
    """1001 is registered at both Asterisks. +447700900202 calls our extension 1001 by +442079460991, who answers after
    0.5 s, talks 1 s, holds the call, and calls the branch's 1002 by the branch, who answers after 0.6 s. They talk 0.8
    s, and 1001 tells our Asterisk to join the two (SIP REFER with Replaces of a call that it does not know): it calls
    the branch with that Replaces (the dialplan's external_replaces). The branch's 1002 hangs up 3.5 s after its answer.

    Expected: one inbound call, answered by 1001; one hold; one attended transfer by 1001 to external_replaces (which is
    all that our Asterisk says of it); the one behind the trunk talked with the caller; hung up by the callee.
    """
    await pbx.asterisk.extend("from-internal", "external_replaces", "Dial(PJSIP/trunk/${SIPREFERTOHDR})", "Hangup()")
    async with pbx.branch() as branch:
        amelia, distant = await pbx.phone("1001"), await branch.phone("1002")
        elsewhere: Phone = await branch.phone("1001")
        held = await amelia.called.plays(waits(1), holds(), joins(), waits(0.3), hangs_up())
        second = await distant.called.answers_and_hangs_up(after_s=0.6, talk_s=3.5)
        caller = await pbx.trunk.caller("+447700900202").stays("+442079460991")
        await link.event("Hold")
        async with branch.asterisk.observer() as there:
            consultation = await elsewhere.dials.plays("1002", is_hung_up())
            await there.event("BridgeEnter", count=2)
        await asyncio.sleep(0.8)  # they talk
        await pbx.tell(held, "1002", joins=consultation)
        await pbx.finished(held, consultation, second, caller)


@case()
async def branch_replaces_our_call(pbx: Pbx, link: AmiLink) -> None:
    """The other way round: the transfer comes from the branch. +447700900203 calls the branch's extension 1001, who is
    registered here too, and who holds that call and calls our 1002 by our PBX. 1002 answers after 0.6 s and they talk
    0.8 s. Then 1001 tells the branch to join the two: it calls us with a Replaces of that call, and the customer takes
    the place of 1001. 1002 hangs up 3.5 s after its answer.

    Expected: one inbound call by +447700900203, who talked with 1002; the internal call from 1001 to 1002 that it
    replaced is part of it; hung up by the callee (1002).
    """
    async with pbx.branch() as branch:
        await branch.asterisk.extend(
            "from-internal", "external_replaces", "Dial(PJSIP/trunk/${SIPREFERTOHDR})", "Hangup()"
        )
        amelia, ben, elsewhere = await pbx.phone("1001"), await pbx.phone("1002"), await branch.phone("1001")
        held = await elsewhere.called.plays(waits(1), holds(), joins(), waits(0.3), hangs_up())
        second = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=3.5)
        async with branch.asterisk.observer() as there:
            caller = await branch.trunk.caller("+447700900203").stays("+442079460991")
            await there.event("Hold")
        consultation = await amelia.dials.plays("1002", is_hung_up())
        await link.event("BridgeEnter", count=2)
        await asyncio.sleep(0.8)  # they talk
        await pbx.tell(held, "1002", joins=consultation)
        await pbx.finished(held, consultation, second, caller)
