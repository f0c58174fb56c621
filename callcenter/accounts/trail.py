"""The audit trail as an admin reads it, and who saw which customer, noted in batches that nobody waits for."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec
import structlog

from callcenter.accounts.values import AuditQuery, AuditView
from callcenter.db.audit import address_now
from callcenter.db.away import until_done
from callcenter.db.engine import Database

EVERY: Final = timedelta(seconds=2)
"""How long what somebody saw may wait to be written down."""
AGAIN: Final = timedelta(minutes=10)
"""Who looks at the same thing within this time is noted once."""
MOST: Final = 10_000
"""Sightings that may wait, and that are remembered: more are dropped, and said in the log."""
AWAY_PAUSE: Final = timedelta(seconds=5)

_log = structlog.get_logger("callcenter.audit")


class Trail:
    """Reads the audit trail of the tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, tenant_id: int, wanted: AuditQuery, *, before: int | None, limit: int) -> list[AuditView]:
        """Entries, the newest first, before the one with the number `before`."""
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                "SELECT audit_id, at, actor, action, subject_type, subject_id, address, detail FROM audit"
                " WHERE tenant_id = $1 AND ($2::bigint IS NULL OR audit_id < $2)"
                " AND ($3::text IS NULL OR actor = $3)"
                " AND ($4::text IS NULL OR starts_with(action, $4))"
                " AND ($5::text IS NULL OR subject_type = $5) AND ($6::text IS NULL OR subject_id = $6)"
                " AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)"
                " ORDER BY audit_id DESC LIMIT $9",
                *(before, wanted.actor, wanted.action, wanted.subject_type, wanted.subject_id),
                *(wanted.since, wanted.until, limit),
            )
        return [_view(row) for row in rows]


class _Sighting(msgspec.Struct, frozen=True):
    at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: str
    address: str | None


class Sightings:
    """Notes who saw what. `saw` waits for nothing; `run` is a task of the application that writes it down."""

    def __init__(self, database: Database, tenant_id: int, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._clock = clock
        self._waiting: list[_Sighting] = []
        self._lately: dict[tuple[str, str, str], datetime] = {}
        self._dropped = 0

    def saw(self, actor: str, subject_type: str, subject_id: str) -> None:
        """Somebody was shown a thing by the request that runs now."""
        now, key = self._clock(), (actor, subject_type, subject_id)
        before = self._lately.pop(key, None)
        if before is not None and now - before < AGAIN:
            self._lately[key] = before
            return
        while len(self._lately) >= MOST:
            del self._lately[next(iter(self._lately))]
        self._lately[key] = now
        if len(self._waiting) >= MOST:
            self._dropped += 1
            return
        action = f"{subject_type}.see"
        self._waiting.append(_Sighting(now, actor, action, subject_type, subject_id, address_now()))

    async def run(self) -> None:
        """Write until canceled, and then what is left, if PostgreSQL takes it at once."""
        try:
            while True:
                await asyncio.sleep(EVERY.total_seconds())
                await until_done("audit of what was seen", self.flush, AWAY_PAUSE)
        finally:
            async with asyncio.timeout(EVERY.total_seconds()):
                await self.flush()

    async def flush(self) -> None:
        """Write down what waits, in one statement."""
        batch = self._waiting[:]
        if self._dropped:
            _log.warning("sightings_dropped", count=self._dropped)
            self._dropped = 0
        if not batch:
            return
        async with self._database.unit(self._tenant_id) as unit:
            await unit.execute(
                "INSERT INTO audit (tenant_id, at, actor, action, subject_type, subject_id, address)"
                " SELECT $1, * FROM"
                " unnest($2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])",
                *([getattr(one, name) for one in batch] for name in _Sighting.__struct_fields__),
            )
        del self._waiting[: len(batch)]


async def prune(database: Database, tenant_id: int, before: datetime) -> int:
    """Delete entries that are older; gives their number."""
    async with database.unit(tenant_id) as unit:
        tag = await unit.execute("DELETE FROM audit WHERE tenant_id = $1 AND at < $2", before)
    return int(tag.rpartition(" ")[2])


def _view(row: "asyncpg.Record") -> AuditView:
    return AuditView(**dict(row))
