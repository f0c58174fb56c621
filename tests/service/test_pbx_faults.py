"""What a PBX that is followed may do wrong, and what we may: the other calls go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from callcenter.changes import CallChange, CallEnded, CallStarted
from callcenter.model import CallStatus
from callcenter.pbx import Pbx
from callcenter.settings import PbxSettings
from callcenter.simulator.flows import inbound
from callcenter.simulator.people import Answers, Caller, Manners
from callcenter.simulator.server import Simulator
from callcenter.tracking.directory import Directory, no_e164

FAST = 40.0
"""How much faster than ours the simulated clock runs."""

ANSWERED = Manners(callee=lambda *_: Answers(1), talk=5)


class Followed:
    """A PBX that is followed, and what was said of its calls."""

    def __init__(self, simulator: Simulator, directory: Directory) -> None:
        self.changes: list[CallChange] = []
        self._said = asyncio.Event()
        settings = PbxSettings(port=simulator.port, username=simulator.username, secret=SecretStr(simulator.secret))
        self.pbx = Pbx(settings, directory, self._publish, lambda state: None, lambda alive, at: None)

    def _publish(self, change: CallChange, arrived: datetime) -> None:
        self.changes.append(change)
        self._said.set()

    async def synced(self, times: int) -> None:
        """Wait until so many snapshots were taken."""
        async with asyncio.timeout(20):
            while self.pbx.counters.resyncs < times:  # noqa: ASYNC110 - a counter wakes nobody
                await asyncio.sleep(0.01)

    async def change(self, wanted: Callable[[CallChange], bool]) -> CallChange:
        """Wait for a change."""
        async with asyncio.timeout(20):
            while not (found := [change for change in self.changes if wanted(change)]):
                self._said.clear()
                await self._said.wait()
        return found[0]


@asynccontextmanager
async def following(simulator: Simulator, directory: Directory) -> AsyncIterator[Followed]:
    followed = Followed(simulator, directory)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(followed.pbx.run(), name="pbx under test")
        await followed.synced(1)
        yield followed
        task.cancel()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(speed=FAST) as simulator:
        yield simulator


async def test_a_fault_in_one_call_does_not_stop_the_next(simulator: Simulator) -> None:
    def e164(number: str, trunk: str | None) -> str | None:
        if number.endswith("101"):
            raise RuntimeError("a number that nobody had thought of")
        return no_e164(number, trunk)

    with capture_logs() as logs:
        async with following(simulator, Directory(trunks=frozenset({"trunk"}), e164=e164)) as followed:
            await simulator.place(inbound(simulator.pbx, Caller("02079460101"), "02079460991", ANSWERED))
            await simulator.place(inbound(simulator.pbx, Caller("02079460102"), "02079460991", ANSWERED))
            ended = await followed.change(
                lambda change: isinstance(change, CallEnded) and change.call.caller.number == "02079460102"
            )
    assert ended.call.status is CallStatus.ANSWERED
    assert followed.pbx.counters.failed > 0
    assert "tracker_failed" in [entry["event"] for entry in logs]


async def test_a_dialed_call_that_ends_unheard_leaves_nothing_behind(simulator: Simulator) -> None:
    async with following(simulator, Directory(trunks=frozenset({"trunk"}))) as followed:
        done = await followed.pbx.dial("PJSIP/1001", "1001", "02079460101")
        started = await followed.change(lambda change: isinstance(change, CallStarted))
        assert started.call_id == done.call_id
        simulator.cut_clients()
        await followed.synced(2)
        assert followed.pbx._dialing == {}
