"""Calls that live through reloads of Asterisk's configuration."""

import asyncio

from tests.testbed.ami import AmiLink
from tests.testbed.cases.registry import case
from tests.testbed.cases.trunk import ringing
from tests.testbed.pbx import Pbx

_RELOADS = ("queue reload all", "module reload app_queue.so", "core reload", "manager reload")


@case(queue_ring_s=10)
async def reloaded_while_ringing(pbx: Pbx, link: AmiLink) -> None:
    """+447700900260 calls +442079460996, the queue billing. While 1008 rings, an admin reloads the queues, app_queue,
    all of Asterisk and its AMI, one after the other. 1008 answers after 3 s, talks 1 s and hangs up.

    Expected: one inbound call, answered, as if nothing had been reloaded; one visit to billing, one offer to
    PJSIP/1008; hung up by the agent.
    """
    hannah = await pbx.phone("1008")
    agent = await hannah.called.answers_and_hangs_up(after_s=3, talk_s=1)
    caller = await pbx.trunk.caller("+447700900260").stays("+442079460996")
    await ringing(link, "PJSIP/1008-")
    await reload(pbx)
    await pbx.finished(agent, caller)


@case(queue_wait_s=20)
async def reloaded_while_waiting_and_talking(pbx: Pbx, link: AmiLink) -> None:
    """02079460261 calls 02079460996, the queue billing, and talks with 1008, who answers after 0.5 s. +447700900261
    calls the same queue and waits. Then an admin reloads the queues, app_queue, all of Asterisk and its AMI, one after
    the other. 1008 hangs up 5 s after its answer, is rung for the second caller, answers after 0.6 s, talks 1 s and
    hangs up.

    Expected: two inbound calls, both answered by 1008, as if nothing had been reloaded; one visit and one offer each;
    hung up by the agent.
    """
    hannah = await pbx.phone("1008")
    agent = await hannah.called.answers_and_hangs_up(after_s=0.5, talk_s=5)
    first = await pbx.trunk.caller("02079460261").stays("02079460996")
    await link.event("AgentConnect")
    second = await pbx.trunk.caller("+447700900261").stays("+442079460996")
    await link.event("QueueCallerJoin", count=2)
    await reload(pbx)
    await pbx.finished(agent, first)
    again = await hannah.called.answers_and_hangs_up(after_s=0.6, talk_s=1)
    await pbx.finished(again, second)


async def reload(pbx: Pbx) -> None:
    """Reload everything, with a moment in between."""
    for command in _RELOADS:
        await pbx.asterisk.console(command)
        await asyncio.sleep(0.2)
