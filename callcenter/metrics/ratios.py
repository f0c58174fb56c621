"""Averages and rates of a period, each with what it was divided by what."""

from datetime import timedelta

import msgspec

from callcenter.metrics.service_level import Tally


class Ratio(msgspec.Struct, frozen=True):
    """A number that is never shown without its two parts; times are in seconds."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """None where there was nothing to divide by."""
        return self.numerator / self.denominator if self.denominator > 0 else None


def asa(waited: timedelta, answered: int) -> Ratio:
    """Average speed of answer: what the callers who were answered had waited ÷ their number."""
    return Ratio(waited.total_seconds(), answered)


def aht(handled_for: timedelta, handled: int) -> Ratio:
    """Average handling time: talk, hold and wrap-up ÷ calls handled."""
    return Ratio(handled_for.total_seconds(), handled)


def abandon_rate(tally: Tally) -> Ratio:
    """Abandoned ÷ offered, short abandons left out of both."""
    return Ratio(tally.abandoned - tally.short_abandons, tally.offered - tally.short_abandons)


def occupancy(connected: timedelta, staffed: timedelta) -> Ratio:
    """Time in talks ÷ time logged in and not paused."""
    return Ratio(connected.total_seconds(), staffed.total_seconds())
