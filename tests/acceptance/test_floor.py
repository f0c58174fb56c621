"""A supervisor's floor on the real Asterisk: seen live, and steered."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.house import House
from tests.acceptance.watcher import Tables, Watcher
from tests.testbed import AmiLink, Pbx

pytestmark = pytest.mark.asyncio(loop_scope="session")
BILLING, SERVICE = "pbx/billing", "pbx/service"


@pytest_asyncio.fixture(loop_scope="session")
async def floor(house: House) -> AsyncIterator[Watcher]:
    """What the supervisor sees."""
    async with Watcher(house.boss) as watcher:
        yield watcher


def line(tables: Tables, queue: str) -> list[Any]:
    """Who waits in a queue, in order."""
    found = [{**row, "id": key} for key, row in tables["callers"].items() if row["queue"] == queue]
    return sorted(found, key=lambda row: row["place"])


async def test_a_queue_call_is_shown_counted_and_with_whom(house: House, floor: Watcher) -> None:
    before = floor.tables["queues"][BILLING]
    hannah_before = floor.tables["agents"]["hannah"]

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        phone = await pbx.phone("1008")
        agent = await phone.called.answers_and_hangs_up(after_s=1, talk_s=1.5)
        caller = await pbx.trunk.caller("+447700900301", "Zoë").stays("+442079460996")
        row = await floor.sees(lambda t: line(t, BILLING)[0], "the caller waits")
        assert (row["number"], row["name"], row["place"]) == ("+447700900301", "Zoë", 1)
        await floor.sees(lambda t: line(t, BILLING)[0]["ringing"] == ["Hannah Moore"], "who is rung")
        call = await floor.sees(lambda t: t["agents"]["hannah"]["call"]["state"] == "talking" and t, "who talks")
        assert call["agents"]["hannah"]["call"]["number"] == "+447700900301"
        assert call["agents"]["hannah"]["call"]["queue"] == "billing"
        await floor.sees(lambda t: not line(t, BILLING), "nobody waits")
        await pbx.finished(agent, caller)

    await house.play(flow)
    after = await floor.sees(lambda t: t["queues"][BILLING]["answered"] > before["answered"] and t, "it is counted")
    row = after["queues"][BILLING]
    assert (row["offered"], row["answered"]) == (before["offered"] + 1, before["answered"] + 1)
    assert row["level"]["formula"] == "offered_less_short"
    assert row["level"]["numerator"] == before["level"]["numerator"] + 1
    hannah = await floor.sees(
        lambda t: t["agents"]["hannah"]["call"] is None and t["agents"]["hannah"], "she is free again"
    )
    assert hannah["answered"] == hannah_before["answered"] + 1
    assert hannah["connected_s"] - hannah_before["connected_s"] == pytest.approx(1.5, abs=0.5)


async def test_a_caller_is_moved_to_the_front_and_another_to_another_queue(house: House, floor: Watcher) -> None:
    async def flow(pbx: Pbx, link: AmiLink) -> None:
        _, farah, george = await pbx.phones("1008", "1006", "1007")
        await link.action("QueuePause", Queue="billing", Interface="PJSIP/1008", Paused="true")
        first = await pbx.trunk.caller("+447700900311").hangs_up("+442079460996", after_s=7)
        await floor.sees(lambda t: len(line(t, BILLING)) == 1, "one waits")
        second = await pbx.trunk.caller("+447700900312").stays("+442079460996")
        waiting = await floor.sees(lambda t: len(line(t, BILLING)) == 2 and line(t, BILLING), "two wait")
        assert [row["number"][-3:] for row in waiting] == ["311", "312"]
        await house.boss.ask("POST", f"/floor/callers/{waiting[1]['id']}/front")
        moved = await floor.sees(
            lambda t: line(t, BILLING)[0]["number"].endswith("312") and line(t, BILLING), "the second is first"
        )
        assert [row["place"] for row in moved] == [1, 2]
        # What Asterisk itself says.
        await link.action("QueueStatus", Queue="billing")
        entry = await link.event("QueueEntry", Queue="billing", Position="1")
        assert entry["CallerIDNum"] == "+447700900312"

        taken = await farah.called.answers_and_hangs_up(after_s=0.3, talk_s=0.5)
        other = await george.called.answers_and_hangs_up(after_s=0.3, talk_s=0.5)
        await house.boss.ask("POST", f"/floor/callers/{moved[0]['id']}/move", queue="service")
        await floor.sees(lambda t: [row["number"][-3:] for row in line(t, BILLING)] == ["311"], "the other stays")
        await pbx.finished(second, first)
        await link.action("QueuePause", Queue="billing", Interface="PJSIP/1008", Paused="false")
        for run in (taken, other):
            await run.stop()

    records = await house.play(flow, calls=2)
    visits = {record["caller"]["number"][-3:]: record["queue_visits"] for record in records}
    assert [(one["queue"], one["exit"]) for one in visits["312"]] == [("billing", "other"), ("service", "answered")]
    assert [(one["queue"], one["exit"]) for one in visits["311"]] == [("billing", "abandoned")]


async def test_members_are_added_paused_and_removed(house: House, floor: Watcher) -> None:
    key = f"{BILLING}/PJSIP/1009"

    async def flow(pbx: Pbx, link: AmiLink) -> None:
        await pbx.phone("1009")
        await house.boss.ask("POST", "/floor/members", pbx="pbx", queue="billing", agent="ivan", penalty=3)
        row = await floor.sees(lambda t: t["members"][key], "the new member")
        assert (row["agent"], row["penalty"], row["dynamic"]) == ("ivan", 3, True)
        await house.boss.ask("PATCH", "/floor/members", pbx="pbx", queue="billing", interface="PJSIP/1009", penalty=1)
        await floor.sees(lambda t: t["members"][key]["penalty"] == 1, "the penalty")
        await house.boss.ask("PUT", "/floor/pause", agent="ivan", paused=True, reason="training")
        await floor.sees(lambda t: t["members"][key]["reason"] == "training", "the pause")
        await floor.sees(lambda t: t["agents"]["ivan"]["reason"] == "training", "the agent's pause")
        assert "paused:training" in await pbx.asterisk.console("queue show billing")
        await house.boss.ask("PUT", "/floor/pause", agent="ivan", paused=False)
        await floor.sees(lambda t: not t["members"][key]["paused"], "no pause")
        await house.boss.ask("DELETE", "/floor/members?pbx=pbx&queue=billing&interface=PJSIP/1009")
        await floor.sees(lambda t: key not in t["members"], "the member is gone")

    await house.play(flow, calls=0)


async def test_a_supervisor_listens_whispers_and_takes_over(house: House, floor: Watcher) -> None:
    async def flow(pbx: Pbx, link: AmiLink) -> None:
        hannah, boss = await pbx.phones("1008", "1010")
        agent = await hannah.called.answers(after_s=0.3)
        ear = await boss.called.answers(after_s=0.3)
        caller = await pbx.trunk.caller("+447700900321").hangs_up("+442079460996", after_s=8)
        call = await floor.sees(lambda t: t["agents"]["hannah"]["call"]["state"] == "talking" and t, "they talk")
        call_id = call["agents"]["hannah"]["call"]["call_id"]
        spy = await house.boss.ask("POST", f"/floor/calls/{call_id}/spy", agent="hannah", mode="listen")
        assert spy["state"] == "ringing"
        await floor.sees(lambda t: t["agents"]["hannah"]["listeners"] == ["Sam Rivers"], "who listens")
        changed = await house.boss.ask("PATCH", "/floor/spying", spy_id=spy["spy_id"], mode="whisper")
        assert (changed["mode"], changed["state"]) == ("whisper", "listening")
        await house.boss.ask("POST", f"/floor/calls/{call_id}/takeover", agent="hannah")
        await floor.sees(lambda t: t["agents"]["boss"]["call"]["call_id"] == call_id, "the supervisor has the call")
        await floor.sees(lambda t: t["agents"]["hannah"]["call"] is None, "the agent is out")
        await pbx.finished(agent, caller, ear)

    (record,) = await house.play(flow)
    assert [(one["agent"], one["interface"]) for one in record["connections"]] == [
        ("hannah", "PJSIP/1008"),
        ("boss", "PJSIP/1010"),
    ]
    assert record["status"] == "answered"
    assert [offer["interface"] for offer in record["offers"]] == ["PJSIP/1008"]


async def test_a_queue_that_is_renamed_on_asterisk_is_seen_to_be(house: House, floor: Watcher) -> None:
    path = house.pbx.asterisk.home / "etc/queues.conf"
    text = path.read_text("utf-8")
    try:
        path.write_text(text.replace("[backoffice]", "[helpdesk]"), "utf-8")
        await house.pbx.asterisk.console("queue reload all")
        await floor.sees(
            lambda t: "pbx/helpdesk" in t["queues"] and "pbx/backoffice" not in t["queues"],
            "the new name",
            deadline_s=25,
        )
        members = [row for row in floor.tables["members"].values() if row["queue"] == "pbx/helpdesk"]
        assert [row["name"] for row in members] == ["Ben Okafor"]
    finally:
        path.write_text(text, "utf-8")
        await house.pbx.asterisk.console("queue reload all")
    await floor.sees(lambda t: "pbx/backoffice" in t["queues"], "the old name", deadline_s=25)


async def test_an_agent_may_not_watch_or_steer(house: House) -> None:
    amelia = house.agents["amelia"]
    with pytest.raises(AssertionError, match="403"):
        await amelia.ask("PUT", "/floor/pause", agent="ben", paused=True)
    with pytest.raises((AssertionError, KeyError, Exception)):
        async with asyncio.timeout(5), Watcher(amelia):
            pass
