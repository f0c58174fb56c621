"""The AMI client on a real Asterisk: log-in, rights, filters, lists, and values that want to break out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from callcenter.ami import actions, wire
from callcenter.ami.client import AmiClient
from callcenter.ami.filters import FILTERS
from callcenter.ami.parse import BUILDERS
from callcenter.ami.state import AmiState, Phase
from callcenter.errors import AmiActionFailed, AmiMissingRight
from callcenter.settings import PbxSettings
from tests.testbed import Pbx


class Ear:
    """A client with what it heard."""

    def __init__(self, pbx: Pbx, username: str = "callcenter", secret: str | None = None) -> None:
        values = pbx.asterisk.values
        self.blocks: list[bytes] = []
        self.states: list[AmiState] = []
        self._heard = asyncio.Event()
        settings = PbxSettings(
            port=values.ami_port,
            username=username,
            secret=SecretStr(secret or values.ami_secret),
            keepalive_s=1.0,
        )
        self.client = AmiClient(settings, self._block, self._state)

    def _block(self, block: bytes) -> None:
        self.blocks.append(block)
        self._heard.set()

    def _state(self, state: AmiState) -> None:
        self.states.append(state)
        self._heard.set()

    def names(self) -> set[bytes | None]:
        return {wire.name(block) for block in self.blocks}

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    async def event(self, name: bytes, **headers: str) -> dict[str, str]:
        """Wait for an event and return its headers."""

        def found() -> list[dict[str, str]]:
            events = [wire.fields(block) for block in self.blocks if wire.name(block) == name]
            return [event for event in events if headers.items() <= event.items()]

        await self.until(lambda: bool(found()))
        return found()[0]


@asynccontextmanager
async def listening(ear: Ear) -> AsyncIterator[AmiClient]:
    task = asyncio.create_task(ear.client.run(), name="client under test")
    try:
        await ear.client.connected()
        yield ear.client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_user_of_the_sample_configuration_has_what_the_client_wants(pbx: Pbx) -> None:
    ear = Ear(pbx)
    async with listening(ear) as client:
        state = client.state
        assert state.version.startswith("22.")
        assert state.fully_booted and state.boot and state.booted_at is not None
        assert state.at - state.booted_at < timedelta(minutes=1)
        assert state.missing_rights == ()
        with pytest.raises(AmiMissingRight, match="add system to its write = line"):
            await client.action(actions.Filter(expression="x"))
        with pytest.raises(AmiActionFailed, match="No such channel"):
            await client.action(actions.Hangup(channel="PJSIP/none"))
        assert (await client.action(actions.CoreShowChannels())).events == ()
        members = (await client.action(actions.QueueStatus(queue="sales"))).events
        assert [wire.name(block) for block in members] == [b"QueueParams"] + [b"QueueMember"] * 3
        await client.action(actions.Ping())


async def test_filters_are_taken_and_let_through_what_is_used(pbx: Pbx) -> None:
    filtered, all_of_it = Ear(pbx, "observer"), Ear(pbx)
    async with listening(filtered) as client, listening(all_of_it):
        assert client.state.filtered
        assert FILTERS
        [ben] = await pbx.phones("1001")
        agent = await ben.called.answers_and_hangs_up(after_s=0.5, talk_s=0.5)
        caller = await pbx.trunk.caller("02079460104").stays("02079460993")
        await pbx.finished(agent, caller)
        await filtered.event(b"Hangup", CallerIDNum="02079460104")
        await all_of_it.event(b"Hangup", CallerIDNum="02079460104")
    wanted = set(BUILDERS) | {b"FullyBooted"}
    assert filtered.names() <= wanted
    # The sample's own filters let through a little more than the client asks for; what is used must be the same.
    assert filtered.names() == all_of_it.names() & wanted
    assert {b"AgentConnect", b"BridgeEnter", b"Newchannel"} <= filtered.names()


async def test_a_wrong_secret_is_told_in_plain_words(pbx: Pbx) -> None:
    ear = Ear(pbx, secret="wrong")
    task = asyncio.create_task(ear.client.run(), name="client under test")
    try:
        await ear.until(lambda: ear.client.state.phase is Phase.DOWN)
        assert ear.client.state.permanent
        assert "compare username and secret" in ear.client.state.reason
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_originate_carries_any_value_and_our_ids(pbx: Pbx) -> None:
    ear = Ear(pbx)
    async with listening(ear) as client:
        phone = await pbx.phone("1001")
        agent = await phone.called.answers_and_hangs_up(after_s=0.2, talk_s=1.5)
        customer = await pbx.trunk.called.answers(after_s=0.2)
        values = {"NOTE": 'a,b "c" \\d', "PLAIN": "王 = 1"}
        await client.action(
            actions.Originate(
                channel="PJSIP/1001",
                context="from-internal",
                exten="02079460150",
                caller_id='"Olivia" <02079460150>',
                channel_id="ours-1",
                other_channel_id="ours-2",
                variables=values,
            ),
            action_id="mine",
        )
        begun = await ear.event(b"Newchannel", Uniqueid="ours-1")
        for name, value in values.items():
            answer = await client.action(actions.Getvar(channel=begun["Channel"], variable=name))
            assert answer.fields["Value"] == value
        result = await ear.event(b"OriginateResponse", ActionID="mine")
        assert (result["Response"], result["Uniqueid"]) == ("Success", "ours-1")
        await pbx.finished(agent, customer)
        await ear.event(b"Hangup", Uniqueid="ours-1")


async def test_a_restart_of_asterisk_is_noticed(pbx: Pbx) -> None:
    ear = Ear(pbx)
    async with listening(ear) as client:
        await pbx.asterisk.stop()
        await ear.until(lambda: client.state.phase is Phase.DOWN)
        assert client.state.reason
