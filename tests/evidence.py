"""Compares call records with what Asterisk wrote down of the same calls: CEL, CDR and queue log. Pure.

Asterisk's files are an account of its own, made without AMI. What both tell must agree: which calls there were, when
they began and ended, which devices rang, who talked and for how long, who waited in which queue and how that ended.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from asterisk_conf import SAMPLES
from tests.footprint import TRUNK, Footprint, device_of, footprints
from tests.rooms import Stretch, heirs, minus, seconds
from tests.testbed.records import CdrRow, CelRow, QueueLogRow

Record = Mapping[str, Any]
"""A call record, as GET /api/v1/calls and `callcenter replay` give it."""

TOLERANCE_S: Final = 1.0
RINGS_WITHIN_S: Final = 2.0
"""CEL tells when a device was called, a record when it said that it rings: a busy browser takes its time to."""
_IN_VAIN: Final = frozenset({"no_answer", "busy", "rejected", "unavailable"})
"""What the queue log calls RINGNOANSWER."""
_WRITTEN_EXITS: Final = {"CONNECT": "answered", "ABANDON": "abandoned", "EXITWITHTIMEOUT": "timeout"}


def disagreements(
    records: Sequence[Record], cdr: Sequence[CdrRow], cel: Sequence[CelRow], queue_log: Sequence[QueueLogRow]
) -> list[str]:
    """What the records and Asterisk's files tell differently, each in a sentence; empty where they agree."""
    found: list[str] = []
    by_linkedid: dict[str, list[Record]] = {}
    for record in records:
        for linkedid in record["linkedids"]:
            by_linkedid.setdefault(linkedid, []).append(record)
    seen: set[str] = set()
    for footprint in footprints(cdr, cel, queue_log):
        held = {one["call_id"]: one for linkedid in footprint.linkedids for one in by_linkedid.get(linkedid, ())}
        seen |= held.keys()
        name = "/".join(sorted(footprint.linkedids))
        if footprint.is_supervision:
            continue
        if len(held) != 1:
            found.append(f"{name}: Asterisk wrote of one call, and there are {len(held)} records of it")
            continue
        (record,) = held.values()
        found += [f"{name}: {problem}" for problem in _of_call(record, footprint)]
    for record in records:
        # A click-to-dial whose phone could not be reached has never had a channel.
        if record["call_id"] not in seen and record["caller"]["channel"] is not None:
            found.append(f"{record['call_id']}: Asterisk wrote nothing of this call")
    return found


def _of_call(record: Record, footprint: Footprint) -> Iterator[str]:
    caller = _name(record["caller"]["channel"])
    yield from _time("started_at", record["started_at"], footprint.start(caller))
    yield from _time("ended_at", record["ended_at"], footprint.end)
    if footprint.cdr and not footprint.cdr_is_short:
        own = footprint.begun_with(caller)
        start = min(row.start for row in footprint.cdr if row.uniqueid in own)
        yield from _time("started_at (CDR)", record["started_at"], start)
        yield from _time("ended_at (CDR)", record["ended_at"], max(row.end for row in footprint.cdr))
        written = max(row.end for row in footprint.cdr) - start
        if abs(record["duration_s"] - written) > TOLERANCE_S:
            yield f"duration_s is {record['duration_s']}, Asterisk's records are {written:.3f} s long"
    yield from _status(record, footprint)
    yield from _talk(record, footprint)
    yield from _offers(record, footprint)
    yield from _hangup(record, footprint)
    yield from _visits(record, footprint)


def _status(record: Record, footprint: Footprint) -> Iterator[str]:
    caller = _name(record["caller"]["channel"])
    status = footprint.status(caller)
    if record["status"] == "canceled" and status == "no_answer" and footprint.was_cut_short(caller):
        return
    if record["status"] != status:
        yield f"status is {record['status']}, Asterisk tells of {status}"


def _talk(record: Record, footprint: Footprint) -> Iterator[str]:
    written = _company(record, footprint)
    told: dict[str, list[Stretch]] = defaultdict(list)
    for one in record["connections"]:
        told[one["interface"] or TRUNK].append(_stretch(one))
    if set(told) != set(written):
        yield f"talked: the record says {sorted(told)}, Asterisk {sorted(written)}"
    for device in set(told) & set(written):
        # Who consults by a feature code is out of the bridge for that time, with the customer on hold.
        away = max(seconds(minus(told[device], written[device])) - (record["hold_s"] or 0), 0)
        missing = seconds(minus(written[device], told[device]))
        if away + missing > TOLERANCE_S:
            yield f"{device} talked {told[device]} by the record, {written[device]} by Asterisk"
        if (
            footprint.cdr
            and not footprint.cdr_is_short
            and not any(
                row.disposition == "ANSWERED" and device in (device_of(row.channel), device_of(row.dstchannel))
                for row in footprint.cdr
            )
        ):
            yield f"{device} talked, and no answered CDR names it"
    if written:
        first = min(start for stretches in written.values() for start, _ in stretches)
        yield from _time("answered_at", record["answered_at"], first)
    elif record["answered_at"] is not None:
        yield f"answered_at is {record['answered_at']}, and nobody talked"


def _company(record: Record, footprint: Footprint) -> dict[str, list[Stretch]]:
    """Who was in a room with the customer, and when, those outside as one. Between colleagues: with whoever called,
    and once they have handed the call on, with who stayed.
    """
    customer = _name(record["callee" if record["direction"] == "outbound" else "caller"]["channel"])
    found: dict[str, list[Stretch]] = defaultdict(list)
    for one, since in heirs(footprint.cel, customer) if record["direction"] == "internal" else [(customer, 0.0)]:
        for channel, stretches in footprint.company_of(one).items():
            later = [(max(start, since), end) for start, end in stretches if end > since]
            if later:
                found[device_of(channel)] += later
    return found


def _stretch(part: Mapping[str, Any]) -> Stretch:
    return _seconds(part["from"]), _seconds(part["to"])


def _offers(record: Record, footprint: Footprint) -> Iterator[str]:
    rung = footprint.rung(_name(record["caller"]["channel"]))
    told = Counter(offer["interface"] for offer in record["offers"])
    written = Counter(ring.device for ring in rung)
    if told != written:
        yield f"rang: the record says {dict(told)}, Asterisk {dict(written)}"
        return
    offers = {device: [offer for offer in record["offers"] if offer["interface"] == device] for device in told}
    for ring in rung:
        offer = offers[ring.device].pop(0)
        yield from _time(f"offer to {ring.device}: rang_at", offer["rang_at"], ring.start, RINGS_WITHIN_S)
        yield from _time(f"offer to {ring.device}: ended_at", offer["ended_at"], ring.end)
        if (offer["result"] == "answered") != ring.answered:
            how = "answered" if ring.answered else "did not answer"
            yield f"offer to {ring.device} ended as {offer['result']}, and the device {how}"
        if ring.elsewhere and offer["result"] != "answered_elsewhere":
            yield f"offer to {ring.device} ended as {offer['result']}; Asterisk says answered elsewhere"


def _hangup(record: Record, footprint: Footprint) -> Iterator[str]:
    customer = record["callee" if record["direction"] == "outbound" else "caller"]["channel"]
    source = footprint.hangup_source(_name(customer))
    if source is None or record["transfers"]:
        return
    by_caller = source == _name(record["caller"]["channel"])
    fits = {"caller": by_caller, "callee": not by_caller, "agent": device_of(source) != TRUNK}
    if not fits.get(record["hangup_by"], False):
        yield f"hangup_by is {record['hangup_by']}, Asterisk says {source}"


def _visits(record: Record, footprint: Footprint) -> Iterator[str]:
    visits = [visit for visit in record["queue_visits"] if visit["exit"] not in ("join_empty", "full")]
    written = footprint.visits
    if [visit["queue"] for visit in visits] != [one.queue for one in written]:
        queues = [one.queue for one in written]
        yield f"queues: the record says {[visit['queue'] for visit in visits]}, the queue log {queues}"
        return
    answered = {ring.device for ring in footprint.rung(_name(record["caller"]["channel"])) if ring.answered}
    for visit, one in zip(visits, written, strict=True):
        # The queue log has whole seconds, cut off.
        yield from _time(f"{one.queue}: joined_at", visit["joined_at"], one.entered + 0.5, TOLERANCE_S + 0.5)
        exits = _WRITTEN_EXITS.get(one.ending, "other")
        if visit["exit"] != exits and one.ending:
            yield f"{one.queue} was left by {visit['exit']}, the queue log says {one.ending}"
        if one.wait_s is not None and abs(visit["wait_s"] - one.wait_s) > TOLERANCE_S:
            yield f"{one.queue}: waited {visit['wait_s']} s, the queue log says {one.wait_s}"
        if one.member is not None:
            # Who took the call by a pick-up or a forward is not the member whom the queue log names all the same.
            device = MEMBERS.get(one.member) if MEMBERS.get(one.member) in answered else None
            known = [offer["interface"] for offer in record["offers"] if offer["result"] == "answered"]
            known += [connection["interface"] for connection in record["connections"]]
            if device is not None and device not in known:
                yield f"{one.queue} was answered by {one.member} ({device}), the record does not know that"
    if footprint.forwarded:
        return  # the queue log names the member, and the record the phone that took the call for it
    told = Counter(offer["interface"] for offer in record["offers"] if offer["queue"] and offer["result"] in _IN_VAIN)
    rang = Counter(MEMBERS.get(member, member) for member in footprint.ring_no_answers)
    if told != rang:
        yield f"rang in vain: the record says {dict(told)}, the queue log {dict(rang)}"


def _time(what: str, told: str | None, written: float, tolerance_s: float = TOLERANCE_S) -> Iterator[str]:
    if told is None:
        yield f"{what} is not told, Asterisk says {written:.3f}"
    elif abs(_seconds(told) - written) > tolerance_s:
        yield f"{what} is {_seconds(told):.3f}, Asterisk says {written:.3f}"


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _name(channel: str | None) -> str:
    return channel or ""


def _members() -> dict[str, str]:
    """The members that the sample configuration names, and the devices behind them."""
    lines = (SAMPLES / "queues.conf").read_text("utf-8").splitlines()
    members = (line.partition("=>")[2].strip().split(",") for line in lines if line.startswith("member"))
    return {name: device for _, _, name, device in members}


MEMBERS: Final = _members()
