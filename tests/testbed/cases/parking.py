"""Calls that are parked by their phone, more than once, or that come back; and calls picked up from several phones."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.detours import park
from tests.testbed.cases.registry import case
from tests.testbed.cases.trunk import ringing
from tests.testbed.pbx import Pbx


@case(park_timeout_s=8)
async def parked_and_fetched_by_parker(pbx: Pbx, link: AmiLink) -> None:
    """+447700900240 calls extension 1001 by +442079460991, who answers after 0.5 s and talks 0.8 s. The caller is
    parked (AMI's Park); after 1 s 1001, who had the call, fetches it by dialing 701. They talk 1.2 s and 1001 hangs
    up.

    Expected: one inbound call, answered; talked with 1001, twice, and the time in the parking lot is not talk; hung up
    by the agent (1001).
    """
    amelia = await pbx.phone("1001")
    agent = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("+447700900240").stays("+442079460991")
    await park(link)
    await agent.finished()
    await asyncio.sleep(1)  # parked
    fetcher = await amelia.dials.hangs_up("701", after_s=1.2)
    await pbx.finished(caller, fetcher)


@case(park_timeout_s=8)
async def parked_by_phone(pbx: Pbx, link: AmiLink) -> None:
    """02079460241 calls extension 1001 by 02079460991, who answers after 0.5 s, talks 1 s and transfers the caller to
    700, the parking lot (SIP REFER). 1002 fetches the call by dialing 701 1 s later; they talk 1.2 s and the caller
    hangs up 5 s after the first answer.

    Expected: one inbound call, answered; talked with 1001 and then with 1002, and the time in the parking lot is not
    talk; one blind transfer by 1001 to 700; hung up by the caller.
    """
    amelia, ben = await pbx.phones("1001", "1002")
    agent = await amelia.called.answers_and_transfers("700", after_s=0.5, talk_s=1)
    caller = await pbx.trunk.caller("02079460241").hangs_up("02079460991", after_s=5)
    await link.event("ParkedCall")
    await agent.finished()
    await asyncio.sleep(1)  # parked
    fetcher = await ben.dials.stays("701")
    await pbx.finished(caller, fetcher)


@case(park_timeout_s=2)
async def parked_and_returned_to_another(pbx: Pbx, link: AmiLink) -> None:
    """+447700900242 calls extension 1001 by +442079460991, who answers after 0.5 s and talks 0.8 s. The caller is
    parked (AMI's Park), nobody fetches the call within 2 s, and 1001 is rung again. 1003 takes that call by dialing
    **1001; they talk 1.2 s and 1003 hangs up.

    Expected: one inbound call, answered; two offers to PJSIP/1001, answered and answered elsewhere; talked with 1001
    and then with 1003; hung up by the agent (1003).
    """
    amelia, chloe = await pbx.phones("1001", "1003")
    agent = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("+447700900242").stays("+442079460991")
    await park(link)
    await agent.finished()
    rung = await amelia.called.rings()
    await link.event("ParkedCallTimeOut")
    await link.wait_for(lambda block: block.get("Event") == "DialState" and block["DialStatus"] == "RINGING", count=2)
    picker = await chloe.dials.hangs_up("**1001", after_s=1.2)
    await pbx.finished(rung, caller, picker)


@case(park_timeout_s=8)
async def parked_twice(pbx: Pbx, link: AmiLink) -> None:
    """02079460243 calls extension 1001 by 02079460991, who answers after 0.5 s and talks 0.8 s. The caller is parked
    (AMI's Park); 1002 fetches the call by dialing 701, talks 1 s, and the caller is parked again. 1003 fetches the
    call by dialing 701, talks 1.2 s and hangs up.

    Expected: one inbound call, answered; talked with 1001, 1002 and 1003, and the time in the parking lot is not talk;
    hung up by the agent (1003).
    """
    amelia, ben, chloe = await pbx.phones("1001", "1002", "1003")
    agent = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("02079460243").stays("02079460991")
    await park(link)
    await agent.finished()
    fetcher = await ben.dials.stays("701")
    unparked = await link.event("UnParkedCall")
    await asyncio.sleep(1)  # they talk
    await link.action("Park", Channel=unparked["ParkeeChannel"], TimeoutChannel="PJSIP/1002")
    again = await link.event("ParkedCall", count=2)
    await fetcher.finished()
    last = await chloe.dials.hangs_up(again["ParkingSpace"], after_s=1.2)
    await pbx.finished(caller, last)


@case(extension_ring_s=8)
async def pickup_from_group(pbx: Pbx, link: AmiLink) -> None:
    """+447700900244 calls +442079460988, for which 1001, 1002 and 1003 ring together. 1004, who is not in that group,
    takes the call by dialing **1002. They talk 1.2 s and 1004 hangs up.

    Expected: one inbound call, answered by 1004 (PJSIP/1004); three offers, all answered elsewhere; hung up by the
    agent (1004).
    """
    *group, daniel = await pbx.phones("1001", "1002", "1003", "1004")
    rung = [await phone.called.rings() for phone in group]
    caller = await pbx.trunk.caller("+447700900244").stays("+442079460988")
    await ringing(link, "PJSIP/1002-")
    picker = await daniel.dials.hangs_up("**1002", after_s=1.2)
    await pbx.finished(*rung, caller, picker)


@case(extension_ring_s=8)
async def pickup_by_one_of_the_group(pbx: Pbx, link: AmiLink) -> None:
    """02079460245 calls 02079460993, the queue sales, where 1001, 1002 and 1003 ring together. 1004 takes the call by
    dialing *8, whichever phone that takes it from. They talk 1.2 s and the caller hangs up.

    Expected: one inbound call, answered by 1004 (PJSIP/1004); one visit to sales, answered; three offers, all answered
    elsewhere; hung up by the caller.
    """
    *group, daniel = await pbx.phones("1001", "1002", "1003", "1004")
    rung = [await phone.called.rings() for phone in group]
    caller = await pbx.trunk.caller("02079460245").hangs_up("02079460993", after_s=4)
    for phone in ("PJSIP/1001-", "PJSIP/1002-", "PJSIP/1003-"):
        await ringing(link, phone)
    picker = await daniel.dials.stays("*8")
    await pbx.finished(*rung, caller, picker)


@case(queue_ring_s=8)
async def pickup_from_local_member(pbx: Pbx, link: AmiLink) -> None:
    """+447700900246 calls +442079460997, the queue backoffice, whose member Local/1002@from-queue/n rings 1002. 1003
    takes the call by dialing **1002. They talk 1.2 s and 1003 hangs up.

    Expected: one inbound call, answered by 1003 (PJSIP/1003); one visit to backoffice, answered; one offer to
    PJSIP/1002, answered elsewhere; hung up by the agent (1003).
    """
    ben, chloe = await pbx.phones("1002", "1003")
    rung = await ben.called.rings()
    caller = await pbx.trunk.caller("+447700900246").stays("+442079460997")
    await ringing(link, "PJSIP/1002-")
    picker = await chloe.dials.hangs_up("**1002", after_s=1.2)
    await pbx.finished(rung, caller, picker)
