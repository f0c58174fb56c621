"""What the reports' routes need of others."""

from typing import Protocol

from callcenter.web.schemas.reports import Report, ReportKind, ReportQuery


class Reports(Protocol):
    """Numbers of the past: `callcenter.reports`."""

    async def report(self, tenant_id: int, kind: ReportKind, query: ReportQuery) -> Report:
        """One report; raises `BadInput` for a period or a zone that is none."""
        ...
