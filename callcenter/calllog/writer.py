"""Takes changes from the tracker and keeps the call log up to date, without ever making the tracker wait.

`put` remembers the newest state of each call and returns at once; `run` writes. A call that has ended is written
as soon as the write before it is done, so that under load batches form by themselves; a call in progress is
written at most once in `progress_every`. While PostgreSQL is away the newest states wait here, up to `limit`
calls; what does not fit is given to `on_overflow`.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from uuid import UUID

import asyncpg
import msgspec
import structlog

from callcenter.calllog.store import Outbox, store, store_merge
from callcenter.changes import CallChange, CallMerged, Change
from callcenter.db.away import AWAY
from callcenter.db.engine import Database
from callcenter.model import Call

BATCH = 50
WRITE_TIMEOUT_S = 20.0
GATHER_S = 0.05
"""Between two transactions while calls come faster than they are written one by one."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0

_log = structlog.get_logger("callcenter.calllog")

UNFIT = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    # a name longer than an entry of an index may be
    asyncpg.ProgramLimitExceededError,
    ValueError,
    OverflowError,
)
"""Errors of one call's values: it is left out, and the others are written."""


class Counters(msgspec.Struct):
    """What the writer has done, for /metrics."""

    written: int = 0
    """Calls in committed batches."""
    refused: int = 0
    """Calls that PostgreSQL refused."""
    overflowed: int = 0
    """Calls that found no room while PostgreSQL was away."""


class CallLogWriter:
    """Writes one tenant's calls. `run` is a task of the application; `stop` lets it finish."""

    def __init__(
        self,
        database: Database,
        tenant_id: int,
        *,
        outbox: Outbox | None = None,
        progress_every: timedelta = timedelta(seconds=1),
        limit: int = 20_000,
        on_overflow: Callable[[Call], None] | None = None,
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._outbox = outbox
        self._progress_every = progress_every.total_seconds()
        self._limit = limit
        self._on_overflow = on_overflow
        self._ended: dict[UUID, Call] = {}
        self._in_progress: dict[UUID, Call] = {}
        self._merges: dict[UUID, UUID] = {}
        self._customers: dict[UUID, UUID] = {}
        self._progress_due: float | None = None
        self._progress_left = 0
        """How many calls in progress are still to be written this time; later ones wait for the next."""
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()
        self._give_up_at: float | None = None
        self.failures = 0
        """Attempts in a row that PostgreSQL was away; 0 when it answers."""
        self.counters = Counters()

    @property
    def waiting(self) -> int:
        """How many calls are not written yet."""
        return len(self._ended) + len(self._in_progress)

    def put(self, change: Change) -> None:
        """Take note of a change. Never waits."""
        if not isinstance(change, CallChange):
            return
        if isinstance(change, CallMerged):
            self._ended.pop(change.merged, None)
            self._in_progress.pop(change.merged, None)
            self._merges[change.merged] = change.call_id
        self.put_call(change.call)

    def put_call(self, call: Call) -> None:
        """Take note of the newest state of a call. Never waits."""
        self._idle.clear()
        if call.ended_at is not None:
            self._in_progress.pop(call.call_id, None)
            self._ended[call.call_id] = call
            self._wake.set()
        else:
            self._in_progress[call.call_id] = call
            if self._progress_due is None:
                self._progress_due = asyncio.get_running_loop().time() + self._progress_every
                self._wake.set()
        while self.waiting > self._limit:
            self._make_room()

    def link(self, call_id: UUID, customer_id: UUID) -> None:
        """Say which customer a call is with; written with the call, unless somebody chose another one.

        Call it when the match is known, while the call is in progress.
        """
        self._customers[call_id] = customer_id
        while len(self._customers) > self._limit:
            del self._customers[next(iter(self._customers))]

    async def flush(self) -> None:
        """Wait until all that was put before is written; calls in progress too, without delay."""
        if self._in_progress:
            self._progress_due = 0.0
            self._wake.set()
        await self._idle.wait()

    def stop(self, grace: timedelta) -> None:
        """Let `run` write what waits and return, at the latest after `grace`."""
        self._give_up_at = asyncio.get_running_loop().time() + grace.total_seconds()
        self._progress_every = 0.0
        if self._in_progress:
            self._progress_due = 0.0
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Write until `stop` is called and all is written, or its grace is over."""
        try:
            while True:
                calls, merges = self._take()
                if calls or merges:
                    await self._write_batch(calls, merges)
                    if self.waiting and len(self._ended) < BATCH:
                        await self._gather()
                    continue
                if self.waiting == 0:
                    self._idle.set()
                    if self._stopping.is_set():
                        return
                await self._wait()
        except _GivenUp:
            _log.error("calllog_given_up", calls_lost=self.waiting)
        finally:
            self._idle.set()

    async def _gather(self) -> None:
        """Let more calls come when calls come quickly: a transaction costs nearly the same for one as for fifty.

        It also keeps the many calls in progress from taking all of PostgreSQL at once, while telephones ring.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                await self._stopping.wait()

    def _take(self) -> tuple[list[Call], dict[UUID, UUID]]:
        """What to write next: calls that have ended first, others when their time has come."""
        calls = [self._ended.pop(call_id) for call_id in list(islice(self._ended, BATCH))]
        now = asyncio.get_running_loop().time()
        if self._progress_due is not None and self._progress_due <= now:
            # Only those that are here now: calls change faster than they are written, and this would never end.
            left = min(self._progress_left or len(self._in_progress), len(self._in_progress))
            taken = list(islice(self._in_progress, min(left, BATCH - len(calls))))
            calls += [self._in_progress.pop(call_id) for call_id in taken]
            self._progress_left = left - len(taken)
            if not self._progress_left:
                self._progress_due = now + self._progress_every if self._in_progress else None
        # a merge is written with or after the call that goes on, which inherits what people wrote
        ready = [
            merged
            for merged, survivor in self._merges.items()
            if survivor not in self._ended and survivor not in self._in_progress
        ]
        return calls, {merged: self._merges.pop(merged) for merged in ready}

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout_at(self._progress_due):
                await self._wake.wait()
                self._wake.clear()
        except TimeoutError:
            return  # the calls in progress are due

    async def _write_batch(self, calls: list[Call], merges: dict[UUID, UUID]) -> None:
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S), self._database.unit(self._tenant_id) as unit:
                if calls:
                    await store(unit, calls, self._customers, self._outbox)
                for merged, survivor in merges.items():
                    await store_merge(unit, merged, survivor)
        except UNFIT as problem:
            await self._write_singly(calls, merges, problem)
        except AWAY as problem:
            for call in calls:
                self._put_back(call)
            self._merges = merges | self._merges
            await self._pause(problem)
        else:
            self._after(calls)

    def _after(self, calls: list[Call]) -> None:
        self.counters.written += len(calls)
        for call in calls:
            if call.ended_at is not None:
                self._customers.pop(call.call_id, None)
        if self.failures:
            _log.info("calllog_back", waiting=self.waiting, overflowed=self.counters.overflowed)
            self.failures = 0

    async def _write_singly(self, calls: list[Call], merges: dict[UUID, UUID], problem: Exception) -> None:
        """Write the rest of a batch that one call spoiled."""
        if len(calls) + len(merges) == 1:
            # the message of PostgreSQL quotes values, so only its kind is logged
            call_id = str(calls[0].call_id if calls else next(iter(merges)))
            _log.error("calllog_call_refused", call_id=call_id, reason=type(problem).__name__)
            self.counters.refused += 1
            return
        for call in calls:
            await self._write_batch([call], {})
        for merged, survivor in merges.items():
            await self._write_batch([], {merged: survivor})

    async def _pause(self, problem: Exception) -> None:
        """Wait before the next attempt; longer each time. A stop shortens it to what its grace allows."""
        if not self.failures:
            _log.warning("calllog_waits", reason=type(problem).__name__)
        pause = min(FIRST_PAUSE_S * 2**self.failures, LONGEST_PAUSE_S)
        self.failures = min(self.failures + 1, 16)
        clock = asyncio.get_running_loop().time
        if self._give_up_at is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
        elif clock() + FIRST_PAUSE_S < self._give_up_at:
            await asyncio.sleep(FIRST_PAUSE_S)
        else:
            raise _GivenUp

    def _put_back(self, call: Call) -> None:
        """Keep a call that could not be written, unless a newer state of it came meanwhile."""
        if call.call_id in self._ended:
            return
        if call.ended_at is not None:
            self._in_progress.pop(call.call_id, None)
            self._ended[call.call_id] = call
        elif call.call_id not in self._in_progress:
            self._in_progress[call.call_id] = call
            self._progress_due = 0.0

    def _make_room(self) -> None:
        if self._in_progress:
            # nothing is lost: the call comes again, at the latest when it ends
            del self._in_progress[next(iter(self._in_progress))]
            return
        call = self._ended.pop(next(iter(self._ended)))
        self.counters.overflowed += 1
        if self._on_overflow is not None:
            self._on_overflow(call)


class _GivenUp(Exception):
    """PostgreSQL did not come back before the end of the grace."""
