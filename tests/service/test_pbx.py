"""One PBX as the service sees it, on the simulated Asterisk: follow, dial, hang up, lose and find again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from uuid import UUID

import pytest
from pydantic import SecretStr

from callcenter import events as ev
from callcenter.changes import AgentRinging, CallAnswered, CallChange, CallEnded, CallStarted
from callcenter.errors import AmiActionFailed, NotFound
from callcenter.joints.directory import directory_of
from callcenter.model import CallStatus, Direction, Source
from callcenter.pbx import Pbx
from callcenter.settings import PbxSettings
from callcenter.simulator.flows import inbound
from callcenter.simulator.people import Answers, Caller, Ignores, Manners
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.server import Simulator

ZOE = Caller("+447700900123", "Zoë")
QUICK = Manners(callee=lambda extension, attempt: Answers(0.05), talk=0.1)
LONG = Manners(callee=lambda extension, attempt: Answers(0.05), talk=60.0)


class House:
    """A PBX of ours on a simulated one, and all that it said."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.settings = PbxSettings(
            port=simulator.port,
            username=simulator.username,
            secret=SecretStr(simulator.secret),
            region="GB",
            trunks=("trunk",),
            keepalive_s=0.2,
            action_timeout_s=2.0,
        )
        self.changes: list[CallChange] = []
        self.members: list[str] = []
        self.clumsy = False
        """Whether news of a queue's member cannot be taken."""
        self.alive: list[frozenset[UUID]] = []
        self._news = asyncio.Event()
        self.pbx = Pbx(
            self.settings,
            directory_of(self.settings, tenant="default"),
            self._publish,
            self._on_member,
            lambda alive, at: self.alive.append(alive),
        )

    def _publish(self, change: CallChange, arrived: datetime) -> None:
        self.changes.append(change)
        self._news.set()

    def _on_member(self, state: ev.QueueMemberState) -> None:
        if self.clumsy:
            raise ValueError(state.queue)
        self.members.append(state.interface)

    def of(self, kind: type[CallChange]) -> list[CallChange]:
        """The changes of one kind."""
        return [change for change in self.changes if isinstance(change, kind)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that a change may make true."""
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self._news.wait()
                except TimeoutError:
                    continue


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A PBX that is followed."""
    async with Simulator() as simulator:
        one = House(simulator)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(one.pbx.run())
            await one.until(lambda: one.pbx.synced)
            yield one
            running.cancel()


async def test_a_call_is_followed_from_ring_to_end(house: House) -> None:
    await house.simulator.place(inbound(house.simulator.pbx, ZOE, "02079460991", QUICK))
    await house.until(lambda: bool(house.of(CallEnded)))
    kinds = [type(change) for change in house.changes]
    assert kinds.index(CallStarted) < kinds.index(AgentRinging) < kinds.index(CallAnswered) < kinds.index(CallEnded)
    call = house.of(CallEnded)[0].call
    assert (call.direction, call.status, call.caller.e164) == (Direction.INBOUND, CallStatus.ANSWERED, "+447700900123")
    assert house.pbx.tracker.open_calls == 0


async def test_click_to_dial_is_one_outbound_call_with_the_id_that_was_promised(house: House) -> None:
    done = await house.pbx.dial("PJSIP/1001", "1001", "02079460150")
    await house.until(lambda: bool(house.of(CallAnswered)))
    calls = {change.call_id: change.call for change in house.changes}
    assert set(calls) == {done.call_id}
    assert calls[done.call_id].direction is Direction.OUTBOUND
    assert calls[done.call_id].callee.e164 == "+442079460150"
    assert house.of(AgentRinging) == []
    await house.pbx.hang_up(done.call_id, "PJSIP/1001")
    await house.until(lambda: bool(house.of(CallEnded)))


async def test_a_phone_that_is_away_leaves_nothing_behind(house: House) -> None:
    house.simulator.pbx.registered.discard("1001")
    await house.pbx.dial("PJSIP/1001", "1001", "02079460150")
    await house.simulator.place(inbound(house.simulator.pbx, ZOE, "02079460992", QUICK))
    await house.until(lambda: bool(house.of(CallEnded)))
    assert {change.call.direction for change in house.changes} == {Direction.INBOUND}
    assert house.pbx.tracker.open_calls == 0


async def test_a_number_that_would_break_the_protocol_is_refused(house: House) -> None:
    with pytest.raises(Exception, match=r"line break|control"):
        await house.pbx.dial("PJSIP/1001", "1001", "0207\r\nAction: Logoff")
    assert house.pbx.synced


async def test_what_is_over_cannot_be_hung_up(house: House) -> None:
    with pytest.raises(NotFound):
        await house.pbx.hang_up(UUID(int=1))
    with pytest.raises(AmiActionFailed):
        await house.pbx.dial("", "1001", "02079460150")


async def test_hanging_up_what_ends_at_that_moment_is_no_error(house: House) -> None:
    house.simulator.place(inbound(house.simulator.pbx, ZOE, "02079460991", LONG))
    await house.until(lambda: bool(house.of(CallAnswered)))
    call_id = house.changes[0].call_id
    # the second is sent while the end is on its way to us
    await asyncio.gather(house.pbx.hang_up(call_id), house.pbx.hang_up(call_id))
    await house.until(lambda: bool(house.of(CallEnded)))


async def test_a_fault_of_ours_with_one_event_ends_neither_the_service_nor_the_calls(house: House) -> None:
    house.clumsy = True
    house.simulator.place(inbound_queue(house.simulator.pbx, ZOE, "02079460993", QUICK))
    await house.until(lambda: bool(house.of(CallEnded)))
    assert house.of(CallEnded)[0].call.status is CallStatus.ANSWERED
    assert house.pbx.counters.failed > 0
    resyncs = house.pbx.counters.resyncs
    house.simulator.cut_clients()
    await house.until(lambda: house.pbx.counters.resyncs > resyncs)


async def test_members_of_queues_are_known_from_the_start(house: House) -> None:
    assert "PJSIP/1001" in house.members
    assert house.alive == [frozenset()]


async def test_a_call_that_goes_on_while_the_connection_is_lost_stays_one_call(house: House) -> None:
    house.simulator.place(inbound(house.simulator.pbx, ZOE, "02079460991", LONG))
    await house.until(lambda: bool(house.of(CallAnswered)))
    call_id = house.changes[0].call_id
    resyncs = house.pbx.counters.resyncs
    house.simulator.cut_clients()
    await house.until(lambda: house.pbx.counters.resyncs > resyncs)
    assert {change.call_id for change in house.changes} == {call_id}
    assert len(house.of(AgentRinging)) == len(house.of(CallAnswered)) == 1
    await house.pbx.hang_up(call_id)
    await house.until(lambda: bool(house.of(CallEnded)))
    ended = house.of(CallEnded)[0].call
    assert (ended.status, ended.complete, ended.source) == (CallStatus.ANSWERED, False, Source.RESYNC)


async def test_calls_are_over_when_the_pbx_was_restarted(house: House) -> None:
    waits = Manners(callee=lambda extension, attempt: Ignores(), patience=60.0)
    house.simulator.place(inbound_queue(house.simulator.pbx, ZOE, "02079460993", waits))
    await house.until(lambda: len(house.of(AgentRinging)) == 3)
    house.simulator.restart()
    await house.until(lambda: bool(house.of(CallEnded)))
    ended = house.of(CallEnded)[0].call
    assert not ended.complete
    assert house.pbx.tracker.open_calls == 0


async def test_a_frozen_pbx_is_left_and_found_again(house: House) -> None:
    resyncs = house.pbx.counters.resyncs
    house.simulator.freeze()
    await house.until(lambda: not house.pbx.synced)
    house.simulator.freeze(False)
    await house.until(lambda: house.pbx.counters.resyncs > resyncs)


async def test_a_call_that_was_there_before_the_service_is_taken_up() -> None:
    async with Simulator() as simulator:
        simulator.place(inbound(simulator.pbx, ZOE, "02079460991", LONG))
        late = House(simulator)
        await late.until(lambda: any(channel.state == 6 for channel in simulator.pbx.channels.values()))
        await late.until(lambda: len(simulator.pbx.bridges) == 1)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(late.pbx.run())
            await late.until(lambda: bool(late.of(CallAnswered)))
            call = late.changes[-1].call
            assert (call.direction, call.source, call.complete) == (Direction.INBOUND, Source.RESYNC, False)
            assert [connection.interface for connection in call.connections] == ["PJSIP/1001"]
            assert late.alive == [frozenset({call.call_id})]
            running.cancel()
