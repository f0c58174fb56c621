"""What a reconciliation came to, as values: counts, and the calls that are worth looking at."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

MOST_ITEMS = 200
"""Calls that a report names; the counts are of all."""


class Reason(StrEnum):
    """Why it was done."""

    GAP = "gap"
    NIGHTLY = "nightly"
    ASKED = "asked"


class Finding(StrEnum):
    """What the log has of a call that the PBX wrote down, or the other way round."""

    SAME = "same"
    MISSING = "missing"
    """The log did not have it; it is added."""
    MENDED = "mended"
    """The log knew less; it is corrected."""
    DIFFERENT = "different"
    """The log saw it live and in full, and says something else: it is left as it is."""
    UNWRITTEN = "unwritten"
    """The PBX wrote nothing of it."""


class Witness(msgspec.Struct, frozen=True):
    """What a PBX's call data records (CDR) say of the same time, where they can be read.

    `calls` ended in it. `later` of them began after `newest`, the last channel event that there is, if there is one.
    """

    calls: int
    later: int
    newest: datetime | None


class Item(msgspec.Struct, frozen=True):
    """One call that is not the same in both. `fields` are those that say something else."""

    call_id: UUID
    started_at: datetime
    finding: Finding
    fields: tuple[str, ...] = ()


class Tally(msgspec.Struct, kw_only=True):
    """Counts so far; `callcenter reconcile` and the API show them."""

    rows: int = 0
    bad_rows: int = 0
    first_bad: str | None = None
    pbx_calls: int = 0
    service_calls: int = 0
    """Before anything was added."""
    same: int = 0
    missing: int = 0
    mended: int = 0
    different: int = 0
    unwritten: int = 0
    going_on: int = 0
    """Calls that have not ended, and are not compared."""
    failed: int = 0
    """Calls that could not be rebuilt or written."""
    cdr_calls: int | None = None
    """Calls of the same time in the PBX's CDR table, where it has one that can be read."""
    cel_silent: bool = False
    """Calls have a CDR and no channel events: CEL is off, or does not reach its table."""
    cel_newest: datetime | None = None
    """Since when, if it is silent; None where there never was any."""
    items: list[Item] = []

    def bad(self, reason: str) -> None:
        """A row could not be read."""
        self.bad_rows += 1
        self.first_bad = self.first_bad or reason[:200]

    def heard(self, witness: Witness | None) -> None:
        """Take what the CDR say, if anything."""
        if witness is not None:
            self.cdr_calls, self.cel_silent = witness.calls, witness.later > 0
            self.cel_newest = witness.newest if self.cel_silent else None

    def add(self, item: Item) -> None:
        """Count a call, and name it if there is room and something to say."""
        name = item.finding.value
        setattr(self, name, getattr(self, name) + 1)
        if item.finding is not Finding.SAME and len(self.items) < MOST_ITEMS:
            self.items.append(item)


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of the calls of a PBX that ended from `since` on and began before `until`."""

    reconciliation_id: UUID
    pbx: str
    reason: Reason
    since: datetime
    until: datetime
    dry_run: bool
    started_at: datetime
    ended_at: datetime | None
    problem: str | None
    result: Tally
