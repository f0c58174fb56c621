"""The AMI events that the service uses, as values.

One type per event, with the fields that are used and no more; `callcenter.ami.parse` makes them. `at` is Asterisk's
`Timestamp` header (`timestampevents=yes`), or the time of arrival where a PBX does not send it. Empty and
`<unknown>` header values are None. Source: https://docs.asterisk.org/Latest_API/API_Documentation/AMI_Events/
"""

from datetime import datetime

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """Root of all events."""

    at: datetime


class ChannelEvent(Event, frozen=True, gc=False):
    """Root of the events about one channel."""

    uniqueid: str


class Newchannel(ChannelEvent, frozen=True, gc=False):
    """A leg came into being. `exten` is what it dialed, for an inbound leg the DID."""

    linkedid: str
    channel: str
    state: int
    caller_num: str | None
    caller_name: str | None
    context: str | None
    exten: str | None


class Newstate(ChannelEvent, frozen=True, gc=False):
    """A leg's state changed: 0 down, 4 ring (it calls), 5 ringing (it is called), 6 up, 7 busy."""

    state: int


class NewCallerid(ChannelEvent, frozen=True, gc=False):
    """A leg's caller id became known or changed."""

    caller_num: str | None
    caller_name: str | None


class NewConnectedLine(ChannelEvent, frozen=True, gc=False):
    """What a leg shows of its other side changed."""

    connected_num: str | None
    connected_name: str | None


class Newexten(ChannelEvent, frozen=True, gc=False):
    """A leg stands at an extension of the dialplan, and runs an application that matters to us there."""

    exten: str | None
    application: str
    data: str | None


class VarSet(ChannelEvent, frozen=True, gc=False):
    """A channel variable that matters to us was set (`QUEUESTATUS`)."""

    variable: str
    value: str | None


class HangupRequest(ChannelEvent, frozen=True, gc=False):
    """The far side of a leg asks to hang up: it is the one who ends the call. `soft`: Asterisk or AMI asked."""

    cause: int | None
    soft: bool


class Hangup(ChannelEvent, frozen=True, gc=False):
    """A leg is gone. `cause` is Q.850."""

    linkedid: str
    cause: int


class DialBegin(Event, frozen=True, gc=False):
    """A leg starts to ring another; `uniqueid` is None where Asterisk itself dials (Originate)."""

    uniqueid: str | None
    exten: str | None
    dest_uniqueid: str
    dest_channel: str
    dial_string: str | None


class DialState(Event, frozen=True, gc=False):
    """Progress of a dialed leg: RINGING, PROGRESS, PROCEEDING."""

    dest_uniqueid: str
    status: str


class DialEnd(Event, frozen=True, gc=False):
    """A dialed leg was answered or given up. `status` is ANSWER, BUSY, CANCEL, CHANUNAVAIL, CONGESTION, NOANSWER…"""

    uniqueid: str | None
    dest_uniqueid: str
    status: str
    forward: str | None


class BridgeEnter(ChannelEvent, frozen=True, gc=False):
    """A leg joined a bridge. A holding bridge is waiting, not talking.

    A conference is a bridge that anybody may join (ConfBridge): calls that meet there stay apart, as do their
    linkedids.
    """

    linkedid: str
    bridge: str
    technology: str
    conference: bool = False


class BridgeLeave(ChannelEvent, frozen=True, gc=False):
    """A leg left a bridge."""

    bridge: str


class Hold(ChannelEvent, frozen=True, gc=False):
    """A leg put its other side on hold."""


class Unhold(ChannelEvent, frozen=True, gc=False):
    """A leg took its other side off hold."""


class LocalBridge(Event, frozen=True, gc=False):
    """The two halves of a Local channel belong together."""

    one_uniqueid: str
    two_uniqueid: str


class Pickup(ChannelEvent, frozen=True, gc=False):
    """A leg takes the call that rings at another one, `target_uniqueid`."""

    target_uniqueid: str


class BlindTransfer(Event, frozen=True, gc=False):
    """A leg sent whoever it talked with to an extension; only those that succeed are told."""

    transferer_uniqueid: str
    exten: str


class AttendedTransfer(Event, frozen=True, gc=False):
    """A leg joined its two calls, or the two ends of its one; only those that succeed are told.

    `first` and `second` are its legs in either call, the same one where a feature code or AMI made the transfer.
    `target` is who was asked, None while that is not decided; `target_state` is as of `Newstate`.
    """

    first_uniqueid: str
    second_uniqueid: str
    second_exten: str | None
    target_uniqueid: str | None
    target_state: int | None
    target_exten: str | None


class QueueCallerJoin(ChannelEvent, frozen=True, gc=False):
    """A caller waits in a queue."""

    queue: str
    position: int | None


class QueueCallerLeave(ChannelEvent, frozen=True, gc=False):
    """A caller no longer waits in a queue, for whatever reason."""

    queue: str


class QueueCallerAbandon(ChannelEvent, frozen=True, gc=False):
    """A caller hung up while waiting, or the queue's time was up."""

    queue: str


class AgentCalled(Event, frozen=True, gc=False):
    """A queue rings a member, through the channel `dest_uniqueid`, which may be a Local one."""

    dest_uniqueid: str
    queue: str


class AgentConnect(ChannelEvent, frozen=True, gc=False):
    """A member took the caller."""

    queue: str


class QueueMemberState(Event, frozen=True, gc=False):
    """A member's state in a queue (QueueMemberStatus, QueueMemberPause, QueueMemberAdded, QueueMember)."""

    queue: str
    interface: str
    state_interface: str | None
    member: str | None
    paused: bool
    pause_reason: str | None
    status: int | None
    removed: bool
    penalty: int = 0
    calls_taken: int = 0
    last_call: datetime | None = None
    """When the member's last call ended, as this queue knows it."""
    dynamic: bool = False
    """Added while Asterisk runs, so that it can be removed as well."""


class SpyStarted(ChannelEvent, frozen=True, gc=False):
    """A channel listens to another one (ChanSpy): `uniqueid` is whose, `spied_uniqueid` to whom."""

    channel: str
    spied_uniqueid: str
    spied_channel: str


class SpyStopped(ChannelEvent, frozen=True, gc=False):
    """A channel listens no more."""


class OriginateResponse(Event, frozen=True, gc=False):
    """An Originate came to its end, with or without success; `exten` is where it led."""

    action_id: str | None
    uniqueid: str | None
    exten: str | None
    success: bool = True


class ChannelNow(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of a snapshot (CoreShowChannel). `age_s` is how long it has been there."""

    uniqueid: str
    linkedid: str
    channel: str
    state: int
    caller_num: str | None = None
    caller_name: str | None = None
    context: str | None = None
    exten: str | None = None
    bridge: str | None = None
    application: str | None = None
    age_s: int = 0


class WaitingNow(msgspec.Struct, frozen=True, kw_only=True):
    """One caller who waits in a queue (QueueEntry). `wait_s` is how long already."""

    uniqueid: str
    queue: str
    position: int | None = None
    wait_s: int = 0


class QueueSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A queue that Asterisk has, and how it chooses whom to ring (QueueParams)."""

    name: str
    strategy: str


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One caller who waits in a queue, in order (QueueEntry): `channel` is what Asterisk's actions want."""

    queue: str
    uniqueid: str
    channel: str
    position: int
    priority: int


class QueueList(msgspec.Struct, frozen=True, kw_only=True):
    """What QueueStatus says: all queues there are, or the one that was asked for."""

    at: datetime
    queues: tuple[QueueSetting, ...] = ()
    members: tuple[QueueMemberState, ...] = ()
    entries: tuple[QueueEntry, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that goes on at a PBX at one moment: what a resync starts from, because AMI replays nothing."""

    at: datetime
    channels: tuple[ChannelNow, ...] = ()
    waiting: tuple[WaitingNow, ...] = ()
    holding: frozenset[str] = frozenset()
    """Bridges in which channels wait, parked for example, and do not talk."""
