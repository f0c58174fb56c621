"""Reconciliations that nobody has to ask for: after each time in which a PBX was not followed, and each night.

When a PBX was last followed is in the database, so that a time in which this service did not run is found too. Those
that people ask for over REST stand in the same row.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Final, NamedTuple

import structlog

from callcenter.backfill.report import Reason, Reconciliation
from callcenter.db.away import until_done
from callcenter.errors import CallCenterError, Conflict
from callcenter.joints.reconciling import NIGHTLY, SETTLED, Reconciler
from callcenter.pbx import Pbx

EVERY: Final = timedelta(seconds=2)
"""How often it is noted that a PBX is followed."""
BEFORE: Final = timedelta(seconds=30)
"""How long before a gap calls are looked at that may have been lost in it."""
AWAY_PAUSE: Final = timedelta(seconds=30)
MOST: Final = 32
"""Comparisons that may wait."""

_log = structlog.get_logger("callcenter.reconciling")


class Wanted(NamedTuple):
    """A comparison that waits for its turn; not before `due`."""

    pbx: str
    reason: Reason
    since: datetime
    until: datetime | None
    dry_run: bool
    due: datetime


class Watch:
    """Notes that PBXs are followed, and has compared what was not. `run` is a task of the application."""

    def __init__(self, reconciler: Reconciler, pbxs: Mapping[str, Pbx], nightly_at: str) -> None:
        self._reconciler = reconciler
        self._pbxs = pbxs
        self._nightly_at = time.fromisoformat(nightly_at) if nightly_at else None
        self._resyncs: dict[str, int] = {}
        self._waiting: asyncio.Queue[Wanted] = asyncio.Queue(MOST)

    async def run(self) -> None:
        """Watch until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="note which PBXs are followed")
            group.create_task(self._work(), name="reconcile")
            if self._nightly_at is not None:
                group.create_task(self._each_night(self._nightly_at), name="reconcile each night")

    def ask(self, pbx: str, since: datetime, until: datetime | None, *, dry_run: bool) -> None:
        """Have a comparison done as soon as those before it are.

        Raises:
            Conflict: it is not known where the PBX writes, or too many wait already. NotFound: there is no such PBX.
            BadInput: the times cannot be.
        """
        self._reconciler.check(pbx, since, until)
        self._add(Wanted(pbx, Reason.ASKED, since, until, dry_run, datetime.now(UTC)))

    def able(self) -> list[str]:
        """The PBXs whose own records can be read."""
        return self._reconciler.able()

    async def newest(self, limit: int) -> list[Reconciliation]:
        """What came of the newest comparisons."""
        return await self._reconciler.newest(limit)

    @property
    def busy(self) -> bool:
        """Whether one is under way or waits."""
        return self._reconciler.busy or not self._waiting.empty()

    def _add(self, wanted: Wanted) -> None:
        try:
            self._waiting.put_nowait(wanted)
        except asyncio.QueueFull:
            raise Conflict(f"{MOST} reconciliations wait already: ask again later") from None

    async def _follow(self) -> None:
        while True:
            await until_done("watch", self._note, EVERY)
            await asyncio.sleep(EVERY.total_seconds())

    async def _note(self) -> None:
        for name, pbx in self._pbxs.items():
            resyncs = pbx.counters.resyncs
            if not pbx.synced:
                continue
            now = datetime.now(UTC)
            before = await self._reconciler.saw(name, now)
            if self._resyncs.get(name) != resyncs:
                self._resyncs[name] = resyncs
                if before is not None and name in self._reconciler.able():
                    due = now + SETTLED + timedelta(seconds=1)
                    self._put(Wanted(name, Reason.GAP, before - BEFORE, now, False, due))

    def _put(self, wanted: Wanted) -> None:
        try:
            self._add(wanted)
        except Conflict:
            # Each is contained in what the next night compares.
            _log.warning("reconciliation_left_out", pbx=wanted.pbx, reason=wanted.reason.value)

    async def _work(self) -> None:
        while True:
            wanted = await self._waiting.get()
            await asyncio.sleep(max((wanted.due - datetime.now(UTC)).total_seconds(), 0.0))
            compare = partial(
                self._reconciler.compare,
                wanted.pbx,
                wanted.since,
                wanted.until,
                reason=wanted.reason,
                dry_run=wanted.dry_run,
            )
            try:
                await until_done("reconciliation", compare, AWAY_PAUSE)
            except CallCenterError as problem:
                _log.warning("reconciliation_refused", pbx=wanted.pbx, reason=str(problem))

    async def _each_night(self, at: time) -> None:
        while True:
            now = datetime.now().astimezone()
            following = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
            if following <= now:
                following += timedelta(days=1)
            await asyncio.sleep((following - now).total_seconds())
            for name in self._reconciler.able():
                self._put(Wanted(name, Reason.NIGHTLY, following - NIGHTLY, None, False, datetime.now(UTC)))
