"""API keys: `cck_`, a part that may be shown, and a secret of which only the SHA-256 is kept."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import asyncpg

from callcenter.accounts.roles import Principal, Role, permissions_of, read_scopes
from callcenter.accounts.values import ApiKey
from callcenter.db.audit import note
from callcenter.db.engine import Database
from callcenter.errors import BadInput, NotFound, Unauthenticated

_PREFIX = "cck_"
_SECRET_BYTES = 32
_USED_EVERY = timedelta(minutes=1)


class ApiKeys:
    """Makes, finds, lists and revokes keys."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self, tenant_id: int, name: str, scopes: Iterable[str], expires_at: datetime | None, by: str
    ) -> str:
        """A new key, which is told this once and cannot be shown again.

        Raises:
            BadInput: no name, an unknown scope, or an expiry that has passed.
        """
        name = name.strip()
        if not 1 <= len(name) <= 100:
            raise BadInput("give the key a name of 1 to 100 characters, so that you know later whose it is")
        if expires_at is not None and expires_at <= self._clock():
            raise BadInput("the key would have expired already: choose a later time")
        chosen = read_scopes(scopes)
        key_id = secrets.token_hex(4)
        key = f"{_PREFIX}{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        async with self._database.unit(tenant_id) as unit:
            await unit.execute(
                "INSERT INTO api_keys (tenant_id, key_id, key_hash, name, scopes, created_by, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                key_id,
                _digest(key),
                name,
                list(chosen),
                by,
                expires_at,
            )
            await note(
                unit,
                actor=by,
                action="apikey.create",
                subject_type="apikey",
                subject_id=key_id,
                detail={"name": name, "scopes": list(chosen)},
            )
        return key

    async def find(self, tenant_id: int, key: str) -> Principal:
        """The integration of this tenant that `key` is for.

        Raises:
            Unauthenticated: there is no such key, or it is another tenant's, revoked or over.
        """
        if not key.startswith(_PREFIX) or len(key) > 200:
            raise Unauthenticated("this is no API key: it should begin with cck_")
        now = self._clock()
        row = await self._database.pool.fetchrow(
            "SELECT tenant_id, key_id, name, scopes, used_at FROM api_keys"
            " WHERE tenant_id = $1 AND key_hash = $2 AND revoked_at IS NULL"
            " AND (expires_at IS NULL OR expires_at > $3)",
            tenant_id,
            _digest(key),
            now,
        )
        if row is None:
            raise Unauthenticated("this API key is not valid, or not any more: ask the admin for a new one")
        if row["used_at"] is None or now - row["used_at"] > _USED_EVERY:
            async with self._database.unit(row["tenant_id"]) as unit:
                await unit.execute(
                    "UPDATE api_keys SET used_at = $3 WHERE tenant_id = $1 AND key_id = $2", row["key_id"], now
                )
        return Principal(
            tenant_id=row["tenant_id"],
            role=Role.INTEGRATION,
            name=row["key_id"],
            permissions=permissions_of(Role.INTEGRATION, row["scopes"]),
        )

    async def list(self, tenant_id: int) -> tuple[ApiKey, ...]:
        """All keys, revoked ones too, the newest first."""
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                "SELECT key_id, name, scopes, created_at, expires_at, used_at, revoked_at FROM api_keys"
                " WHERE tenant_id = $1 ORDER BY created_at DESC, key_id"
            )
        return tuple(_value(row) for row in rows)

    async def revoke(self, tenant_id: int, key_id: str, by: str) -> None:
        """Make a key useless from now on.

        Raises:
            NotFound: there is no such key, or it is revoked already.
        """
        async with self._database.unit(tenant_id) as unit:
            done = await unit.fetchval(
                "UPDATE api_keys SET revoked_at = $3 WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL"
                " RETURNING key_id",
                key_id,
                self._clock(),
            )
            if done is None:
                raise NotFound(f"there is no API key {key_id!r} that could be revoked: see `callcenter apikey list`")
            await note(unit, actor=by, action="apikey.revoke", subject_type="apikey", subject_id=key_id)


def _value(row: "asyncpg.Record") -> ApiKey:
    return ApiKey(**{**dict(row), "scopes": tuple(row["scopes"])})


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
