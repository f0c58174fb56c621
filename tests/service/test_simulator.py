"""The simulated PBX as the service sees it: through the AMI client, over a socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from callcenter.ami import actions, wire
from callcenter.ami.client import AmiClient
from callcenter.ami.state import AmiState, Phase
from callcenter.errors import AmiActionFailed, AmiLoginFailed, AmiMissingRight, BadInput
from callcenter.settings import PbxSettings
from callcenter.simulator.flows import inbound
from callcenter.simulator.people import Answers, Caller, Ignores, Manners
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.server import Simulator
from callcenter.simulator.session import CLASSES, Account
from callcenter.simulator.world import World
from tests.traces import calls_of, parsed

FAST = 40.0
"""How much faster than ours the simulated clock runs."""


class Status(actions.Action, frozen=True):
    """List the channels with their state, which the service itself never asks."""

    name = "Status"
    is_list = True


def quickly() -> Iterator[timedelta]:
    while True:
        yield timedelta(milliseconds=10)


class Ear:
    """A client with what it heard."""

    def __init__(self, simulator: Simulator, secret: str | None = None) -> None:
        self.blocks: list[bytes] = []
        self.states: list[AmiState] = []
        self._heard = asyncio.Event()
        settings = PbxSettings(
            port=simulator.port,
            username=simulator.username,
            secret=SecretStr(secret or simulator.secret),
            keepalive_s=0.2,
        )
        self.client = AmiClient(settings, self._block, self._state, transient=quickly, permanent=quickly)

    def _block(self, block: bytes) -> None:
        self.blocks.append(block)
        self._heard.set()

    def _state(self, state: AmiState) -> None:
        self.states.append(state)
        self._heard.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    async def event(self, name: str, **headers: str) -> dict[str, str]:
        """Wait for an event and return its headers."""
        found: list[dict[str, str]] = []

        def came() -> bool:
            for block in self.blocks:
                if wire.name(block) == name.encode():
                    fields = wire.fields(block)
                    if all(fields.get(key) == value for key, value in headers.items()):
                        found.append(fields)
                        return True
            return False

        await self.until(came)
        return found[0]

    def names(self) -> list[bytes | None]:
        return [wire.name(block) for block in self.blocks]


@asynccontextmanager
async def listening(simulator: Simulator) -> AsyncIterator[Ear]:
    ear = Ear(simulator)
    task = asyncio.create_task(ear.client.run(), name="client under test")
    try:
        await ear.client.connected()
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(speed=FAST) as simulator:
        yield simulator


@pytest.fixture
async def ear(simulator: Simulator) -> AsyncIterator[Ear]:
    async with listening(simulator) as ear:
        yield ear


async def test_a_call_from_ring_to_hang_up(simulator: Simulator, ear: Ear) -> None:
    manners = Manners(callee=lambda *_: Answers(2), talk=10)
    await simulator.place(inbound(simulator.pbx, Caller("02079460101", "Zoë 王"), "02079460991", manners))
    await ear.event("QueueMemberStatus", Interface="PJSIP/1001", Status="1")
    [call] = calls_of(parsed(ear.blocks))
    assert (call.status, call.caller.name) == ("answered", "Zoë 王")
    assert call.answered_at is not None and call.ended_at is not None
    assert abs((call.ended_at - call.answered_at).total_seconds() - 10) < 2


async def test_the_client_learns_what_it_needs(ear: Ear) -> None:
    state = ear.client.state
    assert state.version.startswith("22.")
    assert state.fully_booted and state.booted_at is not None
    assert not state.filtered and state.missing_rights == ()


async def test_with_the_right_the_events_are_filtered_by_the_pbx() -> None:
    account = Account(secret="s", write=Account(secret="").write | {"system"})
    async with Simulator(account=account, speed=FAST) as simulator, listening(simulator) as ear:
        assert ear.client.state.filtered
        manners = Manners(callee=lambda *_: Answers(1), talk=2)
        await simulator.place(inbound_queue(simulator.pbx, Caller("02079460101"), "02079460996", manners))
        await ear.event("QueueMemberStatus", Status="1", CallsTaken="1")
        assert {b"MusicOnHoldStart", b"BridgeCreate"}.isdisjoint(ear.names())
        assert {b"AgentConnect", b"BridgeEnter"} <= set(ear.names())


async def test_without_a_right_its_events_do_not_come_and_its_actions_are_refused() -> None:
    account = Account(secret="s", read=CLASSES - {"agent"}, write=frozenset({"reporting"}))
    async with Simulator(account=account, speed=FAST) as simulator, listening(simulator) as ear:
        assert ear.client.state.missing_rights == ("agent", "call", "originate")
        with pytest.raises(AmiMissingRight, match="originate"):
            await ear.client.action(actions.Originate(channel="PJSIP/1001", context="a", exten="1"))
        manners = Manners(callee=lambda *_: Answers(1), talk=2)
        await simulator.place(inbound_queue(simulator.pbx, Caller("02079460101"), "02079460996", manners))
        assert b"QueueCallerJoin" not in ear.names()


async def test_a_wrong_secret_is_refused(simulator: Simulator) -> None:
    ear = Ear(simulator, secret="wrong")
    task = asyncio.create_task(ear.client.run(), name="client under test")
    try:
        await ear.until(lambda: ear.client.state.phase is Phase.DOWN)
        assert ear.client.state.permanent
        assert "compare username and secret" in ear.client.state.reason
        assert issubclass(AmiLoginFailed, Exception)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_click_to_dial_has_the_ids_it_was_given(simulator: Simulator, ear: Ear) -> None:
    action = actions.Originate(
        channel="PJSIP/1001",
        context="from-internal",
        exten="02079460150",
        caller_id='"Olivia" <02079460150>',
        channel_id="ours-1",
        other_channel_id="ours-2",
        variables={"CALL": 'a, "b"'},
    )
    action_id = ear.client.next_action_id()
    answer = await ear.client.action(action, action_id=action_id)
    assert answer.message == "Originate successfully queued"
    begun = await ear.event("Newchannel", Uniqueid="ours-1")
    variable = await ear.client.action(actions.Getvar(channel=begun["Channel"], variable="CALL"))
    assert variable.fields["Value"] == 'a, "b"'
    result = await ear.event("OriginateResponse", ActionID=action_id)
    assert (result["Response"], result["Reason"], result["Uniqueid"]) == ("Success", "4", "ours-1")
    dialed = await ear.event("DialBegin", DialString="02079460150@trunk")
    assert dialed["Linkedid"] == dialed["DestLinkedid"] == "ours-1"
    await ear.event("Hangup", Uniqueid="ours-1")


@pytest.mark.parametrize("channel", ["PJSIP/4711", "Local/1001@from-internal", "SIP/x\tx"])
async def test_an_originate_to_nobody_fails(simulator: Simulator, ear: Ear, channel: str) -> None:
    action = actions.Originate(channel=channel, context="from-internal", exten="1002", channel_id="ours-1")
    await ear.client.action(action, action_id="mine")
    assert (await ear.event("OriginateResponse", ActionID="mine"))["Response"] == "Failure"
    assert b"Newchannel" not in ear.names()


async def test_a_snapshot_of_calls_in_progress(simulator: Simulator, ear: Ear) -> None:
    talks = Manners(callee=lambda *_: Answers(1), talk=10_000)
    simulator.place(inbound_queue(simulator.pbx, Caller("02079460101"), "02079460996", talks))
    await ear.event("BridgeEnter", BridgeNumChannels="2")
    simulator.place(inbound_queue(simulator.pbx, Caller("02079460102"), "02079460996", talks))
    await ear.event("QueueCallerJoin", CallerIDNum="02079460102")

    channels = [wire.fields(block) for block in (await ear.client.action(actions.CoreShowChannels())).events]
    assert [channel["ChannelStateDesc"] for channel in channels] == ["Up", "Up", "Up"]
    assert len({channel["BridgeId"] for channel in channels}) == 2
    status = (await ear.client.action(actions.QueueStatus(queue="billing"))).events
    assert [wire.name(block) for block in status] == [b"QueueParams", b"QueueMember", b"QueueEntry"]
    member, entry = (wire.fields(block) for block in status[1:])
    assert (member["Location"], member["Status"], member["InCall"]) == ("PJSIP/1008", "3", "1")
    assert (entry["CallerIDNum"], entry["Position"]) == ("02079460102", "1")
    assert len((await ear.client.action(actions.BridgeList())).events) == 1
    assert len((await ear.client.action(Status())).events) == 3
    summary = [wire.fields(block) for block in (await ear.client.action(actions.QueueSummary())).events]
    assert [row["Callers"] for row in summary if row["Queue"] == "billing"] == ["1"]

    for channel in channels:
        if channel["CallerIDNum"] == "02079460102":
            await ear.client.action(actions.Hangup(channel=channel["Channel"]))
    await ear.event("QueueCallerAbandon", CallerIDNum="02079460102")


async def test_hang_up_by_ami_ends_a_talk(simulator: Simulator, ear: Ear) -> None:
    over = simulator.place(
        inbound(simulator.pbx, Caller("1"), "02079460991", Manners(callee=lambda *_: Answers(1), talk=10_000))
    )
    enter = await ear.event("BridgeEnter", BridgeNumChannels="2")
    await ear.client.action(actions.Hangup(channel=enter["Channel"]))
    await over
    await ear.event("Hangup", Uniqueid=enter["Uniqueid"])
    assert b"HangupRequest" not in ear.names()
    with pytest.raises(AmiActionFailed, match="No such channel"):
        await ear.client.action(actions.Hangup(channel=enter["Channel"]))


async def test_hang_up_by_ami_ends_ringing(simulator: Simulator, ear: Ear) -> None:
    over = simulator.place(inbound(simulator.pbx, Caller("1"), "02079460991", Manners(callee=lambda *_: Ignores())))
    ringing = await ear.event("Newstate", ChannelStateDesc="Ringing")
    await ear.client.action(actions.Hangup(channel=ringing["Channel"]))
    await over
    await ear.event("DialEnd", DialStatus="NOANSWER")
    await ear.event("QueueMemberStatus", Interface="PJSIP/1001", Status="1")
    assert not simulator.pbx.channels


async def test_redirect_moves_a_caller(simulator: Simulator, ear: Ear) -> None:
    manners = Manners(callee=lambda *_: Answers(1), talk=40)
    over = simulator.place(inbound(simulator.pbx, Caller("1"), "02079460991", manners))
    enter = await ear.event("BridgeEnter", BridgeNumChannels="2")
    await ear.client.action(actions.Redirect(channel=enter["Channel"], context="from-internal", exten="1002"))
    await ear.event("DialEnd", DialStatus="ANSWER", DestCallerIDNum="1002")
    await over
    [call] = calls_of(parsed(ear.blocks))
    assert [offer.interface for offer in call.offers] == ["PJSIP/1001", "PJSIP/1002"]


async def test_a_paused_member_is_not_rung(simulator: Simulator, ear: Ear) -> None:
    pause = actions.QueuePause(interface="PJSIP/1002", paused=True, reason="lunch")
    await ear.client.action(pause)
    paused = await ear.event("QueueMemberPause", Interface="PJSIP/1002")
    assert (paused["Paused"], paused["PausedReason"]) == ("1", "lunch")
    manners = Manners(callee=lambda *_: Answers(1), talk=2)
    await simulator.place(inbound_queue(simulator.pbx, Caller("1"), "02079460993", manners))
    await ear.event("AgentComplete")
    rung = {wire.fields(block)["Interface"] for block in ear.blocks if wire.name(block) == b"AgentCalled"}
    assert rung == {"PJSIP/1001", "PJSIP/1003"}
    with pytest.raises(AmiActionFailed, match="Interface not found"):
        await ear.client.action(actions.QueuePause(interface="PJSIP/1", paused=True))


async def test_members_come_and_go(simulator: Simulator, ear: Ear) -> None:
    await ear.client.action(actions.QueueAdd(queue="billing", interface="PJSIP/1005", member_name="Ewa Nowak"))
    assert (await ear.event("QueueMemberAdded"))["Membership"] == "dynamic"
    with pytest.raises(AmiActionFailed, match="Already there"):
        await ear.client.action(actions.QueueAdd(queue="billing", interface="PJSIP/1005"))
    await ear.client.action(actions.QueueRemove(queue="billing", interface="PJSIP/1005"))
    await ear.event("QueueMemberRemoved", Interface="PJSIP/1005")
    with pytest.raises(AmiActionFailed, match="Not there"):
        await ear.client.action(actions.QueueRemove(queue="billing", interface="PJSIP/1005"))


async def test_a_restart_is_another_run_of_asterisk(simulator: Simulator, ear: Ear) -> None:
    over = simulator.place(
        inbound(simulator.pbx, Caller("1"), "02079460991", Manners(callee=lambda *_: Answers(1), talk=10_000))
    )
    await ear.event("BridgeEnter", BridgeNumChannels="2")
    boot = ear.client.state.boot
    simulator.restart()
    assert over.cancelled()
    await ear.until(lambda: [state.phase for state in ear.states].count(Phase.LOGGED_IN) >= 2)
    assert ear.client.state.boot != boot
    assert (await ear.client.action(actions.CoreShowChannels())).events == ()


async def test_a_frozen_pbx_is_noticed_and_comes_back(simulator: Simulator, ear: Ear) -> None:
    simulator.freeze()
    await ear.until(lambda: ear.client.state.phase is Phase.DOWN)
    assert "silent" in ear.client.state.reason
    simulator.freeze(False)
    await ear.until(lambda: ear.client.state.phase is Phase.LOGGED_IN)


async def test_the_demo_rings_at_once_and_goes_on() -> None:
    world = World(customers=[Caller("02079460101", "Olivia"), Caller("+447700900123")], seed=3)
    async with Simulator(world, speed=FAST) as simulator, listening(simulator) as ear:
        simulator.attend("1001")
        simulator.traffic(calls_per_minute=20)
        await ear.until(lambda: len([1 for name in ear.names() if name == b"Newchannel"]) > 30)
        first = wire.fields(next(block for block in ear.blocks if wire.name(block) == b"DialBegin"))
        assert b"PJSIP/1001-" in b"".join(block for block in ear.blocks if wire.name(block) == b"DialBegin")
        assert first["DialString"]


async def test_who_sits_down_is_called_though_somebody_spoke_there(simulator: Simulator) -> None:
    async with listening(simulator) as ear:

        def rung() -> list[bytes]:
            return [b for b in ear.blocks if wire.name(b) == b"DialBegin" and b"DestChannel: PJSIP/1001-" in b]

        call = simulator.world.to(simulator.pbx, "1001")
        assert call is not None
        simulator.place(call)
        await ear.until(lambda: any(wire.name(block) == b"BridgeEnter" for block in ear.blocks))
        simulator.attend("1001")
        await ear.until(lambda: len(rung()) == 2)
        ended = [block for block in ear.blocks if wire.name(block) == b"Hangup" and b"Channel: PJSIP/1001-" in block]
        assert len(ended) == 1
        assert ear.blocks.index(ended[0]) < ear.blocks.index(rung()[1])


async def test_clients_that_do_not_read_are_cut_off(simulator: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    try:
        login = f"Action: Login\r\nUsername: {simulator.username}\r\nSecret: {simulator.secret}\r\n\r\n"
        writer.write(login.encode())
        await reader.readuntil(b"Fully Booted")
        async with asyncio.timeout(20):
            while not simulator.cut_off:
                for _ in range(2000):
                    simulator.pbx.tell_members("1001")
                await asyncio.sleep(0)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff\r\n\r\n",
        b"Action: Login\r\nUsername: \xff\r\nSecret: \x00\r\n\r\n",
        b"Action: QueueStatus\r\n\r\n",
        b"Action: Challenge\r\nActionID: \x00\r\nAuthType: MD5\r\n\r\n",
        b"Action: \r\n\r\n",
        b"A" * 200_000,
    ],
)
async def test_rubbish_does_no_harm(simulator: Simulator, data: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(data)
    await writer.drain()
    writer.close()
    async with listening(simulator) as ear:
        await ear.client.action(actions.Ping())


async def test_a_client_cannot_smuggle_an_event_to_others(simulator: Simulator, ear: Ear) -> None:
    with pytest.raises(BadInput):
        await ear.client.action(actions.Setvar(channel="x", variable="y", value="z\r\n\r\nEvent: Shutdown"))
