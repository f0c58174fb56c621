"""Reports as JSON and as files."""

from typing import Final

from aiohttp import web

from callcenter.accounts.scope import check_name
from callcenter.errors import Forbidden, NotFound
from callcenter.web.endpoint import Exchange
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.reports import Report, ReportKind, ReportLine, ReportQuery
from callcenter.web.spreadsheet import Cell, as_csv

OF_ONE_QUEUE: Final = (ReportKind.QUEUES, ReportKind.HOURS, ReportKind.DAYS, ReportKind.WEEK)
"""Reports that `queue` narrows down to the calls of one."""


async def show_report(exchange: Exchange[ReportQuery, Nothing]) -> Report:
    """One report, with the period before where it is asked for.

    Raises:
        Forbidden: it would tell of queues that are not theirs.
    """
    kind, principal, queue = _kind_of(exchange), exchange.principal, exchange.query.queue
    if principal.queues is not None:
        if queue is None or kind not in OF_ONE_QUEUE:
            raise Forbidden(
                f"you are given some queues, not all: ask for {', '.join(OF_ONE_QUEUE)} with one of them as `queue`"
            )
        check_name(principal.queues, queue)
    return await exchange.services.reports.report(principal.tenant_id, kind, exchange.query)


async def export_report(exchange: Exchange[ReportQuery, Nothing]) -> web.Response:
    """The same as a CSV: for each number its value, numerator and denominator."""
    report = await show_report(exchange)
    names = list(report.period.total.numbers)
    head = ["period", "key", "name"]
    for name in names:
        head += [name, f"{name}.numerator", f"{name}.denominator"]
    periods = [report.period, *([report.before] if report.before is not None else [])]
    rows = [
        [f"{period.since:%Y-%m-%dT%H:%MZ}/{period.until:%Y-%m-%dT%H:%MZ}", *_cells(line, names)]
        for period in periods
        for line in (*period.lines, period.total)
    ]
    query = exchange.query
    name = f"{report.kind.value}-{query.since:%Y%m%d}-{query.until:%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=as_csv(head, rows), content_type="text/csv", charset="utf-8", headers=headers)


def _cells(line: ReportLine, names: list[str]) -> list[Cell]:
    cells: list[Cell] = [line.key, line.name]
    for name in names:
        number = line.numbers[name]
        cells += [number.value, number.numerator, number.denominator]
    return cells


def _kind_of(exchange: Exchange[ReportQuery, Nothing]) -> ReportKind:
    text = exchange.request.match_info["kind"]
    try:
        return ReportKind(text)
    except ValueError:
        raise NotFound(f"there is no such report: choose from {', '.join(ReportKind)}") from None
