"""Tables of the agents' desk: what they choose from, what they do when, and whom they still have to call.

Agents, queues and numbers are texts, not foreign keys: what was done outlives people.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKeyConstraint, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from callcenter.db.schema import Table, Timestamp, default, now, one_of
from callcenter.desk.words import FieldKind, OutcomeKind

STATES = ("offline", "ready", "ringing", "busy", "paused", "wrapup")
"""What an agent does, as `callcenter.live.agents` has it."""


class DeskSettings(Table, table=True):
    """How the desk works. The row is made with the lists' defaults, once."""

    __tablename__: ClassVar[str] = "desk_settings"
    __table_args__ = (CheckConstraint("wrapup_s BETWEEN 0 AND 3600", name="wrapup_s"),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    wrapup_s: int = Field(default=0, sa_column_kwargs=default("0"))
    """Seconds to wrap a queue's call up; 0: none."""
    wrapup_queues: dict[str, int] = Field(default={}, sa_type=JSONB, nullable=False, sa_column_kwargs=default("'{}'"))
    """Queue → seconds, where they differ."""


class PauseReason(Table, table=True):
    """Why an agent pauses, and for how long at most. `code` is what Asterisk is told."""

    __tablename__: ClassVar[str] = "pause_reasons"
    __table_args__ = (CheckConstraint("budget_s > 0", name="budget_s"),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    code: str = Field(primary_key=True, sa_type=Text)
    names: dict[str, Any] = Field(sa_type=JSONB, nullable=False)
    """Language → name."""
    budget_s: int | None = None
    place: int = Field(default=0, sa_type=Integer, sa_column_kwargs=default("0"))
    active: bool = Field(default=True, sa_type=Boolean, sa_column_kwargs=default("true"))


class Outcome(Table, table=True):
    """What a call may come to. `code` is what the call record has."""

    __tablename__: ClassVar[str] = "outcomes"
    __table_args__ = (one_of("kind", OutcomeKind),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    code: str = Field(primary_key=True, sa_type=Text)
    names: dict[str, Any] = Field(sa_type=JSONB, nullable=False)
    kind: OutcomeKind = Field(sa_type=Text)
    place: int = Field(default=0, sa_type=Integer, sa_column_kwargs=default("0"))
    active: bool = Field(default=True, sa_type=Boolean, sa_column_kwargs=default("true"))


class FieldDefinition(Table, table=True):
    """A field of the customers' cards. `code` is its key in `customers.fields`."""

    __tablename__: ClassVar[str] = "field_definitions"
    __table_args__ = (one_of("kind", FieldKind),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    code: str = Field(primary_key=True, sa_type=Text)
    names: dict[str, Any] = Field(sa_type=JSONB, nullable=False)
    kind: FieldKind = Field(sa_type=Text)
    choices: list[str] = Field(default=[], sa_type=ARRAY(Text), nullable=False, sa_column_kwargs=default("'{}'"))
    place: int = Field(default=0, sa_type=Integer, sa_column_kwargs=default("0"))
    active: bool = Field(default=True, sa_type=Boolean, sa_column_kwargs=default("true"))


class AgentQueue(Table, table=True):
    """A queue that an agent may log in to."""

    __tablename__: ClassVar[str] = "agent_queues"
    __table_args__ = (CheckConstraint("penalty BETWEEN 0 AND 1000", name="penalty"),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    agent: str = Field(primary_key=True, sa_type=Text)
    pbx: str = Field(primary_key=True, sa_type=Text)
    queue: str = Field(primary_key=True, sa_type=Text)
    penalty: int = Field(default=0, sa_column_kwargs=default("0"))


class AgentState(Table, table=True):
    """A stretch of time in which an agent did one thing; those of an agent follow each other.

    `to_at` is NULL while it goes on; then `seen_at` says when it was last known to. What lies between the end of one
    stretch and the beginning of the next was not seen.
    """

    __tablename__: ClassVar[str] = "agent_states"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("to_at > from_at", name="to_at"),
        Index("ix_agent_states_from", "tenant_id", "from_at"),
        Index("ix_agent_states_open", "tenant_id", "agent", postgresql_where=text("to_at IS NULL")),
        Index("ix_agent_states_call", "tenant_id", "call_id", postgresql_where=text("call_id IS NOT NULL")),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    agent: str = Field(primary_key=True, sa_type=Text)
    from_at: datetime = Field(primary_key=True, sa_type=Timestamp)
    to_at: datetime | None = Field(default=None, sa_type=Timestamp)
    state: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    until_at: datetime | None = Field(default=None, sa_type=Timestamp)
    """When a wrap-up ends by itself."""
    call_id: UUID | None = Field(default=None, sa_type=Uuid)
    """The call that is wrapped up."""
    seen_at: datetime = now()


class Callback(Table, table=True):
    """Somebody is to be called: who does it, and when.

    It is done by the first call with the number, or with the customer, that anybody answers after it was made; that is
    asked of the call log when it is read. `done_at` is for what somebody says is done without a call.
    """

    __tablename__: ClassVar[str] = "callbacks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.customer_id"],
            ondelete="CASCADE",
        ),
        Index("ix_callbacks_due", "tenant_id", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_callbacks_customer", "tenant_id", "customer_id", postgresql_where=text("customer_id IS NOT NULL")),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    callback_id: UUID = Field(primary_key=True, sa_type=Uuid)
    number: str = Field(sa_type=Text)
    """E.164, or as it was written."""
    customer_id: UUID | None = Field(default=None, sa_type=Uuid)
    agent: str | None = Field(default=None, sa_type=Text)
    """Who is to call; NULL: anybody."""
    due_at: datetime = Field(sa_type=Timestamp)
    note: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
    call_id: UUID | None = Field(default=None, sa_type=Uuid)
    """The call in which it was promised."""
    created_at: datetime = now()
    created_by: str = Field(sa_type=Text)
    done_at: datetime | None = Field(default=None, sa_type=Timestamp)
    done_by: str | None = Field(default=None, sa_type=Text)


class MissedSettled(Table, table=True):
    """Missed calls of a number that began before `settled_at` need no call any more: somebody said so."""

    __tablename__: ClassVar[str] = "missed_settled"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    number: str = Field(primary_key=True, sa_type=Text)
    settled_at: datetime = now()
    settled_by: str = Field(sa_type=Text)
