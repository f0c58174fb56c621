"""Bodies about reports: what is asked for, and numbers with what they were made of."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from callcenter.metrics.service_level import Formula
from callcenter.web.schemas import Answer, Body

Edge = Literal[5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 2400]
"""Times that a service level can be worked out for: `metrics.distribution.EDGES_S`."""


class ReportKind(StrEnum):
    """What the lines of a report are."""

    QUEUES = "queues"
    AGENTS = "agents"
    HOURS = "hours"
    DAYS = "days"
    WEEK = "week"
    NUMBERS = "numbers"
    OUTCOMES = "outcomes"
    CUSTOMERS = "customers"


class ReportQuery(Body, frozen=True):
    """The days of a report, from `since` on and before `until`, in a time zone."""

    since: Annotated[date, msgspec.Meta(description="First day.")]
    until: Annotated[date, msgspec.Meta(description="The day after the last.")]
    zone: Annotated[str, msgspec.Meta(max_length=64, description="Time zone of the days: Europe/London.")] = "UTC"
    queue: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    agent: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    formula: Formula = Formula.OFFERED_LESS_SHORT
    threshold_s: Annotated[Edge, msgspec.Meta(description="Answered within it is in time.")] = 20
    short_s: Annotated[Edge, msgspec.Meta(description="Abandoned within it does not count.")] = 5
    compare: Annotated[bool, msgspec.Meta(description="Also tell of as many days before.")] = False


class ReportNumber(Answer, frozen=True):
    """A number with what it was made of: a count is its own numerator; null where nothing is there to divide by."""

    value: float | None
    numerator: float
    denominator: float | None


class ReportLine(Answer, frozen=True):
    """One line: `key` is a queue, a login, an hour, a day, a number, an outcome or a customer's id."""

    key: str
    name: str | None
    numbers: dict[str, ReportNumber]
    waits: tuple[int, ...]
    """Visits that were answered, by how long they had waited: counts by `edges_s`."""
    talks: tuple[int, ...]
    """Calls by how long was talked."""


class ReportPeriod(Answer, frozen=True):
    """A report's lines, and all of them together."""

    since: datetime
    until: datetime
    lines: tuple[ReportLine, ...]
    total: ReportLine


class Report(Answer, frozen=True):
    """A report; `before` tells of the period before, where it was asked for."""

    kind: ReportKind
    zone: str
    formula: Formula
    threshold_s: int
    short_s: int
    edges_s: tuple[int, ...]
    period: ReportPeriod
    before: ReportPeriod | None
