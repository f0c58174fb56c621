"""The AMI client against a peer that behaves, and against peers that do not."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from callcenter.ami import actions, wire
from callcenter.ami.client import AmiClient
from callcenter.ami.inbox import Inbox
from callcenter.ami.state import AmiState, Phase
from callcenter.errors import (
    AmiActionFailed,
    AmiMissingRight,
    AmiTimeout,
    AmiUnreachable,
    BadInput,
)
from callcenter.settings import PbxSettings
from tests.service.ami_peer import SECRET, Peer, Session, serving, silence


def quickly() -> Iterator[timedelta]:
    """Hardly wait between attempts."""
    while True:
        yield timedelta(milliseconds=10)


class Desk:
    """A running client with all it has told, and a way to wait for a condition."""

    def __init__(self, port: int, **settings: Any) -> None:
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": port,
            "secret": SecretStr(SECRET),
            "action_timeout_s": 5.0,
        }
        self.blocks: list[bytes] = []
        self.states: list[AmiState] = []
        self.changed = asyncio.Event()
        self.client = AmiClient(
            PbxSettings(**(values | settings)),
            self.on_block,
            self.on_state,
            transient=quickly,
            permanent=quickly,
        )

    def on_block(self, block: bytes) -> None:
        self.blocks.append(block)
        self.changed.set()

    def on_state(self, state: AmiState) -> None:
        self.states.append(state)
        self.changed.set()

    def phases(self) -> list[str]:
        return [state.phase.value for state in self.states]

    def reasons(self) -> list[str]:
        return [state.reason for state in self.states if state.phase is Phase.DOWN]

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[Desk]:
    """Run the client for the length of the block."""
    task = asyncio.create_task(desk.client.run(), name="client under test")
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving(Peer()) as peer:
        yield peer


@pytest.fixture
async def desk(peer: Peer) -> AsyncIterator[Desk]:
    async with running(Desk(peer.port)) as desk:
        await desk.client.connected()
        yield desk


async def test_log_in_keeps_the_secret_off_the_wire_and_tells_what_the_pbx_is(peer: Peer, desk: Desk) -> None:
    assert desk.phases() == ["connecting", "connecting", "logged_in"]
    state = desk.client.state
    assert (state.version, state.system_name, state.boot) == ("22.8.2", "pbx1", "2026-11-23 10:00:00")
    assert state.fully_booted
    assert state.booted_at is not None
    assert timedelta(seconds=99) < state.at - state.booted_at < timedelta(seconds=110)
    assert state.filtered
    assert state.missing_rights == ()
    assert not any(SECRET in value for request in peer.requests for value in request.values())
    assert peer.names()[:2] == ["Challenge", "Login"]
    assert peer.names()[-1] == "Events"


async def test_events_that_are_too_long_are_counted_over_all_connections(peer: Peer, desk: Desk) -> None:
    too_long = "X: " + "y" * wire.MAX_BLOCK
    for times in (1, 2):
        desk.blocks.clear()
        peer.sessions[-1].send("Event: UserEvent", too_long)
        peer.sessions[-1].send("Event: Hangup")
        await desk.until(lambda: desk.blocks == [b"Event: Hangup"])
        assert desk.client.oversized == times
        connections = desk.phases().count("logged_in")
        peer.sessions[-1].writer.close()
        await desk.until(lambda before=connections: desk.phases().count("logged_in") > before)  # type: ignore[misc]
    assert desk.client.oversized == 2


async def test_events_arrive_in_order_and_whole(peer: Peer, desk: Desk) -> None:
    desk.blocks.clear()
    data = "Event: Newchannel\r\nCallerIDName: 王小明\r\n\r\nEvent: Hangup\r\nCause: 16\r\n\r\n".encode()
    for at in range(0, len(data), 5):
        peer.sessions[0].writer.write(data[at : at + 5])
        await peer.sessions[0].writer.drain()
    await desk.until(lambda: len(desk.blocks) == 2)
    assert desk.blocks == [
        "Event: Newchannel\r\nCallerIDName: 王小明".encode(),
        b"Event: Hangup\r\nCause: 16",
    ]


async def test_garbage_and_a_huge_block_do_not_disturb_what_follows(peer: Peer, desk: Desk) -> None:
    desk.blocks.clear()
    peer.sessions[0].writer.write(b"\xff\xfe\r\n\r\n\r\n\r\nno header\r\n\r\nResponse: Success\r\nActionID: ?\r\n\r\n")
    peer.sessions[0].writer.write(b"Event: X\r\nY: " + b"z" * 1_000_000 + b"\r\n\r\nEvent: Hangup\r\n\r\n")
    await desk.until(lambda: desk.blocks == [b"Event: Hangup"])
    assert desk.client.state.phase is Phase.LOGGED_IN


async def test_an_answer_finds_its_action_whatever_the_order(peer: Peer, desk: Desk) -> None:
    waiting: list[dict[str, str]] = []

    async def later(session: Session, request: dict[str, str]) -> None:
        waiting.append(request)
        if len(waiting) == 20:
            for held in reversed(waiting):
                session.reply(held, "Success", f"Value: {held['Variable']}")

    peer.answers["Getvar"] = later
    asked = [desk.client.action(actions.Getvar(channel="x", variable=f"V{n}")) for n in range(20)]
    answers = await asyncio.gather(*asked)
    assert [answer.fields["Value"] for answer in answers] == [f"V{n}" for n in range(20)]


async def test_a_list_is_collected_and_other_events_pass_by(peer: Peer, desk: Desk) -> None:
    async def channels(session: Session, request: dict[str, str]) -> None:
        mine = f"ActionID: {request['ActionID']}"
        session.reply(request, "Success", "EventList: start", "Message: Channels will follow")
        session.send("Event: CoreShowChannel", mine, "Uniqueid: 1.1")
        session.send("Event: Hangup", "Uniqueid: 1.9")
        session.send("Event: OriginateResponse", "ActionID: somebody", "Uniqueid: 1.8")
        session.send("Event: CoreShowChannel", mine, "Uniqueid: 1.2")
        session.send("Event: CoreShowChannelsComplete", mine, "EventList: Complete", "ListItems: 2")

    peer.answers["CoreShowChannels"] = channels
    desk.blocks.clear()
    answer = await desk.client.action(actions.CoreShowChannels())
    assert [block.rpartition(b": ")[2] for block in answer.events] == [b"1.1", b"1.2"]
    assert [block.rpartition(b": ")[2] for block in desk.blocks] == [b"1.9", b"1.8"]


async def test_a_list_of_which_the_end_never_comes_is_given_up(peer: Peer, desk: Desk) -> None:
    async def endless(session: Session, request: dict[str, str]) -> None:
        session.reply(request, "Success", "EventList: start")

    peer.answers["QueueStatus"] = endless
    with pytest.raises(AmiTimeout, match=r"QueueStatus within 0\.05 seconds"):
        await desk.client.action(actions.QueueStatus(), timedelta(seconds=0.05))


async def test_a_slow_answer_is_given_up_and_its_late_coming_does_no_harm(peer: Peer, desk: Desk) -> None:
    held: list[dict[str, str]] = []

    async def hold(session: Session, request: dict[str, str]) -> None:
        held.append(request)

    peer.answers["Getvar"] = hold
    with pytest.raises(AmiTimeout):
        await desk.client.action(actions.Getvar(channel="x", variable="y"), timedelta(seconds=0.05))
    peer.sessions[0].reply(held[0], "Success", "Value: late")
    desk.blocks.clear()
    peer.sessions[0].send("Event: Hangup")
    await desk.until(lambda: bool(desk.blocks))


async def test_a_refusal_has_asterisks_words_and_a_missing_right_its_name(peer: Peer, desk: Desk) -> None:
    async def refuse(session: Session, request: dict[str, str]) -> None:
        session.reply(request, "Error", "Message: No such channel")

    async def forbid(session: Session, request: dict[str, str]) -> None:
        session.reply(request, "Error", "Message: Permission denied")

    peer.answers |= {"Hangup": refuse, "Originate": forbid}
    with pytest.raises(AmiActionFailed, match="refused Hangup: No such channel"):
        await desk.client.action(actions.Hangup(channel="PJSIP/1"))
    with pytest.raises(AmiMissingRight, match=r"add originate to its write = line"):
        await desk.client.action(actions.Originate(channel="PJSIP/1", context="a", exten="1"))


async def test_a_value_with_a_line_break_is_never_sent(peer: Peer, desk: Desk) -> None:
    before = len(peer.requests)
    with pytest.raises(BadInput):
        await desk.client.action(actions.Originate(channel="PJSIP/1\r\nAction: Command", context="a", exten="1"))
    peer.sessions[0].send("Event: Hangup")
    await desk.until(lambda: b"Event: Hangup" in desk.blocks)
    assert len(peer.requests) == before


async def test_a_wrong_secret_is_told_in_plain_words_and_tried_again(peer: Peer) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(Desk(peer.port, secret=SecretStr("wrong"))) as desk:
            await desk.until(lambda: len(desk.reasons()) >= 3)
            assert desk.states[-1].permanent
            assert "compare username and secret" in desk.reasons()[0]
            desk.client.settings = desk.client.settings.model_copy(update={"secret": SecretStr(SECRET)})
            await desk.client.connected()
    assert [entry["event"] for entry in logs if entry["event"] in ("ami_down", "ami_back")] == [
        "ami_down",
        "ami_back",
    ]
    assert "wrong" not in repr([{**entry, "reason": ""} for entry in logs])


async def test_missing_rights_are_named(peer: Peer) -> None:
    peer.allowed = ["CoreShowChannels", "Hangup"]
    async with running(Desk(peer.port)) as desk:
        await desk.client.connected()
        assert desk.client.state.missing_rights == ("agent", "call", "originate")
        assert not desk.client.state.filtered


async def test_without_the_right_to_see_channels_there_is_no_service(peer: Peer) -> None:
    peer.allowed = []
    async with running(Desk(peer.port)) as desk:
        await desk.until(lambda: bool(desk.reasons()))
        assert desk.states[-1].permanent
        assert "add reporting or system to its write = line" in desk.reasons()[0]


async def test_a_frozen_peer_is_noticed_within_two_intervals(peer: Peer) -> None:
    peer.answers["Ping"] = silence
    loop = asyncio.get_running_loop()
    async with running(Desk(peer.port, keepalive_s=0.2)) as desk:
        await desk.client.connected()
        start = loop.time()
        await desk.until(lambda: bool(desk.reasons()))
        assert loop.time() - start < 2 * 0.2 + 1.0
        assert "silent" in desk.reasons()[0]
        await desk.until(lambda: desk.phases().count("logged_in") == 2)


async def test_a_quiet_peer_that_answers_pings_is_kept(peer: Peer) -> None:
    async with running(Desk(peer.port, keepalive_s=0.05)) as desk:
        await desk.client.connected()
        async with asyncio.timeout(10):
            while peer.names().count("Ping") < 4:
                peer.progress.clear()
                await peer.progress.wait()
        assert desk.reasons() == []


async def test_a_peer_that_never_greets_is_given_up(peer: Peer) -> None:
    peer.banner = b""
    async with running(Desk(peer.port, action_timeout_s=0.1)) as desk:
        await desk.until(lambda: bool(desk.reasons()))
        assert "open but silent" in desk.reasons()[0]


async def test_a_peer_that_is_something_else_is_told(peer: Peer) -> None:
    peer.banner = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    async with running(Desk(peer.port)) as desk:
        await desk.until(lambda: bool(desk.reasons()))
        assert "does not greet as an Asterisk manager" in desk.reasons()[0]


async def test_nobody_there(unused_tcp_port: int) -> None:
    async with running(Desk(unused_tcp_port)) as desk:
        await desk.until(lambda: len(desk.reasons()) >= 2)
        assert "is Asterisk running" in desk.reasons()[0]
        with pytest.raises(AmiUnreachable, match="is not connected"):
            await desk.client.action(actions.Ping())
        with pytest.raises(AmiTimeout):
            await desk.client.connected(timedelta(seconds=0.01))


async def test_a_disconnect_in_the_middle_of_a_block_ends_waiting_actions_and_is_mended(peer: Peer, desk: Desk) -> None:
    peer.answers["Getvar"] = silence
    action = asyncio.create_task(desk.client.action(actions.Getvar(channel="x", variable="y")), name="action")
    async with asyncio.timeout(10):
        while "Getvar" not in peer.names():
            peer.progress.clear()
            await peer.progress.wait()
    peer.sessions[0].writer.write(b"Event: Newchannel\r\nChann")
    await peer.sessions[0].writer.drain()
    peer.sessions[0].writer.close()
    with pytest.raises(AmiUnreachable, match="whether it was done is unknown"):
        await action
    await desk.until(lambda: desk.phases().count("logged_in") == 2)
    assert b"Event: Newchannel\r\nChann" not in desk.blocks
    assert "closed the connection" in desk.reasons()[0]


async def test_another_run_of_asterisk_has_another_boot(peer: Peer, desk: Desk) -> None:
    peer.boot = "2026-11-24"
    peer.booted = False
    peer.sessions[0].send("Event: Shutdown", "Shutdown: Cleanly", "Restart: True")
    await desk.until(lambda: desk.phases().count("logged_in") == 2)
    assert "shutting down" in desk.reasons()[0]
    assert desk.client.state.boot == "2026-11-24 10:00:00"
    assert not desk.client.state.fully_booted
    peer.sessions[1].send("Event: FullyBooted", "Uptime: 3")
    await desk.until(lambda: desk.client.state.fully_booted)
    assert desk.client.state.phase is Phase.LOGGED_IN


async def test_a_worker_that_is_too_slow_ends_the_connection_instead_of_losing_events(peer: Peer) -> None:
    inbox = Inbox(limit=10)
    client = AmiClient(
        PbxSettings(port=peer.port, secret=SecretStr(SECRET)),
        inbox.on_block,
        inbox.on_state,
        transient=quickly,
    )
    task = asyncio.create_task(client.run(), name="client under test")
    try:
        await client.connected()
        await inbox.batch()
        for number in range(30):
            peer.sessions[0].send("Event: Hangup", f"Uniqueid: 1.{number}")
        seen: list[bytes | AmiState] = []
        async with asyncio.timeout(10):
            while client.state.phase is not Phase.DOWN:
                peer.progress.clear()
                await peer.progress.wait()
            while not any(isinstance(item, AmiState) and item.phase is Phase.LOGGED_IN for item in seen):
                seen += [item for _, item in await inbox.batch()]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    hangups = [item for item in seen if isinstance(item, bytes) and item.startswith(b"Event: Hangup")]
    assert hangups == [f"Event: Hangup\r\nUniqueid: 1.{number}".encode() for number in range(10)]
    states = [item for item in seen if isinstance(item, AmiState)]
    assert seen.index(hangups[-1]) < seen.index(states[0])
    assert "too slow" in states[0].reason
    assert inbox.overflows >= 1
    assert inbox.peak == 10


async def test_a_fault_of_ours_is_not_hidden(peer: Peer) -> None:
    def faulty(block: bytes) -> None:
        raise ZeroDivisionError

    client = AmiClient(PbxSettings(port=peer.port, secret=SecretStr(SECRET)), faulty, lambda state: None)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(10):
            await client.run()


async def test_several_pbxs_do_not_know_of_each_other(peer: Peer) -> None:
    async with (
        serving(Peer()) as other,
        running(Desk(peer.port, id="a")) as one,
        running(Desk(other.port, id="b")) as two,
    ):
        await asyncio.gather(one.client.connected(), two.client.connected())
        peer.answers["Login"] = silence
        peer.sessions[0].writer.transport.abort()
        await one.until(lambda: bool(one.reasons()))
        two.blocks.clear()
        other.sessions[0].send("Event: Hangup")
        await two.until(lambda: two.blocks == [b"Event: Hangup"])
        assert two.reasons() == []
        assert {state.pbx for state in one.states} == {"a"}


async def test_a_stop_says_good_bye(peer: Peer) -> None:
    async with running(Desk(peer.port)) as desk:
        await desk.client.connected()
    async with asyncio.timeout(10):
        while "Logoff" not in peer.names():
            peer.progress.clear()
            await peer.progress.wait()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA of our own, and a certificate for localhost that it signed."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost\n")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    make = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(*make, "-x509", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA")
    openssl(*make, "-keyout", "pbx.key", "-out", "pbx.csr", "-subj", "/CN=localhost")
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions"]
    openssl("x509", "-req", "-in", "pbx.csr", *signing, "-out", "pbx.pem")
    return folder


async def test_tls_with_the_right_ca_and_no_other(certificates: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "pbx.pem", certificates / "pbx.key")
    async with serving(Peer(), tls=context) as peer:
        good = {"host": "localhost", "tls": True, "tls_ca": certificates / "ca.pem"}
        async with running(Desk(peer.port, **good)) as desk:
            await desk.client.connected()
            assert "Challenge" not in peer.names()
        for wrong, words in (
            ({"tls_ca": None}, "set tls_ca"),
            ({"host": "127.0.0.1"}, "host to a name in it"),
            ({"tls_ca": certificates / "none.pem"}, "tls_ca of pbx cannot be read"),
        ):
            async with running(Desk(peer.port, **(good | wrong))) as desk:
                await desk.until(lambda desk=desk: bool(desk.reasons()))  # type: ignore[misc]
                assert words in desk.reasons()[0]
                assert desk.client.state.phase is not Phase.LOGGED_IN


async def test_tls_to_a_port_without_it(peer: Peer) -> None:
    async with running(Desk(peer.port, tls=True)) as desk:
        await desk.until(lambda: bool(desk.reasons()))
        assert "does not speak TLS" in desk.reasons()[0]
