"""The outbox: what must happen because of a call, written in the same transaction as the call."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from callcenter.db.schema import Table, Timestamp, default, now, one_of


class OutboxState(StrEnum):
    """Waiting (a lease may be on it), done, or dead: given up, for a person to look at."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class OutboxRow(Table, table=True):
    """One thing to do. `key` makes its effect happen once, however often it is delivered."""

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        one_of("state", OutboxState),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index(
            "ix_outbox_due",
            "tenant_id",
            "kind",
            "next_at",
            "outbox_id",
            postgresql_where=text("state = 'waiting'::text"),
        ),
        Index("ix_outbox_call", "tenant_id", "call_id", postgresql_where=text("call_id IS NOT NULL")),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    outbox_id: int | None = Field(
        default=None, primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),)
    )
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    call_id: UUID | None = Field(default=None, sa_type=Uuid)
    payload: dict[str, Any] = Field(sa_type=JSONB, nullable=False, sa_column_kwargs=default("'{}'"))
    state: OutboxState = Field(default=OutboxState.WAITING, sa_type=Text, sa_column_kwargs=default("'waiting'"))
    attempts: int = Field(default=0, sa_column_kwargs=default("0"))
    next_at: datetime = now()
    """Not before this time."""
    leased_until: datetime | None = Field(default=None, sa_type=Timestamp)
    """Somebody works on it until then; after that it is anybody's again."""
    last_error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = now()
    done_at: datetime | None = Field(default=None, sa_type=Timestamp)
