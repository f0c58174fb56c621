"""What a supervisor and a service do beside the calls: pausing, listening, recording, connecting late."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.registry import case
from tests.testbed.cases.transfers import talking
from tests.testbed.pbx import Pbx


@case()
async def members_come_and_go(pbx: Pbx, link: AmiLink) -> None:
    """No call. 1009 registers and is added to sales with a penalty of 1, is paused there for lunch, loses the pause,
    has its penalty set to 2, and is removed; 1001 is paused in all its queues and goes on.

    Expected: no call; the board follows each step.
    """
    await pbx.phones("1001", "1009")
    ivan = {"Queue": "sales", "Interface": "PJSIP/1009"}
    await link.action("QueueAdd", **ivan, Penalty="1", MemberName="Ivan Petrov", StateInterface="PJSIP/1009")
    await link.action("QueuePause", **ivan, Paused="true", Reason="lunch")
    await link.action("QueuePause", **ivan, Paused="false")
    await link.action("QueuePenalty", **ivan, Penalty="2")
    await link.action("QueueRemove", **ivan)
    await link.action("QueuePause", Interface="PJSIP/1001", Paused="true", Reason="meeting")
    await link.action("QueuePause", Interface="PJSIP/1001", Paused="false")
    await link.event("QueueMemberPause", count=4)


@case()
async def listened_to(pbx: Pbx, link: AmiLink) -> None:
    """+447700900170 calls extension 1001 by +442079460991, who answers after 0.5 s. A supervisor at 1010 listens: the
    service originates a call to 1010 that runs ChanSpy on PJSIP/1001, answered after 0.5 s. The agent hangs up 4 s
    after the answer, and the PBX then hangs up the supervisor.

    Expected: one inbound call, answered, hung up by the agent; the supervisor's leg is no call of the log and no
    offer.
    """
    amelia, julia = await pbx.phones("1001", "1010")
    agent = await amelia.called.answers_and_hangs_up(after_s=0.5, talk_s=4)
    supervisor = await julia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("+447700900170").stays("+442079460991")
    await talking(link, "PJSIP/1001-")
    await link.action(
        "Originate",
        ActionID="spy-1",
        Channel="PJSIP/1010",
        Application="ChanSpy",
        Data="PJSIP/1001,qE",
        CallerID='"Listening to 1001" <1001>',
        Async="true",
        ChannelId="spy-1010",
    )
    await pbx.finished(agent, caller, supervisor)


@case()
async def recorded(pbx: Pbx, link: AmiLink) -> None:
    """02079460113 calls extension 1001 by 02079460991, who answers after 0.5 s. The call is recorded from then on
    (AMI's MixMonitor on the agent's channel), for 1.5 s of the 3 s that they talk. The caller hangs up.

    Expected: one inbound call, answered; one recording of 1.5 s; hung up by the caller.
    """
    amelia = await pbx.phone("1001")
    agent = await amelia.called.answers(after_s=0.5)
    caller = await pbx.trunk.caller("02079460113").hangs_up("02079460991", after_s=3)
    channel = (await talking(link, "PJSIP/1001-"))["Channel"]
    await link.action("MixMonitor", Channel=channel, File="20261123-02079460113.wav", Options="b")
    await asyncio.sleep(1.5)  # it is recorded
    await link.action("StopMixMonitor", Channel=channel)
    await pbx.finished(agent, caller)


@case()
async def snapshot_during_calls(pbx: Pbx, link: AmiLink) -> None:
    """+447700900171 talks with 1008 of the queue billing, 02079460114 waits in the same queue, and 1001 has called
    1002, which rings. The service asks for the state as it does after a reconnect: CoreStatus, CoreSettings,
    QueueStatus, CoreShowChannels, Status, BridgeList and BridgeInfo of each bridge. Then all calls end: 1002 does not
    answer within 3 s, the waiting caller leaves after 3 s, and 1008 hangs up 5 s after its answer.

    Expected: an inbound call, answered, hung up by the agent; an inbound call, abandoned; an internal call, no
    answer; and the same of all three for a tracker that starts with the snapshot, as far as it can be known.
    """
    amelia, ben, hannah = await pbx.phones("1001", "1002", "1008")
    agent = await hannah.called.answers_and_hangs_up(after_s=0.5, talk_s=5)
    first = await pbx.trunk.caller("+447700900171").stays("+442079460996")
    await link.event("AgentConnect")
    second = await pbx.trunk.caller("02079460114").hangs_up("02079460996", after_s=3)
    await link.event("QueueCallerJoin", count=2)
    rung = await ben.called.rings()
    dialing = await amelia.dials.is_refused("1002")
    await link.event("DialState", DialStatus="RINGING", count=2)
    bridge = await link.event("BridgeEnter")
    for action, end in [
        ("QueueStatus", "QueueStatusComplete"),
        ("CoreShowChannels", "CoreShowChannelsComplete"),
        ("Status", "StatusComplete"),
        ("BridgeList", "BridgeListComplete"),
    ]:
        await link.action(action)
        await link.event(end)
    await link.action("CoreStatus")
    await link.action("CoreSettings")
    await link.action("BridgeInfo", BridgeUniqueid=bridge["BridgeUniqueid"])
    await pbx.finished(agent, first, second, rung, dialing)
