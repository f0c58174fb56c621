"""Takes changes from the tracker and keeps the call log up to date, without ever making the tracker wait.

`put` remembers the newest state of each call and returns at once; `run` writes. A call that has ended is written
as soon as the write before it is done, so that under load batches form by themselves; a call in progress is
written at most once in `progress_every`.

When PostgreSQL does not take a batch, it goes to the spool on the disk, and so does all that comes after it, while the
spool is written to PostgreSQL from its oldest entry on. Only when it is empty does the writer write directly again: no
older state of a call is ever written after a newer one. Where the disk takes nothing either, calls wait in memory, up
to `limit`; beyond, the oldest are lost, and said to be.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
import structlog

from callcenter.calllog.spool import Segment, Spool
from callcenter.calllog.store import Outbox, store, store_merge
from callcenter.calllog.waiting import Waiting
from callcenter.changes import CallChange, CallMerged, Change
from callcenter.db.away import AWAY
from callcenter.db.engine import Database
from callcenter.model import Call

BATCH: Final = 50
"""Calls in a transaction where more wait than that, and of what stood on the disk."""
PORTION: Final = 20
"""Calls in a transaction else: PostgreSQL and we are busy with it for a few milliseconds, and not for ten in which no
telephone's look-up is answered."""
WRITE_TIMEOUT_S: Final = 5.0
"""A batch takes milliseconds; after this time it is safer on the disk."""
GATHER_S: Final = 0.05
"""Between two transactions while calls come faster than they are written one by one."""
SPOOL_GATHER_S: Final = 0.2
"""Between two writes to the disk, each of which waits until it is there."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
DISK_PAUSE_S: Final = 2.0

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


class WriterState(StrEnum):
    """Where calls go."""

    WRITING = "writing"
    """Into PostgreSQL."""
    SPOOLING = "spooling"
    """Onto the disk: PostgreSQL is away, or what waited meanwhile is still being written."""
    HOLDING = "holding"
    """Neither PostgreSQL nor the disk takes them: into memory, as long as it lasts."""


class Counters(msgspec.Struct):
    """What the writer has done, for /metrics."""

    written: int = 0
    """Calls in committed batches."""
    refused: int = 0
    """Calls that PostgreSQL refused."""
    spooled: int = 0
    """States of calls that were put on the disk."""
    damaged: int = 0
    """Entries on the disk that could not be read."""


class CallLogWriter:
    """Writes one tenant's calls. `run` is a task of the application; `stop` lets it finish."""

    def __init__(
        self,
        database: Database,
        tenant_id: int,
        *,
        outbox: Outbox | None = None,
        spool: Spool | None = None,
        progress_every: timedelta = timedelta(seconds=1),
        limit: int = 20_000,
    ) -> None:
        self.counters = Counters()
        self.failures = 0
        """Attempts in a row that PostgreSQL was away; 0 when it answers."""
        self.caught_up = asyncio.Event()
        """Set while nothing waits on the disk, of this run of the service or an earlier one."""
        self._database = database
        self._tenant_id = tenant_id
        self._outbox = outbox
        self._spool = spool
        self._memory = Waiting(progress_every.total_seconds(), limit)
        self._told_overflow = 0
        self._detour = False
        self._in_hand = 0
        """Calls and merges that are on their way to the disk."""
        self._disk_failed = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()
        self._give_up_at: float | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait in memory."""
        return len(self._memory)

    @property
    def overflowed(self) -> int:
        """How many calls are lost, because nothing took them and memory was at its limit."""
        return self._memory.overflowed

    @property
    def spool_bytes(self) -> int:
        """How much waits on the disk."""
        return self._spool.size if self._spool is not None else 0

    @property
    def state(self) -> WriterState:
        """Where calls go now."""
        if self._disk_failed and self.failures:
            return WriterState.HOLDING
        return WriterState.SPOOLING if self._detour else WriterState.WRITING

    def put(self, change: Change) -> None:
        """Take note of a change. Never waits."""
        if not isinstance(change, CallChange):
            return
        if isinstance(change, CallMerged):
            self._memory.merge(change)
        self.put_call(change.call)

    def put_call(self, call: Call) -> None:
        """Take note of the newest state of a call. Never waits."""
        self._idle.clear()
        if self._memory.put(call, asyncio.get_running_loop().time()):
            self._wake.set()
        self._tell_overflow()

    def link(self, call_id: UUID, customer_id: UUID) -> None:
        """Say which customer a call is with; written with the call, unless somebody chose another one.

        Call it when the match is known, while the call is in progress.
        """
        self._memory.link(call_id, customer_id)

    async def flush(self) -> None:
        """Wait until all that was put before is written; calls in progress too, without delay."""
        if self._memory.hurry():
            self._wake.set()
        await self._idle.wait()

    def stop(self, grace: timedelta) -> None:
        """Let `run` write what waits and return, at the latest after `grace`."""
        self._give_up_at = asyncio.get_running_loop().time() + grace.total_seconds()
        self._memory.progress_every = 0.0
        self._memory.hurry()
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Write until `stop` is called and all is written, or its grace is over."""
        try:
            await self._inherit()
            while True:
                if self._spool is not None and self._spool.waiting:
                    await self._catch_up(self._spool)
                self.caught_up.set()
                calls, merges = self._take()
                if calls or merges:
                    began = asyncio.get_running_loop().time()
                    await self._write(calls, merges)
                    if self.waiting and self._memory.ended < BATCH:
                        took = asyncio.get_running_loop().time() - began
                        await self._gather(min(took, GATHER_S) if self._memory.has_more else GATHER_S)
                    continue
                if self.waiting == 0:
                    self._idle.set()
                    if self._stopping.is_set():
                        return
                await self._wait()
        except* _GivenUp:
            if self.waiting:
                _log.error("calllog_given_up", calls_lost=self.waiting)
            if self.spool_bytes:
                _log.warning("calllog_left_on_disk", bytes=self.spool_bytes)
        finally:
            self._idle.set()
            if self._spool is not None:
                self._spool.close()

    async def adopt(self) -> None:
        """Take over what a process that is gone left on the disk: its PBX is ours now."""
        if self._spool is not None:
            await self._inherit()
            if self._spool.waiting:
                self.caught_up.clear()
                self._wake.set()

    async def _inherit(self) -> None:
        if self._spool is None:
            return
        try:
            await self._spool.inherit()
        except OSError as problem:
            self._note_disk(problem)
        if self._spool.waiting:
            _log.info("calllog_found_on_disk", bytes=self._spool.size)

    async def _gather(self, seconds: float) -> None:
        """Let more calls come when calls come quickly: a transaction costs nearly the same for one as for twenty.

        Where many calls in progress are due we rest as long as we wrote, so that they never take all of PostgreSQL
        while telephones ring.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _take(self) -> tuple[list[Call], dict[UUID, UUID]]:
        most = PORTION if self._memory.ended < BATCH and not self._detour else BATCH
        return self._memory.take(asyncio.get_running_loop().time(), most)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout_at(self._memory.progress_due):
                await self._wake.wait()
                self._wake.clear()
        except TimeoutError:
            return  # the calls in progress are due

    async def _write(self, calls: list[Call], merges: dict[UUID, UUID]) -> None:
        """Write a batch: into PostgreSQL or, where that is away, onto the disk."""
        try:
            await self._store(calls, merges, self._memory.customers)
        except AWAY as problem:
            self._note_away(problem)
            if self._spool is None:
                self._memory.put_back(calls, merges)
                await self._pause()
            elif not await self._to_disk(self._spool, calls, merges):
                await self._pause()
        else:
            self._memory.forget_customers(calls)
            self._note_back()

    async def _store(self, calls: list[Call], merges: Mapping[UUID, UUID], customers: Mapping[UUID, UUID]) -> None:
        """Write a batch in one transaction, or where one call spoils it, in many."""
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S), self._database.unit(self._tenant_id) as unit:
                if calls:
                    await store(unit, calls, customers, self._outbox)
                for merged, survivor in merges.items():
                    await store_merge(unit, merged, survivor)
        except UNFIT as problem:
            if len(calls) + len(merges) == 1:
                # the message of PostgreSQL quotes values, so only its kind is logged
                call_id = str(calls[0].call_id if calls else next(iter(merges)))
                _log.error("calllog_call_refused", call_id=call_id, reason=type(problem).__name__)
                self.counters.refused += 1
                return
            for call in calls:
                await self._store([call], {}, customers)
            for merged, survivor in merges.items():
                await self._store([], {merged: survivor}, customers)
        else:
            self.counters.written += len(calls)

    async def _to_disk(self, spool: Spool, calls: list[Call], merges: dict[UUID, UUID]) -> bool:
        """Put a batch on the disk, or back into memory where the disk does not take it."""
        self._in_hand = len(calls) + len(merges)
        try:
            await spool.append(self._memory.entries(calls, merges))
        except OSError as problem:
            self._note_disk(problem)
            self._memory.put_back(calls, merges)
            self._tell_overflow()
            return False
        finally:
            self._in_hand = 0
        self._note_disk(None)
        self.counters.spooled += len(calls)
        self._memory.forget_customers(calls)
        return True

    async def _catch_up(self, spool: Spool) -> None:
        """Put what comes on the disk, while what is there is written from the oldest on, until there is none."""
        self._detour = True
        self.caught_up.clear()
        written = self.counters.written
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fill(spool), name="call log: to disk")
                try:
                    await self._drain(spool)
                finally:
                    self._detour = False
                    self._wake.set()
        finally:
            self._detour = False
        _log.info("calllog_caught_up", calls=self.counters.written - written)

    async def _fill(self, spool: Spool) -> None:
        while self._detour:
            calls, merges = self._take()
            if not calls and not merges:
                await self._wait()
            elif await self._to_disk(spool, calls, merges):
                if self._memory.ended < BATCH:
                    await self._gather(SPOOL_GATHER_S)
            else:
                await self._gather(DISK_PAUSE_S)

    async def _drain(self, spool: Spool) -> None:
        while True:
            try:
                segment = await spool.oldest()
                if segment is None:
                    return
                await self._deliver(segment)
                await spool.remove(segment)
            except OSError as problem:
                self._note_disk(problem)
                self._give_up_if_late()
                await self._gather(DISK_PAUSE_S)

    async def _deliver(self, segment: Segment) -> None:
        """Write what a segment holds. What is written again, because we were killed meanwhile, changes nothing."""
        if segment.damaged:
            self.counters.damaged += segment.damaged
            _log.warning("calllog_spool_damaged", segment=segment.path.name, entries=segment.damaged)
        customers = {call_id: one.customer for call_id, one in segment.calls.items() if one.customer is not None}
        all_calls = [one.call for one in segment.calls.values()]
        batches = [all_calls[at : at + BATCH] for at in range(0, len(all_calls), BATCH)]
        no_merges: dict[UUID, UUID] = {}
        for calls, merges in [*((batch, no_merges) for batch in batches), ([], segment.merges)]:
            while calls or merges:
                try:
                    await self._store(calls, merges, customers)
                except AWAY as problem:
                    self._note_away(problem)
                    await self._pause()
                else:
                    self._note_back()
                    break

    def _note_away(self, problem: Exception) -> None:
        if not self.failures:
            _log.warning("calllog_waits", reason=type(problem).__name__)
        self.failures = min(self.failures + 1, 16)

    def _note_back(self) -> None:
        if self.failures:
            _log.info("calllog_back", waiting=self.waiting, on_disk_bytes=self.spool_bytes)
        self.failures = 0

    def _note_disk(self, problem: OSError | None) -> None:
        """Say once that the disk takes nothing, and once that it does again."""
        if problem is not None and not self._disk_failed:
            where = str(self._spool.directory) if self._spool is not None else ""
            why = problem.strerror or type(problem).__name__
            _log.error("calllog_disk_fails", reason=why, directory=where, advice="free space there, or raise spool_mb")
        elif problem is None and self._disk_failed:
            _log.info("calllog_disk_back")
        self._disk_failed = problem is not None

    def _tell_overflow(self) -> None:
        """The first, the tenth, the hundredth … call that is lost has a line."""
        lost = self._memory.overflowed
        if lost != self._told_overflow and str(lost).strip("0") == "1":
            self._told_overflow = lost
            _log.error("calllog_calls_lost", so_far=lost)

    async def _pause(self) -> None:
        """Wait before the next attempt; longer each time. A stop shortens it to what its grace allows."""
        pause = min(FIRST_PAUSE_S * 2 ** (self.failures - 1), LONGEST_PAUSE_S)
        self._give_up_if_late()
        if self._give_up_at is None:
            await self._gather(pause)
        else:
            await asyncio.sleep(FIRST_PAUSE_S)

    def _give_up_if_late(self) -> None:
        if self._give_up_at is None:
            return
        # On the disk calls wait as well for the next start.
        is_safe = self._detour and not self.waiting and not self._in_hand
        if is_safe or asyncio.get_running_loop().time() + FIRST_PAUSE_S >= self._give_up_at:
            raise _GivenUp


class _GivenUp(Exception):
    """PostgreSQL did not come back before the end of the grace."""
