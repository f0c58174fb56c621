"""What a report shows of sums: every number with its name, numerator and denominator. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from callcenter.metrics import ratios
from callcenter.metrics.distribution import BUCKETS, within
from callcenter.metrics.service_level import Formula, Tally, level

EMPTY: Final = (0,) * BUCKETS


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What was summed up of one line of a report; sums of lines are the sums of all their calls."""

    calls: int = 0
    inbound: int = 0
    outbound: int = 0
    internal: int = 0
    calls_answered: int = 0
    calls_abandoned: int = 0
    talked: int = 0
    talk_s: float = 0.0
    talks: Sequence[int] = EMPTY
    offered: int = 0
    refused: int = 0
    answered_waits: Sequence[int] = EMPTY
    abandoned_waits: Sequence[int] = EMPTY
    answered_wait_s: float = 0.0
    handled: int = 0
    handle_s: float = 0.0
    answered: int = 0
    dialed: int = 0
    missed: int = 0
    connected_s: float = 0.0
    staffed_s: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(**{name: _plus(getattr(self, name), getattr(other, name)) for name in self.__struct_fields__})


class Number(msgspec.Struct, frozen=True):
    """A number of a report. A count has itself as numerator and no denominator; times are in seconds."""

    value: float | None
    numerator: float
    denominator: float | None = None


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What service levels are worked out by; both times are edges of buckets."""

    formula: Formula = Formula.OFFERED_LESS_SHORT
    threshold_s: int = 20
    short_s: int = 5


def tally_of(sums: Sums, basis: Basis) -> Tally:
    """The counts that the live numbers are made of too."""
    return Tally(
        offered=sums.offered,
        answered=sum(sums.answered_waits),
        answered_in_time=within(sums.answered_waits, basis.threshold_s),
        abandoned=sum(sums.abandoned_waits),
        abandoned_in_time=within(sums.abandoned_waits, basis.threshold_s),
        short_abandons=within(sums.abandoned_waits, basis.short_s),
        refused=sums.refused,
    )


def of_queue(sums: Sums, basis: Basis) -> Mapping[str, Number]:
    """Offered, answered, abandoned, refused, service level, abandon rate, ASA and AHT."""
    tally = tally_of(sums, basis)
    found = level(tally, basis.formula)
    return {
        "offered": _count(tally.offered),
        "answered": _count(tally.answered),
        "abandoned": _count(tally.abandoned),
        "refused": _count(tally.refused),
        "service_level": Number(found.share, found.numerator, found.denominator),
        "abandon_rate": _ratio(ratios.abandon_rate(tally)),
        "asa_s": _ratio(ratios.asa(timedelta(seconds=sums.answered_wait_s), tally.answered)),
        "aht_s": _ratio(ratios.aht(timedelta(seconds=sums.handle_s), sums.handled)),
    }


def of_agent(sums: Sums) -> Mapping[str, Number]:
    """Talks taken and dialed, offers missed, time in talks, the average talk, and occupancy."""
    connected = timedelta(seconds=sums.connected_s)
    return {
        "answered": _count(sums.answered),
        "dialed": _count(sums.dialed),
        "missed": _count(sums.missed),
        "connected_s": Number(sums.connected_s, sums.connected_s),
        "average_talk_s": _ratio(ratios.Ratio(sums.connected_s, sums.answered + sums.dialed)),
        "occupancy": _ratio(ratios.occupancy(connected, timedelta(seconds=sums.staffed_s))),
    }


def of_calls(sums: Sums) -> Mapping[str, Number]:
    """Calls, how many were answered and abandoned, time in talks and the average talk."""
    return {
        "calls": _count(sums.calls),
        "calls_answered": _count(sums.calls_answered),
        "calls_abandoned": _count(sums.calls_abandoned),
        "talk_s": Number(sums.talk_s, sums.talk_s),
        "average_talk_s": _ratio(ratios.Ratio(sums.talk_s, sums.talked)),
    }


def of_time(sums: Sums, basis: Basis) -> Mapping[str, Number]:
    """Calls by direction, and what came of those in queues."""
    directions = {"calls": sums.calls, "inbound": sums.inbound, "outbound": sums.outbound, "internal": sums.internal}
    return {**{name: _count(count) for name, count in directions.items()}, **of_queue(sums, basis)}


def _count(count: int) -> Number:
    return Number(count, count)


def _ratio(ratio: ratios.Ratio) -> Number:
    return Number(ratio.value, ratio.numerator, ratio.denominator)


def _plus(one: Any, other: Any) -> Any:
    """The sum of two numbers, or of two arrays place by place."""
    return one + other if isinstance(one, (int, float)) else tuple(a + b for a, b in zip(one, other, strict=True))
