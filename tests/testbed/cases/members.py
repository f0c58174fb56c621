"""Queue members behind Local channels, as FreePBX writes them, several at once."""

from tests.testbed.ami import AmiLink
from tests.testbed.cases.features import consulting, transfer
from tests.testbed.cases.keys import press
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx


@case()
async def local_members_ringall(pbx: Pbx, link: AmiLink) -> None:
    """1001 and 1003 are made members of the queue backoffice beside 1002, all as Local/<extension>@from-queue/n with a
    hint as state interface, as FreePBX writes them. +447700900250 calls +442079460997; the three ring together, and
    1003 answers after 0.8 s. They talk 1.2 s and the agent hangs up.

    Expected: one inbound call, answered; one visit to backoffice, answered; offers to PJSIP/1003, answered, and to
    PJSIP/1001 and PJSIP/1002, answered elsewhere, all of backoffice; no Local channel is shown; hung up by the agent.
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    await join(link, "1001", "1003", options="/n")
    others = [await amelia.called.rings(), await ben.called.rings()]
    agent = await chloe.called.answers_and_hangs_up(after_s=0.8, talk_s=1.2)
    caller = await pbx.trunk.caller("+447700900250").stays("+442079460997")
    await pbx.finished(*others, agent, caller)


@case()
async def local_members_optimized_ringall(pbx: Pbx, link: AmiLink) -> None:
    """1001 and 1003 are made members of the queue backoffice beside 1002, as Local/<extension>@from-queue without /n,
    with a hint as state interface. 02079460251 calls 02079460997; the three ring together, 1001 answers after 0.8 s,
    and Asterisk takes the Local channel out of the call. They talk 1.5 s and the agent hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001, answered, and to PJSIP/1002 and PJSIP/1003, answered
    elsewhere; the talk is not cut in two; hung up by the agent.
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    await join(link, "1001", "1003", options="")
    agent = await amelia.called.answers_speaks_and_hangs_up(after_s=0.8, talk_s=1.5)
    others = [await ben.called.rings(), await chloe.called.rings()]
    caller = await pbx.trunk.caller("02079460251").stays("02079460997")
    await pbx.finished(agent, *others, caller)


@case(queue_wait_s=6)
async def local_members_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """1001 is made a member of the queue backoffice beside 1002, as Local/1001@from-queue/n with a hint as state
    interface. +447700900252 calls +442079460997, whose limit is 6 s of waiting; both ring 3 s, and again after 1 s
    until the limit. Nobody answers, and the dialplan hangs up.

    Expected: one inbound call that nobody answered; one visit to backoffice, ended by timeout; two offers to each of
    PJSIP/1001 and PJSIP/1002, all no answer; hung up by the system.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    await join(link, "1001", options="/n")
    missed = [await amelia.called.rings(), await ben.called.rings()]
    caller = await pbx.trunk.caller("+447700900252").stays("+442079460997")
    await pbx.finished(*missed)
    again = [await amelia.called.rings(), await ben.called.rings()]
    await pbx.finished(*again, caller)


@case()
async def local_member_abandoned(pbx: Pbx, link: AmiLink) -> None:
    """02079460253 calls 02079460997, the queue backoffice, whose member Local/1002@from-queue/n rings 1002. The caller
    hangs up after 2 s.

    Expected: one inbound call, abandoned; one visit to backoffice, abandoned; one offer to PJSIP/1002, caller gave up;
    hung up by the caller.
    """
    ben = await pbx.phone("1002")
    rung = await ben.called.rings()
    caller = await pbx.trunk.caller("02079460253").hangs_up("02079460997", after_s=2)
    await pbx.finished(rung, caller)


@case()
async def local_member_blind_transfer(pbx: Pbx, link: AmiLink) -> None:
    """+447700900254 calls +442079460997, the queue backoffice, whose member Local/1002@from-queue/n answers at 1002
    after 0.6 s, talks 1 s and transfers the caller blindly to 1001 (SIP REFER). 1001 answers after 0.8 s, talks 1 s
    and hangs up.

    Expected: one inbound call, answered; one visit to backoffice, answered; offers to PJSIP/1002 (of backoffice) and
    PJSIP/1001, both answered; one blind transfer by PJSIP/1002 to 1001; hung up by the agent (1001).
    """
    ben, amelia = await pbx.phones("1002", "1001")
    first = await ben.called.answers_and_transfers("1001", after_s=0.6, talk_s=1)
    second = await amelia.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    caller = await pbx.trunk.caller("+447700900254").stays("+442079460997")
    await pbx.finished(first, second, caller)


@case()
async def local_member_attended_transfer(pbx: Pbx, link: AmiLink) -> None:
    """02079460255 calls 02079460997, the queue backoffice, whose member Local/1002@from-queue/n answers at 1002 after
    0.6 s, talks 0.8 s and dials *2 and 1001 on its phone, which Asterisk hears where the queue's option t puts it: at
    the Local channel. 1001 answers after 0.8 s; they talk 1 s, and 1002 dials *2. 1001 hangs up 4 s after it answered.

    Expected: one inbound call, answered; one visit to backoffice, answered; offers to PJSIP/1002 (of backoffice) and
    PJSIP/1001, both answered; one attended transfer by PJSIP/1002 to PJSIP/1001; hung up by the agent (1001).
    """
    ben, amelia = await pbx.phones("1002", "1001")
    first = await ben.called.answers(after_s=0.6)
    second = await amelia.called.answers_and_hangs_up(after_s=0.8, talk_s=4)
    caller = await pbx.trunk.caller("02079460255").stays("02079460997")
    agent = await transfer(link, "*2", "1001", phone="1002")
    await consulting(link, "PJSIP/1001-")
    await press(link, agent, "*2")
    await pbx.finished(first, second, caller)


async def join(link: AmiLink, *extensions: str, options: str) -> None:
    """Make these extensions members of backoffice, behind a Local channel."""
    for extension in extensions:
        await link.action(
            "QueueAdd",
            Queue="backoffice",
            Interface=f"Local/{extension}@from-queue{options}",
            MemberName={"1001": "Amelia Hart", "1003": "Chloe Singh"}[extension],
            StateInterface=f"hint:{extension}@internal",
        )
