"""A PBX that does again what a recorded one did: its messages, and what it would answer between any two of them.

Whoever reconnects in the middle of a trace asks for the channels and the queues as they are now. The recording has
them, spread over the headers of the events; here they are gathered, and written as Asterisk 22 writes its lists.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec

from callcenter import events as ev
from callcenter.ami import parse, wire
from callcenter.ami.snapshot import snapshot
from tests import traces

_ID = "Uniqueid"
_COPIED = ("ChannelState", "CallerIDNum", "CallerIDName", "Context", "Exten", "Linkedid", "Channel")


class Moment(msgspec.Struct, frozen=True):
    """One event that the service uses, and what the PBX would answer right after it."""

    event: ev.Event
    block: bytes
    channels: tuple[bytes, ...]
    queues: tuple[bytes, ...]

    def snapshot(self) -> ev.Snapshot:
        """What goes on, as the service would read it."""
        return snapshot(self.channels, self.queues, self.event.at)


class RecordedPbx:
    """The channels and the waiting callers of a PBX, from the messages that it sent."""

    def __init__(self) -> None:
        self._channels: dict[str, dict[str, str]] = {}
        self._born: dict[str, datetime] = {}
        self._bridges: dict[str, str] = {}
        self._applications: dict[str, str] = {}
        self._waiting: dict[str, tuple[str, str, datetime]] = {}

    def take(self, headers: dict[str, str], at: datetime) -> None:
        """One event."""
        name, uniqueid = headers.get("Event"), headers.get(_ID, "")
        if name == "Newchannel":
            self._channels[uniqueid] = {}
            self._born[uniqueid] = at
        for key in headers:
            if key.endswith(_ID) and headers[key] in self._channels and key != "BridgeUniqueid":
                self._see(headers, key.removesuffix(_ID))
        if name == "Hangup":
            for known in (self._channels, self._born, self._bridges, self._applications, self._waiting):
                known.pop(uniqueid, None)
        elif name == "BridgeEnter":
            self._bridges[uniqueid] = headers["BridgeUniqueid"]
        elif name == "BridgeLeave" and self._bridges.get(uniqueid) == headers["BridgeUniqueid"]:
            del self._bridges[uniqueid]
        elif name == "Newexten":
            self._applications[uniqueid] = headers["Application"]
        elif name == "QueueCallerJoin":
            self._waiting[uniqueid] = (headers["Queue"], headers["Position"], at)
        elif name == "QueueCallerLeave":
            self._waiting.pop(uniqueid, None)

    def _see(self, headers: dict[str, str], whose: str) -> None:
        channel = self._channels[headers[whose + _ID]]
        channel.update({name: headers[whose + name] for name in _COPIED if whose + name in headers})

    def channels(self, at: datetime) -> tuple[bytes, ...]:
        """The events of CoreShowChannels."""
        return tuple(
            _block(
                Event="CoreShowChannel",
                **facts,
                Uniqueid=uniqueid,
                Duration=str(timedelta(seconds=int((at - self._born[uniqueid]).total_seconds()))).rjust(8, "0"),
                BridgeId=self._bridges.get(uniqueid, ""),
                Application=self._applications.get(uniqueid, ""),
            )
            for uniqueid, facts in self._channels.items()
        )

    def queues(self, at: datetime) -> tuple[bytes, ...]:
        """The callers in the events of QueueStatus."""
        return tuple(
            _block(
                Event="QueueEntry",
                Queue=queue,
                Position=position,
                Uniqueid=uniqueid,
                Wait=str(int((at - joined).total_seconds())),
            )
            for uniqueid, (queue, position, joined) in self._waiting.items()
        )


@cache
def moments(case: str) -> tuple[Moment, ...]:
    """A trace, event by event."""
    pbx = RecordedPbx()
    found: list[Moment] = []
    for block in wire.Decoder().feed(traces.transcript(case)):
        headers = wire.fields(block)
        stamp = headers.get("Timestamp")
        if stamp is None:
            continue
        at = datetime.fromtimestamp(float(stamp), UTC)
        pbx.take(headers, at)
        event = parse.event(block, at)
        if event is not None:
            found.append(Moment(event, block, pbx.channels(at), pbx.queues(at)))
        elif found:
            # What this message told of channels is known to the PBX before the next one that is used.
            found[-1] = msgspec.structs.replace(found[-1], channels=pbx.channels(at), queues=pbx.queues(at))
    return tuple(found)


def listed(rows: Iterable[bytes], action_id: str) -> bytes:
    """Rows of a list as they travel: with the ActionID of who asked."""
    return b"".join(row + b"\r\nActionID: " + action_id.encode() + b"\r\n\r\n" for row in rows)


def _block(**headers: str) -> bytes:
    return "\r\n".join(f"{name}: {value}" for name, value in headers.items()).encode()
