"""AMI actions as values, and the answer to one. Pure.

Each action knows its headers and the rights of which the AMI user needs one, the least first (`write =` in
manager.conf; none means that every user may). Sources: the AMI action pages of the Asterisk 22 documentation,
and for the rights `ast_manager_register_xml_core` in `main/manager.c`, `apps/app_queue.c` and
`main/manager_bridges.c`.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar

import msgspec

Headers = Iterator[tuple[str, str]]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the actions. `is_list`: events follow the answer, up to one with `EventList: Complete`."""

    name: ClassVar[str] = ""
    rights: ClassVar[tuple[str, ...]] = ()
    is_list: ClassVar[bool] = False

    def headers(self) -> Headers:
        """Yield the headers that follow `Action` and `ActionID`."""
        yield from ()


class Challenge(Action, frozen=True):
    """Ask for a challenge, so that the secret itself need not be sent."""

    name = "Challenge"

    def headers(self) -> Headers:
        yield "AuthType", "MD5"


class Login(Action, frozen=True):
    """Log in, with `key` (MD5 of challenge and secret, in hex) or, on an encrypted connection, the secret.

    `events` are the classes wanted at first. `system` makes Asterisk say `FullyBooted` with its uptime at
    once.
    """

    name = "Login"
    username: str
    key: str | None = None
    secret: str | None = None
    events: str = "system"

    def headers(self) -> Headers:
        yield "Username", self.username
        if self.key is not None:
            yield "AuthType", "MD5"
            yield "Key", self.key
        if self.secret is not None:
            yield "Secret", self.secret
        yield "Events", self.events

    def __repr__(self) -> str:
        return f"Login(username={self.username!r})"


class Logoff(Action, frozen=True):
    """Say good-bye."""

    name = "Logoff"


class Ping(Action, frozen=True):
    """Ask for a sign of life."""

    name = "Ping"


class Events(Action, frozen=True):
    """Choose the classes of events that are sent: `on`, `off`, or names with commas."""

    name = "Events"
    mask: str = "on"

    def headers(self) -> Headers:
        yield "EventMask", self.mask


class Filter(Action, frozen=True):
    """Add a filter for this session. `expression` is a POSIX regular expression over the whole event."""

    name = "Filter"
    rights = ("system",)
    expression: str

    def headers(self) -> Headers:
        yield "Operation", "Add"
        yield "Filter", self.expression


class ListCommands(Action, frozen=True):
    """Ask which actions this user may use: the headers of the answer are their names."""

    name = "ListCommands"


class CoreSettings(Action, frozen=True):
    """Ask for the version and the system name."""

    name = "CoreSettings"
    rights = ("reporting", "system")


class CoreStatus(Action, frozen=True):
    """Ask for the time of the start and of the last reload, in the PBX's own zone."""

    name = "CoreStatus"
    rights = ("reporting", "system")


class CoreShowChannels(Action, frozen=True):
    """List the channels that exist now."""

    name = "CoreShowChannels"
    rights = ("reporting", "system")
    is_list = True


class BridgeList(Action, frozen=True):
    """List the bridges that exist now."""

    name = "BridgeList"
    is_list = True


class QueueStatus(Action, frozen=True):
    """List queues with their members and the callers who wait."""

    name = "QueueStatus"
    is_list = True
    queue: str | None = None
    member: str | None = None

    def headers(self) -> Headers:
        if self.queue is not None:
            yield "Queue", self.queue
        if self.member is not None:
            yield "Member", self.member


class QueueSummary(Action, frozen=True):
    """List queues with counts only."""

    name = "QueueSummary"
    is_list = True
    queue: str | None = None

    def headers(self) -> Headers:
        if self.queue is not None:
            yield "Queue", self.queue


class QueueAdd(Action, frozen=True):
    """Make an interface a member of a queue."""

    name = "QueueAdd"
    rights = ("agent",)
    queue: str
    interface: str
    penalty: int = 0
    paused: bool = False
    member_name: str | None = None
    state_interface: str | None = None

    def headers(self) -> Headers:
        yield "Queue", self.queue
        yield "Interface", self.interface
        yield "Penalty", str(self.penalty)
        yield "Paused", _boolean(self.paused)
        if self.member_name is not None:
            yield "MemberName", self.member_name
        if self.state_interface is not None:
            yield "StateInterface", self.state_interface


class QueueRemove(Action, frozen=True):
    """Take an interface out of a queue."""

    name = "QueueRemove"
    rights = ("agent",)
    queue: str
    interface: str

    def headers(self) -> Headers:
        yield "Queue", self.queue
        yield "Interface", self.interface


class QueuePause(Action, frozen=True):
    """Pause a member or end its pause, in one queue or in all of them."""

    name = "QueuePause"
    rights = ("agent",)
    interface: str
    paused: bool
    queue: str | None = None
    reason: str | None = None

    def headers(self) -> Headers:
        yield "Interface", self.interface
        yield "Paused", _boolean(self.paused)
        if self.queue is not None:
            yield "Queue", self.queue
        if self.reason is not None:
            yield "Reason", self.reason


class QueuePenalty(Action, frozen=True):
    """Change how late a member is rung: the lowest penalty first."""

    name = "QueuePenalty"
    rights = ("agent",)
    queue: str
    interface: str
    penalty: int

    def headers(self) -> Headers:
        yield "Interface", self.interface
        yield "Penalty", str(self.penalty)
        yield "Queue", self.queue


class QueueChangePriorityCaller(Action, frozen=True):
    """Give a caller who waits another priority, and at once the place in the queue that it stands for.

    `caller` is the name of the channel; Asterisk tells nobody of the new order.
    """

    name = "QueueChangePriorityCaller"
    queue: str
    caller: str
    priority: int

    def headers(self) -> Headers:
        yield "Queue", self.queue
        yield "Caller", self.caller
        yield "Priority", str(self.priority)
        yield "Immediate", "yes"


class Bridge(Action, frozen=True):
    """Take two channels from wherever they are, and let them talk with each other."""

    name = "Bridge"
    rights = ("call",)
    channel: str
    other: str

    def headers(self) -> Headers:
        yield "Channel1", self.channel
        yield "Channel2", self.other
        yield "Tone", "no"


class PlayDTMF(Action, frozen=True):
    """Have a channel take a key as if its own phone had pressed it."""

    name = "PlayDTMF"
    rights = ("call",)
    channel: str
    digit: str

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Digit", self.digit
        yield "Receive", "true"


class Spy(Action, frozen=True):
    """Call `channel`, and let who answers listen to the channel `spied` (an Originate that runs ChanSpy).

    Without beeps, until that channel hangs up; the keys 4, 5 and 6 change between listening, whispering to that
    channel and talking to both. Always asynchronous, as `Originate`.
    """

    name = "Originate"
    rights = ("originate",)
    channel: str
    spied: str
    options: str = ""
    """`w` begins with whispering, `B` with talking to both."""
    caller_id: str | None = None
    timeout: timedelta = timedelta(seconds=30)
    channel_id: str | None = None

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Application", "ChanSpy"
        yield "Data", f"{self.spied},qEud{self.options}"
        yield "Timeout", str(round(self.timeout.total_seconds() * 1000))
        yield "Async", "true"
        if self.caller_id is not None:
            yield "CallerID", self.caller_id
        if self.channel_id is not None:
            yield "ChannelId", self.channel_id


class Originate(Action, frozen=True):
    """Call `channel`, and connect who answers with the dialplan at `context`, `exten`, `priority`.

    Always asynchronous: Asterisk answers at once that it is queued, and tells the result in
    `OriginateResponse`. `channel_id` becomes the uniqueid of the new channel; with a Local channel
    `other_channel_id` that of its second half, so that both are known before the first event. `timeout` is
    how long `channel` may ring.
    """

    name = "Originate"
    rights = ("originate",)
    channel: str
    context: str
    exten: str
    priority: int = 1
    caller_id: str | None = None
    timeout: timedelta = timedelta(seconds=30)
    channel_id: str | None = None
    other_channel_id: str | None = None
    account: str | None = None
    early_media: bool = False
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Context", self.context
        yield "Exten", self.exten
        yield "Priority", str(self.priority)
        yield "Timeout", str(round(self.timeout.total_seconds() * 1000))
        yield "Async", "true"
        if self.caller_id is not None:
            yield "CallerID", self.caller_id
        if self.account is not None:
            yield "Account", self.account
        if self.early_media:
            yield "EarlyMedia", "true"
        if self.channel_id is not None:
            yield "ChannelId", self.channel_id
        if self.other_channel_id is not None:
            yield "OtherChannelId", self.other_channel_id
        for key, value in self.variables.items():
            # One header per variable: in a shared one a comma in a value would begin the next variable.
            yield "Variable", f"{key}={_quoted(value)}"


class Hangup(Action, frozen=True):
    """Hang a channel up, with a Q.850 cause."""

    name = "Hangup"
    rights = ("call", "system")
    channel: str
    cause: int = 16

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Cause", str(self.cause)


class Redirect(Action, frozen=True):
    """Send a channel (and, on request, the one it talks with) to another place in the dialplan."""

    name = "Redirect"
    rights = ("call",)
    channel: str
    context: str
    exten: str
    priority: int = 1
    extra_channel: str | None = None

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Context", self.context
        yield "Exten", self.exten
        yield "Priority", str(self.priority)
        if self.extra_channel is not None:
            yield "ExtraChannel", self.extra_channel
            yield "ExtraContext", self.context
            yield "ExtraExten", self.exten
            yield "ExtraPriority", str(self.priority)


class DBPut(Action, frozen=True):
    """Write a value into Asterisk's own database."""

    name = "DBPut"
    rights = ("system",)
    family: str
    key: str
    value: str

    def headers(self) -> Headers:
        yield "Family", self.family
        yield "Key", self.key
        yield "Val", self.value

    def __repr__(self) -> str:
        return f"DBPut(family={self.family!r}, key={self.key!r})"


class Setvar(Action, frozen=True):
    """Set a variable of a channel."""

    name = "Setvar"
    rights = ("call",)
    channel: str
    variable: str
    value: str

    def headers(self) -> Headers:
        yield "Channel", self.channel
        yield "Variable", self.variable
        yield "Value", self.value


class Getvar(Action, frozen=True):
    """Read a variable or function of a channel, or of the PBX itself; the answer has it as `Value`."""

    name = "Getvar"
    rights = ("reporting", "call")
    variable: str
    channel: str | None = None

    def headers(self) -> Headers:
        if self.channel is not None:
            yield "Channel", self.channel
        yield "Variable", self.variable


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """Asterisk's answer to an action, with the events of its list where it has one."""

    action_id: str
    success: bool
    message: str
    fields: dict[str, str]
    events: tuple[bytes, ...] = ()
    """Raw blocks, without the closing `…Complete` event."""


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _quoted(value: str) -> str:
    """Quote a variable's value where a comma or quote in it would be read as the end of the value."""
    if not any(sign in value for sign in ',"\\'):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
