"""People, phones and sessions as frozen values. Pure, so that the web layer may use them as answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec

from callcenter.accounts.roles import Principal, Role


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """A phone of the PBX that an agent can sit at, and who does (`agent`: the login)."""

    pbx: str
    extension: str
    interface: str
    name: str | None
    agent: str | None


class GivenQueue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A queue that a supervisor is given."""

    pbx: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
    queue: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who logs in and can take calls. `agent` is the login."""

    agent: str
    name: str
    role: Role
    language: str | None
    disabled: bool
    last_login_at: datetime | None
    failed_logins: int
    """Wrong passwords since the last right one."""
    created_at: datetime
    one_time_until: datetime | None
    """Their password is good for one log-in until then, at which they choose one of their own."""
    every_queue: bool
    """Whether a supervisor sees all queues, and not `queues` alone."""
    queues: tuple[GivenQueue, ...] = ()
    seat: Extension | None = None


class OneTimePassword(msgspec.Struct, frozen=True, kw_only=True):
    """A password to be told to somebody, who must choose another with it before `until`. It is shown this once."""

    login: str
    password: str
    until: datetime


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A door that is closed until a time, after `failures` wrong passwords in a row.

    With a login alone it is for everybody who tries it, with both for that login from that address, with an address
    alone for all from there.
    """

    login: str | None
    address: str | None
    failures: int
    until: datetime


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is logged in. `session` names it and cannot open it; `own` is the one that asks."""

    session: str
    login: str
    address: str | None
    created_at: datetime
    seen_at: datetime
    """To five minutes."""
    expires_at: datetime
    own: bool


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of another system, without its secret."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of the audit trail; None is no condition. `action` is how it begins."""

    actor: str | None = None
    action: str | None = None
    subject_type: str | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """Who (`actor`: a login, `key:` and a key's id, or `system`) did what to which thing, from where."""

    audit_id: int
    at: datetime
    actor: str
    action: str
    subject_type: str | None
    subject_id: str | None
    address: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered to a request."""

    status: int
    location: str | None
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session as it was found: who, until when, and the token where it is new."""

    principal: Principal
    login: str
    expires_at: datetime
    must_change: bool = False
    """Whether it is good for choosing a password, and nothing else."""
    token: str | None = None
