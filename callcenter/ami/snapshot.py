"""From the answers to CoreShowChannels, QueueStatus and BridgeList to a snapshot of what goes on at a PBX. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from callcenter import events as ev
from callcenter.ami import wire
from callcenter.ami.parse import event, number, text
from callcenter.errors import ProtocolError


def snapshot(
    channels: Iterable[bytes], queues: Iterable[bytes], at: datetime, bridges: Iterable[bytes] = ()
) -> ev.Snapshot:
    """What goes on, from the raw events of the lists; what is malformed is left out."""
    shown = [_channel(wire.fields(block)) for block in channels]
    waiting = [_waiting(wire.fields(block)) for block in queues]
    return ev.Snapshot(
        at=at,
        channels=tuple(channel for channel in shown if channel is not None),
        waiting=tuple(caller for caller in waiting if caller is not None),
        holding=frozenset(
            f["BridgeUniqueid"]
            for f in map(wire.fields, bridges)
            if f.get("BridgeTechnology") == "holding_bridge" and f.get("BridgeUniqueid")
        ),
    )


def clock(pong: Mapping[str, str], ours: datetime) -> datetime:
    """The PBX's own time, from its answer to Ping; `ours` where it does not tell.

    Events carry the PBX's time, so what a snapshot says must too: or a call would end before it began where the
    clocks of the two machines differ.
    """
    try:
        return datetime.fromtimestamp(float(pong["Timestamp"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return ours


def members(queues: Iterable[bytes], at: datetime) -> list[ev.QueueMemberState]:
    """The members that QueueStatus names, as if each had just changed; what is malformed is left out."""
    return [member for block in queues if (member := _member(block, at)) is not None]


def queue_list(blocks: Iterable[bytes], at: datetime) -> ev.QueueList:
    """All that QueueStatus says of queues, members and callers; what is malformed is left out."""
    kept = tuple(blocks)
    shown = [wire.fields(block) for block in kept]
    return ev.QueueList(
        at=at,
        queues=tuple(
            ev.QueueSetting(name=f["Queue"], strategy=f.get("Strategy") or "")
            for f in shown
            if f.get("Event") == "QueueParams" and f.get("Queue")
        ),
        members=tuple(members(kept, at)),
        entries=tuple(entry for f in shown if (entry := _entry(f)) is not None),
    )


def queue_names(blocks: Iterable[bytes]) -> frozenset[str]:
    """The queues that QueueSummary names."""
    return frozenset(f["Queue"] for f in map(wire.fields, blocks) if f.get("Event") == "QueueSummary" and "Queue" in f)


def _entry(f: dict[str, str]) -> ev.QueueEntry | None:
    if f.get("Event") != "QueueEntry" or not (f.get("Queue") and f.get("Uniqueid") and f.get("Channel")):
        return None
    return ev.QueueEntry(
        queue=f["Queue"],
        uniqueid=f["Uniqueid"],
        channel=f["Channel"],
        position=number(f.get("Position")) or 0,
        priority=number(f.get("Priority")) or 0,
    )


def _member(block: bytes, at: datetime) -> ev.QueueMemberState | None:
    try:
        found = event(block, at)
    except ProtocolError:
        return None
    return found if isinstance(found, ev.QueueMemberState) and found.interface else None


def _channel(f: dict[str, str]) -> ev.ChannelNow | None:
    if f.get("Event") != "CoreShowChannel" or not f.get("Uniqueid") or not f.get("Channel"):
        return None
    return ev.ChannelNow(
        uniqueid=f["Uniqueid"],
        linkedid=f.get("Linkedid") or f["Uniqueid"],
        channel=f["Channel"],
        state=number(f.get("ChannelState")) or 0,
        caller_num=text(f.get("CallerIDNum")),
        caller_name=text(f.get("CallerIDName")),
        context=text(f.get("Context")),
        exten=text(f.get("Exten")),
        bridge=text(f.get("BridgeId")),
        application=text(f.get("Application")),
        age_s=_seconds(f.get("Duration")),
    )


def _waiting(f: dict[str, str]) -> ev.WaitingNow | None:
    if f.get("Event") != "QueueEntry" or not f.get("Uniqueid") or not f.get("Queue"):
        return None
    return ev.WaitingNow(
        uniqueid=f["Uniqueid"],
        queue=f["Queue"],
        position=number(f.get("Position")),
        wait_s=number(f.get("Wait")) or 0,
    )


def _seconds(clock: str | None) -> int:
    """`HH:MM:SS` in seconds; zero where it is something else."""
    total = 0
    parts = (clock or "").split(":")
    if len(parts) > 3:
        return 0
    for part in parts:
        if not part.isdecimal() or len(part) > 6:
            return 0
        total = total * 60 + int(part)
    return total
