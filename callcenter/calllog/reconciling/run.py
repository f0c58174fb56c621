"""One reconciliation: reads what a PBX wrote down, rebuilds the calls, and writes those that the log lacks.

Rows are read in pages and calls given out as they end, so that a year needs no more memory than a day. A call that
the log followed live and in full is never touched; see `callcenter.backfill.comparison`.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import msgspec
import structlog

from callcenter.backfill import comparison, rebuilding
from callcenter.backfill.cel import Cel
from callcenter.backfill.gathering import FORGOTTEN, GRACE, Gatherer, Group
from callcenter.backfill.report import Finding, Item, Tally, Witness
from callcenter.calllog.reconciling import ledger
from callcenter.calllog.reconciling.queuelogs import QueueLogFile
from callcenter.calllog.store import Outbox, store, store_merge
from callcenter.calllog.writer import UNFIT
from callcenter.callrecord import CallRecord
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.model import Call, Hold
from callcenter.tracking import ids
from callcenter.tracking.directory import Directory

BATCH: Final = 200
"""Calls that are compared and written in one transaction."""
TURN: Final = 50
"""Rows that are taken before others have their turn."""
LEAD: Final = timedelta(hours=12)
"""How long before `since` rows are read from: a call that ended later may have begun then."""
KEPT: Final = FORGOTTEN + timedelta(hours=2)
"""How long it is remembered which calls were seen, before the others of that hour are looked for."""

_log = structlog.get_logger("callcenter.calllog")


class CelSource(Protocol):
    """Where CEL is."""

    def pages(self, since: datetime, until: datetime, on_bad: Callable[[str], None]) -> AsyncIterator[list[Cel]]:
        """Pages of rows, nearly in the order of time; what is no row is told to `on_bad`."""
        ...

    async def witness(self, since: datetime, until: datetime) -> Witness | None:
        """What the PBX's CDR say of calls that ended in that time; None where there are none to read."""
        ...


class Customers(Protocol):
    """Who knows whose number it is."""

    async def of(self, call: Call) -> UUID | None:
        """The one customer that a call is with; None where there is none, or more than one."""
        ...


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """What one PBX writes down, and how it is to be read."""

    pbx: str
    cel: CelSource
    queue_log: Path | None
    directory: Directory


class Found(NamedTuple):
    """What the log has of some calls, and what is to be done about it."""

    stored: dict[UUID, CallRecord]
    merged: dict[UUID, tuple[UUID, datetime | None]]
    """Call → the one that it became a part of, and when that ended."""
    items: list[Item]
    better: list[Call]
    merges: list[tuple[UUID, UUID]]
    """Calls that are parts of others, with those."""


class Run:
    """One comparison of the calls that ended from `since` on and before `until`."""

    def __init__(
        self,
        database: Database,
        tenant_id: int,
        records: Records,
        *,
        since: datetime,
        until: datetime,
        dry_run: bool = False,
        customers: Customers | None = None,
        outbox: Outbox | None = None,
        on_progress: Callable[[Tally, datetime], None] | None = None,
    ) -> None:
        self.tally = Tally()
        self._database = database
        self._tenant_id = tenant_id
        self._records = records
        self._since = since
        self._until = until
        self._dry_run = dry_run
        self._customers = customers
        self._outbox = outbox
        self._on_progress = on_progress
        self._waiting: list[Call] = []
        self._seen: dict[datetime, set[UUID]] = defaultdict(set)
        """Hour → calls of the log that end in it and that the PBX wrote down."""
        self._looked_until = since

    async def run(self) -> Tally:
        """Do it.

        Raises:
            BadFile: what the PBX wrote cannot be read. DatabaseError: neither can a database.
        """
        begin = self._since - LEAD
        log = self._queue_log(begin)
        gatherer = Gatherer()
        try:
            async for page in self._records.cel.pages(begin, self._until, self.tally.bad):
                for number, row in enumerate(page):
                    if number % TURN == 0:
                        await asyncio.sleep(0)  # the service follows calls in this very loop
                    if log is not None:
                        for line in await log.up_to(row.at + GRACE):
                            gatherer.line(line)
                    for group in gatherer.row(row):
                        self._rebuild(group)
                self.tally.rows += len(page)
                while len(self._waiting) >= BATCH:
                    await self._write(self._take())
                if page:
                    await self._look_for_unwritten(page[-1].at - KEPT)
                    if self._on_progress is not None:
                        self._on_progress(self.tally, page[-1].at)
            for group in gatherer.rest():
                if group.open:
                    self.tally.going_on += group.begins
                else:
                    self._rebuild(group)
            while self._waiting:
                await self._write(self._take())
            await self._look_for_unwritten(self._until)
            self.tally.heard(await self._records.cel.witness(self._since, self._until))
        finally:
            if log is not None:
                await log.close()
        return self.tally

    def _queue_log(self, begin: datetime) -> QueueLogFile | None:
        path = self._records.queue_log
        return None if path is None else QueueLogFile(path, begin, self.tally.bad)

    def _take(self) -> list[Call]:
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        return batch

    def _rebuild(self, group: Group) -> None:
        if not group.begins:
            return  # the last words of a call that began before anything was read
        try:
            with_log = self._records.queue_log is not None
            for call in rebuilding.calls(group, self._records.directory, with_queue_log=with_log):
                if call.ended_at is not None and self._since <= call.ended_at < self._until:
                    self._waiting.append(call)
        except Exception:
            # A fault of ours about one call: the others are compared.
            self.tally.failed += 1
            _log.exception("call_not_rebuilt", pbx=self._records.pbx, channels=len(group.keys))

    async def _write(self, calls: Sequence[Call]) -> None:
        self.tally.pbx_calls += len(calls)
        try:
            await self._compare(calls)
        except UNFIT:
            for call in calls:
                try:
                    await self._compare([call])
                except UNFIT as problem:
                    self.tally.failed += 1
                    _log.warning("call_unfit", call_id=str(call.call_id), reason=type(problem).__name__)

    async def _compare(self, calls: Sequence[Call]) -> None:
        async with self._database.unit(self._tenant_id) as unit:
            found = await self._look(unit, calls)
            if not self._dry_run and (found.better or found.merges):
                customers = await self._linked(found.better)
                # What was followed live may have been written meanwhile, and knows more than what was rebuilt.
                await ledger.hold_writers(unit)
                found = await self._look(unit, calls)
                if found.better:
                    await store(unit, found.better, customers, self._outbox)
                for name, survivor in found.merges:
                    if survivor not in found.merged:
                        await store_merge(unit, name, survivor)
        self._note(calls, found)

    async def _look(self, unit: Unit, calls: Sequence[Call]) -> Found:
        """What the log has of these calls now, and what is to be made of that."""
        others = {call.call_id: self._other_names(call) for call in calls}
        wanted = {call_id for call_id in others} | {name for names in others.values() for name in names}
        stored = await ledger.records(unit, wanted)
        found = Found(stored, await ledger.merged(unit, list(others)), [], [], [])
        held = await ledger.holds(unit, list(stored))
        for call in calls:
            item, better = self._judge(call, stored.get(call.call_id), call.call_id in found.merged, held)
            found.items.append(item)
            if better is not None:
                found.better.append(better)
            found.merges.extend((name, call.call_id) for name in others[call.call_id] if name in stored)
        return found

    def _note(self, calls: Sequence[Call], found: Found) -> None:
        for item in found.items:
            self.tally.add(item)
        for record in found.stored.values():
            self.tally.service_calls += 1
            if record.ended_at is not None:
                self._seen[_hour(datetime.fromisoformat(record.ended_at))].add(record.call_id)
        for call in calls:
            if call.ended_at is not None:
                self._seen[_hour(call.ended_at)].add(call.call_id)
        for survivor_id, ended_at in found.merged.values():
            if ended_at is not None:
                self._seen[_hour(ended_at)].add(survivor_id)

    def _judge(
        self, call: Call, stored: CallRecord | None, merged: bool, held: dict[UUID, object]
    ) -> tuple[Item, Call | None]:
        if merged:
            return Item(call.call_id, call.started_at, Finding.DIFFERENT, ("linkedids",)), None
        if stored is None:
            return Item(call.call_id, call.started_at, Finding.MISSING), call
        fields = comparison.unlike(stored, call)
        if not comparison.believes_rebuilt(stored, call):
            return Item(call.call_id, call.started_at, Finding.DIFFERENT if fields else Finding.SAME, fields), None
        if not fields and stored.complete == call.complete:
            return Item(call.call_id, call.started_at, Finding.SAME), None
        holds = msgspec.convert(held.get(call.call_id, ()), type=tuple[Hold, ...])
        return (
            Item(call.call_id, call.started_at, Finding.MENDED, fields),
            comparison.filled(call, stored, holds),
        )

    def _other_names(self, call: Call) -> list[UUID]:
        """What the parts of a call are named, where the log has them as calls of their own."""
        names = (ids.call_id(self._records.pbx, linkedid) for linkedid in call.linkedids)
        return [name for name in names if name != call.call_id]

    async def _linked(self, calls: Sequence[Call]) -> dict[UUID, UUID]:
        found: dict[UUID, UUID] = {}
        if self._customers is not None:
            for call in calls:
                customer = await self._customers.of(call)
                if customer is not None:
                    found[call.call_id] = customer
        return found

    async def _look_for_unwritten(self, before: datetime) -> None:
        """Calls of the log that ended before a time, and that the PBX wrote nothing of."""
        end = min(before, self._until)
        if end - self._looked_until < timedelta(hours=1) and end < self._until:
            return
        if end <= self._looked_until:
            return
        async with self._database.unit(self._tenant_id) as unit:
            there = await ledger.in_window(unit, self._records.pbx, self._looked_until, end)
            hours = {_hour(self._looked_until) + timedelta(hours=n) for n in range(_hours(self._looked_until, end) + 2)}
            seen = {call_id for hour in hours for call_id in self._seen.get(hour, ())}
            for call_id, started_at in there:
                if call_id not in seen:
                    self.tally.service_calls += 1
                    self.tally.add(Item(call_id, started_at, Finding.UNWRITTEN))
        for hour in [hour for hour in self._seen if hour < _hour(end)]:
            del self._seen[hour]
        self._looked_until = end


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hours(since: datetime, until: datetime) -> int:
    return int((until - since) / timedelta(hours=1))
