"""Tables of the call log: a call, its queue visits, offers and connections, and the change feed's counter.

`calls` holds what docs/call-record.md describes. Facts that are asked about on their own (visits, offers,
connections) are rows, numbered by `n` in the order of the record; the rest is JSON. Agents and queues are
names, not foreign keys: the log outlives people. Durations are seconds, as metrics/durations.py gave them.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from callcenter.db.schema import Table, Timestamp, default, now, one_of
from callcenter.model import CallStatus, Direction, HangupBy, OfferResult, QueueExit, Source


class CallFeed(Table, table=True):
    """The last `seq` given to a call of a tenant.

    A writer updates this row in the transaction that writes the calls, so that the row lock puts transactions
    in order: `seq` n is visible before n + 1 is given, and a reader of the feed never skips a row. A trigger on this
    row notifies `callcenter_calls` with the tenant's id (`calllog/bell.py`).
    """

    __tablename__: ClassVar[str] = "call_feeds"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    last_seq: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=default("0"))


class Tombstone(Table, table=True):
    """A call that was deleted, at its place in the change feed: whoever copied the call deletes the copy."""

    __tablename__: ClassVar[str] = "call_tombstones"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    call_id: UUID = Field(sa_type=Uuid)
    deleted_at: datetime = now()


class Erasure(Table, table=True):
    """A customer who was erased: nothing here says who it was.

    `salt` and `numbers` (keyed hashes of their telephone numbers) are there for a day after the erasure, so that calls
    that began before it and are written later are found; then they are taken away.
    """

    __tablename__: ClassVar[str] = "erasures"
    __table_args__ = (Index("ix_erasures_watched", "tenant_id", postgresql_where=text("salt IS NOT NULL")),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    customer_id: UUID = Field(primary_key=True, sa_type=Uuid)
    token: str = Field(sa_type=Text)
    """Stands in their calls for their numbers; made at random, so that it leads nowhere."""
    begun_at: datetime = now()
    done_at: datetime | None = Field(default=None, sa_type=Timestamp)
    """NULL while calls are still to be gone through; who asks again goes on with them."""
    calls: int = Field(default=0, sa_column_kwargs=default("0"))
    salt: bytes | None = Field(default=None, sa_type=LargeBinary)
    numbers: list[bytes] = Field(sa_type=ARRAY(LargeBinary), nullable=False, sa_column_kwargs=default("'{}'"))


class CallRow(Table, table=True):
    """One call. `digest` is a hash of the facts, to see whether a call that comes again is another one."""

    __tablename__: ClassVar[str] = "calls"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.customer_id"],
            ondelete="SET NULL (customer_id)",
        ),
        one_of("direction", Direction),
        one_of("status", CallStatus),
        one_of("hangup_by", HangupBy),
        one_of("source", Source),
        CheckConstraint("version >= 1", name="version"),
        Index("ix_calls_newest", "tenant_id", text("started_at DESC"), text("call_id DESC")),
        Index("uq_calls_seq", "tenant_id", "seq", unique=True),
        Index(
            "ix_calls_customer",
            "tenant_id",
            "customer_id",
            text("started_at DESC"),
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
        Index(
            "ix_calls_caller",
            "tenant_id",
            "caller_e164",
            text("started_at DESC"),
            postgresql_where=text("caller_e164 IS NOT NULL"),
        ),
        Index(
            "ix_calls_callee",
            "tenant_id",
            "callee_e164",
            text("started_at DESC"),
            postgresql_where=text("callee_e164 IS NOT NULL"),
        ),
        Index(
            "ix_calls_campaign",
            "tenant_id",
            "campaign",
            text("started_at DESC"),
            text("call_id DESC"),
            postgresql_where=text("campaign IS NOT NULL"),
        ),
        Index(
            "ix_calls_noted",
            "tenant_id",
            text("started_at DESC"),
            text("call_id DESC"),
            postgresql_where=text("notes <> '[]'::jsonb"),
        ),
        Index(
            "ix_calls_missed",
            "tenant_id",
            text("started_at DESC"),
            postgresql_where=text(
                "direction = 'inbound'::text AND answered_at IS NULL AND ended_at IS NOT NULL AND merged_into IS NULL"
            ),
        ),
        Index("ix_calls_open", "tenant_id", "pbx", postgresql_where=text("status = 'in_progress'::text")),
        Index("ix_calls_merged", "tenant_id", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    call_id: UUID = Field(primary_key=True, sa_type=Uuid)
    pbx: str = Field(sa_type=Text)
    linkedids: list[str] = Field(sa_type=ARRAY(Text), nullable=False)
    direction: Direction = Field(sa_type=Text)
    status: CallStatus = Field(sa_type=Text)
    caller: dict[str, Any] = Field(sa_type=JSONB, nullable=False)
    callee: dict[str, Any] = Field(sa_type=JSONB, nullable=False)
    did: str | None = Field(default=None, sa_type=Text)
    started_at: datetime = Field(sa_type=Timestamp)
    answered_at: datetime | None = Field(default=None, sa_type=Timestamp)
    ended_at: datetime | None = Field(default=None, sa_type=Timestamp)
    wait_s: float | None = Field(default=None, sa_type=Double)
    ring_s: float | None = Field(default=None, sa_type=Double)
    talk_s: float | None = Field(default=None, sa_type=Double)
    hold_s: float | None = Field(default=None, sa_type=Double)
    wrapup_s: float | None = Field(default=None, sa_type=Double)
    duration_s: float | None = Field(default=None, sa_type=Double)
    holds: list[Any] = Field(sa_type=JSONB, nullable=False, sa_column_kwargs=default("'[]'"))
    transfers: list[Any] = Field(sa_type=JSONB, nullable=False, sa_column_kwargs=default("'[]'"))
    recordings: list[Any] = Field(sa_type=JSONB, nullable=False, sa_column_kwargs=default("'[]'"))
    hangup_by: HangupBy | None = Field(default=None, sa_type=Text)
    hangup_cause: int | None = None
    complete: bool = Field(default=True, sa_column_kwargs=default("true"))
    source: Source = Field(default=Source.LIVE, sa_type=Text, sa_column_kwargs=default("'live'"))
    digest: bytes = Field(sa_type=LargeBinary)
    customer_id: UUID | None = Field(default=None, sa_type=Uuid)
    campaign: str | None = Field(default=None, sa_type=Text)
    outcome: str | None = Field(default=None, sa_type=Text)
    notes: list[Any] = Field(sa_type=JSONB, nullable=False, sa_column_kwargs=default("'[]'"))
    """`{by, at, text}`, one for each person who wrote one."""
    tags: list[str] = Field(sa_type=ARRAY(Text), nullable=False, sa_column_kwargs=default("'{}'"))
    merged_into: UUID | None = Field(default=None, sa_type=Uuid)
    """The call that this one was found to be a part of; such a row is in the change feed only."""
    version: int = Field(default=1, sa_column_kwargs=default("1"))
    seq: int = Field(sa_type=BigInteger)
    erasure: str | None = Field(default=None, sa_type=Text)
    """What stands for the customer in this call since they were erased (`Erasure.token`); NULL for all others."""
    caller_e164: str | None = Field(
        default=None, sa_type=Text, sa_column_args=(Computed("caller ->> 'e164'::text", persisted=True),)
    )
    callee_e164: str | None = Field(
        default=None, sa_type=Text, sa_column_args=(Computed("callee ->> 'e164'::text", persisted=True),)
    )


def _of_call() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "call_id"], ["calls.tenant_id", "calls.call_id"], ondelete="CASCADE")


class QueueVisitRow(Table, table=True):
    """One stay of a call in one queue."""

    __tablename__: ClassVar[str] = "queue_visits"
    __table_args__ = (_of_call(), one_of("exit", QueueExit), Index(None, "tenant_id", "queue", "joined_at"))

    tenant_id: int = Field(primary_key=True)
    call_id: UUID = Field(primary_key=True, sa_type=Uuid)
    n: int = Field(primary_key=True, sa_type=Integer)
    queue: str = Field(sa_type=Text)
    joined_at: datetime = Field(sa_type=Timestamp)
    left_at: datetime | None = Field(default=None, sa_type=Timestamp)
    exit: QueueExit | None = Field(default=None, sa_type=Text)
    wait_s: float | None = Field(default=None, sa_type=Double)
    position: int | None = None


class OfferRow(Table, table=True):
    """One ring at one device."""

    __tablename__: ClassVar[str] = "offers"
    __table_args__ = (
        _of_call(),
        one_of("result", OfferResult),
    )

    tenant_id: int = Field(primary_key=True)
    call_id: UUID = Field(primary_key=True, sa_type=Uuid)
    n: int = Field(primary_key=True, sa_type=Integer)
    agent: str | None = Field(default=None, sa_type=Text)
    interface: str = Field(sa_type=Text)
    queue: str | None = Field(default=None, sa_type=Text)
    rang_at: datetime = Field(sa_type=Timestamp)
    ended_at: datetime | None = Field(default=None, sa_type=Timestamp)
    ring_s: float | None = Field(default=None, sa_type=Double)
    result: OfferResult | None = Field(default=None, sa_type=Text)


class ConnectionRow(Table, table=True):
    """A stretch of time in which somebody talked within a call."""

    __tablename__: ClassVar[str] = "connections"
    __table_args__ = (_of_call(),)

    tenant_id: int = Field(primary_key=True)
    call_id: UUID = Field(primary_key=True, sa_type=Uuid)
    n: int = Field(primary_key=True, sa_type=Integer)
    agent: str | None = Field(default=None, sa_type=Text)
    interface: str | None = Field(default=None, sa_type=Text)
    number: str | None = Field(default=None, sa_type=Text)
    from_at: datetime = Field(sa_type=Timestamp)
    to_at: datetime | None = Field(default=None, sa_type=Timestamp)


class CallAgentRow(Table, table=True):
    """An agent whose call it was: offered to them and not taken by another, or with them in it; for lists by agent.

    `started_at` is the call's, so that an index has an agent's calls in the order in which they are listed.
    """

    __tablename__: ClassVar[str] = "call_agents"
    __table_args__ = (
        _of_call(),
        Index("ix_call_agents_newest", "tenant_id", "agent", text("started_at DESC"), text("call_id DESC")),
    )

    tenant_id: int = Field(primary_key=True)
    call_id: UUID = Field(primary_key=True, sa_type=Uuid)
    agent: str = Field(primary_key=True, sa_type=Text)
    started_at: datetime = Field(sa_type=Timestamp)
