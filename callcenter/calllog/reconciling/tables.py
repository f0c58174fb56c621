"""Tables of the reconciliation: what was compared and what came of it, and when each PBX was last seen."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from callcenter.backfill.report import Reason
from callcenter.db.schema import Table, Timestamp, one_of


class PbxWatchRow(Table, table=True):
    """When the service last followed the calls of a PBX: what is later may be missing.

    `gap_since` and `gap_until` are a time in which it did not, until that was compared without a problem.
    """

    __tablename__: ClassVar[str] = "pbx_watch"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    pbx: str = Field(primary_key=True, sa_type=Text)
    seen_at: datetime = Field(sa_type=Timestamp)
    gap_since: datetime | None = Field(default=None, sa_type=Timestamp)
    gap_until: datetime | None = Field(default=None, sa_type=Timestamp)


class ReconciliationRow(Table, table=True):
    """One comparison. `result` is a `report.Tally` as JSON; `problem` says why it did not come to its end."""

    __tablename__: ClassVar[str] = "reconciliations"
    __table_args__ = (one_of("reason", Reason), Index(None, "tenant_id", "started_at"))

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    reconciliation_id: UUID = Field(primary_key=True, sa_type=Uuid)
    pbx: str = Field(sa_type=Text)
    reason: Reason = Field(sa_type=Text)
    since: datetime = Field(sa_type=Timestamp)
    until: datetime = Field(sa_type=Timestamp)
    dry_run: bool
    started_at: datetime = Field(sa_type=Timestamp)
    ended_at: datetime | None = Field(default=None, sa_type=Timestamp)
    problem: str | None = Field(default=None, sa_type=Text)
    result: dict[str, Any] = Field(sa_type=JSONB, nullable=False)
