"""Requests that are sent again because the first answer was lost: done once, answered alike (Idempotency-Key)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from callcenter.accounts.values import KeptAnswer
from callcenter.db.engine import Database
from callcenter.errors import Conflict, KeyReused

KEPT: Final = timedelta(hours=24)
LEASE: Final = timedelta(minutes=2)
"""After so long a request without an answer is taken to have been cut off, and may be sent again."""
LARGEST: Final = 64 * 1024
"""Larger answers are not kept."""


class Idempotency:
    """Keeps what was answered to requests of the tenants that carry a key."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, tenant_id: int, actor: str, key: str, digest: bytes) -> KeptAnswer | None:
        """What was answered to this request before; None: it is to be carried out now, and `finish` or `forget` called.

        Raises:
            Conflict: the first one is in progress, or its answer was not kept.
            KeyReused: another request had this key.
        """
        now = self._clock()
        async with self._database.unit(tenant_id) as unit:
            await unit.execute(
                "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND actor = $2 AND key = $3"
                " AND (at < $4 OR (status IS NULL AND at < $5))",
                *(actor, key, now - KEPT, now - LEASE),
            )
            mine = await unit.fetchval(
                "INSERT INTO idempotency_keys (tenant_id, actor, key, digest, at) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT DO NOTHING RETURNING 1",
                *(actor, key, digest, now),
            )
            if mine is not None:
                return None
            row = await unit.fetchrow(
                "SELECT digest, status, location, body FROM idempotency_keys"
                " WHERE tenant_id = $1 AND actor = $2 AND key = $3",
                *(actor, key),
            )
        if row is None or row["status"] is None:
            raise Conflict("a request with this Idempotency-Key is in progress, or its end is unknown: ask later")
        if row["digest"] != digest:
            raise KeyReused("this Idempotency-Key was used for another request: give each request a key of its own")
        if row["body"] is None and row["status"] != 204:
            raise Conflict("this was done already; what it answered is shown once, and not kept")
        return KeptAnswer(status=row["status"], location=row["location"], body=row["body"])

    async def finish(self, tenant_id: int, actor: str, key: str, answer: KeptAnswer, *, secret: bool) -> None:
        """Keep what was answered; of a `secret`, only that it was."""
        body = None if secret or len(answer.body or b"") > LARGEST else answer.body
        async with self._database.unit(tenant_id) as unit:
            await unit.execute(
                "UPDATE idempotency_keys SET status = $4, location = $5, body = $6"
                " WHERE tenant_id = $1 AND actor = $2 AND key = $3",
                *(actor, key, answer.status, answer.location, body),
            )

    async def forget(self, tenant_id: int, actor: str, key: str) -> None:
        """The request was refused, and nothing done: with the same key it may be sent mended."""
        async with self._database.unit(tenant_id) as unit:
            await unit.execute(
                "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND actor = $2 AND key = $3 AND status IS NULL",
                *(actor, key),
            )

    async def prune(self, tenant_id: int) -> None:
        """Delete what is older than `KEPT`."""
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("DELETE FROM idempotency_keys WHERE tenant_id = $1 AND at < $2", self._clock() - KEPT)
