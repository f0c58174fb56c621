"""Tables of customers and their phones.

Names are found by prefix and put in order through `lower(name) COLLATE "C"`, which one index serves whatever
the database's collation is; e-mail addresses likewise, and words of name and company by an index of their own.
Embedded PostgreSQL has no contrib extensions, so there are no trigrams. Phones are found by exact E.164, else by
their national digits, whole or the last ones.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from callcenter.db.schema import Table, Timestamp, default, now

_WORDS = "to_tsvector('simple'::regconfig, (COALESCE(name, ''::text) || ' '::text) || COALESCE(company, ''::text))"


class Customer(Table, table=True):
    """Somebody who calls or is called. `external_ref` names the row of the import that it came from."""

    __tablename__: ClassVar[str] = "customers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "owner"],
            ["agents.tenant_id", "agents.agent_id"],
            ondelete="SET NULL (owner)",
            onupdate="CASCADE",
        ),
        UniqueConstraint("tenant_id", "external_ref"),
        CheckConstraint("version >= 1", name="version"),
        Index("ix_customers_name", "tenant_id", text('(lower(name) COLLATE "C")'), "customer_id"),
        Index(
            "ix_customers_email",
            "tenant_id",
            text('(lower(email) COLLATE "C")'),
            postgresql_where=text("email IS NOT NULL"),
        ),
        # Words of name and company; nearly each e-mail address would be a word of its own, and make the index several
        # times as large. Not a column: it would be a third of the table, and written row by row in an import.
        Index("ix_customers_search", text(_WORDS), postgresql_using="gin"),
        Index("ix_customers_owner", "tenant_id", "owner", postgresql_where=text("owner IS NOT NULL")),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    customer_id: UUID = Field(primary_key=True, sa_type=Uuid)
    name: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
    company: str | None = Field(default=None, sa_type=Text)
    email: str | None = Field(default=None, sa_type=Text)
    language: str | None = Field(default=None, sa_type=Text)
    address: str | None = Field(default=None, sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    """The id of the agent whose customer this is."""
    tags: list[str] = Field(default=[], sa_type=ARRAY(Text), nullable=False, sa_column_kwargs=default("'{}'"))
    fields: dict[str, Any] = Field(default={}, sa_type=JSONB, nullable=False, sa_column_kwargs=default("'{}'"))
    note: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
    version: int = Field(default=1, sa_column_kwargs=default("1"))
    """Rises with each change, so that two people cannot overwrite each other."""
    created_at: datetime = now()
    updated_at: datetime = now()
    last_call_at: datetime | None = Field(default=None, sa_type=Timestamp)
    source: str = Field(default="manual", sa_type=Text, sa_column_kwargs=default("'manual'"))
    external_ref: str | None = Field(default=None, sa_type=Text)
    import_digest: int | None = Field(default=None, sa_type=BigInteger)
    """Digest of the row that was imported last, plus the `version` that it led to: the same row is passed over as
    long as nobody changes the customer."""


class CustomerPhone(Table, table=True):
    """A number of a customer, as it was written and as it is found. `position` 0 is the first to call."""

    __tablename__: ClassVar[str] = "customer_phones"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "customer_id"], ["customers.tenant_id", "customers.customer_id"], ondelete="CASCADE"
        ),
        CheckConstraint("national ~ '^[0-9]+$'", name="national"),
        # the length apart from the pattern, in which it would take ten times as long
        CheckConstraint("e164 ~ '^[+][0-9]+$' AND length(e164) BETWEEN 4 AND 16", name="e164"),
        Index(
            "ix_customer_phones_e164",
            "tenant_id",
            "e164",
            # all that a look-up shows of the phone, so that it need not read the row
            postgresql_include=["customer_id", "label", "position", "raw"],
            postgresql_where=text("e164 IS NOT NULL"),
        ),
        # Backwards, so that one index finds whole numbers and those that end alike. The tenant comes second: PostgreSQL
        # sorts by the first bytes of an index's first column, which would be the same for all, and takes twice as long.
        Index(
            "ix_customer_phones_backwards",
            text('(reverse(national) COLLATE "C")'),
            "tenant_id",
            postgresql_where=text("national IS NOT NULL"),
        ),
    )

    tenant_id: int = Field(primary_key=True)
    customer_id: UUID = Field(primary_key=True, sa_type=Uuid)
    position: int = Field(default=0, primary_key=True, sa_type=SmallInteger, sa_column_kwargs=default("0"))
    raw: str = Field(sa_type=Text)
    e164: str | None = Field(default=None, sa_type=Text)
    national: str | None = Field(default=None, sa_type=Text)
    label: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
