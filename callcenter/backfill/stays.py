"""A caller's stays in queues: when they began and ended from CEL, why they ended from the queue_log."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from callcenter import events as ev
from callcenter.backfill.cel import Cel
from callcenter.backfill.legs import Leg, Run
from callcenter.backfill.omissions import APART
from callcenter.backfill.queuelog import ENDINGS, QueueLine

STATUS: Final = {"EXITWITHTIMEOUT": "TIMEOUT", "EXITEMPTY": "LEAVEEMPTY", "EXITWITHKEY": "CONTINUE"}
"""How the queue_log says that a caller left → what QUEUESTATUS says of it."""


class Stay:
    """One run of Queue by one channel: from row `start` to row `end`."""

    __slots__ = ("connected", "end", "line", "queue", "refused", "sent_away", "start", "taken", "uniqueid", "word")

    def __init__(self, uniqueid: str, queue: str, start: int, end: int) -> None:
        self.uniqueid = uniqueid
        self.queue = queue
        self.start = start
        self.end = end
        self.line: QueueLine | None = None
        self.refused = False
        self.sent_away = False
        """Whether somebody took the caller out of the queue: the queue_log has the same word for a caller who left."""
        self.word = ""
        """The queue_log's word for the end."""
        self.connected: int | None = None
        """The row in which the caller began to talk."""
        self.taken: int | None = None
        """The row in which the member answered."""


class Stays:
    """The events of all stays of a call, each with the row that it comes before or after."""

    def __init__(self, rows: Sequence[Cel], stays: list[Stay]) -> None:
        self._rows = rows
        self._stays = stays
        self.complete = True
        """Whether it is known how the caller left each queue."""
        self.after: list[tuple[int, ev.Event]] = []
        for stay in stays:
            self._join(stay)
            if stay.connected is not None and stay.taken is not None:
                at = rows[stay.taken].at
                self.after.append((stay.taken, ev.QueueCallerLeave(at, stay.uniqueid, stay.queue)))
                self.after.append((stay.taken, ev.AgentConnect(at, stay.uniqueid, stay.queue)))

    def before(self, asked: Mapping[str, int]) -> Iterator[tuple[int, ev.Event]]:
        """The ends of stays that nobody answered. `asked`: who asked to hang up, and before which row."""
        for stay in self._stays:
            at = self._rows[stay.end].at
            if stay.refused:
                yield stay.end, ev.VarSet(at, stay.uniqueid, "QUEUESTATUS", "JOINEMPTY")
            elif stay.connected is None:
                gave_up = not stay.word and asked.get(stay.uniqueid, len(self._rows)) <= stay.end
                if (stay.word == "ABANDON" and not stay.sent_away) or gave_up:
                    yield stay.end, ev.QueueCallerAbandon(at, stay.uniqueid, stay.queue)
                elif not stay.word:
                    self.complete = False
                yield stay.end, ev.QueueCallerLeave(at, stay.uniqueid, stay.queue)
                if stay.word in STATUS:
                    yield stay.end, ev.VarSet(at, stay.uniqueid, "QUEUESTATUS", STATUS[stay.word])

    def _join(self, stay: Stay) -> None:
        if stay.refused:
            return
        position = stay.line.data[2] if stay.line is not None and len(stay.line.data) > 2 else ""
        place = int(position) if position.isdecimal() and len(position) < 6 else None
        at = self._rows[stay.start].at
        self.after.append((stay.start, ev.QueueCallerJoin(at, stay.uniqueid, stay.queue, place)))


def of(rows: Sequence[Cel], legs: Mapping[str, Leg], lines: Sequence[QueueLine], with_queue_log: bool) -> Stays:
    """The stays of a call."""
    by_caller: dict[str, list[QueueLine]] = defaultdict(list)
    for line in lines:
        by_caller[line.uniqueid].append(line)
    stays: list[Stay] = []
    for leg in legs.values():
        written = by_caller.get(leg.uniqueid, [])
        for run in leg.runs:
            queue = run.data.partition(",")[0]
            if run.app == "Queue" and queue:
                stay = _stay(rows, legs, leg, run, queue)
                stay.line, stay.word = _read(written, rows[run.start], queue)
                stay.refused = stay.line is None and with_queue_log and stay.connected is None
                stays.append(stay)
    return Stays(rows, stays)


def _stay(rows: Sequence[Cel], legs: Mapping[str, Leg], leg: Leg, run: Run, queue: str) -> Stay:
    last = leg.gone if leg.gone is not None else len(rows) - 1
    end = run.end if run.end is not None else last
    stay = Stay(leg.uniqueid, queue, run.start, end)
    stay.sent_away = run.sent_away
    for number in range(run.start + 1, end):
        row = rows[number]
        if row.kind == "ANSWER":
            other = legs.get(row.uniqueid)
            if other is not None and other.source == leg.uniqueid and other.queue is not None:
                stay.taken = number
        elif row.kind == "BRIDGE_ENTER" and row.uniqueid == leg.uniqueid:
            if row.extra.get("bridge_technology") != "holding_bridge":
                stay.connected = number
                stay.taken = stay.taken or number - 1
                break
    return stay


def _read(lines: list[QueueLine], row: Cel, queue: str) -> tuple[QueueLine | None, str]:
    """The line of a join, and the word of its end; the lines are used up so far."""
    for number, line in enumerate(lines):
        if line.word == "ENTERQUEUE" and line.queue == queue and abs(line.at - row.at) <= APART:
            for later, other in enumerate(lines[number + 1 :], number + 1):
                if other.word in ENDINGS and other.word != "AGENTDUMP":
                    del lines[: later + 1]
                    return line, other.word
                if other.word == "ENTERQUEUE":
                    break
            del lines[: number + 1]
            return line, ""
    return None, ""
