"""Service level: the share of callers who were answered in time, by five formulas that are all in use.

No two products agree on what is divided by what, so a number is never shown without its formula. Live and historical
numbers are made here, of the same counts. A queue visit is counted when it has ended; who still waits is in no count.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from callcenter.metrics.durations import wait_of
from callcenter.model import QueueExit, QueueVisit

REFUSED: Final = frozenset({QueueExit.JOIN_EMPTY, QueueExit.FULL})
"""Exits of those who never joined: they were not offered."""


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What a queue is measured by: answered within `threshold` is in time, abandoned within `short` does not count."""

    threshold: timedelta = timedelta(seconds=20)
    short: timedelta = timedelta(seconds=5)


DEFAULT_GOAL: Final = Goal()

Count = Literal["offered", "answered", "answered_in_time", "abandoned", "abandoned_in_time", "short_abandons"]
"""What a formula is made of: the fields of `Tally` by name."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Queue visits, counted. Tallies are added and subtracted, so that a correction takes back what it replaces."""

    offered: int = 0
    """Joined a queue and left it in whatever way."""
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    """Left by hanging up while they waited. Time-outs and an emptied queue are offered, and neither of the two."""
    abandoned_in_time: int = 0
    """Abandoned within the threshold."""
    short_abandons: int = 0
    """Abandoned so soon that nobody can be blamed."""
    refused: int = 0
    """Never joined: the queue was full, or nobody was there. No part of offered."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            offered=self.offered + other.offered,
            answered=self.answered + other.answered,
            answered_in_time=self.answered_in_time + other.answered_in_time,
            abandoned=self.abandoned + other.abandoned,
            abandoned_in_time=self.abandoned_in_time + other.abandoned_in_time,
            short_abandons=self.short_abandons + other.short_abandons,
            refused=self.refused + other.refused,
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            offered=self.offered - other.offered,
            answered=self.answered - other.answered,
            answered_in_time=self.answered_in_time - other.answered_in_time,
            abandoned=self.abandoned - other.abandoned,
            abandoned_in_time=self.abandoned_in_time - other.abandoned_in_time,
            short_abandons=self.short_abandons - other.short_abandons,
            refused=self.refused - other.refused,
        )


NOTHING: Final = Tally()


class Formula(StrEnum):
    """The five usual formulas. `OFFERED_LESS_SHORT` is ours by default."""

    OFFERED_LESS_SHORT = "offered_less_short"
    """answered in time ÷ (offered − short abandons)."""
    OFFERED = "offered"
    """answered in time ÷ offered: every abandon counts against us."""
    ANSWERED = "answered"
    """answered in time ÷ answered: ignores who gave up (Asterisk's ServicelevelPerf)."""
    HANDLED_IN_TIME = "handled_in_time"
    """(answered in time + abandoned in time) ÷ (answered + abandoned) (Asterisk's ServicelevelPerf2)."""
    LATE_ABANDONS = "late_abandons"
    """answered in time ÷ (answered + abandoned after the threshold)."""


class Terms(msgspec.Struct, frozen=True):
    """A formula as it can be shown: counts that are added, and in the denominator counts that are subtracted."""

    numerator: tuple[Count, ...]
    denominator: tuple[Count, ...]
    less: tuple[Count, ...] = ()


TERMS: Final[Mapping[Formula, Terms]] = MappingProxyType(
    {
        Formula.OFFERED_LESS_SHORT: Terms(("answered_in_time",), ("offered",), ("short_abandons",)),
        Formula.OFFERED: Terms(("answered_in_time",), ("offered",)),
        Formula.ANSWERED: Terms(("answered_in_time",), ("answered",)),
        Formula.HANDLED_IN_TIME: Terms(("answered_in_time", "abandoned_in_time"), ("answered", "abandoned")),
        Formula.LATE_ABANDONS: Terms(("answered_in_time",), ("answered", "abandoned"), ("abandoned_in_time",)),
    }
)
"""What each formula divides by what. What is shown is what is computed."""


class Level(msgspec.Struct, frozen=True):
    """A service level with what it was made of."""

    formula: Formula
    numerator: int
    denominator: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None where there was nobody to count."""
        return self.numerator / self.denominator if self.denominator > 0 else None


def count(visit: QueueVisit, goal: Goal = DEFAULT_GOAL) -> Tally:
    """What one visit adds to the counts; nothing while its caller waits."""
    if visit.exit is None:
        return NOTHING
    if visit.exit in REFUSED:
        return Tally(refused=1)
    wait = wait_of(visit, None)
    in_time = int(wait <= goal.threshold)
    if visit.exit is QueueExit.ANSWERED:
        return Tally(offered=1, answered=1, answered_in_time=in_time)
    if visit.exit is QueueExit.ABANDONED:
        return Tally(offered=1, abandoned=1, abandoned_in_time=in_time, short_abandons=int(wait <= goal.short))
    return Tally(offered=1)


def level(tally: Tally, formula: Formula = Formula.OFFERED_LESS_SHORT) -> Level:
    """The service level of what was counted."""
    terms = TERMS[formula]
    return Level(
        formula,
        sum(_of(tally, name) for name in terms.numerator),
        sum(_of(tally, name) for name in terms.denominator) - sum(_of(tally, name) for name in terms.less),
    )


def _of(tally: Tally, name: Count) -> int:
    found: int = getattr(tally, name)
    return found
