"""What is done each night: calls that need not be kept any longer are deleted, and traces of what is long done."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Final

import structlog

from callcenter.accounts import trail
from callcenter.accounts.idempotency import Idempotency
from callcenter.calllog import erasure, retention
from callcenter.calllog.retention import Follower
from callcenter.db.away import until_done
from callcenter.db.engine import Database
from callcenter.settings import RetentionSettings
from crm_bridge import outbox

KEEP_DONE: Final = timedelta(days=30)
"""How long an entry of the outbox that is done stays, so that it is not done twice."""
AWAY_PAUSE: Final = timedelta(minutes=1)
ACTOR: Final = "system"

_log = structlog.get_logger("callcenter.housekeeping")


class Housekeeping:
    """The nightly work of one tenant. `run` must be a task."""

    def __init__(
        self,
        database: Database,
        tenant_id: int,
        settings: RetentionSettings,
        followers: Sequence[Follower],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._settings = settings
        self._followers = followers
        self._clock = clock

    async def run(self) -> None:
        """Work each night until canceled; PostgreSQL may be away meanwhile."""
        while True:
            await asyncio.sleep(self.until_next().total_seconds())
            await until_done("housekeeping", partial(self.clean, self._clock()), AWAY_PAUSE)

    def until_next(self) -> timedelta:
        """How long it is until the next night's time; never nothing, so that a night is worked once."""
        now = self._clock()
        at = datetime.combine(now.date(), time.fromisoformat(self._settings.at), UTC)
        return at - now if at > now else at + timedelta(days=1) - now

    async def clean(self, now: datetime) -> None:
        """All of a night's work. Done again it goes on where it was interrupted."""
        outcome = await retention.apply(
            self._database, self._tenant_id, self._settings.rules, now, actor=ACTOR, followers=self._followers
        )
        tombstones = await retention.prune_tombstones(self._database, self._tenant_id, now)
        async with self._database.unit(self._tenant_id) as unit:
            done = await outbox.prune(unit, KEEP_DONE)
            await erasure.forget_numbers(unit, now)
        await Idempotency(self._database, self._clock).prune(self._tenant_id)
        audit = 0
        if self._settings.audit_days is not None:
            before = now - timedelta(days=self._settings.audit_days)
            audit = await trail.prune(self._database, self._tenant_id, before)
        _log.info("night_done", calls_deleted=outcome.total, tombstones=tombstones, outbox=done, audit=audit)
