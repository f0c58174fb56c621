"""Tables of the roll-ups: sums of the calls that began in a quarter of an hour (UTC), and quarters to sum up anew.

Quarters, because every zone in use differs from UTC by a whole number of them: any zone's hours and days add up.
Waits and talks are counted in the buckets of `metrics/distribution.py`.
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ARRAY, BigInteger, Double, Identity, Index, Integer, Text
from sqlmodel import Field

from callcenter.db.schema import Table, Timestamp


class Mark(Table, table=True):
    """A quarter in which a call changed since it was summed up; written by a trigger on `calls`, never waited for."""

    __tablename__: ClassVar[str] = "report_marks"
    __table_args__ = (Index(None, "tenant_id", "quarter"),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    n: int = Field(primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),))
    quarter: datetime = Field(sa_type=Timestamp)


class CallSums(Table, table=True):
    """Calls by direction, how they ended, number dialed and outcome; the last two are empty where there is none."""

    __tablename__: ClassVar[str] = "report_calls"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    quarter: datetime = Field(primary_key=True, sa_type=Timestamp)
    direction: str = Field(primary_key=True, sa_type=Text)
    status: str = Field(primary_key=True, sa_type=Text)
    did: str = Field(primary_key=True, sa_type=Text)
    outcome: str = Field(primary_key=True, sa_type=Text)
    calls: int = Field(sa_type=Integer)
    talked: int = Field(sa_type=Integer)
    """Calls in which somebody talked."""
    talk_s: float = Field(sa_type=Double)
    handle_s: float = Field(sa_type=Double)
    """Talk, hold and wrap-up."""
    talks: list[int] = Field(sa_type=ARRAY(Integer), nullable=False)


class QueueSums(Table, table=True):
    """Visits of a queue, as `metrics.service_level` counts them."""

    __tablename__: ClassVar[str] = "report_queues"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    quarter: datetime = Field(primary_key=True, sa_type=Timestamp)
    pbx: str = Field(primary_key=True, sa_type=Text)
    queue: str = Field(primary_key=True, sa_type=Text)
    offered: int = Field(sa_type=Integer)
    refused: int = Field(sa_type=Integer)
    answered_waits: list[int] = Field(sa_type=ARRAY(Integer), nullable=False)
    abandoned_waits: list[int] = Field(sa_type=ARRAY(Integer), nullable=False)
    answered_wait_s: float = Field(sa_type=Double)
    handled: int = Field(sa_type=Integer)
    """Calls whose last answered visit it was."""
    handle_s: float = Field(sa_type=Double)


class AgentSums(Table, table=True):
    """What an agent did, as `live.day` counts it."""

    __tablename__: ClassVar[str] = "report_agents"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    quarter: datetime = Field(primary_key=True, sa_type=Timestamp)
    agent: str = Field(primary_key=True, sa_type=Text)
    answered: int = Field(sa_type=Integer)
    dialed: int = Field(sa_type=Integer)
    missed: int = Field(sa_type=Integer)
    connected_s: float = Field(sa_type=Double)
