"""What supervisors set for each queue: by what it is measured, and when they want to be told."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Double, Text
from sqlmodel import Field

from callcenter.db.schema import Table, now, one_of
from callcenter.metrics.service_level import Formula


class QueueLimitsRow(Table, table=True):
    """The limits of one queue. The queue is a name: it may be gone on Asterisk, and come back."""

    __tablename__: ClassVar[str] = "queue_limits"
    __table_args__ = (
        one_of("formula", Formula),
        CheckConstraint("threshold_s > 0 AND short_s >= 0", name="goal"),
        CheckConstraint("least_level IS NULL OR (least_level > 0 AND least_level <= 1)", name="least_level"),
        CheckConstraint("most_waiting IS NULL OR most_waiting >= 0", name="most_waiting"),
        CheckConstraint("longest_wait_s IS NULL OR longest_wait_s > 0", name="longest_wait"),
        CheckConstraint("least_ready IS NULL OR least_ready >= 1", name="least_ready"),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    pbx: str = Field(primary_key=True, sa_type=Text)
    queue: str = Field(primary_key=True, sa_type=Text)
    threshold_s: float = Field(sa_type=Double)
    short_s: float = Field(sa_type=Double)
    formula: Formula = Field(sa_type=Text)
    most_waiting: int | None = None
    longest_wait_s: float | None = Field(default=None, sa_type=Double)
    least_level: float | None = Field(default=None, sa_type=Double)
    least_ready: int | None = None
    changed_at: datetime = now()
    changed_by: str = Field(sa_type=Text)
