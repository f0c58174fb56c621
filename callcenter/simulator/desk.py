"""What the simulated PBX answers to the actions that look at calls or change them. Pure.

The answers, their headers and their order are those of a real Asterisk 22.10, as it gave them over AMI.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from callcenter.simulator.channels import Channel, Headers, Member, Queue
from callcenter.simulator.flows import Order
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Signal

VERSION = "22.10.1"

Request = Mapping[str, str]
"""Headers of an action, by name in lower case."""

Answer = Iterator[Headers]
"""Blocks of headers: the answer, then the events of its list."""

_CALLER_ID = re.compile(r'\s*(?:"?(?P<name>[^"<]*?)"?\s*<(?P<number>[^>]*)>|(?P<only>[^<]*))\s*$')
_INTERFACE = re.compile(r"PJSIP/(\w+)$")


class Desk:
    """Does actions. `signal` reaches the flow that plays a channel, `dial` begins a click-to-dial."""

    def __init__(self, pbx: Pbx, signal: Callable[[Signal], bool], dial: Callable[[Order], None]) -> None:
        self.pbx = pbx
        self._signal = signal
        self._dial = dial
        self.actions: dict[str, tuple[tuple[str, ...], Callable[[Request], Answer]]] = {
            "BridgeList": ((), self._bridge_list),
            "CoreSettings": (("system", "reporting"), self._core_settings),
            "CoreShowChannels": (("system", "reporting"), self._core_show_channels),
            "CoreStatus": (("system", "reporting"), self._core_status),
            "Getvar": (("call", "reporting"), self._getvar),
            "Hangup": (("system", "call"), self._hangup),
            "Originate": (("originate",), self._originate),
            "QueueAdd": (("agent",), self._queue_add),
            "QueuePause": (("agent",), self._queue_pause),
            "QueueRemove": (("agent",), self._queue_remove),
            "QueueStatus": ((), self._queue_status),
            "QueueSummary": ((), self._queue_summary),
            "Redirect": (("call",), self._redirect),
            "Setvar": (("call",), self._setvar),
            "Status": (("system", "call", "reporting"), self._status),
        }
        """Name → rights of which one is needed, and what does it."""

    def _core_status(self, request: Request) -> Answer:
        booted = datetime.fromtimestamp(self.pbx.booted_at, UTC)
        day, time = f"{booted:%Y-%m-%d}", f"{booted:%H:%M:%S}"
        yield _good(
            request,
            ("CoreStartupDate", day),
            ("CoreStartupTime", time),
            ("CoreReloadDate", day),
            ("CoreReloadTime", time),
            ("CoreCurrentCalls", str(len({channel.linkedid for channel in self.pbx.channels.values()}))),
            ("CoreProcessedCalls", str(self.pbx.processed)),
        )

    def _core_settings(self, request: Request) -> Answer:
        yield _good(
            request,
            ("AMIversion", "11.0.0"),
            ("AsteriskVersion", VERSION),
            ("SystemName", ""),
            ("CoreMaxCalls", "0"),
            ("CoreMaxLoadAvg", "0.000000"),
            ("CoreRunUser", ""),
            ("CoreRunGroup", ""),
            ("CoreMaxFilehandles", "0"),
            ("CoreRealTimeEnabled", "No"),
            ("CoreCDRenabled", "Yes"),
            ("CoreHTTPenabled", "No"),
            ("SoundsSearchCustomDir", "No"),
        )

    def _core_show_channels(self, request: Request) -> Answer:
        rows = [
            [
                ("Event", "CoreShowChannel"),
                *_action_id(request),
                *channel.headers(),
                ("Application", channel.application),
                ("ApplicationData", channel.data),
                ("Duration", _duration(self.pbx.now() - channel.born)),
                ("BridgeId", channel.bridge.uniqueid if channel.bridge else ""),
            ]
            for channel in self.pbx.channels.values()
        ]
        yield from _listed(request, "Channels will follow", "CoreShowChannelsComplete", rows)

    def _status(self, request: Request) -> Answer:
        wanted = request.get("channel")
        if wanted and wanted not in self.pbx.channels:
            yield _bad(request, "No such channel")
            return
        rows = [
            [
                ("Event", "Status"),
                ("Privilege", "Call"),
                *channel.headers(),
                ("Type", "PJSIP"),
                ("BridgeID", channel.bridge.uniqueid if channel.bridge else ""),
                ("Application", channel.application),
                ("Data", channel.data),
                ("Seconds", str(int(self.pbx.now() - channel.born))),
                *_action_id(request),
            ]
            for channel in self.pbx.channels.values()
            if not wanted or channel.name == wanted
        ]
        yield from _listed(request, "Channel status will follow", "StatusComplete", rows)

    def _bridge_list(self, request: Request) -> Answer:
        rows = [
            [("Event", "BridgeListItem"), *_action_id(request), *bridge.headers()]
            for bridge in self.pbx.bridges.values()
        ]
        yield from _listed(request, "Bridge listing will follow", "BridgeListComplete", rows)

    def _queue_status(self, request: Request) -> Answer:
        rows = []
        for queue in self._queues(request):
            wanted = request.get("member")
            rows.append([("Event", "QueueParams"), *self._queue_params(queue), *_action_id(request)])
            rows += [
                self._queue_member(queue, member, request)
                for member in queue.members
                if not wanted or member.interface == wanted
            ]
            rows += [self._queue_entry(queue, channel, request) for channel in queue.waiting]
        yield from _listed(request, "Queue status will follow", "QueueStatusComplete", rows)

    def _queue_params(self, queue: Queue) -> Headers:
        return [
            ("Queue", queue.plan.name),
            ("Max", "0"),
            ("Strategy", queue.plan.strategy.value),
            ("Calls", str(len(queue.waiting))),
            ("Holdtime", "0"),
            ("TalkTime", "0"),
            ("Completed", str(queue.completed)),
            ("Abandoned", str(queue.abandoned)),
            ("ServiceLevel", "20"),
            ("ServicelevelPerf", "0.0"),
            ("ServicelevelPerf2", "0.0"),
            ("Weight", "0"),
        ]

    def _queue_member(self, queue: Queue, member: Member, request: Request) -> Headers:
        head = [
            ("Event", "QueueMember"),
            ("Queue", queue.plan.name),
            ("Name", member.name),
            ("Location", member.interface),
        ]
        counters = member.counters(self.pbx.status(member.extension))
        return [*head, *counters, ("Wrapuptime", "0"), *_action_id(request)]

    def _queue_entry(self, queue: Queue, channel: Channel, request: Request) -> Headers:
        return [
            ("Event", "QueueEntry"),
            ("Queue", queue.plan.name),
            ("Position", str(queue.waiting.index(channel) + 1)),
            ("Channel", channel.name),
            ("Uniqueid", channel.uniqueid),
            ("CallerIDNum", channel.number or "unknown"),
            ("CallerIDName", channel.shown_name or "unknown"),
            ("ConnectedLineNum", channel.connected_number or "unknown"),
            ("ConnectedLineName", channel.connected_name or "unknown"),
            ("Wait", str(self.pbx.waited(channel, queue))),
            ("Priority", "0"),
            *_action_id(request),
        ]

    def _queue_summary(self, request: Request) -> Answer:
        rows = []
        for queue in self._queues(request):
            states = [self.pbx.status(member.extension) for member in queue.members if not member.paused]
            waits = [self.pbx.waited(channel, queue) for channel in queue.waiting]
            counts: Headers = [
                ("Event", "QueueSummary"),
                ("Queue", queue.plan.name),
                ("LoggedIn", str(sum(state != 5 for state in states))),
                ("Available", str(states.count(1))),
                ("Callers", str(len(queue.waiting))),
                ("HoldTime", "0"),
                ("TalkTime", "0"),
                ("LongestHoldTime", str(max(waits, default=0))),
                *_action_id(request),
            ]
            rows.append(counts)
        yield from _listed(request, "Queue summary will follow", "QueueSummaryComplete", rows)

    def _queues(self, request: Request) -> list[Queue]:
        wanted = request.get("queue")
        return [queue for queue in self.pbx.queues.values() if not wanted or queue.plan.name == wanted]

    def _queue_pause(self, request: Request) -> Answer:
        if not request.get("interface") or not request.get("paused"):
            yield _bad(request, "Need 'Interface' and 'Paused' parameters.")
            return
        paused = request["paused"].lower() in ("true", "yes", "1", "on")
        changed = [
            (queue, member)
            for queue in self._queues(request)
            for member in queue.members
            if member.interface == request["interface"]
        ]
        if not changed:
            yield _bad(request, "Interface not found")
            return
        for queue, member in changed:
            member.paused = paused
            member.reason = request.get("reason", "") if paused else ""
            if paused:
                member.last_pause = int(self.pbx.now())
            self.pbx.say_member("QueueMemberPause", queue, member)
        yield _good(request, ("Message", f"Interface {'paused' if paused else 'unpaused'} successfully"))

    def _queue_add(self, request: Request) -> Answer:
        queue = self.pbx.queues.get(request.get("queue", ""))
        found = _INTERFACE.match(request.get("interface", ""))
        if queue is None or found is None:
            yield _bad(request, "Unable to add interface to queue: No such queue")
            return
        extension = found[1]
        if any(member.extension == extension for member in queue.members):
            yield _bad(request, "Unable to add interface: Already there")
            return
        name = request.get("membername") or request["interface"]
        member = Member(extension, name, self.pbx.now(), "dynamic")
        member.paused = request.get("paused", "").lower() in ("true", "yes", "1", "on")
        queue.members.append(member)
        self.pbx.say_member("QueueMemberAdded", queue, member)
        yield _good(request, ("Message", "Added interface to queue"))

    def _queue_remove(self, request: Request) -> Answer:
        queue = self.pbx.queues.get(request.get("queue", ""))
        for member in queue.members if queue else ():
            if queue and member.interface == request.get("interface"):
                queue.members.remove(member)
                self.pbx.say_member("QueueMemberRemoved", queue, member)
                yield _good(request, ("Message", "Removed interface from queue"))
                return
        yield _bad(request, "Unable to remove interface: Not there")

    def _hangup(self, request: Request) -> Answer:
        if self._signal(Signal("hangup", request.get("channel", ""))):
            yield _good(request, ("Message", "Channel Hungup"))
        else:
            yield _bad(request, "No such channel")

    def _redirect(self, request: Request) -> Answer:
        name, exten = request.get("channel", ""), request.get("exten", "")
        channel = self.pbx.channels.get(name)
        if channel is None:
            yield _bad(request, f"Channel does not exist: {name}")
        elif channel.bridge is None:
            yield _bad(request, "Redirect failed")
        else:
            self._signal(Signal("redirect", name, exten))
            yield _good(request, ("Message", "Redirect successful"))

    def _getvar(self, request: Request) -> Answer:
        channel = self.pbx.channels.get(request.get("channel", ""))
        if channel is None:
            yield _bad(request, "No such channel")
            return
        variable = request.get("variable", "")
        yield _good(request, ("Variable", variable), ("Value", channel.variables.get(variable, "")))

    def _setvar(self, request: Request) -> Answer:
        channel = self.pbx.channels.get(request.get("channel", ""))
        if channel is None:
            yield _bad(request, "No such channel")
            return
        self.pbx.sets(channel, request.get("variable", ""), request.get("value", ""))
        yield _good(request, ("Message", "Variable Set"))

    def _originate(self, request: Request) -> Answer:
        channel, exten = request.get("channel", ""), request.get("exten", "")
        if not channel:
            yield _bad(request, "Channel not specified")
            return
        if exten and not (request.get("context") and request.get("priority")):
            yield _bad(request, "Originate with 'Exten' requires 'Context' and 'Priority'")
            return
        if request.get("channelid") in {item.uniqueid for item in self.pbx.channels.values()}:
            yield _bad(request, "Unique ID already exists")
            return
        shown = _CALLER_ID.match(request.get("callerid", ""))
        self._dial(
            Order(
                action_id=request.get("actionid", ""),
                channel=channel,
                context=request.get("context", ""),
                exten=exten,
                number=(shown and (shown["number"] or shown["only"])) or None,
                name=(shown and shown["name"]) or None,
                timeout=timedelta(milliseconds=int(_digits(request.get("timeout", "")) or 30_000)),
                channel_id=request.get("channelid"),
                variables=tuple(_variables(request.get("variable", ""))),
            )
        )
        yield _good(request, ("Message", "Originate successfully queued"))


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdecimal() else ""


def _variables(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals:
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            yield name, value


def _duration(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}"


def _action_id(request: Request) -> Headers:
    return [("ActionID", request["actionid"])] if "actionid" in request else []


def _good(request: Request, *headers: tuple[str, str]) -> Headers:
    return [("Response", "Success"), *_action_id(request), *headers]


def _bad(request: Request, message: str) -> Headers:
    return [("Response", "Error"), *_action_id(request), ("Message", message)]


def _listed(request: Request, message: str, complete: str, rows: list[Headers]) -> Answer:
    yield _good(request, ("EventList", "start"), ("Message", message))
    yield from rows
    end = [("EventList", "Complete"), ("ListItems", str(len(rows)))]
    yield [("Event", complete), *_action_id(request), *end]
