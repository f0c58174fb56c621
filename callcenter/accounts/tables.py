"""Tables of tenants and people: users, log-in sessions, API keys, agents, extensions, audit.

A login is a short lower-case slug and is the agent's id as well. Secrets are stored as hashes only:
passwords by argon2, session tokens and API keys by SHA-256 (they are random, so that is enough).
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Identity, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from callcenter.accounts.roles import Role
from callcenter.db.schema import Table, Timestamp, default, now, one_of


class Tenant(Table, table=True):
    """A company. There is one, `default`, until somebody adds another."""

    __tablename__: ClassVar[str] = "tenants"
    __table_args__ = (CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="slug"),)

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(always=False),))
    slug: str = Field(sa_type=Text, unique=True)
    name: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
    created_at: datetime = now()


class User(Table, table=True):
    """Somebody, or some machine, that logs in. Without `password_hash` nobody can log in with a password."""

    __tablename__: ClassVar[str] = "users"
    __table_args__ = (
        CheckConstraint("login ~ '^[a-z0-9][a-z0-9._-]{0,63}$'", name="login"),
        one_of("role", Role),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    login: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
    role: Role = Field(sa_type=Text)
    password_hash: str | None = Field(default=None, sa_type=Text)
    language: str | None = Field(default=None, sa_type=Text)
    disabled: bool = Field(default=False, sa_column_kwargs=default("false"))
    failed_logins: int = Field(default=0, sa_column_kwargs=default("0"))
    """Wrong passwords since the last right one."""
    last_login_at: datetime | None = Field(default=None, sa_type=Timestamp)
    created_at: datetime = now()
    one_time_until: datetime | None = Field(default=None, sa_type=Timestamp)
    """Somebody else chose the password: until then it is good for choosing another."""
    every_queue: bool = Field(default=True, sa_column_kwargs=default("true"))
    """A supervisor who is not given every queue sees those of `user_queues`."""


class UserQueue(Table, table=True):
    """A queue that a supervisor is given."""

    __tablename__: ClassVar[str] = "user_queues"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "login"], ["users.tenant_id", "users.login"], ondelete="CASCADE", onupdate="CASCADE"
        ),
    )

    tenant_id: int = Field(primary_key=True)
    login: str = Field(primary_key=True, sa_type=Text)
    pbx: str = Field(primary_key=True, sa_type=Text)
    queue: str = Field(primary_key=True, sa_type=Text)


class LoginLock(Table, table=True):
    """How often passwords were wrong in a row, for a login or from an address, and until when that is locked."""

    __tablename__: ClassVar[str] = "login_locks"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    subject: str = Field(primary_key=True, sa_type=Text)
    """`login:` and a login, with `@` and an address where it is known there, or `address:` and an address."""
    failures: int
    last_at: datetime = Field(sa_type=Timestamp)
    locked_until: datetime | None = Field(default=None, sa_type=Timestamp)


class Session(Table, table=True):
    """A browser that is logged in. `token_hash` is the SHA-256 of the cookie's value."""

    __tablename__: ClassVar[str] = "sessions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "login"], ["users.tenant_id", "users.login"], ondelete="CASCADE", onupdate="CASCADE"
        ),
        Index(None, "tenant_id", "login"),
        Index(None, "expires_at"),
    )

    tenant_id: int = Field(primary_key=True)
    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary, unique=True)
    login: str = Field(sa_type=Text)
    address: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = now()
    seen_at: datetime = now()
    expires_at: datetime = Field(sa_type=Timestamp)


class IdempotencyKey(Table, table=True):
    """A request that may be sent twice, and what was answered; without `status` it is in progress."""

    __tablename__: ClassVar[str] = "idempotency_keys"
    __table_args__ = (Index(None, "tenant_id", "at"),)

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    actor: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of method, path, query and body."""
    at: datetime = Field(sa_type=Timestamp)
    status: int | None = Field(default=None)
    location: str | None = Field(default=None, sa_type=Text)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)


class ApiKey(Table, table=True):
    """A key of another system. `key_id` is the part that may be shown; the rest is hashed."""

    __tablename__: ClassVar[str] = "api_keys"

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    key_id: str = Field(primary_key=True, sa_type=Text)
    key_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    name: str = Field(sa_type=Text)
    scopes: list[str] = Field(default=[], sa_type=ARRAY(Text), nullable=False, sa_column_kwargs=default("'{}'"))
    created_by: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = now()
    expires_at: datetime | None = Field(default=None, sa_type=Timestamp)
    used_at: datetime | None = Field(default=None, sa_type=Timestamp)
    revoked_at: datetime | None = Field(default=None, sa_type=Timestamp)


class Agent(Table, table=True):
    """A person who takes calls. `agent_id` is the login of the user, whom it outlives in the log."""

    __tablename__: ClassVar[str] = "agents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "login"],
            ["users.tenant_id", "users.login"],
            ondelete="SET NULL (login)",
            onupdate="CASCADE",
        ),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    agent_id: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
    login: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = now()


class Extension(Table, table=True):
    """A phone of one PBX, and who sits at it now. An agent sits at one extension at a time."""

    __tablename__: ClassVar[str] = "extensions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "agent_id"],
            ["agents.tenant_id", "agents.agent_id"],
            ondelete="SET NULL (agent_id)",
            onupdate="CASCADE",
        ),
        Index("uq_extensions_interface", "tenant_id", "pbx", "interface", unique=True),
        Index("uq_extensions_agent", "tenant_id", "agent_id", unique=True),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    pbx: str = Field(primary_key=True, sa_type=Text)
    extension: str = Field(primary_key=True, sa_type=Text)
    interface: str = Field(sa_type=Text)
    name: str = Field(default="", sa_type=Text, sa_column_kwargs=default("''"))
    agent_id: str | None = Field(default=None, sa_type=Text)
    seated_at: datetime | None = Field(default=None, sa_type=Timestamp)


class AuditEntry(Table, table=True):
    """Who did what to which thing, when. Never a secret and never a call's content."""

    __tablename__: ClassVar[str] = "audit"
    __table_args__ = (
        Index(None, "tenant_id", "at"),
        Index(None, "tenant_id", "subject_type", "subject_id"),
    )

    tenant_id: int = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    audit_id: int | None = Field(
        default=None, primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),)
    )
    at: datetime = now()
    actor: str = Field(sa_type=Text)
    """A login, `key:` and an API key's id, or `system`."""
    action: str = Field(sa_type=Text)
    subject_type: str | None = Field(default=None, sa_type=Text)
    subject_id: str | None = Field(default=None, sa_type=Text)
    address: str | None = Field(default=None, sa_type=Text)
    """Where the request came from; nothing where it was done at the command line."""
    detail: dict[str, Any] = Field(default={}, sa_type=JSONB, nullable=False, sa_column_kwargs=default("'{}'"))
