"""What must have happened while nobody looked: a snapshot, turned into the events that lead to it.

The tracker then takes those events as it takes all others, so that there is one model of a call and not two.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from callcenter import events as ev
from callcenter.tracking.legs import Leg
from callcenter.tracking.states import LegState, leg_state


def missed(known: Mapping[str, Leg], snapshot: ev.Snapshot) -> Iterator[ev.Event]:
    """The events that lead from what is known to the snapshot, in an order that can be."""
    now = {channel.uniqueid: channel for channel in snapshot.channels}
    old = dict(known)
    for uniqueid, leg in old.items():
        if uniqueid not in now:
            yield ev.Hangup(snapshot.at, uniqueid, leg.linkedid, 0)
    new = sorted(
        (channel for channel in snapshot.channels if channel.uniqueid not in old),
        key=lambda channel: (channel.uniqueid != channel.linkedid, -channel.age_s),
    )
    waits = {waiting.uniqueid: waiting for waiting in snapshot.waiting}
    present = now.keys() | old.keys()
    names = {channel.channel: channel for channel in snapshot.channels}
    for channel in new:
        yield from _appeared(channel, snapshot, present)
        if channel.uniqueid in waits:  # before the phones that ring for this caller
            yield _joined(waits[channel.uniqueid], snapshot)
    for channel in new:
        other = names.get(f"{channel.channel[:-1]}2") if channel.channel.endswith(";1") else None
        if other is not None:
            yield ev.LocalBridge(snapshot.at, channel.uniqueid, other.uniqueid)
    for channel in new:
        if channel.bridge is not None:
            yield _entered(channel, channel.bridge, snapshot)
    for uniqueid, channel in now.items():
        if uniqueid in old:
            yield from _moved(old[uniqueid], channel, snapshot)
    for waiting in snapshot.waiting:
        if waiting.uniqueid in old:
            yield _joined(waiting, snapshot)


def _entered(channel: ev.ChannelNow, bridge: str, snapshot: ev.Snapshot) -> ev.BridgeEnter:
    technology = "holding_bridge" if bridge in snapshot.holding else ""
    conference = channel.application == "ConfBridge"
    return ev.BridgeEnter(snapshot.at, channel.uniqueid, channel.linkedid, bridge, technology, conference)


def _joined(waiting: ev.WaitingNow, snapshot: ev.Snapshot) -> ev.QueueCallerJoin:
    joined = snapshot.at - timedelta(seconds=waiting.wait_s)
    return ev.QueueCallerJoin(joined, waiting.uniqueid, waiting.queue, waiting.position)


def _appeared(channel: ev.ChannelNow, snapshot: ev.Snapshot, present: Collection[str]) -> Iterator[ev.Event]:
    """A channel that was not known: it was made, maybe dialed, maybe answered."""
    began = snapshot.at - timedelta(seconds=channel.age_s)
    dialed = channel.uniqueid != channel.linkedid and channel.linkedid in present
    yield ev.Newchannel(
        began,
        channel.uniqueid,
        channel.linkedid,
        channel.channel,
        0 if dialed else channel.state,
        channel.caller_num,
        channel.caller_name,
        channel.context,
        channel.exten,
    )
    if dialed:
        yield ev.DialBegin(began, channel.linkedid, None, channel.uniqueid, channel.channel, None)
        yield ev.Newstate(snapshot.at, channel.uniqueid, channel.state)
        if leg_state(channel.state) is LegState.UP:
            yield ev.DialEnd(snapshot.at, channel.linkedid, channel.uniqueid, "ANSWER", None)


def _moved(leg: Leg, channel: ev.ChannelNow, snapshot: ev.Snapshot) -> Iterator[ev.Event]:
    """A channel that was known: its state or bridge may be another."""
    state = leg_state(channel.state)
    if state is not leg.state:
        yield ev.Newstate(snapshot.at, leg.uniqueid, channel.state)
        if state is LegState.UP and leg.ring is not None:
            yield ev.DialEnd(snapshot.at, channel.linkedid, leg.uniqueid, "ANSWER", None)
    if leg.bridge is not None and leg.bridge != channel.bridge:
        yield ev.BridgeLeave(snapshot.at, leg.uniqueid, leg.bridge)
    if channel.bridge is not None and leg.bridge != channel.bridge:
        yield _entered(channel, channel.bridge, snapshot)
