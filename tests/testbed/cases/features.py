"""Transfers by a code that a person dials during the call (features.conf), and what becomes of those that fail."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.keys import press
from tests.testbed.cases.registry import case
from tests.testbed.cases.transfers import talking
from tests.testbed.cases.trunk import ringing
from tests.testbed.pbx import Pbx


@case()
async def feature_blind_transfer_by_callee(pbx: Pbx, link: AmiLink) -> None:
    """+447700900180 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 0.8 s and dials ## and
    1002. 1002 answers after 0.8 s; they talk, and the caller hangs up 7 s after the first answer.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one blind transfer by
    1001 to 1002; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900180").hangs_up("+442079460991", after_s=7)
    await transfer(link, "##", "1002")
    await pbx.finished(first, second, caller)


@case()
async def feature_blind_transfer_by_caller(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460180, which answers after 0.5 s; they talk 0.8 s, and 1001, who called, dials ## and 1002.
    1002 answers after 0.8 s, talks 1 s with the customer and hangs up.

    Expected: one outbound call, answered; one blind transfer by 1001 to 1002; the customer talked with 1001, then
    with 1002; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    customer = await pbx.trunk.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=1)
    first = await amelia.dials.stays("02079460180")
    await transfer(link, "##", "1002")
    await pbx.finished(first, second, customer)


@case()
async def feature_blind_transfer_to_nothing(pbx: Pbx, link: AmiLink) -> None:
    """02079460181 calls extension 1001 by 02079460991, who answers after 0.5 s, talks 0.8 s and dials ## and 55, which
    is no extension. Asterisk says so to 1001 and asks for another; 1001 hangs up 6 s after the answer.

    Expected: one inbound call, answered by 1001 alone, with no transfer and on hold to its end; hung up by the agent.
    """
    amelia = await pbx.phone("1001")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=6)
    caller = await pbx.trunk.caller("02079460181").stays("02079460991")
    await transfer(link, "##", "55")
    await pbx.finished(first, caller)


@case()
async def feature_attended_transfer_by_callee(pbx: Pbx, link: AmiLink) -> None:
    """+447700900182 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 0.8 s and dials *2 and
    1002. 1002 answers after 0.8 s; 1001 and 1002 talk 1 s, and 1001 dials *2 again, which joins the two and ends
    1001's part. 1002 hangs up 3 s after it answered.

    Expected: one inbound call, answered; offers to PJSIP/1001 and PJSIP/1002, both answered; one attended transfer by
    1001 to 1002; the customer talked with 1001 and then with 1002, not with 1002 before; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=3)
    caller = await pbx.trunk.caller("+447700900182").stays("+442079460991")
    agent = await transfer(link, "*2", "1002")
    await consulting(link, "PJSIP/1002-")
    await press(link, agent, "*2")
    await pbx.finished(first, second, caller)


@case()
async def feature_attended_transfer_by_caller(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460183, which answers after 0.5 s; they talk 0.8 s, and 1001, who called, dials *2 and 1002.
    1002 answers after 0.8 s; 1001 and 1002 talk 1 s, and 1001 hangs up, which joins the other two. 1002 hangs up 3 s
    after it answered.

    Expected: one outbound call, answered; one attended transfer by 1001 to 1002; the customer talked with 1001, then
    with 1002; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    customer = await pbx.trunk.called.answers(after_s=0.5)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=3)
    first = await amelia.dials.hangs_up("02079460183", after_s=5)
    await transfer(link, "*2", "1002")
    await pbx.finished(first, second, customer)


@case()
async def feature_attended_transfer_aborted(pbx: Pbx, link: AmiLink) -> None:
    """+447700900184 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 0.8 s and dials *2 and
    1002. 1002 answers after 0.8 s; they talk 1 s, and 1001 dials *1: 1002 is hung up on, and 1001 has the caller
    back. They talk 1.5 s and the caller hangs up 9 s after the answer.

    Expected: one inbound call, answered by 1001 alone, with no transfer; an offer to PJSIP/1002, answered, whom the
    customer never talked with; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900184").hangs_up("+442079460991", after_s=9)
    agent = await transfer(link, "*2", "1002")
    await consulting(link, "PJSIP/1002-")
    await press(link, agent, "*1")
    await pbx.finished(first, second, caller)


@case()
async def feature_attended_transfer_three_way(pbx: Pbx, link: AmiLink) -> None:
    """02079460185 calls extension 1001 by 02079460991, who answers after 0.5 s, talks 0.8 s and dials *2 and 1002.
    1002 answers after 0.8 s; they talk 1 s, and 1001 dials *3: all three talk. 1001 leaves 8 s after its answer, and
    1002 hangs up 2 s later.

    Expected: one inbound call, answered; the customer talked with 1001, then with 1001 and 1002 together, then with
    1002; one attended transfer by 1001 to 1002; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=8)
    second = await ben.called.answers_and_hangs_up(after_s=0.8, talk_s=6)
    caller = await pbx.trunk.caller("02079460185").stays("02079460991")
    agent = await transfer(link, "*2", "1002")
    await consulting(link, "PJSIP/1002-")
    await press(link, agent, "*3")
    await pbx.finished(first, second, caller)


@case()
async def feature_attended_transfer_swapped(pbx: Pbx, link: AmiLink) -> None:
    """+447700900186 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 0.8 s and dials *2 and
    1002. 1002 answers after 0.8 s; they talk 1 s. 1001 dials *4 and talks 1.2 s with the caller, dials *4 and talks
    1.2 s with 1002, and dials *2, which joins the two. The caller hangs up 12 s after the first answer.

    Expected: one inbound call, answered; one attended transfer by 1001 to 1002; the customer talked with 1001, with
    1001 again, and with 1002; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.answers(after_s=0.8)
    caller = await pbx.trunk.caller("+447700900186").hangs_up("+442079460991", after_s=12)
    agent = await transfer(link, "*2", "1002")
    await consulting(link, "PJSIP/1002-")
    for code in ("*4", "*4", "*2"):
        await press(link, agent, code)
        await asyncio.sleep(1.2)  # they talk
    await pbx.finished(first, second, caller)


@case()
async def feature_attended_transfer_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """02079460187 calls extension 1001 by 02079460991, who answers after 0.5 s, talks 0.8 s and dials *2 and 1002,
    which rings for 3 s and does not answer. 1001, who waited, has the caller back. They talk on, and 1001 hangs up
    10 s after its answer.

    Expected: one inbound call, answered by 1001 alone, with no transfer; an offer to PJSIP/1002, no answer; hung up
    by the agent.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=10)
    second = await ben.called.rings()
    caller = await pbx.trunk.caller("02079460187").stays("02079460991")
    await transfer(link, "*2", "1002")
    await pbx.finished(first, second, caller)


@case()
async def feature_blonde_transfer_comes_back(pbx: Pbx, link: AmiLink) -> None:
    """+447700900188 calls extension 1001 by +442079460991, who answers after 0.5 s, talks 0.8 s, dials *2 and 1002,
    and hangs up while 1002 rings. 1002 does not answer, and Asterisk rings 1001 again, who answers after 0.6 s, talks
    1 s with the caller and hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001, answered, to PJSIP/1002, no answer, and to PJSIP/1001
    again, answered; one blonde transfer by 1001 to 1002; hung up by the agent (1001).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=4.5)
    second = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900188").stays("+442079460991")
    await transfer(link, "*2", "1002")
    await first.finished()
    again = await amelia.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    await pbx.finished(second, again, caller)


@case()
async def feature_blonde_transfer_tried_again(pbx: Pbx, link: AmiLink) -> None:
    """02079460189 calls extension 1001 by 02079460991, who answers after 0.5 s, talks 0.8 s, dials *2 and 1002, and
    hangs up while 1002 rings. 1002 does not answer; Asterisk rings 1001 for 3 s, who does not answer either, and
    after a pause of 1 s 1002 again, who answers after 0.6 s, talks 1 s with the caller and hangs up.

    Expected: one inbound call, answered; offers to PJSIP/1001, answered, PJSIP/1002, no answer, PJSIP/1001, no
    answer, PJSIP/1002, answered; one blonde transfer by 1001 to 1002; hung up by the agent (1002).
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=4.5)
    second = await ben.called.rings()
    caller = await pbx.trunk.caller("02079460189").stays("02079460991")
    await transfer(link, "*2", "1002")
    await first.finished()
    back = await amelia.called.rings()
    await second.finished()
    again = await ben.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    await pbx.finished(back, again, caller)


@case()
async def feature_blonde_transfer_dropped(pbx: Pbx, link: AmiLink) -> None:
    """As a PBX with atxferdropcall: +447700900190 calls extension 1001 by +442079460991, who answers after 0.5 s,
    talks 0.8 s, dials *2 and 1002, and hangs up while 1002 rings. 1002 does not answer, and Asterisk hangs up the
    caller.

    Expected: one inbound call, answered (by 1001); offers to PJSIP/1001, answered, and to PJSIP/1002, no answer; one
    blonde transfer by 1001 to 1002; hung up by the system.
    """
    features = pbx.asterisk.home / "etc/features.conf"
    features.write_text(features.read_text().replace("atxferdropcall = no", "atxferdropcall = yes"))
    await pbx.asterisk.console("module reload features")
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=4.5)
    second = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900190").stays("+442079460991")
    await transfer(link, "*2", "1002")
    await pbx.finished(first, second, caller)


@case()
async def feature_attended_transfer_to_busy(pbx: Pbx, link: AmiLink) -> None:
    """02079460191 calls extension 1001 by 02079460991, who answers after 0.5 s, talks 0.8 s and dials *2 and 1002,
    who rings 0.6 s and declines (603). 1001 has the caller back. They talk on, and the caller hangs up 8 s after the
    answer.

    Expected: one inbound call, answered by 1001 alone, with no transfer; an offer to PJSIP/1002, rejected; hung up by
    the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    first = await amelia.called.answers(after_s=0.5)
    second = await ben.called.refuses("603 Decline", after_s=0.6)
    caller = await pbx.trunk.caller("02079460191").hangs_up("02079460991", after_s=8)
    await transfer(link, "*2", "1002")
    await pbx.finished(first, second, caller)


async def transfer(link: AmiLink, code: str, target: str, *, phone: str = "1001") -> str:
    """Once this phone talks, dial the code of a transfer there and then the target; return the phone's channel."""
    channel = (await talking(link, f"PJSIP/{phone}-"))["Channel"]
    await asyncio.sleep(0.8)  # they talk
    await press(link, channel, code)
    await press(link, channel, target)
    return channel


async def consulting(link: AmiLink, target: str) -> None:
    """Wait until the target has answered whoever transfers, and they have talked for 1 s."""
    await ringing(link, target)
    await link.wait_for(
        lambda block: (
            block.get("Event") == "DialEnd"
            and block.get("DialStatus") == "ANSWER"
            and block.get("DestChannel", "").startswith(target)
        )
    )
    await asyncio.sleep(1)  # they talk
