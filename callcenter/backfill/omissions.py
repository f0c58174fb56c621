"""Rows that Asterisk leaves out: the end of a Queue and the beginning of the next, where one follows another at once.

CEL tells of an application only when its name changes (`main/cel.c`): of three Queues in a row it writes the
beginning of the first and the end of the last. The queue_log has each of them, in whole seconds; the rows of the
members that rang tell where in its second a caller went on.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from callcenter.backfill.cel import NOTHING, Cel
from callcenter.backfill.queuelog import QueueLine

APART: Final = timedelta(seconds=3)
"""How far a line, in whole seconds, may be from the row of the same thing."""
SECOND: Final = timedelta(seconds=1)


def filled(rows: Sequence[Cel], lines: Sequence[QueueLine]) -> list[Cel]:
    """The rows of a call, in the order of time, with those that Asterisk left out of its queues."""
    joins: dict[str, list[QueueLine]] = defaultdict(list)
    for line in lines:
        if line.word == "ENTERQUEUE":
            joins[line.uniqueid].append(line)
    found: dict[int, list[Cel]] = defaultdict(list)
    for uniqueid in dict.fromkeys(row.uniqueid for row in rows if _begins(row)):
        _look(rows, uniqueid, joins[uniqueid], found)
    if not found:
        return list(rows)
    return [one for number, row in enumerate(rows) for one in (*found.get(number, ()), row)]


def _look(rows: Sequence[Cel], uniqueid: str, joins: list[QueueLine], found: dict[int, list[Cel]]) -> None:
    """Find the queues that one channel went on to; `found` takes the rows before which others are missing."""
    starts = [number for number, row in enumerate(rows) if row.uniqueid == uniqueid and _begins(row)]
    told = _told(rows, starts, joins)
    for place, start in enumerate(starts):
        following = starts[place + 1] if place + 1 < len(starts) else len(rows)
        end = _end(rows, uniqueid, start, following)
        if end is None:
            continue
        here, data = start, rows[start].data
        of_next = joins.index(told[following]) if following in told else len(joins)
        left_out = joins[joins.index(told[start]) + 1 if start in told else 0 : of_next]
        left_out = [line for line in left_out if rows[start].at - APART <= line.at <= rows[end].at]
        for line in left_out:
            here = _place(rows, here + 1, end, line.at)
            last = line is left_out[-1] and _queue(rows[end].data) == line.queue
            after = rows[end].data if last else line.queue
            found[here] += _change(rows, uniqueid, start, here, line.at, data, after)
            data = after
        if _queue(rows[end].data) != _queue(data):
            # the last did not let the caller in, so that the queue_log has nothing of it
            found[end] += _change(rows, uniqueid, start, end, rows[end].at, data, rows[end].data)


def _told(rows: Sequence[Cel], starts: Sequence[int], joins: Sequence[QueueLine]) -> Mapping[int, QueueLine]:
    """The beginnings that CEL has → the line of each; the nearest one, since a queue may come twice."""
    found: dict[int, QueueLine] = {}
    free = list(joins)
    for start in starts:
        row = rows[start]
        near = [line for line in free if line.queue == _queue(row.data) and abs(line.at - row.at) <= APART]
        if near:
            found[start] = min(near, key=lambda line: abs(line.at - row.at.replace(microsecond=0)))
            free = free[free.index(found[start]) + 1 :]
    return found


def _end(rows: Sequence[Cel], uniqueid: str, start: int, following: int) -> int | None:
    for number in range(start + 1, following):
        if rows[number].uniqueid == uniqueid and rows[number].kind == "APP_END" and rows[number].app == "Queue":
            return number
    return None


def _place(rows: Sequence[Cel], first: int, end: int, second: datetime) -> int:
    """The row, from `first` up to `end`, before which a caller joined a queue in that second.

    A queue is left when those whom it rang are given up: that is after the last who rang since before that second.
    """
    early = {row.uniqueid for row in rows[:end] if row.kind == "CHAN_START" and row.at < second}
    answered = {row.uniqueid for row in rows[:end] if row.kind == "ANSWER"}
    place = None
    for number in range(first, end):
        row = rows[number]
        if row.at >= second + SECOND:
            break
        ended = row.kind == "CHAN_END" and row.uniqueid in early and row.uniqueid not in answered
        if row.at >= second and ended:
            place = number + 1
    if place is not None:
        return place
    return next((number for number in range(first, end) if rows[number].at >= second), end)


def _change(
    rows: Sequence[Cel], uniqueid: str, start: int, place: int, second: datetime, before: str, after: str
) -> tuple[Cel, Cel]:
    """The end of one Queue and the beginning of another, before the row of that number."""
    row = rows[start]
    at = min(max(second, rows[place - 1].at), rows[place].at)
    begun = row._replace(at=at, uniqueid=uniqueid, data=after, extra=NOTHING)
    return begun._replace(kind="APP_END", data=before), begun


def _begins(row: Cel) -> bool:
    return row.kind == "APP_START" and row.app == "Queue"


def _queue(data: str) -> str:
    return data.partition(",")[0]
