"""Each flow of the simulator against the trace of the same call on a real Asterisk 22.
 Both are cut into moments: events less than 0.1 s apart. Across moments the order must be the same. Within
one, the threads of Asterisk race, and two recordings of the same call differ; there the order is held within
each lane only:

- the events of one channel (its state, bridge and hang-up events, its dialplan), apart from those below;
- `NewConnectedLine` of one channel, which comes from another thread than the rest;
- dialing towards one channel (`DialBegin`, `DialState`, `DialEnd`);
- the queue's view of one caller; `AgentComplete`, music on hold and the life of the bridge each for
themselves;
- the state of one queue member.
 Of each event its name, the names of its headers in their order, and the values that mean something are
compared. Not compared: ids, times, what is in `APART`, and the member behind a Local channel, which the
simulator has not.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from callcenter.ami import record, wire
from callcenter.model import Call
from callcenter.simulator.company import SAMPLE, Company
from callcenter.simulator.flows import Order, click_to_dial, inbound, internal, outbound
from callcenter.simulator.load import VirtualPbx
from callcenter.simulator.people import ANONYMOUS, Answers, Callee, Caller, Ignores, Manners, Refuses, Signal
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.schedule import Flow
from tests.traces import calls_of, parsed

REPLAY = Path(__file__).parents[1] / "replay"

VALUES = (
    "ChannelState ChannelStateDesc CallerIDNum CallerIDName ConnectedLineNum ConnectedLineName Context DialStatus "
    "Cause Cause-txt TechCause Queue Interface MemberName Position OriginalPosition Count Reason Response Variable "
    "Value Application DialString Status CallsTaken InCall BridgeNumChannels Class MusicClass DestCallerIDNum "
    "DestCallerIDName"
).split()
"""Headers of which the values must be the same."""

APART = {
    # While a phone is being made to ring, another thread may or may not have got on already.
    "DialBegin": {"ChannelState", "ChannelStateDesc", "ConnectedLineNum", "ConnectedLineName"},
    "DialState": {"ConnectedLineNum", "ConnectedLineName"},
    "HangupRequest": {"ConnectedLineNum", "ConnectedLineName"},
}

MOMENT_S = 0.1

Event = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]


def company(wait_s: float = 8) -> Company:
    """The company with the short times of the testbed."""
    queues = tuple(msgspec.structs.replace(plan, ring_s=3, retry_s=1, wait_s=wait_s) for plan in SAMPLE.queues)
    return msgspec.structs.replace(SAMPLE, queues=queues, extension_ring_s=3, trunk_ring_s=4)


class Roles:
    """Names channels by their device and the order in which they came."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def of(self, channel: str) -> str:
        if channel not in self._names:
            device = channel.rpartition("-")[0]
            self._counts[device] = self._counts.get(device, 0) + 1
            self._names[channel] = f"{device} #{self._counts[device]}"
        return self._names[channel]


def lane(name: str, headers: dict[str, str], roles: Roles) -> str:
    """Tell within what the order of an event is certain."""
    if name == "QueueMemberStatus":
        return f"member {headers['Interface']} of {headers['Queue']}"
    if name.startswith("Dial"):
        return f"dialing {roles.of(headers['DestChannel'])}"
    if name in ("BridgeCreate", "BridgeDestroy", "OriginateResponse"):
        return name
    who = roles.of(headers.get("Channel") or headers["TransfererChannel"])
    if name in ("NewConnectedLine", "AgentComplete"):
        return f"{name} {who}"
    if name.startswith("MusicOnHold"):
        return f"music {who}"
    if name.startswith(("Agent", "QueueCaller")):
        return f"queue {who}"
    return f"channel {who}"


def moments(blocks: Iterable[bytes]) -> list[dict[str, list[Event]]]:
    """Cut a trace into moments, and each moment into lanes."""
    roles = Roles()
    found: list[dict[str, list[Event]]] = []
    last = 0.0
    for name, headers in events(blocks):
        at = float(headers["Timestamp"])
        if at - last > MOMENT_S:
            found.append({})
        last = at
        ignored = APART.get(name, set())
        values = tuple((key, headers[key]) for key in VALUES if key in headers and key not in ignored)
        found[-1].setdefault(lane(name, headers, roles), []).append((name, tuple(headers), values))
    return found


def events(blocks: Iterable[bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the events from the first channel on: before it phones register, which is no part of the call."""
    begun = False
    for block in blocks:
        name = (wire.name(block) or b"").decode()
        begun = begun or name in ("Newchannel", "OriginateResponse")
        headers = wire.fields(block)
        if begun and name and "Local/" not in headers.get("Interface", ""):
            yield name, headers


class Scene:
    """A simulated PBX on which only these phones are on."""

    def __init__(self, phones: str, wait_s: float = 8) -> None:
        self.virtual = VirtualPbx(company(wait_s))
        self.pbx = self.virtual.pbx
        self.pbx.registered = set(phones.split())

    def direct(self, caller: str | Caller, did: str, manners: Manners, after: float = 0) -> None:
        who = caller if isinstance(caller, Caller) else Caller(caller)
        self.virtual.schedule.place(inbound(self.pbx, who, did, manners), after)

    def queue(self, caller: str, did: str, manners: Manners, after: float = 0) -> None:
        self.virtual.schedule.place(inbound_queue(self.pbx, Caller(caller), did, manners), after)

    def out(self, behavior: Callee, manners: Manners) -> None:
        manners = msgspec.structs.replace(manners, customer=behavior)
        self.virtual.schedule.place(outbound(self.pbx, "1001", "02079460150", manners))

    def click(self, agent: Callee, customer: Callee, patience: float | None = None) -> None:
        order = Order(
            action_id="ctd-1",
            channel="PJSIP/1001",
            context="from-internal",
            exten="02079460150",
            number="02079460150",
            name="Calling 02079460150",
            timeout=timedelta(seconds=3),
            channel_id="ctd-1001-a",
        )
        manners = Manners(customer=customer, talk=1.2, patience=patience)
        self.virtual.schedule.place(click_to_dial(self.pbx, order, agent, manners))

    def blocks(self) -> list[bytes]:
        self.virtual.run()
        return [block for _, block in self.virtual.blocks]


def does(**behaviors: Callee | list[Callee]) -> Callable[[str, int], Callee]:
    """Return a `callee` from behaviors by extension (`p1001=`), one for each attempt where it is a list."""

    def callee(extension: str, attempt: int) -> Callee:
        behavior = behaviors[f"p{extension}"]
        return behavior[attempt] if isinstance(behavior, list) else behavior

    return callee


def inbound_answered_by_caller(scene: Scene) -> None:
    scene.direct(
        Caller("+447700900123", "Olivia Bennett"), "+442079460991", Manners(callee=does(p1001=Answers(0.7)), talk=1.2)
    )


def inbound_answered_by_agent(scene: Scene) -> None:
    manners = Manners(callee=does(p1001=Answers(0.7)), talk=1.2, caller_ends=False)
    scene.direct("02079460101", "02079460991", manners)


def gives_up(scene: Scene) -> None:
    scene.direct("+447700900126", "+442079460991", Manners(callee=does(p1001=Ignores()), patience=1.5))


def no_answer(scene: Scene) -> None:
    scene.direct("+447700900124", "+442079460991", Manners(callee=does(p1001=Ignores())))


def busy(scene: Scene) -> None:
    scene.direct("02079460102", "02079460991", Manners(callee=does(p1001=Refuses("busy"))))


def rejected(scene: Scene) -> None:
    scene.direct("+447700900125", "+442079460991", Manners(callee=does(p1001=Refuses("rejected", 1.0))))


def anonymous(scene: Scene) -> None:
    scene.direct(ANONYMOUS, "02079460991", Manners(callee=does(p1001=Answers(0.5)), talk=1))


def unicode_name(scene: Scene) -> None:
    who = Caller("+447700900127", "Zoë Müller-Nuñez 王小明")
    scene.direct(who, "+442079460991", Manners(callee=does(p1001=Answers(0.5)), talk=1))


def unknown_number(scene: Scene) -> None:
    scene.direct("+447700900168", "+442079460000", Manners())


def hold(scene: Scene) -> None:
    manners = Manners(callee=does(p1001=Answers(0.5)), talk=3.5, caller_ends=False, holds=((1.0, 1.5),))
    scene.direct("+447700900129", "+442079460991", manners)


def internal_call(behavior: Callee) -> Callable[[Scene], None]:
    def play(scene: Scene) -> None:
        manners = Manners(callee=does(p1002=behavior), talk=1)
        scene.virtual.schedule.place(internal(scene.pbx, "1001", "1002", manners))

    return play


def outbound_call(behavior: Callee, patience: float | None = None) -> Callable[[Scene], None]:
    return lambda scene: scene.out(behavior, Manners(talk=1.2, patience=patience))


def ringall_three(scene: Scene) -> None:
    behaviors = does(p1001=Ignores(), p1002=Answers(1.2), p1003=Ignores())
    scene.queue("02079460104", "02079460993", Manners(callee=behaviors, talk=1, caller_ends=False))


def ringall_one(scene: Scene) -> None:
    scene.queue("+447700900131", "+442079460996", Manners(callee=does(p1008=Answers(1.0)), talk=0.7))


def ringall_abandoned(scene: Scene) -> None:
    behaviors = does(p1001=Ignores(), p1002=Ignores(), p1003=Ignores())
    scene.queue("+447700900138", "+442079460993", Manners(callee=behaviors, patience=1.5))


def linear(scene: Scene) -> None:
    manners = Manners(callee=does(p1004=Ignores(), p1005=Answers(0.8)), talk=1, caller_ends=False)
    scene.queue("+447700900132", "+442079460994", manners)


def leastrecent(scene: Scene) -> None:
    manners = Manners(callee=does(p1006=Answers(0.6), p1007=Answers(0.6)), talk=1, caller_ends=False)
    scene.queue("+447700900133", "02079460995", manners)
    scene.queue("+447700900134", "02079460995", msgspec.structs.replace(manners, caller_ends=True), after=1.8)


def no_answer_and_again(scene: Scene) -> None:
    manners = Manners(callee=does(p1008=[Ignores(), Answers(0.8)]), talk=1, caller_ends=False)
    scene.queue("+447700900135", "+442079460996", manners)


def abandoned_ringing(scene: Scene) -> None:
    scene.queue("+447700900136", "+442079460996", Manners(callee=does(p1008=Ignores()), patience=1.5))


def nobody_free(scene: Scene) -> None:
    first = Manners(callee=does(p1008=Answers(0.5)), talk=4, caller_ends=False)
    scene.queue("+447700900137", "+442079460996", first)
    scene.queue("02079460105", "02079460996", Manners(callee=does(p1008=Ignores()), patience=1.5), after=1.12)


def timed_out(scene: Scene) -> None:
    scene.queue("+447700900139", "+442079460996", Manners(callee=does(p1008=Ignores())))


def join_empty(scene: Scene) -> None:
    scene.queue("+447700900140", "+442079460996", Manners())


def member_busy(scene: Scene) -> None:
    manners = Manners(callee=does(p1004=Refuses("busy"), p1005=Answers(0.8)), talk=2.2)
    scene.queue("02079460106", "02079460994", manners)


def member_rejects(scene: Scene) -> None:
    behaviors = does(p1004=Refuses("rejected", 1.0), p1005=Answers(0.8))
    scene.queue("+447700900141", "+442079460994", Manners(callee=behaviors, talk=1, caller_ends=False))


def redirected(scene: Scene) -> None:
    scene.direct(
        "+447700900157", "+442079460991", Manners(callee=does(p1001=Answers(0.5), p1002=Answers(0.8)), talk=1.87)
    )
    scene.virtual.schedule.place(_redirects(scene), 1.32)


def _redirects(scene: Scene) -> Flow:
    scene.virtual.schedule.signal(Signal("redirect", "PJSIP/trunk-00000000", "1002"))
    yield 0


def handed_on(scene: Scene) -> None:
    scene.direct(
        "+447700900153", "+442079460991", Manners(callee=does(p1001=Answers(0.5), p1002=Answers(0.8)), talk=1.87)
    )
    scene.virtual.schedule.place(_hands_on(scene), 1.32)


def _hands_on(scene: Scene) -> Flow:
    caller, agent = scene.pbx.channels["PJSIP/trunk-00000000"], scene.pbx.channels["PJSIP/1001-00000001"]
    scene.pbx.hands_on(agent, caller, "1002")
    scene.virtual.schedule.signal(Signal("redirect", caller.name, "1002"))
    yield 0


CASES: dict[str, tuple[Callable[[Scene], None], str, float]] = {
    "inbound-direct-answered-caller-hangs-up": (inbound_answered_by_caller, "1001", 8),
    "inbound-direct-answered-agent-hangs-up": (inbound_answered_by_agent, "1001", 8),
    "inbound-direct-caller-gives-up": (gives_up, "1001", 8),
    "inbound-direct-no-answer": (no_answer, "1001", 8),
    "inbound-direct-busy": (busy, "1001", 8),
    "inbound-direct-rejected": (rejected, "1001", 8),
    "inbound-anonymous": (anonymous, "1001", 8),
    "inbound-unicode-name": (unicode_name, "1001", 8),
    "hold-and-resume": (hold, "1001", 8),
    "internal-answered": (internal_call(Answers(0.8)), "1001 1002", 8),
    "internal-no-answer": (internal_call(Ignores()), "1001 1002", 8),
    "internal-busy": (internal_call(Refuses("busy")), "1001 1002", 8),
    "outbound-answered": (outbound_call(Answers(0.8)), "1001", 8),
    "outbound-busy": (outbound_call(Refuses("busy", 0.5)), "1001", 8),
    "outbound-canceled": (outbound_call(Ignores(), patience=1.5), "1001", 8),
    "outbound-failed": (outbound_call(Refuses("failed")), "1001", 8),
    "outbound-no-answer": (outbound_call(Ignores()), "1001", 8),
    "click-to-dial-answered": (lambda scene: scene.click(Answers(0.6), Answers(0.8)), "1001", 8),
    "click-to-dial-agent-no-answer": (lambda scene: scene.click(Ignores(), Ignores()), "1001", 8),
    "click-to-dial-customer-busy": (lambda scene: scene.click(Answers(0.6), Refuses("busy", 0.5)), "1001", 8),
    "click-to-dial-agent-rejects": (lambda scene: scene.click(Refuses("rejected", 1.0), Ignores()), "1001", 8),
    "click-to-dial-agent-unregistered": (lambda scene: scene.click(Ignores(), Ignores()), "", 8),
    "click-to-dial-customer-no-answer": (lambda scene: scene.click(Answers(0.6), Ignores(), 2.0), "1001", 8),
    "inbound-unknown-number": (unknown_number, "1001", 8),
    "queue-ringall-three-members": (ringall_three, "1001 1002 1003", 8),
    "queue-ringall-one-member": (ringall_one, "1008", 8),
    "queue-ringall-abandoned": (ringall_abandoned, "1001 1002 1003", 8),
    "queue-linear-second-member-answers": (linear, "1004 1005", 8),
    "queue-leastrecent": (leastrecent, "1006 1007", 8),
    "queue-ring-no-answer-and-again": (no_answer_and_again, "1008", 20),
    "queue-abandoned-while-ringing": (abandoned_ringing, "1008", 8),
    "queue-abandoned-no-member-free": (nobody_free, "1008", 20),
    "queue-timeout": (timed_out, "1008", 5),
    "queue-join-empty": (join_empty, "", 8),
    "queue-member-busy": (member_busy, "1004 1005", 8),
    "redirect": (redirected, "1001 1002", 8),
    "ami-blind-transfer": (handed_on, "1001 1002", 8),
    "queue-member-rejects": (member_rejects, "1004 1005", 8),
}


@pytest.mark.parametrize("case", CASES)
def test_the_simulator_says_what_a_real_asterisk_said(case: str) -> None:
    play, phones, wait_s = CASES[case]
    scene = Scene(phones, wait_s)
    play(scene)
    simulated = moments(scene.blocks())
    recorded = moments(record.read(REPLAY / case / "filtered.ami"))
    assert [sorted(moment) for moment in simulated] == [sorted(moment) for moment in recorded]
    for number, (one, other) in enumerate(zip(simulated, recorded, strict=True)):
        for name in one:
            assert one[name] == other[name], f"moment {number}, {name}"
    assert not scene.pbx.channels
    assert not scene.pbx.bridges
    assert not any(queue.waiting or queue.joined for queue in scene.pbx.queues.values())
    assert {scene.pbx.status(phone) for phone in scene.pbx.registered} <= {1}


def facts(call: Call) -> dict[str, object]:
    """What a call comes to, without its ids and times."""
    return {
        "status": call.status,
        "direction": call.direction,
        "caller": (call.caller.number, call.caller.name, call.caller.kind),
        "callee": (call.callee.number, call.callee.kind),
        "did": call.did,
        "visits": [(visit.queue, visit.exit, visit.position) for visit in call.queue_visits],
        "offers": sorted((offer.interface, offer.queue, offer.result) for offer in call.offers),
        "connections": [connection.interface for connection in call.connections],
        "holds": len(call.holds),
        "hung up": (call.hangup_by, call.hangup_cause),
        "complete": call.complete,
    }


@pytest.mark.parametrize("case", CASES)
def test_the_tracker_makes_the_same_of_both(case: str) -> None:
    play, phones, wait_s = CASES[case]
    scene = Scene(phones, wait_s)
    play(scene)
    simulated = calls_of(parsed(scene.blocks()))
    recorded = calls_of(parsed(list(record.read(REPLAY / case / "filtered.ami"))))
    assert [facts(call) for call in simulated] == [facts(call) for call in recorded]
    assert simulated or case == "click-to-dial-agent-unregistered"
