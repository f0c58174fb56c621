"""The stand-in for the reconciler in the tests of the web application."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from callcenter.backfill.report import Finding, Item, Reason, Reconciliation, Tally
from callcenter.errors import NotFound

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
NAME = uuid5(NAMESPACE_URL, "night")


@dataclass
class Comparisons:
    """Knows where `pbx` writes, and notes what is asked for."""

    asked: list[tuple[str, datetime, datetime | None, bool]] = field(default_factory=list)
    current: Reconciliation | None = None
    nightly_at: time | None = time(3, 30)
    known: set[UUID] = field(default_factory=lambda: {NAME})

    def able(self) -> Sequence[str]:
        return ["pbx"]

    def ask(self, pbx: str, since: datetime, until: datetime | None, *, dry_run: bool) -> UUID:
        if pbx != "pbx":
            raise NotFound(f"there is no PBX {pbx!r}")
        self.asked.append((pbx, since, until, dry_run))
        return NAME

    async def get(self, reconciliation_id: UUID) -> Reconciliation:
        (one,) = await self.newest(1)
        if reconciliation_id not in self.known:
            raise NotFound(f"there is no reconciliation {reconciliation_id}")
        return one

    async def newest(self, limit: int) -> Sequence[Reconciliation]:
        tally = Tally(rows=100, pbx_calls=7, service_calls=6, same=6)
        tally.add(Item(uuid5(NAMESPACE_URL, "missing"), NOW, Finding.MISSING))
        one = Reconciliation(
            reconciliation_id=NAME,
            pbx="pbx",
            reason=Reason.NIGHTLY,
            since=NOW - timedelta(days=1),
            until=NOW,
            dry_run=False,
            started_at=NOW,
            ended_at=NOW + timedelta(seconds=2),
            problem=None,
            result=tally,
        )
        return [one][:limit]
