"""Calls to the outside, dialed on a phone or started by click to dial."""

from tests.testbed.ami import AmiLink
from tests.testbed.callees import BUSY, DECLINED, UNAVAILABLE
from tests.testbed.cases.registry import case
from tests.testbed.pbx import Pbx

CUSTOMER = "02079460150"


@case()
async def outbound_answered(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460150, which answers after 0.8 s. They talk 1.2 s and the agent hangs up.

    Expected: one outbound call by 1001 to 02079460150, answered; hung up by the agent.
    """
    phone = await pbx.phone("1001")
    customer = await pbx.trunk.called.answers(after_s=0.8)
    agent = await phone.dials.hangs_up(CUSTOMER, after_s=1.2)
    await pbx.finished(customer, agent)


@case()
async def outbound_busy(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460150, which is busy (486 after 0.5 s of ringing).

    Expected: one outbound call, busy, cause 17; hung up by the system.
    """
    phone = await pbx.phone("1001")
    customer = await pbx.trunk.called.refuses(BUSY, after_s=0.5)
    agent = await phone.dials.is_refused(CUSTOMER)
    await pbx.finished(customer, agent)


@case()
async def outbound_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460150, which rings for the 4 s that the dialplan allows; nobody answers.

    Expected: one outbound call, no answer; hung up by the system, cause 19.
    """
    phone = await pbx.phone("1001")
    customer = await pbx.trunk.called.rings()
    agent = await phone.dials.is_refused(CUSTOMER)
    await pbx.finished(customer, agent)


@case()
async def outbound_failed(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460150; the provider says 503 Service Unavailable at once.

    Expected: one outbound call, failed; hung up by the system.
    """
    phone = await pbx.phone("1001")
    customer = await pbx.trunk.called.refuses(UNAVAILABLE)
    agent = await phone.dials.is_refused(CUSTOMER)
    await pbx.finished(customer, agent)


@case()
async def outbound_canceled(pbx: Pbx, link: AmiLink) -> None:
    """1001 dials 02079460150, which rings; after 1.5 s the agent hangs up.

    Expected: one outbound call, canceled; hung up by the agent.
    """
    phone = await pbx.phone("1001")
    customer = await pbx.trunk.called.rings()
    agent = await phone.dials.gives_up(CUSTOMER, after_s=1.5)
    await pbx.finished(customer, agent)


@case()
async def click_to_dial_answered(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001: the agent's phone rings 0.6 s and is answered, then the
    customer rings 0.8 s and answers. They talk 1.2 s and the agent hangs up. The Originate carries ChannelId
    ctd-1001-a and OtherChannelId ctd-1001-b.

    Expected: one outbound call by 1001 to 02079460150, answered when the customer answered; the agent's own leg is
    neither an inbound call nor an offer; hung up by the agent.
    """
    phone = await pbx.phone("1001")
    # The agent is answered, waits for the customer (0.8 s) and talks.
    agent = await phone.called.answers_and_hangs_up(after_s=0.6, talk_s=2)
    customer = await pbx.trunk.called.answers(after_s=0.8)
    await originate(link)
    await pbx.finished(agent, customer)


@case()
async def click_to_dial_agent_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001, with a time-out of 3 s. The agent's phone rings and is
    not answered.

    Expected: one outbound call, canceled before the customer was dialed: OriginateResponse says Failure; nothing went
    out on the trunk.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.rings()
    await originate(link)
    await pbx.finished(agent)
    await link.event("OriginateResponse")


@case()
async def click_to_dial_agent_unregistered(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001, whose phone is not registered.

    Expected: one outbound call, failed: OriginateResponse says Failure with reason 0, and no channel ever comes.
    """
    await originate(link)
    await link.event("OriginateResponse")


@case()
async def click_to_dial_agent_rejects(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001. The agent's phone rings 1 s, and the agent presses
    "decline" (603).

    Expected: one outbound call, canceled before the customer was dialed: OriginateResponse says Failure; nothing went
    out on the trunk.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.refuses(DECLINED, after_s=1)
    await originate(link)
    await pbx.finished(agent)
    await link.event("OriginateResponse")


@case()
async def click_to_dial_customer_no_answer(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001, whose phone rings 0.6 s and is answered. The customer's
    phone rings; after 2 s of that the agent hangs up.

    Expected: one outbound call, canceled, though the agent's channel was up; hung up by the agent.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers_and_hangs_up(after_s=0.6, talk_s=2)
    customer = await pbx.trunk.called.rings()
    await originate(link)
    await pbx.finished(agent, customer)


@case()
async def click_to_dial_customer_busy(pbx: Pbx, link: AmiLink) -> None:
    """The service originates a call to 02079460150 for 1001, whose phone rings 0.6 s and is answered. The customer is
    busy (486 after 0.5 s), and the dialplan hangs up the agent with cause 17.

    Expected: one outbound call, busy, though the agent's channel was up; hung up by the system.
    """
    phone = await pbx.phone("1001")
    agent = await phone.called.answers(after_s=0.6)
    customer = await pbx.trunk.called.refuses(BUSY, after_s=0.5)
    await originate(link)
    await pbx.finished(agent, customer)


async def originate(link: AmiLink) -> None:
    """Start a call as click to dial does: the agent's phone first, then the dialplan dials the customer."""
    await link.action(
        "Originate",
        ActionID="ctd-1",
        Channel="PJSIP/1001",
        Context="from-internal",
        Exten=CUSTOMER,
        Priority="1",
        CallerID=f'"Calling {CUSTOMER}" <{CUSTOMER}>',
        Timeout="3000",
        Async="true",
        ChannelId="ctd-1001-a",
        OtherChannelId="ctd-1001-b",
    )
