"""Reconciliations that nobody has to ask for: after each time in which a PBX was not followed, and each night.

When a PBX was last followed is in the database, so that a time in which this service did not run is found too. Those
that people ask for over REST stand in the same row.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID, uuid4, uuid5

import structlog

from callcenter.backfill.report import Reason, Reconciliation, Tally
from callcenter.calllog.reconciling.ledger import Gap
from callcenter.db.away import until_done
from callcenter.errors import CallCenterError, Conflict
from callcenter.joints.reconciling import LONGEST, NIGHTLY, SETTLED, Reconciler
from callcenter.pbx import Pbx

EVERY: Final = timedelta(seconds=2)
"""How often it is noted that a PBX is followed."""
BEFORE: Final = timedelta(seconds=30)
"""How long before a gap calls are looked at that may have been lost in it."""
AWAY_PAUSE: Final = timedelta(seconds=30)
MOST: Final = 32
"""Comparisons that may wait."""
AGAIN: Final = timedelta(seconds=5)
"""After how long a gap whose comparison had a problem is compared again; then twice as long each time."""
AGAIN_AT_MOST: Final = timedelta(minutes=15)
_GAPS: Final = UUID("5f1d6a58-3c55-4c27-9a0e-0a4d3c1b7e42")
"""Makes one name of a gap, so that however often it is tried, it is one comparison in the ledger."""

_log = structlog.get_logger("callcenter.reconciling")


class Wanted(NamedTuple):
    """A comparison that waits for its turn; not before `due`."""

    pbx: str
    reason: Reason
    since: datetime
    until: datetime | None
    dry_run: bool
    due: datetime
    name: UUID
    """The id that it will have."""

    def shown(self) -> Reconciliation:
        """As people see it while it waits: nothing was found yet."""
        return Reconciliation(
            reconciliation_id=self.name,
            pbx=self.pbx,
            reason=self.reason,
            since=self.since,
            until=self.until or self.due,
            dry_run=self.dry_run,
            started_at=self.due,
            ended_at=None,
            problem=None,
            result=Tally(),
        )


class Watch:
    """Notes that PBXs are followed, and has compared what was not. `run` is a task of the application.

    `settled` returns when the calls that wait on the disk are in the log: else they would be taken for missing.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        pbxs: Mapping[str, Pbx],
        nightly_at: str,
        settled: Callable[[], Awaitable[object]],
    ) -> None:
        self._reconciler = reconciler
        self._pbxs = pbxs
        self._nightly_at = time.fromisoformat(nightly_at) if nightly_at else None
        self._settled = settled
        self._resyncs: dict[str, int] = {}
        self._opened = asyncio.Event()
        """Set where there is a gap to compare."""
        self._waiting: asyncio.Queue[Wanted] = asyncio.Queue(MOST)
        self._known: dict[UUID, Wanted] = {}
        """Those that wait, and the one that is under way."""

    async def run(self) -> None:
        """Watch until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="note which PBXs are followed")
            group.create_task(self._work(), name="reconcile")
            group.create_task(self._close_gaps(), name="reconcile gaps")
            if self._nightly_at is not None:
                group.create_task(self._each_night(self._nightly_at), name="reconcile each night")

    def ask(self, pbx: str, since: datetime, until: datetime | None, *, dry_run: bool) -> UUID:
        """Have a comparison done as soon as those before it are; gives the id that it has from now on.

        Raises:
            Conflict: it is not known where the PBX writes, or too many wait already. NotFound: there is no such PBX.
            BadInput: the times cannot be.
        """
        self._reconciler.check(pbx, since, until)
        wanted = Wanted(pbx, Reason.ASKED, since, until, dry_run, datetime.now(UTC), uuid4())
        self._add(wanted)
        return wanted.name

    def able(self) -> list[str]:
        """The PBXs whose own records can be read."""
        return self._reconciler.able()

    async def newest(self, limit: int) -> list[Reconciliation]:
        """What came of the newest comparisons."""
        return await self._reconciler.newest(limit)

    async def get(self, reconciliation_id: UUID) -> Reconciliation:
        """One of them: what came of it, or that it waits or goes on, which has no end.

        Raises:
            NotFound: there is no such one; the service may have stopped before it was its turn.
        """
        current, wanted = self._reconciler.current, self._known.get(reconciliation_id)
        if current is not None and current.reconciliation_id == reconciliation_id:
            return current
        return wanted.shown() if wanted is not None else await self._reconciler.get(reconciliation_id)

    @property
    def current(self) -> Reconciliation | None:
        """The one that is under way, or is the next."""
        return self._reconciler.current or next((wanted.shown() for wanted in self._known.values()), None)

    @property
    def nightly_at(self) -> time | None:
        """When it is done each night, by this machine's clock; None: never."""
        return self._nightly_at

    def _add(self, wanted: Wanted) -> None:
        try:
            self._waiting.put_nowait(wanted)
        except asyncio.QueueFull:
            raise Conflict(f"{MOST} reconciliations wait already{self._before()}: ask again later") from None
        self._known[wanted.name] = wanted

    def _before(self) -> str:
        """Which one goes on, and since when."""
        now = self._reconciler.current
        if now is None:
            return ""
        since, began = (at.isoformat(timespec="seconds") for at in (now.since, now.started_at))
        return f" behind {now.reconciliation_id}, of {now.pbx} since {since}, which goes on since {began}"

    async def _follow(self) -> None:
        while True:
            await until_done("watch", self._note, EVERY)
            await asyncio.sleep(EVERY.total_seconds())

    async def _note(self) -> None:
        for name, pbx in self._pbxs.items():
            resyncs = pbx.counters.resyncs
            if not pbx.synced:
                continue
            again = self._resyncs.get(name) != resyncs
            await self._reconciler.saw(name, datetime.now(UTC), BEFORE if again else None)
            if again:
                self._resyncs[name] = resyncs
                self._opened.set()

    async def _close_gaps(self) -> None:
        """Compare each gap until that succeeds: it stands in the database, so that a restart goes on with it."""
        pause = AGAIN
        while True:
            self._opened.clear()
            left = False
            for gap in await until_done("gaps", self._reconciler.gaps, AWAY_PAUSE):
                left |= not await self._close(gap)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds() if left else None):
                    await self._opened.wait()
            pause = min(2 * pause, AGAIN_AT_MOST) if left else AGAIN

    async def _close(self, gap: Gap) -> bool:
        """Compare one; whether that came to its end."""
        due = gap.until + SETTLED + timedelta(seconds=1)
        since = max(gap.since, datetime.now(UTC) - LONGEST + NIGHTLY)
        name = uuid5(_GAPS, f"{gap.pbx} {gap.since.isoformat()} {gap.until.isoformat()}")
        wanted = Wanted(gap.pbx, Reason.GAP, since, gap.until, False, due, name)
        self._known[name] = wanted
        try:
            await asyncio.sleep(max((due - datetime.now(UTC)).total_seconds(), 0.0))
            await self._settled()
            one = await self._compare(wanted)
            if one is None or one.problem is not None:
                return False
            await until_done("gaps", partial(self._reconciler.close, gap), AWAY_PAUSE)
            return True
        finally:
            del self._known[name]

    async def _work(self) -> None:
        while True:
            wanted = await self._waiting.get()
            await asyncio.sleep(max((wanted.due - datetime.now(UTC)).total_seconds(), 0.0))
            try:
                await self._compare(wanted)
            finally:
                del self._known[wanted.name]

    async def _compare(self, wanted: Wanted) -> Reconciliation | None:
        """Do it; None where it was refused, which is kept."""
        compare = partial(
            self._reconciler.compare,
            wanted.pbx,
            wanted.since,
            wanted.until,
            reason=wanted.reason,
            dry_run=wanted.dry_run,
            reconciliation_id=wanted.name,
        )
        try:
            return await until_done("reconciliation", compare, AWAY_PAUSE)
        except CallCenterError as problem:
            _log.warning("reconciliation_refused", pbx=wanted.pbx, reason=str(problem))
            refuse = partial(self._reconciler.refuse, wanted.shown(), str(problem))
            await until_done("reconciliation", refuse, AWAY_PAUSE)
            return None

    async def _each_night(self, at: time) -> None:
        while True:
            now = datetime.now().astimezone()
            following = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
            if following <= now:
                following += timedelta(days=1)
            await asyncio.sleep((following - now).total_seconds())
            for name in self._reconciler.able():
                await self._compare_night(name, following.astimezone(UTC))

    async def _compare_night(self, pbx: str, at: datetime) -> None:
        """Compare the day before; where that has a problem, it is a gap from then on."""
        await self._settled()
        one = await self._compare(Wanted(pbx, Reason.NIGHTLY, at - NIGHTLY, None, False, at, uuid4()))
        if one is None or one.problem is not None:
            await until_done("gaps", partial(self._reconciler.open, Gap(pbx, at - NIGHTLY, at)), AWAY_PAUSE)
            self._opened.set()
