"""The reconciliation, joined: which PBXs there are, who sits where, whose numbers they are; asked for, and by itself.

By itself it is done for the time in which the service did not follow a PBX, and each night for the last day.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from msgspec.structs import replace

from callcenter.accounts.values import Extension
from callcenter.backfill.report import Reason, Reconciliation, Tally
from callcenter.calllog.reconciling import ledger
from callcenter.calllog.reconciling.ledger import Gap
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
        self._current: Reconciliation | None = None

    @property
    def current(self) -> Reconciliation | None:
        """The one that is under way, with what it has found so far."""
        return self._current

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
        reconciliation_id: UUID | None = None,
        on_progress: Callable[[Tally, datetime], None] | None = None,
    ) -> Reconciliation:
        """Compare the calls of a PBX that ended from `since` on and before `until`, or until just now.

        `reconciliation_id` is the name that it was given beforehand, if it was.

        Raises:
            NotFound: there is no such PBX. Conflict: it is not said where its records are. BadInput: the times cannot
            be. Anything else is told in the answer's `problem`.
        """
        settings, source, until = self._checked(pbx, since, until)
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
        async with self._busy:
            begun = Reconciliation(
                reconciliation_id=reconciliation_id or uuid4(),
                pbx=pbx,
                reason=reason,
                since=since,
                until=until,
                dry_run=dry_run,
                started_at=datetime.now(UTC),
                ended_at=None,
                problem=None,
                result=run.tally,
            )
            self._current = begun
            try:
                return await self._kept(run, begun)
            finally:
                self._current = None

    async def refuse(self, wanted: Reconciliation, problem: str) -> None:
        """Keep why a comparison that somebody waits for could not even begin."""
        await self._keep(replace(wanted, ended_at=datetime.now(UTC), problem=problem))

    def check(self, pbx: str, since: datetime, until: datetime | None) -> None:
        """Say whether `compare` could do it; raises what `compare` would."""
        self._checked(pbx, since, until)

    async def newest(self, limit: int) -> list[Reconciliation]:
        """What came of the newest comparisons."""
        async with self._database.unit(self._tenant_id) as unit:
            return await ledger.newest(unit, limit)

    async def get(self, reconciliation_id: UUID) -> Reconciliation:
        """What came of one.

        Raises:
            NotFound: there is none, or it has not ended.
        """
        async with self._database.unit(self._tenant_id) as unit:
            found = await ledger.get(unit, reconciliation_id)
        if found is None:
            raise NotFound(f"there is no reconciliation {reconciliation_id}")
        return found

    async def saw(self, pbx: str, at: datetime, lead: timedelta | None = None) -> None:
        """Note that a PBX is followed.

        With `lead`, it is followed again: the time since it was last, and that much before, is to be compared, which
        is kept in the same transaction, or whoever stops here forgets it.
        """
        async with self._database.unit(self._tenant_id) as unit:
            before = await ledger.last_seen(unit, pbx) if lead is not None else None
            if lead is not None and before is not None:
                await ledger.open_gap(unit, Gap(pbx, before - lead, at))
            await ledger.saw(unit, pbx, at)

    async def open(self, gap: Gap) -> None:
        """Have a time compared as soon as it can be."""
        async with self._database.unit(self._tenant_id) as unit:
            await ledger.open_gap(unit, gap)

    async def gaps(self) -> list[Gap]:
        """The times that are to be compared, of PBXs whose own records can be read."""
        able = self.able()
        async with self._database.unit(self._tenant_id) as unit:
            return [gap for gap in await ledger.gaps(unit) if gap.pbx in able]

    async def close(self, gap: Gap) -> None:
        """Forget a time that was compared without a problem."""
        async with self._database.unit(self._tenant_id) as unit:
            await ledger.close_gap(unit, gap)

    async def _kept(self, run: Run, one: Reconciliation) -> Reconciliation:
        problem = None
        try:
            await run.run()
        except (CallCenterError, *AWAY) as error:
            problem = str(error) or type(error).__name__
        one = replace(one, ended_at=datetime.now(UTC), problem=problem)
        tally = run.tally
        told = _log.warning if problem else _log.info
        told("reconciled", pbx=one.pbx, reason=one.reason.value, calls=tally.pbx_calls, missing=tally.missing,
             mended=tally.mended, different=tally.different, unwritten=tally.unwritten, problem=problem)  # fmt: skip
        if tally.cel_silent:
            since = tally.cel_newest.isoformat() if tally.cel_newest is not None else None
            _log.warning("cel_silent", pbx=one.pbx, cdr_calls=tally.cdr_calls, since=since,
                         hint="switch CEL on at the PBX, see docs/backfill.md")  # fmt: skip
        await self._keep(one)
        return one

    async def _keep(self, one: Reconciliation) -> None:
        async with self._database.unit(self._tenant_id) as unit:
            await ledger.write(unit, one)

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
