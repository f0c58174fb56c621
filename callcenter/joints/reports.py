"""Reports, as the web needs them."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import asdict, replace

from callcenter.db.engine import Database
from callcenter.desk import intervals
from callcenter.errors import BadInput
from callcenter.metrics.distribution import EDGES_S
from callcenter.reports import numbers
from callcenter.reports.reading import Kind, Line, Wanted, lines
from callcenter.web.schemas.reports import Report, ReportKind, ReportLine, ReportNumber, ReportPeriod, ReportQuery

MOST_DAYS: Final = 800
_QUARTER: Final = timedelta(minutes=15)


class WebReports:
    """`callcenter.web.report_services.Reports` on the roll-ups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, tenant_id: int, kind: ReportKind, query: ReportQuery) -> Report:
        """One report, and the same of as many days before where they are to be compared."""
        days = (query.until - query.since).days
        if not 0 < days <= MOST_DAYS:
            raise BadInput(f"`until` must be after `since`, and at most {MOST_DAYS} days later")
        period = await self._period(tenant_id, kind, query, query.since, query.until)
        before = None
        if query.compare:
            try:
                first = query.since - timedelta(days=days)
            except OverflowError:
                raise BadInput("there are no days before to compare with") from None
            before = await self._period(tenant_id, kind, query, first, query.since)
        return Report(
            kind=kind,
            zone=query.zone,
            formula=query.formula,
            threshold_s=query.threshold_s,
            short_s=query.short_s,
            edges_s=EDGES_S,
            period=period,
            before=before,
        )

    async def _period(
        self, tenant_id: int, kind: ReportKind, query: ReportQuery, since: date, until: date
    ) -> ReportPeriod:
        begins, ends = midnight(since, query.zone), midnight(until, query.zone)
        wanted = Wanted(since=begins, until=ends, zone=query.zone, queue=query.queue, agent=query.agent)
        async with self._database.unit(tenant_id) as unit:
            found = await lines(unit, Kind(kind.value), wanted)
            if kind is ReportKind.AGENTS:
                staffed = await intervals.staffed(unit, begins, ends)
                found = [Line(one.key, replace(one.sums, staffed_s=staffed.get(one.key, 0.0))) for one in found]
        total = Line("", sum((one.sums for one in found), numbers.Sums()))
        basis = numbers.Basis(formula=query.formula, threshold_s=query.threshold_s, short_s=query.short_s)
        shown = partial(_line, kind, basis)
        return ReportPeriod(since=begins, until=ends, lines=tuple(map(shown, found)), total=shown(total))


def midnight(day: date, zone: str) -> datetime:
    """When a day begins in a zone, in UTC.

    Raises:
        BadInput: there is no such zone, or the day is out of reach or begins within a quarter of an hour of UTC.
    """
    try:
        at = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput("zone: there is no such time zone; write it like Europe/London") from None
    except OverflowError:
        raise BadInput("`since` and `until` must lie within the years 2 to 9998") from None
    if (at - datetime(2000, 1, 1, tzinfo=UTC)) % _QUARTER:
        raise BadInput("in those days this zone was not off by whole quarters of an hour; take later ones, or UTC")
    return at


def _line(kind: ReportKind, basis: numbers.Basis, line: Line) -> ReportLine:
    match kind:
        case ReportKind.QUEUES:
            found = numbers.of_queue(line.sums, basis)
        case ReportKind.AGENTS:
            found = numbers.of_agent(line.sums)
        case ReportKind.HOURS | ReportKind.DAYS | ReportKind.WEEK:
            found = numbers.of_time(line.sums, basis)
        case _:
            found = numbers.of_calls(line.sums)
    return ReportLine(
        key=line.key,
        name=line.name,
        numbers={name: ReportNumber(**asdict(number)) for name, number in found.items()},
        waits=tuple(line.sums.answered_waits),
        talks=tuple(line.sums.talks),
    )
