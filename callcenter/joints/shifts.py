"""Brings the agents' stretches into the database, and what they took to wrap a call up into the call's record."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from callcenter.calllog import annotations
from callcenter.db.away import AWAY, until_done
from callcenter.db.engine import Database
from callcenter.desk import intervals
from callcenter.desk.intervals import StateRow

MOST: Final = 20_000
"""Stretches that wait while PostgreSQL is away; the oldest are lost then."""
BATCH: Final = 500
GATHER_S: Final = 0.25
"""How much later than what they tell of stretches are written: each call makes several, of which a transaction takes
many nearly at the price of one."""
SEEN_EVERY: Final = timedelta(seconds=20)
AWAY_PAUSE: Final = timedelta(seconds=2)
LATE_EVERY: Final = timedelta(seconds=2)
"""How often it is looked for a call that was wrapped up and is not in the log yet."""
LATEST: Final = timedelta(minutes=10)
LAST_S: Final = 2.0
"""How long the last write may take when the service stops."""

_log = structlog.get_logger("callcenter.duty")


class Shifts:
    """Writes stretches of one tenant. `run` must be a task."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._waiting: dict[tuple[str, datetime], StateRow] = {}
        self._going_on: dict[str, datetime] = {}
        self._wrapped: dict[UUID, datetime] = {}
        """Calls whose record is to say how long they were wrapped up, and since when they wait for it."""
        self._wake = asyncio.Event()
        self._lost = 0

    def put(self, rows: Iterable[StateRow]) -> None:
        """Take note of stretches. Never waits."""
        for row in rows:
            self._waiting[row.agent, row.from_] = row
            if row.to is None:
                self._going_on[row.agent] = row.from_
            elif row.call_id is not None:
                self._wrapped[row.call_id] = datetime.now(UTC)
        while len(self._waiting) > MOST:
            del self._waiting[next(iter(self._waiting))]
            self._lost += 1
            if str(self._lost).strip("0") == "1":
                _log.error("agent_states_lost", so_far=self._lost)
        self._wake.set()

    async def take_up(self) -> list[StateRow]:
        """What went on when an earlier run ended a moment ago."""
        async with self._database.unit(self._tenant_id) as unit:
            return await intervals.take_up(unit, datetime.now(UTC))

    async def run(self) -> None:
        """Write until canceled; then what waits, where PostgreSQL takes it at once."""
        due = datetime.now(UTC)
        try:
            while True:
                await self._sleep()
                while self._waiting:
                    await asyncio.sleep(GATHER_S)
                    await until_done("agents' states", self._write, AWAY_PAUSE)
                if self._wrapped:
                    await until_done("wrap-up times", self._tell_calls, AWAY_PAUSE)
                if datetime.now(UTC) >= due:
                    due = datetime.now(UTC) + SEEN_EVERY
                    await until_done("agents' states", partial(self._note_seen), AWAY_PAUSE)
        finally:
            with suppress(*AWAY):
                async with asyncio.timeout(LAST_S):
                    while self._waiting:
                        await self._write()
                    await self._note_seen()

    async def _sleep(self) -> None:
        pause = LATE_EVERY if self._wrapped else SEEN_EVERY
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._wake.wait()
        self._wake.clear()

    async def _write(self) -> None:
        rows = list(self._waiting.values())[:BATCH]
        async with self._database.unit(self._tenant_id) as unit:
            await intervals.write(unit, rows, datetime.now(UTC))
        for row in rows:
            # A stretch that was closed meanwhile is written once more.
            if self._waiting.get((row.agent, row.from_)) is row:
                del self._waiting[row.agent, row.from_]

    async def _tell_calls(self) -> None:
        now = datetime.now(UTC)
        async with self._database.unit(self._tenant_id) as unit:
            sums = await intervals.wrapped_up(unit, list(self._wrapped))
            for call_id, seconds in sums.items():
                if await annotations.set_wrapup(unit, call_id, seconds):
                    self._wrapped.pop(call_id, None)
        for call_id, since in list(self._wrapped.items()):
            if now - since > LATEST:
                del self._wrapped[call_id]

    async def _note_seen(self) -> None:
        if self._going_on:
            async with self._database.unit(self._tenant_id) as unit:
                await intervals.seen(unit, list(self._going_on), datetime.now(UTC))
