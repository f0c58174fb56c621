"""The routes of reports, a part of the table in `routes.py`."""

from http import HTTPMethod

from callcenter.accounts.roles import Permission
from callcenter.web.endpoint import Route, route
from callcenter.web.handlers import reports
from callcenter.web.schemas.reports import Report, ReportQuery

_REPORTS = "/api/v1/reports"

REPORT_ROUTES: tuple[Route, ...] = (
    route(
        HTTPMethod.GET,
        f"{_REPORTS}/{{kind}}",
        reports.show_report,
        permission=Permission.REPORTS_READ,
        tag="reports",
        summary="Numbers of the past by queue, agent, time, number, outcome or customer",
        query=ReportQuery,
        response=Report,
    ),
    route(
        HTTPMethod.GET,
        f"{_REPORTS}/{{kind}}/export",
        reports.export_report,
        permission=Permission.REPORTS_READ,
        tag="reports",
        summary="The same as a file",
        query=ReportQuery,
        response=str,
        media="text/csv",
    ),
)
