"""Log-in sessions: a random token in a cookie, of which the database holds only the SHA-256."""

import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.accounts.given import GIVEN
from callcenter.accounts.roles import Permission, Principal, Role, permissions_of
from callcenter.accounts.scope import Scope
from callcenter.accounts.values import OpenSession, SessionView
from callcenter.db.engine import Database
from callcenter.errors import Unauthenticated

_TOKEN_BYTES = 32
_SEEN_EVERY = timedelta(minutes=5)
_KEPT_EACH = 20
"""Open sessions of one person; the oldest gives way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose session is to be opened."""

    tenant_id: int
    login: str
    name: str
    role: Role
    language: str | None
    queues: Scope = None
    must_change: bool = False


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, database: Database, life: timedelta, clock: Callable[[], datetime]) -> None:
        """`life` is counted from the log-in, whatever is done meanwhile."""
        self._database = database
        self._life = life
        self._clock = clock

    async def open(self, owner: Owner, address: str, replaces: str | None) -> OpenSession:
        """A new session with a new token; the one that the token `replaces` opened ends."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        digest = _digest(token)
        now = self._clock()
        expires_at = now + self._life
        async with self._database.unit(owner.tenant_id) as unit:
            await unit.execute(
                "DELETE FROM sessions WHERE tenant_id = $1 AND (expires_at <= $2 OR token_hash = $3)",
                now,
                _digest(replaces) if replaces else b"",
            )
            await unit.execute(
                "INSERT INTO sessions (tenant_id, token_hash, login, address, created_at, seen_at, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $5, $6)",
                digest,
                owner.login,
                address,
                now,
                expires_at,
            )
            await unit.execute(
                "DELETE FROM sessions WHERE tenant_id = $1 AND token_hash IN (SELECT token_hash FROM sessions"
                " WHERE tenant_id = $1 AND login = $2 ORDER BY token_hash = $4 DESC, created_at DESC OFFSET $3)",
                owner.login,
                _KEPT_EACH,
                digest,
            )
        return _opened(owner, digest, expires_at, token)

    async def find(self, tenant_id: int, token: str) -> OpenSession:
        """The session of this tenant that `token` opens.

        Raises:
            Unauthenticated: there is none, it is another tenant's or over, or the person may not log in any more.
        """
        digest, now = _digest(token), self._clock()
        row = await self._database.pool.fetchrow(
            "SELECT s.tenant_id, s.login, s.expires_at, s.seen_at, u.name, u.role, u.language,"
            f" u.one_time_until IS NOT NULL AS must_change, {GIVEN} AS queues"
            " FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.login = s.login"
            " WHERE s.tenant_id = $1 AND s.token_hash = $2 AND s.expires_at > $3 AND NOT u.disabled",
            tenant_id,
            digest,
            now,
        )
        if row is None:
            raise Unauthenticated("the session is over: log in again")
        if now - row["seen_at"] > _SEEN_EVERY:
            async with self._database.unit(row["tenant_id"]) as unit:
                await unit.execute(
                    "UPDATE sessions SET seen_at = $3 WHERE tenant_id = $1 AND token_hash = $2", digest, now
                )
        owner = Owner(
            tenant_id=row["tenant_id"],
            login=row["login"],
            name=row["name"],
            role=Role(row["role"]),
            language=row["language"],
            queues=scope_in(row["queues"]),
            must_change=row["must_change"],
        )
        return _opened(owner, digest, row["expires_at"])

    async def over(self, tenant_id: int, held: Collection[tuple[str, Role]]) -> set[tuple[str, Role]]:
        """Which of these sessions, named by the hash in their principals, are no longer good for that role.

        PostgreSQL compares, and what stands, which is nearly all each second, is not sent back.
        """
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                "SELECT h.session, h.role FROM unnest($2::text[], $3::text[]) AS h (session, role) WHERE NOT EXISTS ("
                "SELECT FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.login = s.login"
                " WHERE s.tenant_id = $1 AND s.token_hash = decode(h.session, 'hex') AND u.role = h.role"
                " AND s.expires_at > $4 AND NOT u.disabled)",
                [session for session, _ in held],
                [role.value for _, role in held],
                self._clock(),
            )
        return {(row["session"], Role(row["role"])) for row in rows}

    async def list(self, tenant_id: int, login: str | None, own: str | None) -> tuple[SessionView, ...]:
        """The open sessions of a person, or of everybody; the one last used first. `own` is the hash of who asks."""
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                "SELECT encode(token_hash, 'hex') AS session, login, address, created_at, seen_at, expires_at"
                " FROM sessions WHERE tenant_id = $1 AND ($2::text IS NULL OR login = $2) AND expires_at > $3"
                " ORDER BY seen_at DESC, token_hash LIMIT 1000",
                login,
                self._clock(),
            )
        return tuple(SessionView(**dict(row), own=row["session"] == own) for row in rows)

    async def owner_of(self, tenant_id: int, session: str) -> str | None:
        """The login of a session's owner."""
        async with self._database.unit(tenant_id) as unit:
            owner: str | None = await unit.fetchval(
                "SELECT login FROM sessions WHERE tenant_id = $1 AND token_hash = $2", bytes.fromhex(session)
            )
        return owner

    async def end(self, tenant_id: int, session: str) -> None:
        """End one session, named by the hash in its principal."""
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("DELETE FROM sessions WHERE tenant_id = $1 AND token_hash = $2", bytes.fromhex(session))


def scope_in(queues: Sequence[str] | None) -> Scope:
    """A scope as PostgreSQL gives it."""
    return None if queues is None else frozenset(queues)


def _opened(owner: Owner, digest: bytes, expires_at: datetime, token: str | None = None) -> OpenSession:
    return OpenSession(
        principal=_principal(owner, digest),
        login=owner.login,
        expires_at=expires_at,
        must_change=owner.must_change,
        token=token,
    )


def _principal(owner: Owner, digest: bytes) -> Principal:
    return Principal(
        tenant_id=owner.tenant_id,
        role=owner.role,
        name=owner.name or owner.login,
        permissions=frozenset({Permission.SESSION}) if owner.must_change else permissions_of(owner.role),
        agent=owner.login,
        language=owner.language,
        session=digest.hex(),
        queues=owner.queues,
        must_change=owner.must_change,
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
