"""Puts the rows of one call together, as they come in the order of time, and says when a call is over.

Two rows belong together if they share a channel, a linkedid or a bridge in which people talk: calls that meet become
one here as they do in the tracker. What is held is the calls that go on, and nothing of those that are over.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from callcenter.backfill.callbacks import Callbacks
from callcenter.backfill.cel import Cel
from callcenter.backfill.queuelog import QueueLine

GRACE: Final = timedelta(seconds=5)
"""Asterisk writes some rows late, and the queue_log in whole seconds."""
FORGOTTEN: Final = timedelta(hours=12)
"""A call without a row for so long has ended unseen: Asterisk was killed."""
MOST_ROWS: Final = 20_000
"""Rows of one call; a conference room that is never empty must not fill the memory."""
BRIDGES: Final = frozenset({"BRIDGE_ENTER", "BRIDGE_EXIT"})


class Group:
    """The rows of one call so far."""

    __slots__ = ("cut", "ended_at", "keys", "last_at", "lines", "open", "rows", "waits")

    def __init__(self) -> None:
        self.rows: list[Cel] = []
        self.lines: list[QueueLine] = []
        self.keys: list[str] = []
        """Channels, linkedids and bridges by which the call is known."""
        self.open: set[str] = set()
        """Channels that have begun and have not ended."""
        self.last_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.waits = False
        """Whether it is in the row of those that are about to be given out."""
        self.cut = False
        """Rows are missing: the call was too long to be held."""

    @property
    def begins(self) -> bool:
        """Whether the beginning of a channel was seen: else these are the last words of a call of before."""
        return any(row.kind == "CHAN_START" for row in self.rows)


class Gatherer:
    """Takes rows and lines in the order of time; gives out calls that are over."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._ending: deque[Group] = deque()
        self._lines: dict[str, list[QueueLine]] = {}
        self._callbacks = Callbacks()
        self._swept_at: datetime | None = None

    def row(self, row: Cel) -> Iterator[Group]:
        """Take a row of CEL; give the calls that are certainly over by then."""
        yield from self._over(row.at)
        group = self._group(row)
        if len(group.rows) < MOST_ROWS:
            group.rows.append(row)
        else:
            group.cut = True
        group.last_at = row.at if group.last_at is None else max(group.last_at, row.at)
        if row.kind == "CHAN_START":
            group.open.add(row.uniqueid)
            group.ended_at = None
        elif row.kind == "CHAN_END":
            group.open.discard(row.uniqueid)
            if not group.open:
                group.ended_at = row.at
                if not group.waits:
                    group.waits = True
                    self._ending.append(group)

    def line(self, line: QueueLine) -> None:
        """Take a line of the queue_log, which must not come later than the rows of its second."""
        self._lines.setdefault(line.uniqueid, []).append(line)

    def rest(self) -> Iterator[Group]:
        """Give what is left when there are no more rows: calls that are over, and calls that go on."""
        self._ending.clear()
        for group in list(dict.fromkeys(self._groups.values())):
            yield self._out(group)

    def _over(self, now: datetime) -> Iterator[Group]:
        while self._ending:
            group = self._ending[0]
            if group.ended_at is None:
                self._ending.popleft().waits = False
            elif group.ended_at + GRACE < now:
                self._ending.popleft()
                yield self._out(group)
            else:
                break
        if self._swept_at is None:
            self._swept_at = now
        elif now - self._swept_at > FORGOTTEN / 4:
            self._swept_at = now
            for group in list(dict.fromkeys(self._groups.values())):
                if group.last_at is not None and now - group.last_at > FORGOTTEN:
                    group.ended_at = None
                    yield self._out(group)
            for uniqueid in [u for u, lines in self._lines.items() if now - lines[-1].at > FORGOTTEN]:
                del self._lines[uniqueid]

    def _out(self, group: Group) -> Group:
        for key in group.keys:
            if self._groups.get(key) is group:
                del self._groups[key]
            group.lines += self._lines.pop(key, ())
        return group

    def _group(self, row: Cel) -> Group:
        keys = [row.uniqueid] if row.linkedid == row.uniqueid else [row.uniqueid, row.linkedid]
        extra = row.extra
        if extra:
            if row.kind in BRIDGES and extra.get("bridge_technology") != "holding_bridge" and "bridge_id" in extra:
                keys.append(extra["bridge_id"])
            elif row.kind == "PICKUP":
                keys.append(extra.get("pickup_channel_uniqueid") or row.uniqueid)
            elif row.kind == "ATTENDEDTRANSFER":
                keys.append(extra.get("channel2_uniqueid") or row.uniqueid)
        customer = self._callbacks.note(row)
        if customer is not None:
            keys.append(customer)
        groups = self._groups
        group = groups.get(keys[0])
        for key in keys:
            other = groups.get(key)
            if other is None:
                continue
            if group is None:
                group = other
            elif other is not group:
                group = self._join(group, other)
        if group is None:
            group = Group()
        for key in keys:
            if groups.get(key) is not group:
                groups[key] = group
                group.keys.append(key)
        return group

    def _join(self, one: Group, other: Group) -> Group:
        if len(one.rows) < len(other.rows):
            one, other = other, one
        one.rows += other.rows
        one.open |= other.open
        one.cut = one.cut or other.cut
        for key in other.keys:
            self._groups[key] = one
        one.keys += other.keys
        other.ended_at = None  # whoever waits for its end finds that it has none
        if one.open:
            one.ended_at = None
        return one
