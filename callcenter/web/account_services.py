"""What the web layer needs to administer people: a Protocol, joined by the application as those of `services.py`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from callcenter.accounts.roles import Principal
from callcenter.accounts.values import (
    ApiKey,
    AuditQuery,
    AuditView,
    KeptAnswer,
    Lock,
    OneTimePassword,
    Person,
    SessionView,
)
from callcenter.web.schemas.accounts import NewUser, UserChange


class ApiKeys(Protocol):
    """Keys of other systems."""

    async def list(self, tenant_id: int) -> Sequence[ApiKey]:
        """All keys, revoked ones too, the newest first."""
        ...

    async def create(
        self, tenant_id: int, name: str, scopes: Iterable[str], expires_at: datetime | None, by: str
    ) -> str:
        """Make one, and give it; raises `BadInput`."""
        ...

    async def revoke(self, tenant_id: int, key_id: str, by: str) -> None:
        """Make one useless; raises `NotFound`."""
        ...


class Trail(Protocol):
    """The audit trail."""

    async def page(self, tenant_id: int, wanted: AuditQuery, *, before: int | None, limit: int) -> Sequence[AuditView]:
        """Entries, the newest first, before the one with the number `before`."""
        ...


class Sightings(Protocol):
    """Notes who saw what."""

    def saw(self, actor: str, subject_type: str, subject_id: str) -> None:
        """Somebody was shown a thing; waits for nothing."""
        ...


class Idempotency(Protocol):
    """What was answered to requests that may be sent twice."""

    async def begin(self, tenant_id: int, actor: str, key: str, digest: bytes) -> KeptAnswer | None:
        """What was answered before, None where it is to be done now; raises `Conflict`, `KeyReused`."""
        ...

    async def finish(self, tenant_id: int, actor: str, key: str, answer: KeptAnswer, *, secret: bool) -> None:
        """Keep what was answered; of a secret, only that it was."""
        ...

    async def forget(self, tenant_id: int, actor: str, key: str) -> None:
        """Nothing was done."""
        ...


class Administration(Protocol):
    """People, their sessions, and the locks against who guesses."""

    async def users(self, tenant_id: int) -> Sequence[Person]:
        """Everybody, by login."""
        ...

    async def user(self, tenant_id: int, login: str) -> Person:
        """One person, raises `NotFound`."""
        ...

    async def add_user(self, tenant_id: int, new: NewUser, by: str) -> OneTimePassword:
        """Add somebody, and give the password for one log-in; raises `BadInput`, `Conflict`."""
        ...

    async def change_user(self, tenant_id: int, login: str, change: UserChange, by: Principal) -> Person:
        """Change what somebody is; raises `NotFound`, and `Conflict` where nobody would be left who administers."""
        ...

    async def reset_password(self, tenant_id: int, login: str, by: str) -> OneTimePassword:
        """Give somebody a password for one log-in; raises `NotFound`."""
        ...

    async def locked(self, tenant_id: int) -> Sequence[Lock]:
        """What is locked now."""
        ...

    async def unlock(self, tenant_id: int, login: str | None, address: str | None, by: str) -> None:
        """Take the lock of a login, or of an address, off; raises `NotFound`."""
        ...

    async def sessions(self, by: Principal, login: str | None) -> Sequence[SessionView]:
        """The open sessions of a person, or of everybody."""
        ...

    async def end_session(self, by: Principal, session: str, *, anybodys: bool) -> None:
        """End a session; raises `NotFound`, for another's too where not `anybodys`."""
        ...
