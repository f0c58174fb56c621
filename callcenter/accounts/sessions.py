"""Log-in sessions: a random token in a cookie, of which the database holds only the SHA-256."""

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.accounts.roles import Principal, Role, permissions_of
from callcenter.accounts.values import OpenSession
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
        return OpenSession(principal=_principal(owner, digest), login=owner.login, expires_at=expires_at, token=token)

    async def find(self, token: str) -> OpenSession:
        """The session that `token` opens, of whatever tenant.

        Raises:
            Unauthenticated: there is none, it is over, or the person may not log in any more.
        """
        digest, now = _digest(token), self._clock()
        row = await self._database.pool.fetchrow(
            "SELECT s.tenant_id, s.login, s.expires_at, s.seen_at, u.name, u.role, u.language"
            " FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.login = s.login"
            " WHERE s.token_hash = $1 AND s.expires_at > $2 AND NOT u.disabled",
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
        )
        return OpenSession(principal=_principal(owner, digest), login=owner.login, expires_at=row["expires_at"])

    async def roles(self, tenant_id: int, sessions: Collection[str]) -> dict[str, Role]:
        """The role of each of these sessions that is still good, by the hash in its principal."""
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                "SELECT encode(s.token_hash, 'hex') AS session, u.role"
                " FROM sessions s JOIN users u ON u.tenant_id = s.tenant_id AND u.login = s.login"
                " WHERE s.tenant_id = $1 AND s.token_hash = ANY($2) AND s.expires_at > $3 AND NOT u.disabled",
                [bytes.fromhex(session) for session in sessions],
                self._clock(),
            )
        return {row["session"]: Role(row["role"]) for row in rows}

    async def end(self, tenant_id: int, session: str) -> None:
        """End one session, named by the hash in its principal."""
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("DELETE FROM sessions WHERE tenant_id = $1 AND token_hash = $2", bytes.fromhex(session))


def _principal(owner: Owner, digest: bytes) -> Principal:
    return Principal(
        tenant_id=owner.tenant_id,
        role=owner.role,
        name=owner.name or owner.login,
        permissions=permissions_of(owner.role),
        agent=owner.login,
        language=owner.language,
        session=digest.hex(),
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
