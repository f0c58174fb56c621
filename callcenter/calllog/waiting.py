"""The newest state of each call that is to be written: coalescing, and bounded.

A call that has ended is due at once, one in progress when its interval is over.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from uuid import UUID

from callcenter.calllog.spool import Entry, SpooledCall, SpooledMerge
from callcenter.changes import CallMerged
from callcenter.model import Call


class Waiting:
    """Calls, merges and customers in memory. Times are those of the event loop, in seconds."""

    def __init__(self, progress_every: float, limit: int) -> None:
        self.progress_every = progress_every
        self.progress_due: float | None = None
        """When calls in progress are to be taken next; None while there are none."""
        self.customers: dict[UUID, UUID] = {}
        """Call → the customer that it is with."""
        self.overflowed = 0
        """Calls that found no room."""
        self._limit = limit
        self._ended: dict[UUID, Call] = {}
        self._in_progress: dict[UUID, Call] = {}
        self._merges: dict[UUID, UUID] = {}
        self._progress_left = 0
        """How many calls in progress are still to be taken this time; later ones wait for the next."""

    def __len__(self) -> int:
        return len(self._ended) + len(self._in_progress)

    @property
    def ended(self) -> int:
        """Calls that have ended, and are due."""
        return len(self._ended)

    @property
    def has_more(self) -> bool:
        """Whether calls in progress that are due were left by the last `take`."""
        return self._progress_left > 0

    def merge(self, change: CallMerged) -> None:
        """A call turned out to be part of another one."""
        self._ended.pop(change.merged, None)
        self._in_progress.pop(change.merged, None)
        self._merges[change.merged] = change.call_id

    def put(self, call: Call, now: float) -> bool:
        """Keep the newest state of a call. Gives whether there is something new to wait for."""
        is_news = True
        if call.ended_at is not None:
            self._in_progress.pop(call.call_id, None)
            self._ended[call.call_id] = call
        else:
            self._in_progress[call.call_id] = call
            is_news = self.progress_due is None
            if is_news:
                self.progress_due = now + self.progress_every
        while len(self) > self._limit:
            self._make_room()
        return is_news

    def link(self, call_id: UUID, customer_id: UUID) -> None:
        """Keep the customer of a call."""
        self.customers[call_id] = customer_id
        while len(self.customers) > self._limit:
            del self.customers[next(iter(self.customers))]

    def hurry(self) -> bool:
        """Let calls in progress be due now. Gives whether there are any."""
        if self._in_progress:
            self.progress_due = 0.0
        return bool(self._in_progress)

    def take(self, now: float, most: int) -> tuple[list[Call], dict[UUID, UUID]]:
        """What to write next: calls that have ended first, others when their time has come."""
        calls = [self._ended.pop(call_id) for call_id in list(islice(self._ended, most))]
        if self.progress_due is not None and self.progress_due <= now:
            # Only those that are here now: calls change faster than they are written, and this would never end.
            left = min(self._progress_left or len(self._in_progress), len(self._in_progress))
            taken = list(islice(self._in_progress, min(left, most - len(calls))))
            calls += [self._in_progress.pop(call_id) for call_id in taken]
            self._progress_left = left - len(taken)
            if not self._progress_left:
                self.progress_due = now + self.progress_every if self._in_progress else None
        # a merge is written with or after the call that goes on, which inherits what people wrote
        ready = [
            merged
            for merged, survivor in self._merges.items()
            if survivor not in self._ended and survivor not in self._in_progress
        ]
        return calls, {merged: self._merges.pop(merged) for merged in ready}

    def put_back(self, calls: Iterable[Call], merges: Mapping[UUID, UUID]) -> None:
        """Keep what could not be written, unless newer states came meanwhile."""
        for call in calls:
            if call.call_id in self._ended:
                continue
            if call.ended_at is not None:
                self._in_progress.pop(call.call_id, None)
                self._ended[call.call_id] = call
            elif call.call_id not in self._in_progress:
                self._in_progress[call.call_id] = call
                self.progress_due = 0.0
        self._merges = {**merges, **self._merges}
        while len(self) > self._limit:
            self._make_room()

    def entries(self, calls: Iterable[Call], merges: Mapping[UUID, UUID]) -> list[Entry]:
        """What was taken, with the customers, as it is kept on the disk."""
        found: list[Entry] = [SpooledCall(call, self.customers.get(call.call_id)) for call in calls]
        return found + [SpooledMerge(merged, survivor) for merged, survivor in merges.items()]

    def forget_customers(self, calls: Iterable[Call]) -> None:
        """The customers of these calls are written, and no longer needed where the call is over.

        A customer who became known while the call was being written is not: the call waits to be written again.
        """
        for call in calls:
            if call.ended_at is not None and call.call_id not in self._ended:
                self.customers.pop(call.call_id, None)

    def _make_room(self) -> None:
        if self._in_progress:
            # nothing is lost: the call comes again, at the latest when it ends
            del self._in_progress[next(iter(self._in_progress))]
            return
        del self._ended[next(iter(self._ended))]
        self.overflowed += 1
