"""What every table of the project has in common: metadata, constraint names and column shapes.

Names of constraints follow one convention, so that a migration can name what it changes. A table's
primary key starts with `tenant_id`; `tests/database/test_schema.py` holds that for all of them.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, MetaData, text
from sqlmodel import Field, SQLModel

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Timestamp = DateTime(timezone=True)
"""The only time type: aware, microseconds."""


class Table(SQLModel):
    """Root of all tables; carries the metadata that migrations are compared with."""

    metadata = metadata


def default(sql: str) -> dict[str, Any]:
    """Column arguments for a default that PostgreSQL fills in, so that bare SQL gets it too."""
    return {"server_default": text(sql)}


def one_of(column: str, words: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A CHECK that `column` holds one of `words` (or NULL where the column allows it)."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def now() -> datetime:
    """A column that PostgreSQL fills with the transaction's time at insertion."""
    field: datetime = Field(default=None, sa_type=Timestamp, nullable=False, sa_column_kwargs=default("now()"))
    return field
