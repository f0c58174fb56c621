"""The reconciliation, joined: which PBXs there are, who sits where, whose numbers they are; asked for, and by itself.

By itself it is done for the time in which the service did not follow a PBX, and each night for the last day.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog

from callcenter.accounts.values import Extension
from callcenter.backfill.report import Reason, Reconciliation, Tally
from callcenter.calllog.reconciling import ledger
from callcenter.calllog.reconciling.run import CelSource, Records, Run
from callcenter.calllog.reconciling.sources import cel_of
from callcenter.customers.index import CustomerIndex
from callcenter.db.away import AWAY
from callcenter.db.engine import Database
from callcenter.errors import BadInput, CallCenterError, Conflict, NotFound
from callcenter.joints.directory import directory_of
from callcenter.joints.numbers import Numbers
from callcenter.joints.recognition import outside, trunk
from callcenter.matching.rank import MatchStatus
from callcenter.model import Call
from callcenter.settings import PbxSettings, Settings

SETTLED: Final = timedelta(seconds=10)
"""A call that ended later than this ago may not be written everywhere yet."""
NIGHTLY: Final = timedelta(hours=25)
LONGEST: Final = timedelta(days=3660)

_log = structlog.get_logger("callcenter.reconciling")


class KnownCustomers:
    """`callcenter.calllog.reconciling.run.Customers` on the customers' index."""

    def __init__(self, index: CustomerIndex, numbers: Numbers, tenant_id: int) -> None:
        self._index = index
        self._numbers = numbers
        self._tenant_id = tenant_id

    async def of(self, call: Call) -> UUID | None:
        """The one customer that a call is with."""
        party = outside(call)
        if party is None or party.number is None:
            return None
        number = self._numbers.reader(call.pbx).read(party.number, trunk(party))
        found = await self._index.match(self._tenant_id, number)
        return found.candidates[0].customer_id if found.status is MatchStatus.ONE else None


class Reconciler:
    """Compares the log with the PBXs' own records; one comparison at a time."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        tenant_id: int,
        index: CustomerIndex,
        seats: Callable[[str], Mapping[str, Extension]],
    ) -> None:
        self._settings = settings
        self._database = database
        self._tenant_id = tenant_id
        self._numbers = Numbers(settings.pbx)
        self._customers = KnownCustomers(index, self._numbers, tenant_id)
        self._seats = seats
        self._busy = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._busy.locked()

    def able(self) -> list[str]:
        """The PBXs whose own records can be read."""
        return [one.id for one in self._settings.pbx if one.cel.get_secret_value()]

    async def compare(
        self,
        pbx: str,
        since: datetime,
        until: datetime | None = None,
        *,
        reason: Reason = Reason.ASKED,
        dry_run: bool = False,
        on_progress: Callable[[Tally, datetime], None] | None = None,
    ) -> Reconciliation:
        """Compare the calls of a PBX that ended from `since` on and before `until`, or until just now.

        Raises:
            NotFound: there is no such PBX. Conflict: it is not said where its records are. BadInput: the times cannot
            be. Anything else is told in the answer's `problem`.
        """
        settings, source, until = self._checked(pbx, since, until)
        now = datetime.now(UTC)
        records = Records(
            pbx=pbx,
            cel=source,
            queue_log=settings.queue_log,
            directory=directory_of(
                settings,
                tenant=self._settings.tenant,
                seats=self._seats(pbx),
                reader=self._numbers.reader(pbx),
            ),
        )
        run = Run(
            self._database,
            self._tenant_id,
            records,
            since=since,
            until=until,
            dry_run=dry_run,
            customers=self._customers,
            on_progress=on_progress,
        )
        done = Reconciliation(
            reconciliation_id=uuid4(),
            pbx=pbx,
            reason=reason,
            since=since,
            until=until,
            dry_run=dry_run,
            started_at=now,
            ended_at=None,
            problem=None,
            result=run.tally,
        )
        async with self._busy:
            return await self._kept(run, done)

    def check(self, pbx: str, since: datetime, until: datetime | None) -> None:
        """Say whether `compare` could do it; raises what `compare` would."""
        self._checked(pbx, since, until)

    async def newest(self, limit: int) -> list[Reconciliation]:
        """What came of the newest comparisons."""
        async with self._database.unit(self._tenant_id) as unit:
            return await ledger.newest(unit, limit)

    async def saw(self, pbx: str, at: datetime) -> datetime | None:
        """Note that a PBX is followed; give the time at which it was before, None where it never was."""
        async with self._database.unit(self._tenant_id) as unit:
            before = await ledger.last_seen(unit, pbx)
            await ledger.saw(unit, pbx, at)
        return before

    async def _kept(self, run: Run, one: Reconciliation) -> Reconciliation:
        problem = None
        try:
            await run.run()
        except (CallCenterError, *AWAY) as error:
            problem = str(error) or type(error).__name__
        ended = datetime.now(UTC)
        one = Reconciliation(
            reconciliation_id=one.reconciliation_id,
            pbx=one.pbx,
            reason=one.reason,
            since=one.since,
            until=one.until,
            dry_run=one.dry_run,
            started_at=one.started_at,
            ended_at=ended,
            problem=problem,
            result=run.tally,
        )
        tally = run.tally
        told = _log.warning if problem else _log.info
        told("reconciled", pbx=one.pbx, reason=one.reason.value, calls=tally.pbx_calls, missing=tally.missing,
             mended=tally.mended, different=tally.different, unwritten=tally.unwritten, problem=problem)  # fmt: skip
        async with self._database.unit(self._tenant_id) as unit:
            await ledger.write(unit, one)
        return one

    def _checked(self, pbx: str, since: datetime, until: datetime | None) -> tuple[PbxSettings, CelSource, datetime]:
        settings = self._pbx(pbx)
        now = datetime.now(UTC)
        until = min(until or now, now - SETTLED)
        if not since < until or now - since > LONGEST:
            raise BadInput("`since` must be before `until`, and at most ten years ago")
        source = cel_of(settings, self._database)
        if source is None:
            raise Conflict(
                f"it is not known where {pbx} writes its channel events: set [[pbx]] cel, see docs/backfill.md"
            )
        return settings, source, until

    def _pbx(self, pbx: str) -> PbxSettings:
        for settings in self._settings.pbx:
            if settings.id == pbx:
                return settings
        raise NotFound(f"there is no PBX {pbx!r} in the configuration")
