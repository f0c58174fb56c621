"""Click-to-dial and hang-up from a desk, on the simulated PBX."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from callcenter.accounts.values import Extension
from callcenter.changes import AgentRinging, CallAnswered, CallEnded
from callcenter.errors import BadInput, Forbidden, NotFound
from callcenter.joints.dialing import Switchboard
from callcenter.joints.numbers import Numbers
from callcenter.simulator.flows import inbound
from callcenter.simulator.people import Answers, Caller, Ignores, Manners
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.server import Simulator
from tests.service.test_pbx import House

SEATS = {
    agent: Extension(pbx="pbx", extension=extension, interface=f"PJSIP/{extension}", name=None, agent=agent)
    for agent, extension in (("li", "1001"), ("mo", "1002"), ("sam", "1009"))
}


class Desk:
    """A PBX that is followed, and who may dial on it."""

    def __init__(self, simulator: Simulator) -> None:
        self.house = House(simulator)
        self.switchboard = Switchboard({"pbx": self.house.pbx}, Numbers([self.house.settings]), SEATS.get)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk beside a PBX that is there."""
    async with Simulator() as simulator:
        one = Desk(simulator)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(one.house.pbx.run())
            await one.house.until(lambda: one.house.pbx.synced)
            yield one
            running.cancel()


@pytest.mark.parametrize("written", ["020 7946 0150", "+44 20 7946 0150", "(020) 7946-0150", "0044 20 7946 0150"])
async def test_a_number_is_dialed_as_a_phone_there_would_dial_it(desk: Desk, written: str) -> None:
    done = await desk.switchboard.dial(SEATS["li"], written)
    await desk.house.until(lambda: bool(desk.house.of(CallAnswered)))
    call = desk.house.changes[-1].call
    assert (call.call_id, call.callee.number, call.callee.e164) == (done.call_id, "02079460150", "+442079460150")


@pytest.mark.parametrize("written", ["", "sales", "Local/1@x", "0207&PJSIP/1002", "1" * 500, "0207,1,x", "anonymous"])
async def test_what_is_no_number_is_never_dialed(desk: Desk, written: str) -> None:
    with pytest.raises(BadInput):
        await desk.switchboard.dial(SEATS["li"], written)
    assert desk.house.changes == []


@pytest.mark.parametrize("code", ["*97", "**", "#1", "*72"])
async def test_codes_are_dialed_only_where_the_administrator_allows_them(desk: Desk, code: str) -> None:
    with pytest.raises(BadInput, match="administrator"):
        await desk.switchboard.dial(SEATS["li"], code)
    assert desk.house.changes == []


async def test_a_local_number_without_its_area_code_is_dialed_as_written(desk: Desk) -> None:
    await desk.switchboard.dial(SEATS["li"], "7946 0150")
    await desk.house.until(lambda: bool(desk.house.changes))
    assert desk.house.changes[-1].call.callee.number == "79460150"


async def test_a_seat_of_a_pbx_that_is_gone_is_told(desk: Desk) -> None:
    seat = Extension(pbx="old", extension="1001", interface="PJSIP/1001", name=None, agent="li")
    with pytest.raises(NotFound, match="old"):
        await desk.switchboard.dial(seat, "02079460150")


async def test_an_agent_declines_at_the_own_phone_and_silences_no_other(desk: Desk) -> None:
    pbx = desk.house.simulator.pbx
    waits = Manners(callee=lambda extension, attempt: Ignores(), patience=30.0)
    desk.house.simulator.place(inbound_queue(pbx, Caller("+447700900123"), "02079460993", waits))
    await desk.house.until(lambda: len(desk.house.of(AgentRinging)) == 3)
    call_id = desk.house.changes[0].call_id
    await desk.switchboard.hang_up(call_id, "li")
    await desk.house.until(lambda: "PJSIP/1001" not in desk.house.pbx.tracker.channels(call_id))
    assert "PJSIP/1002" in desk.house.pbx.tracker.channels(call_id)


async def test_only_who_takes_part_or_may_end_anybodys_call_ends_it(desk: Desk) -> None:
    pbx = desk.house.simulator.pbx
    long = Manners(callee=lambda extension, attempt: Answers(0.05), talk=60.0)
    desk.house.simulator.place(inbound(pbx, Caller("+447700900123"), "02079460991", long))
    await desk.house.until(lambda: bool(desk.house.of(CallAnswered)))
    call_id = desk.house.changes[0].call_id
    for stranger in ("mo", "sam", None):
        with pytest.raises(Forbidden):
            await desk.switchboard.hang_up(call_id, stranger)
    await desk.switchboard.hang_up(call_id, "sam", anybodys=True)
    await desk.house.until(lambda: bool(desk.house.of(CallEnded)))
    with pytest.raises(NotFound):
        await desk.switchboard.hang_up(call_id, "li")
