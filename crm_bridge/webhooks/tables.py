"""Tables of the webhooks: subscriptions, events, and one delivery for each event and subscription.

A trigger on `calls` fills the last two; see `0006_webhooks.py` of the migrations and docs/webhooks.md.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from callcenter.db.schema import Table, Timestamp, default, now, one_of
from crm_bridge.webhooks.values import DeliveryState


class WebhookSubscriptionRow(Table, table=True):
    """Somebody to be told of some kinds of events at one URL."""

    __tablename__: ClassVar[str] = "webhook_subscriptions"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    subscription_id: UUID | None = Field(
        default=None, primary_key=True, sa_type=Uuid, sa_column_kwargs=default("gen_random_uuid()")
    )
    name: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    kinds: list[str] = Field(sa_type=ARRAY(Text), nullable=False)
    secret: str = Field(sa_type=Text)
    previous_secret: str | None = Field(default=None, sa_type=Text)
    """Signs too, until `previous_until`."""
    previous_until: datetime | None = Field(default=None, sa_type=Timestamp)
    paused_at: datetime | None = Field(default=None, sa_type=Timestamp)
    paused_reason: str | None = Field(default=None, sa_type=Text)
    failures: int = Field(default=0, sa_column_kwargs=default("0"))
    """How often in a row the target could not be reached."""
    hold_until: datetime | None = Field(default=None, sa_type=Timestamp)
    """Nothing is sent before this time, because the target could not be reached or asked for it."""
    created_at: datetime = now()
    created_by: str = Field(sa_type=Text)


class WebhookEventRow(Table, table=True):
    """Something that happened to a call. `body` is what is sent, once it was put together."""

    __tablename__: ClassVar[str] = "webhook_events"
    __table_args__ = (
        Index("ix_webhook_events_call", "tenant_id", "call_id"),
        Index("ix_webhook_events_created", "tenant_id", "created_at"),
        Index("ix_webhook_events_unsealed", "tenant_id", "event_seq", postgresql_where=text("body IS NULL")),
        Index("uq_webhook_events_id", "tenant_id", "event_id", unique=True),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    event_seq: int | None = Field(
        default=None, primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),)
    )
    event_id: UUID = Field(sa_type=Uuid, sa_column_kwargs=default("gen_random_uuid()"))
    kind: str = Field(sa_type=Text)
    call_id: UUID | None = Field(default=None, sa_type=Uuid)
    at: datetime = Field(sa_type=Timestamp)
    merged_into: UUID | None = Field(default=None, sa_type=Uuid)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = now()


class WebhookDeliveryRow(Table, table=True):
    """One event for one subscription: whether it was delivered, and how the last attempt went."""

    __tablename__: ClassVar[str] = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "event_seq"], ["webhook_events.tenant_id", "webhook_events.event_seq"], ondelete="CASCADE"
        ),
        one_of("state", DeliveryState),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index(
            "ix_webhook_deliveries_due",
            *("tenant_id", "subscription_id", "next_at", "event_seq"),
            postgresql_where=text("state = 'waiting'::text"),
        ),
        Index(
            "ix_webhook_deliveries_order",
            *("tenant_id", "subscription_id", "call_id", "event_seq"),
            postgresql_where=text("state = 'waiting'::text"),
        ),
        Index(
            "ix_webhook_deliveries_dead",
            *("tenant_id", "subscription_id", "event_seq"),
            postgresql_where=text("state = 'dead'::text"),
        ),
        Index("ix_webhook_deliveries_event", "tenant_id", "event_seq"),
    )

    tenant_id: int = Field(primary_key=True)
    subscription_id: UUID = Field(primary_key=True, sa_type=Uuid)
    """No foreign key: a call is never refused because a subscription is deleted at the same moment."""
    event_seq: int = Field(primary_key=True, sa_type=BigInteger)
    call_id: UUID | None = Field(default=None, sa_type=Uuid)
    state: DeliveryState = Field(default=DeliveryState.WAITING, sa_type=Text, sa_column_kwargs=default("'waiting'"))
    attempts: int = Field(default=0, sa_column_kwargs=default("0"))
    next_at: datetime = now()
    """Not before this time; while somebody works on it, when their lease ends."""
    sent_at: datetime | None = Field(default=None, sa_type=Timestamp)
    took_s: float | None = Field(default=None, sa_type=Double)
    status: int | None = None
    error: str | None = Field(default=None, sa_type=Text)
    answer: str | None = Field(default=None, sa_type=Text)
    """How the answer to the last attempt begins."""
    done_at: datetime | None = Field(default=None, sa_type=Timestamp)
