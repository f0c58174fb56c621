"""People, phones and sessions as frozen values. Pure, so that the web layer may use them as answers."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from callcenter.accounts.roles import Principal, Role


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """A phone of the PBX that an agent can sit at, and who does (`agent`: the login)."""

    pbx: str
    extension: str
    interface: str
    name: str | None
    agent: str | None


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
    seat: Extension | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of another system, without its secret."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session as it was found: who, until when, and the token where it is new."""

    principal: Principal
    login: str
    expires_at: datetime
    token: str | None = None
