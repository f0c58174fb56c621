"""What Asterisk's own files say of one call: the rows of CEL, CDR and queue log that belong together, read. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from tests.rooms import Stretch, company
from tests.testbed.records import CdrRow, CelRow, QueueLogRow, bridge_of

TRUNK = "PJSIP/trunk"
_REFUSALS = (17, 21)
"""Q.850: user busy, call rejected."""
_SAME_MOMENT_S = 0.02
"""Asterisk's threads write the end of a bridge and of its channels in any order."""


class Talk(NamedTuple):
    """A stretch of time in which a channel shared a bridge with another."""

    channel: str
    device: str
    start: float
    end: float

    @property
    def outside(self) -> bool:
        """Whether it is the trunk's."""
        return self.device == TRUNK

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.start


class Ring(NamedTuple):
    """A device that Asterisk rang."""

    device: str
    start: float
    end: float
    answered: bool
    elsewhere: bool


class Visit(NamedTuple):
    """A stay in a queue, by the queue log."""

    queue: str
    entered: int
    ending: str
    wait_s: float | None
    member: str | None


@dataclass
class Footprint:
    """Everything of one call."""

    linkedids: set[str]
    uniqueids: set[str]
    cel: list[CelRow]
    cdr: list[CdrRow] = field(default_factory=list)
    queue_log: list[QueueLogRow] = field(default_factory=list)
    beside: list[CelRow] = field(default_factory=list)
    """What CEL says of those of other calls who were in a bridge with this one, as in a conference."""

    def take_in(self, other: "Footprint") -> None:
        """Another call turned out to be part of this one."""
        self.linkedids |= other.linkedids
        self.uniqueids |= other.uniqueids
        self.cel += other.cel

    def begun_with(self, caller: str) -> set[str]:
        """The channels of the call that the caller began: one that was joined with it later may be older."""
        starts = [row for row in self.cel if row.eventtype == "CHAN_START"]
        first = next((row.linkedid for row in starts if row.channel == caller), starts[0].linkedid)
        return {row.uniqueid for row in starts if row.linkedid == first}

    def start(self, caller: str) -> float:
        """When its first channel came."""
        own = self.begun_with(caller)
        return min(row.eventtime for row in self.cel if row.eventtype == "CHAN_START" and row.uniqueid in own)

    @property
    def end(self) -> float:
        """When its last channel went."""
        return max(row.eventtime for row in self.cel if row.eventtype == "CHAN_END")

    @property
    def is_supervision(self) -> bool:
        """Whether it is a supervisor who listens: no call of a customer."""
        return any(row.appname == "ChanSpy" for row in self.cel)

    @cached_property
    def talks(self) -> list[Talk]:
        """Who shared a bridge with somebody, in the order of time; waiting and parking places are no talk."""
        stays: dict[str, list[tuple[CelRow, float]]] = {}
        open_: dict[tuple[str, str], CelRow] = {}
        for row in self.rooms:
            if row.eventtype not in ("BRIDGE_ENTER", "BRIDGE_EXIT"):
                continue
            extra = json.loads(row.extra)
            if extra["bridge_technology"] == "holding_bridge":
                continue
            key = extra["bridge_id"], row.uniqueid
            if row.eventtype == "BRIDGE_ENTER":
                open_[key] = row
            elif key in open_:
                stays.setdefault(key[0], []).append((open_.pop(key), row.eventtime))
        own = {row.channel for row in self.cel}
        return sorted((talk for talk in _overlaps(stays.values()) if talk.channel in own), key=lambda talk: talk.start)

    @property
    def rooms(self) -> list[CelRow]:
        """All rows that tell who was with whom."""
        return sorted(self.cel + self.beside, key=lambda row: row.eventtime)

    def company_of(self, channel: str) -> dict[str, list[Stretch]]:
        """Who was in a room with a channel, and when."""
        return company(self.rooms, channel)

    @property
    def cdr_is_short(self) -> bool:
        """Whether there was more than CDR tells: it ends before a conference, and before a mailbox after a talk."""
        apps = {row.appname for row in self.cel}
        return "ConfBridge" in apps or ("VoiceMail" in apps and bool(self.talks))

    @property
    def rung_in_vain(self) -> str | None:
        """The device, if that Asterisk itself rang one without an answer is all that there was."""
        start = self.cel[0]
        quiet = all(row.eventtype not in ("ANSWER", "BRIDGE_ENTER") for row in self.cel)
        return device_of(start.channel) if quiet and len(self.uniqueids) == 1 and start.exten == "s" else None

    def waits_for(self, device: str, at: float) -> bool:
        """Whether this device transferred the call, and nobody talks at this time."""
        transferred = any(
            row.eventtype == "ATTENDEDTRANSFER" and device_of(row.channel) == device and row.eventtime < at
            for row in self.cel
        )
        talks = (self.company_of(row.channel) for row in self.cel if row.eventtype == "CHAN_START")
        parts = [part for others in talks for stretches in others.values() for part in stretches]
        return transferred and at < self.end and not any(begin <= at < end for begin, end in parts)

    def rung(self, caller: str) -> list[Ring]:
        """The desks' devices that Asterisk rang, except the caller's own phone, which click-to-dial rings first."""
        return [
            self._ring(row)
            for row in self.cel
            if row.eventtype == "CHAN_START"
            and row.exten in ("s", "")
            and row.channel.startswith("PJSIP/")
            and device_of(row.channel) != TRUNK
            and row.channel != caller
        ]

    def status(self, caller: str) -> str:
        """What became of the call, in the words of the call record."""
        if any(talk.channel != caller for talk in self.talks) or self.company_of(caller):
            return "answered"
        if any(row.event == "ABANDON" for row in self.queue_log):
            return "abandoned"
        if any(row.appname == "VoiceMail" for row in self.cel):
            return "voicemail"
        if self._was_canceled(caller):
            return "canceled"
        dispositions = {row.disposition for row in self.cdr}
        if dispositions & {"FAILED", "CONGESTION"} or not self._asked_anybody:
            return "failed"
        return "busy" if self._was_refused(caller) else "no_answer"

    @property
    def forwarded(self) -> bool:
        """Whether a phone sent the call on to another."""
        return any(row.eventtype == "FORWARD" for row in self.cel)

    def hangup_source(self, customer: str) -> str | None:
        """The channel that ended the talk; None where there was none, or Asterisk does not say."""
        parts = [part for stretches in self.company_of(customer).values() for part in stretches]
        if not parts:
            return None
        over = max(end for _, end in parts) - _SAME_MOMENT_S
        gone = next(row.eventtime for row in self.cel if row.eventtype == "HANGUP" and row.channel == customer)
        for row in self.cel:
            if row.eventtype == "HANGUP" and over <= row.eventtime <= max(gone, over) + _SAME_MOMENT_S:
                source = json.loads(row.extra)["hangupsource"]
                if source.startswith("PJSIP/"):
                    return str(source)
        return None

    @property
    def visits(self) -> list[Visit]:
        """The stays in queues."""
        found: list[Visit] = []
        for row in self.queue_log:
            if row.event == "ENTERQUEUE":
                found.append(Visit(row.queue, row.at, "", None, None))
            elif row.event == "CONNECT":
                found[-1] = found[-1]._replace(ending=row.event, wait_s=float(row.data[0]), member=row.agent)
            elif row.event in ("ABANDON", "EXITWITHTIMEOUT"):
                ending = "MOVED" if self._goes_on(row) else row.event
                found[-1] = found[-1]._replace(ending=ending, wait_s=float(row.data[2]))
        return found

    def _goes_on(self, left: QueueLogRow) -> bool:
        """Whether a caller who is said to have abandoned a queue is sent elsewhere: a panel moved them."""
        own = [row for row in self.cel if row.uniqueid == left.callid and row.eventtime >= left.at]
        return left.event == "ABANDON" and any(row.eventtype == "APP_START" and row.appname != "Queue" for row in own)

    @property
    def ring_no_answers(self) -> list[str]:
        """The members that rang in vain, once for each time."""
        return [row.agent for row in self.queue_log if row.event == "RINGNOANSWER"]

    def was_cut_short(self, caller: str) -> bool:
        """Whether the PBX was told to hang up while a phone rang; by whom, and so what to call it, it does not say."""
        return "" in self._cancels(caller)

    def _cancels(self, caller: str) -> list[str]:
        """Who ended the caller's channel while somebody was dialed."""
        ends = [json.loads(row.extra) for row in self.cel if row.eventtype == "HANGUP" and row.channel == caller]
        return [end["hangupsource"] for end in ends if end["dialstatus"] == "CANCEL"]

    @property
    def _asked_anybody(self) -> bool:
        return any(row.appname in ("Dial", "Queue") for row in self.cel)

    def _was_refused(self, caller: str) -> bool:
        """Whether every phone that rang said no: the CDR tells a declined call as one that was not answered."""
        own = [json.loads(row.extra) for row in self.cel if row.eventtype == "HANGUP" and row.channel != caller]
        return bool(own) and all(one["hangupcause"] in _REFUSALS for one in own)

    def _was_canceled(self, caller: str) -> bool:
        own = [row for row in self.cel if row.channel == caller]
        dialed = any(row.appname == "Dial" for row in own)
        by_click = any(row.eventtype == "CHAN_START" and row.exten in ("s", "") for row in own)
        if by_click and not dialed:
            return True  # the agent's own phone was not picked up
        return caller in self._cancels(caller)

    def _ring(self, start: CelRow) -> Ring:
        own = [row for row in self.cel if row.uniqueid == start.uniqueid]
        answer = next((row for row in own if row.eventtype == "ANSWER"), None)
        hangup = next(row for row in own if row.eventtype == "HANGUP")
        return Ring(
            device=device_of(start.channel),
            start=start.eventtime,
            end=(answer or hangup).eventtime,
            answered=answer is not None,
            elsewhere=json.loads(hangup.extra)["hangupcause"] == 26,
        )


def footprints(cdr: Sequence[CdrRow], cel: Sequence[CelRow], queue_log: Sequence[QueueLogRow]) -> list[Footprint]:
    """The rows by call, in the order of the calls' beginnings; calls that met are one."""
    of_linkedid: dict[str, Footprint] = {}
    of_uniqueid: dict[str, Footprint] = {}
    for row in cel:
        known = of_linkedid.get(row.linkedid)
        other = of_uniqueid.get(row.uniqueid)
        if known is None:
            known = other or Footprint(set(), set(), [])
        for joined in (other, of_uniqueid.get(_joined(row))):
            if joined is not None and joined is not known:
                known.take_in(joined)
                of_linkedid.update(dict.fromkeys(joined.linkedids, known))
                of_uniqueid.update(dict.fromkeys(joined.uniqueids, known))
        known.linkedids.add(row.linkedid)
        known.uniqueids.add(row.uniqueid)
        known.cel.append(row)
        of_linkedid[row.linkedid] = of_uniqueid[row.uniqueid] = known
    _put_beside(of_uniqueid, cel)
    for record in cdr:
        of_uniqueid[record.uniqueid].cdr.append(record)
    for line in queue_log:
        if line.callid in of_uniqueid:
            of_uniqueid[line.callid].queue_log.append(line)
    found = list({id(one): one for one in of_linkedid.values()}.values())
    for one in found:
        one.cel.sort(key=lambda row: row.eventtime)
    return _with_returns(sorted(found, key=lambda one: one.start("")))


def _put_beside(of_uniqueid: dict[str, Footprint], cel: Sequence[CelRow]) -> None:
    """Give each call the rows of others that tell of a bridge that it was in too."""
    inside: dict[str, list[CelRow]] = {}
    for row in cel:
        bridge = bridge_of(row)
        if bridge is not None:
            inside.setdefault(bridge, []).append(row)
    for rows in inside.values():
        calls = {id(one): one for one in (of_uniqueid[row.uniqueid] for row in rows)}
        for one in calls.values() if len(calls) > 1 else ():
            one.beside += [row for row in rows if of_uniqueid[row.uniqueid] is not one]


def _with_returns(found: list[Footprint]) -> list[Footprint]:
    """What a call that comes back to who transferred it rings in vain has a linkedid of its own, and is part of it."""
    whole: list[Footprint] = []
    for one in found:
        device = one.rung_in_vain
        call = next((other for other in whole if device is not None and other.waits_for(device, one.start(""))), None)
        if call is None:
            whole.append(one)
            continue
        call.take_in(one)
        call.cdr += one.cdr
        call.cel.sort(key=lambda row: row.eventtime)
    return whole


def _joined(row: CelRow) -> str:
    """The uniqueid of the call that a transfer joined this one with; linkedids tell once somebody has answered."""
    return str(json.loads(row.extra).get("channel2_uniqueid", "")) if row.eventtype == "ATTENDEDTRANSFER" else ""


def device_of(channel: str) -> str:
    """`PJSIP/1001-0000001a` → `PJSIP/1001`."""
    return channel.rpartition("-")[0]


def _overlaps(bridges: Iterable[list[tuple[CelRow, float]]]) -> Iterator[Talk]:
    """The time that each device in a bridge was not alone there."""
    for stays in bridges:
        for entered, left in stays:
            if not entered.channel.startswith("PJSIP/"):
                continue
            others = [(one.eventtime, end) for one, end in stays if one.uniqueid != entered.uniqueid]
            start = max(entered.eventtime, min((begin for begin, _ in others), default=left))
            end = min(left, max((end for _, end in others), default=start))
            if end > start:
                yield Talk(entered.channel, device_of(entered.channel), start, end)
