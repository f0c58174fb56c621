"""From a raw AMI block to an event value.

The name is looked at before anything is decoded, so that the many events nobody uses cost almost nothing, and only
the headers that the event's value needs are looked for: most have twenty or forty, of which four are used. What is
malformed raises `ProtocolError`, and the caller drops that one block.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from callcenter import events as ev
from callcenter.errors import ProtocolError

UNKNOWN: Final = frozenset({"", "<unknown>", "<none>", "(null)"})
"""What Asterisk writes where it has nothing to say."""

APPLICATIONS: Final = frozenset({"Queue", "VoiceMail", "Dial", "ConfBridge", "AppDial", "AppQueue"})
"""Applications of the dialplan that tell what a caller is with; others are not looked at.

The last three are what a leg of a conversation runs: such a leg comes to an extension only where it is redirected.
"""

VARIABLES: Final = frozenset({"QUEUESTATUS"})
"""Channel variables that tell what no event tells."""

SELECTIVE: Final[Mapping[bytes, tuple[str, frozenset[str]]]] = {
    b"Newexten": ("Application", APPLICATIONS),
    b"VarSet": ("Variable", VARIABLES),
}
"""Events that come by the dozen for each call: the header that tells whether one is of use, and its useful values."""

LARGEST: Final = 2**31 - 1
LONGEST_REASON: Final = 120

_FROM_TIMESTAMP: Final = datetime.fromtimestamp


class _Marks(dict[str, str]):
    """Header name → what stands before its value; made once for each name that a builder asks for."""

    def __missing__(self, name: str) -> str:
        mark = self[name] = f"\r\n{name}: "
        return mark


_MARKS: Final = _Marks()


class Fields:
    """The headers of a block but for its first, found when they are asked for. Of one that comes twice the first
    counts.
    """

    __slots__ = ("_text",)

    def __init__(self, block: bytes) -> None:
        self._text = block.decode("utf-8", "replace")

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str) -> str | None:
        """A header's value, or None where there is no such header."""
        text, mark = self._text, _MARKS[name]
        at = text.find(mark)
        if at < 0:
            return None
        at += len(mark)
        end = text.find("\r\n", at)
        return text[at:end] if end >= 0 else text[at:]


Builder = Callable[[Fields, datetime], ev.Event | None]


def event(block: bytes, arrived: datetime) -> ev.Event | None:
    """The event that a raw block holds, or None if it is a response or one that is not used.

    Args:
        block: header lines joined by CR LF, without the blank line that ends them.
        arrived: when it was read; the event's time where Asterisk sends no `Timestamp`.

    Raises:
        ProtocolError: a header that the event needs is missing or is no number.
    """
    if block[:7] != b"Event: ":
        # Asterisk begins some messages with an empty line too many.
        block = block.lstrip(b"\r\n")
        if block[:7] != b"Event: ":
            return None
    end = block.find(b"\r\n")
    name = block[7:end] if end > 0 else block[7:]
    builder = BUILDERS.get(name)
    if builder is None:
        return None
    fields = Fields(block)
    selective = SELECTIVE.get(name)
    if selective is not None and fields.get(selective[0]) not in selective[1]:
        return None
    try:
        stamp = fields.get("Timestamp")
        at = arrived if stamp is None else _FROM_TIMESTAMP(float(stamp), UTC)
        return builder(fields, at)
    except (KeyError, ValueError, OverflowError, OSError) as problem:
        # Short: the value that is wrong may be as long as the block, and this goes into the log.
        wrong = str(problem)[:LONGEST_REASON]
        raise ProtocolError(f"{name.decode()}: header {wrong} is missing or wrong") from problem


def text(value: str | None) -> str | None:
    """A header's text, or None where Asterisk has nothing to say."""
    return None if value is None or value in UNKNOWN else value


def number(value: str | None) -> int | None:
    """A header's whole number, or None where it is absent, none, or beyond what Asterisk's own `int` holds."""
    try:
        found = int(value) if value else None
    except ValueError:
        return None
    return found if found is None or -LARGEST <= found <= LARGEST else None


def _newchannel(f: Fields, at: datetime) -> ev.Event:
    return ev.Newchannel(
        at,
        f["Uniqueid"],
        f["Linkedid"],
        f["Channel"],
        int(f["ChannelState"]),
        text(f.get("CallerIDNum")),
        text(f.get("CallerIDName")),
        text(f.get("Context")),
        text(f.get("Exten")),
    )


def _newstate(f: Fields, at: datetime) -> ev.Event:
    return ev.Newstate(at, f["Uniqueid"], int(f["ChannelState"]))


def _new_callerid(f: Fields, at: datetime) -> ev.Event:
    return ev.NewCallerid(at, f["Uniqueid"], text(f.get("CallerIDNum")), text(f.get("CallerIDName")))


def _new_connected_line(f: Fields, at: datetime) -> ev.Event:
    return ev.NewConnectedLine(at, f["Uniqueid"], text(f.get("ConnectedLineNum")), text(f.get("ConnectedLineName")))


def _newexten(f: Fields, at: datetime) -> ev.Event:
    return ev.Newexten(at, f["Uniqueid"], text(f.get("Extension")), f["Application"], text(f.get("AppData")))


def _varset(f: Fields, at: datetime) -> ev.Event | None:
    uniqueid = f.get("Uniqueid")
    # A global variable is no channel's.
    return None if uniqueid is None else ev.VarSet(at, uniqueid, f["Variable"], text(f.get("Value")))


def _hangup_request(f: Fields, at: datetime) -> ev.Event:
    return ev.HangupRequest(at, f["Uniqueid"], number(f.get("Cause")), False)


def _soft_hangup_request(f: Fields, at: datetime) -> ev.Event:
    return ev.HangupRequest(at, f["Uniqueid"], number(f.get("Cause")), True)


def _hangup(f: Fields, at: datetime) -> ev.Event:
    return ev.Hangup(at, f["Uniqueid"], f["Linkedid"], number(f.get("Cause")) or 0)


def _dial_begin(f: Fields, at: datetime) -> ev.Event:
    return ev.DialBegin(
        at,
        f.get("Uniqueid"),
        text(f.get("Exten")),
        f["DestUniqueid"],
        f["DestChannel"],
        text(f.get("DialString")),
    )


def _dial_state(f: Fields, at: datetime) -> ev.Event:
    return ev.DialState(at, f["DestUniqueid"], f["DialStatus"])


def _dial_end(f: Fields, at: datetime) -> ev.Event:
    return ev.DialEnd(at, f.get("Uniqueid"), f["DestUniqueid"], f["DialStatus"], text(f.get("Forward")))


def _bridge_enter(f: Fields, at: datetime) -> ev.Event:
    technology = f.get("BridgeTechnology") or ""
    conference = f.get("BridgeType") == "base"
    return ev.BridgeEnter(at, f["Uniqueid"], f["Linkedid"], f["BridgeUniqueid"], technology, conference)


def _bridge_leave(f: Fields, at: datetime) -> ev.Event:
    return ev.BridgeLeave(at, f["Uniqueid"], f["BridgeUniqueid"])


def _hold(f: Fields, at: datetime) -> ev.Event:
    return ev.Hold(at, f["Uniqueid"])


def _unhold(f: Fields, at: datetime) -> ev.Event:
    return ev.Unhold(at, f["Uniqueid"])


def _local_bridge(f: Fields, at: datetime) -> ev.Event:
    return ev.LocalBridge(at, f["LocalOneUniqueid"], f["LocalTwoUniqueid"])


def _pickup(f: Fields, at: datetime) -> ev.Event:
    return ev.Pickup(at, f["Uniqueid"], f["TargetUniqueid"])


def _blind_transfer(f: Fields, at: datetime) -> ev.Event | None:
    if f["Result"] != "Success":
        return None
    return ev.BlindTransfer(at, f["TransfererUniqueid"], f["Extension"])


def _attended_transfer(f: Fields, at: datetime) -> ev.Event | None:
    if f["Result"] != "Success":
        return None
    return ev.AttendedTransfer(
        at,
        f["OrigTransfererUniqueid"],
        f["SecondTransfererUniqueid"],
        text(f.get("SecondTransfererExten")),
        text(f.get("TransferTargetUniqueid")),
        number(f.get("TransferTargetChannelState")),
        text(f.get("TransferTargetExten")),
    )


def _queue_caller_join(f: Fields, at: datetime) -> ev.Event:
    return ev.QueueCallerJoin(at, f["Uniqueid"], f["Queue"], number(f.get("Position")))


def _queue_caller_leave(f: Fields, at: datetime) -> ev.Event:
    return ev.QueueCallerLeave(at, f["Uniqueid"], f["Queue"])


def _queue_caller_abandon(f: Fields, at: datetime) -> ev.Event:
    return ev.QueueCallerAbandon(at, f["Uniqueid"], f["Queue"])


def _agent_called(f: Fields, at: datetime) -> ev.Event:
    return ev.AgentCalled(at, f["DestUniqueid"], f["Queue"])


def _agent_connect(f: Fields, at: datetime) -> ev.Event:
    return ev.AgentConnect(at, f["Uniqueid"], f["Queue"])


def _queue_member_removed(f: Fields, at: datetime) -> ev.Event:
    return _queue_member(f, at, True)


def _queue_member(f: Fields, at: datetime, removed: bool = False) -> ev.Event:
    return ev.QueueMemberState(
        at,
        f["Queue"],
        f.get("Interface") or f["Location"],
        text(f.get("StateInterface")),
        text(f.get("MemberName") or f.get("Name")),
        f.get("Paused") == "1",
        text(f.get("PausedReason")),
        number(f.get("Status")),
        removed,
        number(f.get("Penalty")) or 0,
        number(f.get("CallsTaken")) or 0,
        _moment(f.get("LastCall")),
        f.get("Membership") == "dynamic",
    )


def _moment(seconds: str | None) -> datetime | None:
    """Whole seconds since 1970, where zero is never."""
    found = number(seconds)
    return _FROM_TIMESTAMP(found, UTC) if found and found > 0 else None


def _spy_start(f: Fields, at: datetime) -> ev.Event | None:
    spied = f.get("SpyeeUniqueid")
    if spied is None:
        return None
    return ev.SpyStarted(at, f["SpyerUniqueid"], f["SpyerChannel"], spied, f["SpyeeChannel"])


def _spy_stop(f: Fields, at: datetime) -> ev.Event:
    return ev.SpyStopped(at, f["SpyerUniqueid"])


def _originate_response(f: Fields, at: datetime) -> ev.Event:
    success = f.get("Response") == "Success"
    return ev.OriginateResponse(at, text(f.get("ActionID")), text(f.get("Uniqueid")), text(f.get("Exten")), success)


BUILDERS: Final[Mapping[bytes, Builder]] = {
    b"Newchannel": _newchannel,
    b"Newstate": _newstate,
    b"NewCallerid": _new_callerid,
    b"NewConnectedLine": _new_connected_line,
    b"Newexten": _newexten,
    b"VarSet": _varset,
    b"HangupRequest": _hangup_request,
    b"SoftHangupRequest": _soft_hangup_request,
    b"Hangup": _hangup,
    b"DialBegin": _dial_begin,
    b"DialState": _dial_state,
    b"DialEnd": _dial_end,
    b"BridgeEnter": _bridge_enter,
    b"BridgeLeave": _bridge_leave,
    b"Hold": _hold,
    b"Unhold": _unhold,
    b"LocalBridge": _local_bridge,
    b"Pickup": _pickup,
    b"BlindTransfer": _blind_transfer,
    b"AttendedTransfer": _attended_transfer,
    b"QueueCallerJoin": _queue_caller_join,
    b"QueueCallerLeave": _queue_caller_leave,
    b"QueueCallerAbandon": _queue_caller_abandon,
    b"AgentCalled": _agent_called,
    b"AgentConnect": _agent_connect,
    b"QueueMember": _queue_member,
    b"QueueMemberStatus": _queue_member,
    b"QueueMemberPause": _queue_member,
    b"QueueMemberPenalty": _queue_member,
    b"QueueMemberAdded": _queue_member,
    b"QueueMemberRemoved": _queue_member_removed,
    b"OriginateResponse": _originate_response,
    b"ChanSpyStart": _spy_start,
    b"ChanSpyStop": _spy_stop,
}
"""Event name → what makes the value. An event that is not here is not used."""
