"""What the simulated PBX knows, and the only place that changes it: each change says its event. Pure.
 Names, headers and their order are those of Asterisk 22, read off the traces in `tests/replay`. Time and
randomness are handed in, and events are handed out as raw AMI blocks with the class of right that is needed
to see them.
"""

import itertools
from collections.abc import Callable
from random import Random
from uuid import UUID

from callcenter.simulator.channels import CAUSES, Bridge, Channel, Headers, Member, Queue
from callcenter.simulator.company import Company
from callcenter.simulator.functions import SAMPLE_FUNCTIONS

Emit = Callable[[bytes, str], None]
"""Takes a raw block (without its empty line) and its class: system, call, agent or dialplan."""

_TICK = 0.00005
"""Seconds between two events of one moment."""


class Pbx:
    """The state of one simulated Asterisk. `clock` returns seconds since 1970."""

    def __init__(self, company: Company, clock: Callable[[], float], emit: Emit, random: Random) -> None:
        self.company = company
        self.random = random
        self.booted_at = clock()
        self.processed = 0
        self.channels: dict[str, Channel] = {}
        """By name, in the order of their birth."""
        self.bridges: dict[str, Bridge] = {}
        self.queues: dict[str, Queue] = {}
        self.registered: set[str] = set(company.phones)
        """Extensions whose phone is on."""
        self.functions: dict[str, str] = dict(SAMPLE_FUNCTIONS)
        """What dialplan functions that read the configuration say."""
        self.owner: object = None
        """The flow that acts now; it owns the channels it makes."""
        self._busy: dict[str, int] = {}
        self._clock = clock
        self._emit = emit
        self._last = 0.0
        self._serials = itertools.count()
        self._ids = itertools.count()
        for plan in company.queues:
            queue = Queue(plan)
            queue.members = [Member(item, company.phones[item], self.booted_at) for item in plan.members]
            self.queues[plan.name] = queue

    def now(self) -> float:
        """Return the time, in seconds since 1970."""
        return self._clock()

    def say(self, event: str, right: str, *parts: Headers) -> None:
        """Hand out one event."""
        self._last = max(self._last + _TICK, self.now())
        lines = [f"Event: {event}", f"Privilege: {right},all", f"Timestamp: {self._last:.6f}"]
        lines += [f"{key}: {value}" for part in parts for key, value in part]
        self._emit("\r\n".join(lines).encode(), right)

    # Channels

    def channel(
        self,
        device: str,
        state: int,
        number: str | None,
        name: str | None,
        place: tuple[str, str],
        linked_to: Channel | None = None,
        uniqueid: str | None = None,
    ) -> Channel:
        """Make a channel and say so."""
        born = self.now()
        own = uniqueid or f"{int(born)}.{next(self._ids)}"
        channel = Channel(f"{device}-{next(self._serials):08x}", own, linked_to.linkedid if linked_to else own, born)
        channel.state = state
        channel.number, channel.shown_name = number, name
        channel.place(*place, 1)
        channel.owner = self.owner
        self.channels[channel.name] = channel
        self.say("Newchannel", "call", channel.headers())
        return channel

    def phone_channel(self, extension: str, caller: Channel) -> Channel:
        """Make the channel to a phone that is being called."""
        name = self.company.phones[extension]
        channel = self.channel(f"PJSIP/{extension}", 0, extension, name, ("from-internal", "s"), caller)
        channel.exten = caller.exten
        channel.application, channel.data = "AppDial", "(Outgoing Line)"
        return channel

    def state(self, channel: Channel, state: int) -> None:
        """Change a channel's state."""
        channel.state = state
        self.say("Newstate", "call", channel.headers())

    def caller_id(self, channel: Channel, number: str, name: str | None) -> None:
        """Change who a channel is."""
        channel.number, channel.shown_name = number, name
        shown = ("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")
        self.say("NewCallerid", "call", channel.headers(), [shown])

    def connected(self, channel: Channel, number: str | None, name: str | None) -> None:
        """Change whom a channel shows as its other side."""
        channel.connected_number, channel.connected_name = number, name
        self.say("NewConnectedLine", "call", channel.headers())

    def runs(self, channel: Channel, application: str, data: str) -> None:
        """Let a channel run an application of the dialplan."""
        channel.application, channel.data = application, data
        step: Headers = [("Extension", channel.exten), ("Application", application), ("AppData", data)]
        self.say("Newexten", "dialplan", channel.headers(), step)

    def sets(self, channel: Channel, variable: str, value: str) -> None:
        """Set a variable of a channel."""
        channel.variables[variable] = value
        self.say("VarSet", "dialplan", channel.headers(), [("Variable", variable), ("Value", value)])

    def asks_to_hang_up(self, channel: Channel, cause: int | None = None, sip: int | None = None) -> None:
        """Say that a channel's far side ends the call."""
        self.say("HangupRequest", "call", channel.headers(), _cause(cause, sip))

    def lets_go(self, channel: Channel, sip: int | None = None) -> None:
        """Say that the dialplan is done with a channel."""
        self.say("SoftHangupRequest", "call", channel.headers(), _cause(16, sip))

    def hang_up(self, channel: Channel, cause: int, sip: int | None = None) -> None:
        """End a channel."""
        del self.channels[channel.name]
        self.processed += 1
        text: Headers = [("Cause", str(cause)), ("Cause-txt", CAUSES[cause])]
        self.say("Hangup", "call", channel.headers(), text + _cause(None, sip))

    # Dialing and talking

    def dial_begins(self, caller: Channel | None, dialed: Channel, dial_string: str) -> None:
        """Begin to call a channel; no caller where Asterisk itself calls."""
        self.say("DialBegin", "call", *_both(caller, dialed), [("DialString", dial_string)])

    def dial_rings(self, caller: Channel | None, dialed: Channel) -> None:
        """Say that the called phone rings."""
        self.say("DialState", "call", *_both(caller, dialed), [("DialStatus", "RINGING")])

    def dial_ends(self, caller: Channel | None, dialed: Channel, status: str) -> None:
        """Say what came of calling a channel."""
        self.say("DialEnd", "call", *_both(caller, dialed), [("DialStatus", status)])

    def bridge(self, first: Channel, second: Channel) -> Bridge:
        """Let two channels hear each other."""
        bridge = Bridge(str(UUID(int=self.random.getrandbits(128), version=4)))
        self.bridges[bridge.uniqueid] = bridge
        self.say("BridgeCreate", "call", bridge.headers())
        for channel in (first, second):
            bridge.channels.append(channel)
            channel.bridge = bridge
            self.say("BridgeEnter", "call", bridge.headers(), channel.headers())
        bridge.technology = "native_rtp"
        return bridge

    def leaves(self, channel: Channel) -> None:
        """Take a channel out of its bridge, which ends with its last one."""
        bridge = channel.bridge
        if bridge is None:
            return
        bridge.channels.remove(channel)
        channel.bridge = None
        self.say("BridgeLeave", "call", bridge.headers(), channel.headers())
        if not bridge.channels:
            del self.bridges[bridge.uniqueid]
            self.say("BridgeDestroy", "call", bridge.headers())

    def holds(self, channel: Channel, other: Channel) -> None:
        """Let a phone put its other side on hold."""
        self.say("Hold", "call", channel.headers(), [("MusicClass", "default")])
        self.music(other, True)

    def hands_on(self, channel: Channel, other: Channel, exten: str) -> None:
        """Let a channel hand its other side on to an extension, and leave; the other one's flow goes on there."""
        assert channel.bridge is not None
        # Asterisk says so first, of a call that nobody held.
        self.say("Unhold", "call", channel.headers())
        self.say(
            "BlindTransfer",
            "call",
            [("Result", "Success")],
            channel.headers("Transferer"),
            other.headers("Transferee"),
            channel.bridge.headers(),
            [("IsExternal", "Yes"), ("Context", "from-internal"), ("Extension", exten)],
        )
        self.leaves(channel)

    def resumes(self, channel: Channel, other: Channel) -> None:
        """Let a phone take its other side off hold."""
        self.say("Unhold", "call", channel.headers())
        self.music(other, False)

    def music(self, channel: Channel, on: bool) -> None:
        """Begin or end music on hold."""
        if on:
            self.say("MusicOnHoldStart", "call", channel.headers(), [("Class", "default")])
        else:
            self.say("MusicOnHoldStop", "call", channel.headers())

    # Queues

    def status(self, extension: str) -> int:
        """Return the state of a phone as queues see it: 1 free, 3 busy, 5 not registered."""
        if extension not in self.registered:
            return 5
        return 3 if self._busy.get(extension) else 1

    def occupy(self, device: str) -> None:
        """Count one more call at a phone; other devices are of no interest."""
        extension = device.removeprefix("PJSIP/")
        if extension not in self.company.phones:
            return
        self._busy[extension] = self._busy.get(extension, 0) + 1
        if self._busy[extension] == 1:
            self.tell_members(extension)

    def release(self, device: str) -> None:
        """Count one call less at a phone."""
        extension = device.removeprefix("PJSIP/")
        if self._busy.get(extension, 0) > 0:
            self._busy[extension] -= 1
            if not self._busy[extension]:
                self.tell_members(extension)

    def tell_members(self, extension: str) -> None:
        """Say the state of a phone in each queue it is a member of."""
        for queue in self.queues.values():
            for member in queue.members:
                if member.extension == extension:
                    self.say_member("QueueMemberStatus", queue, member)

    def say_member(self, event: str, queue: Queue, member: Member) -> None:
        """Say what is known of one member."""
        head: Headers = [("Queue", queue.plan.name), ("MemberName", member.name), ("Interface", member.interface)]
        tail: Headers = [("Ringinuse", "0"), ("Wrapuptime", "0")]
        self.say(event, "agent", head, member.counters(self.status(member.extension)), tail)

    def joins(self, channel: Channel, queue: Queue) -> None:
        """Let a caller wait."""
        queue.waiting.append(channel)
        queue.joined[channel.uniqueid] = self.now()
        place: Headers = [
            ("Queue", queue.plan.name),
            ("Position", str(len(queue.waiting))),
            ("Count", str(len(queue.waiting))),
        ]
        self.say("QueueCallerJoin", "agent", channel.headers(), place)

    def leaves_queue(self, channel: Channel, queue: Queue) -> None:
        """Let a caller wait no longer."""
        position = queue.waiting.index(channel) + 1
        queue.waiting.remove(channel)
        place: Headers = [
            ("Queue", queue.plan.name),
            ("Position", str(position)),
            ("Count", str(len(queue.waiting))),
        ]
        self.say("QueueCallerLeave", "agent", channel.headers(), place)

    def abandons(self, channel: Channel, queue: Queue) -> None:
        """Say that a caller gave up, or that the time was up, which Asterisk tells in the same way."""
        position = str(queue.waiting.index(channel) + 1)
        queue.abandoned += 1
        facts: Headers = [
            ("Queue", queue.plan.name),
            ("Position", position),
            ("OriginalPosition", position),
            ("HoldTime", str(self.waited(channel, queue))),
        ]
        self.say("QueueCallerAbandon", "agent", channel.headers(), facts)

    def waited(self, channel: Channel, queue: Queue) -> int:
        """Return the seconds since a caller joined, as Asterisk counts them: by whole seconds of the clock."""
        return int(self.now()) - int(queue.joined[channel.uniqueid])

    def agent(self, event: str, caller: Channel, called: Channel, queue: Queue, member: Member, facts: Headers) -> None:
        """Say something about a member and a caller: AgentCalled, AgentConnect, AgentComplete,
        AgentRingNoAnswer.
        """
        who: Headers = [
            ("Queue", queue.plan.name),
            ("Interface", member.interface),
            ("MemberName", member.name),
        ]
        self.say(event, "agent", *_both(caller, called), who, facts)


def _both(caller: Channel | None, dialed: Channel) -> tuple[Headers, Headers]:
    return (caller.headers() if caller else [], dialed.headers("Dest"))


def _cause(cause: int | None, sip: int | None) -> Headers:
    headers: Headers = []
    if cause is not None:
        headers.append(("Cause", str(cause)))
    if sip is not None:
        headers.append(("TechCause", str(sip)))
    return headers
