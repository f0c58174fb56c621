"""What the simulated PBX answers to the actions that look at calls or change them. Pure.

The answers, their headers and their order are those of a real Asterisk 22.10, as it gave them over AMI.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from callcenter.simulator.answers import Actions, Answer, Request, action_id, bad, good, listed
from callcenter.simulator.flows import Order
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Signal
from callcenter.simulator.queue_desk import QueueDesk

VERSION = "22.10.1"

_CALLER_ID = re.compile(r'\s*(?:"?(?P<name>[^"<]*?)"?\s*<(?P<number>[^>]*)>|(?P<only>[^<]*))\s*$')


class Desk:
    """Does actions. `signal` reaches the flow that plays a channel, `dial` begins a click-to-dial."""

    def __init__(self, pbx: Pbx, signal: Callable[[Signal], bool], dial: Callable[[Order], None]) -> None:
        self.pbx = pbx
        self._signal = signal
        self._dial = dial
        self.actions: Actions = {
            **QueueDesk(pbx).actions,
            "BridgeList": ((), self._bridge_list),
            "CoreSettings": (("system", "reporting"), self._core_settings),
            "CoreShowChannels": (("system", "reporting"), self._core_show_channels),
            "CoreStatus": (("system", "reporting"), self._core_status),
            "Getvar": (("call", "reporting"), self._getvar),
            "Hangup": (("system", "call"), self._hangup),
            "Originate": (("originate",), self._originate),
            "BlindTransfer": (("call",), self._blind_transfer),
            "Redirect": (("call",), self._redirect),
            "Setvar": (("call",), self._setvar),
            "Status": (("system", "call", "reporting"), self._status),
        }

    def _core_status(self, request: Request) -> Answer:
        booted = datetime.fromtimestamp(self.pbx.booted_at, UTC)
        day, time = f"{booted:%Y-%m-%d}", f"{booted:%H:%M:%S}"
        yield good(
            request,
            ("CoreStartupDate", day),
            ("CoreStartupTime", time),
            ("CoreReloadDate", day),
            ("CoreReloadTime", time),
            ("CoreCurrentCalls", str(len({channel.linkedid for channel in self.pbx.channels.values()}))),
            ("CoreProcessedCalls", str(self.pbx.processed)),
        )

    def _core_settings(self, request: Request) -> Answer:
        yield good(
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
                *action_id(request),
                *channel.headers(),
                ("Application", channel.application),
                ("ApplicationData", channel.data),
                ("Duration", _duration(self.pbx.now() - channel.born)),
                ("BridgeId", channel.bridge.uniqueid if channel.bridge else ""),
            ]
            for channel in self.pbx.channels.values()
        ]
        yield from listed(request, "Channels will follow", "CoreShowChannelsComplete", rows)

    def _status(self, request: Request) -> Answer:
        wanted = request.get("channel")
        if wanted and wanted not in self.pbx.channels:
            yield bad(request, "No such channel")
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
                *action_id(request),
            ]
            for channel in self.pbx.channels.values()
            if not wanted or channel.name == wanted
        ]
        yield from listed(request, "Channel status will follow", "StatusComplete", rows)

    def _bridge_list(self, request: Request) -> Answer:
        rows = [
            [("Event", "BridgeListItem"), *action_id(request), *bridge.headers()]
            for bridge in self.pbx.bridges.values()
        ]
        yield from listed(request, "Bridge listing will follow", "BridgeListComplete", rows)

    def _hangup(self, request: Request) -> Answer:
        if self._signal(Signal("hangup", request.get("channel", ""))):
            yield good(request, ("Message", "Channel Hungup"))
        else:
            yield bad(request, "No such channel")

    def _redirect(self, request: Request) -> Answer:
        name, exten = request.get("channel", ""), request.get("exten", "")
        channel = self.pbx.channels.get(name)
        if channel is None:
            yield bad(request, f"Channel does not exist: {name}")
        elif channel.bridge is None:
            yield bad(request, "Redirect failed")
        else:
            self._signal(Signal("redirect", name, exten))
            yield good(request, ("Message", "Redirect successful"))

    def _blind_transfer(self, request: Request) -> Answer:
        channel = self.pbx.channels.get(request.get("channel", ""))
        if channel is None or channel.bridge is None:
            yield bad(request, "No such channel" if channel is None else "Transfer failed")
            return
        other = next(one for one in channel.bridge.channels if one is not channel)
        if other.uniqueid != other.linkedid:
            # Only whoever called can be handed on here: the flows begin with them.
            yield bad(request, "Transfer failed")
            return
        exten = request.get("exten", "")
        self.pbx.hands_on(channel, other, exten)
        self._signal(Signal("redirect", other.name, exten))
        yield good(request, ("Message", "Transfer succeeded"))

    def _getvar(self, request: Request) -> Answer:
        if not request.get("channel"):
            variable = request.get("variable", "")
            yield good(request, ("Variable", variable), ("Value", self.pbx.functions.get(variable, "")))
            return
        channel = self.pbx.channels.get(request.get("channel", ""))
        if channel is None:
            yield bad(request, "No such channel")
            return
        variable = request.get("variable", "")
        yield good(request, ("Variable", variable), ("Value", channel.variables.get(variable, "")))

    def _setvar(self, request: Request) -> Answer:
        channel = self.pbx.channels.get(request.get("channel", ""))
        if channel is None:
            yield bad(request, "No such channel")
            return
        self.pbx.sets(channel, request.get("variable", ""), request.get("value", ""))
        yield good(request, ("Message", "Variable Set"))

    def _originate(self, request: Request) -> Answer:
        channel, exten = request.get("channel", ""), request.get("exten", "")
        if not channel:
            yield bad(request, "Channel not specified")
            return
        if exten and not (request.get("context") and request.get("priority")):
            yield bad(request, "Originate with 'Exten' requires 'Context' and 'Priority'")
            return
        if request.get("channelid") in {item.uniqueid for item in self.pbx.channels.values()}:
            yield bad(request, "Unique ID already exists")
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
        yield good(request, ("Message", "Originate successfully queued"))


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
