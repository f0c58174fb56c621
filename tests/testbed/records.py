"""What Asterisk wrote down about calls in its files: CDR, CEL and queue log, parsed."""

import csv
import io
import json
from typing import NamedTuple, Self


class CdrRow(NamedTuple):
    """A call detail record, with the columns of the sample ``cdr_custom.conf``; times in seconds since 1970."""

    uniqueid: str
    linkedid: str
    sequence: int
    start: float
    answer: float
    end: float
    duration: float
    billsec: float
    disposition: str
    src: str
    clid: str
    dst: str
    dcontext: str
    channel: str
    dstchannel: str
    lastapp: str
    lastdata: str
    accountcode: str
    userfield: str
    peeraccount: str

    @classmethod
    def parse(cls, columns: list[str]) -> Self:
        start, answer, end, duration, billsec = (float(column or 0) for column in columns[3:8])
        return cls(columns[0], columns[1], int(columns[2]), start, answer, end, duration, billsec, *columns[8:])


class CelRow(NamedTuple):
    """A channel event, with the columns of the sample ``cel_custom.conf``; the time in seconds since 1970."""

    eventtype: str
    eventtime: float
    uniqueid: str
    linkedid: str
    channel: str
    cid_num: str
    cid_name: str
    cid_ani: str
    cid_rdnis: str
    cid_dnid: str
    exten: str
    context: str
    appname: str
    appdata: str
    peer: str
    accountcode: str
    userfield: str
    extra: str

    @classmethod
    def parse(cls, columns: list[str]) -> Self:
        return cls(columns[0], float(columns[1]), *columns[2:])


def bridge_of(row: CelRow) -> str | None:
    """The bridge that a channel enters or leaves; None where the row tells of no bridge, or of a waiting room."""
    if row.eventtype not in ("BRIDGE_ENTER", "BRIDGE_EXIT"):
        return None
    extra = json.loads(row.extra)
    return None if extra["bridge_technology"] == "holding_bridge" else str(extra["bridge_id"])


class QueueLogRow(NamedTuple):
    """A line of the queue log; the time in whole seconds since 1970."""

    at: int
    callid: str
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> Self:
        at, callid, queue, agent, event, *data = line.split("|")
        return cls(int(at), callid, queue, agent, event, tuple(data))


def parse_cdr(text: str) -> list[CdrRow]:
    """Return the records of ``cdr-custom/callcenter.csv``, as they were written."""
    return [CdrRow.parse(columns) for columns in csv.reader(io.StringIO(text))]


def parse_cel(text: str) -> list[CelRow]:
    """Return the records of ``cel-custom/callcenter.csv``, as they were written."""
    return [CelRow.parse(columns) for columns in csv.reader(io.StringIO(text))]


def parse_queue_log(text: str) -> list[QueueLogRow]:
    """Return the lines of ``queue_log``, as they were written."""
    return [QueueLogRow.parse(line) for line in text.splitlines()]
