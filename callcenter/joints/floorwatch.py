"""Keeps the floor's picture going: the beat, the alerts, and today's numbers from the call log."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from callcenter import events as ev
from callcenter.accounts.roles import Permission, Role, permissions_of
from callcenter.accounts.scope import Scope
from callcenter.calllog import today
from callcenter.changes import CallChange
from callcenter.db.away import until_done
from callcenter.db.engine import Database
from callcenter.errors import Forbidden
from callcenter.joints.floorplan import FloorPlan
from callcenter.joints.seating import Seating
from callcenter.live import limits as stored
from callcenter.live.alerts import Limits, Turn, judge
from callcenter.live.board import Board, QueueKey
from callcenter.live.day import AgentDay, Day
from callcenter.metrics.service_level import NOTHING, Goal, Tally, count
from callcenter.model import Call
from crm_bridge.webhooks import alerts as webhook
from screenpop.contracts import Identity
from screenpop.messages import AgentState as Presence
from screenpop.messages import Customer
from screenpop.watching import Watching

BEAT: Final = timedelta(milliseconds=250)
JUDGED: Final = 4
"""Beats from one look at the limits to the next."""
RELOAD: Final = timedelta(minutes=10)
"""How often today's numbers are counted anew, for what was corrected in the log."""
WRITTEN: Final = timedelta(minutes=15)
"""After this time a call that ended is in the log."""
AWAY_PAUSE: Final = timedelta(seconds=5)
MOST_TURNS: Final = 1_000
"""Alerts that may wait for PostgreSQL."""

_log = structlog.get_logger("callcenter.floor")


class FloorWatch:
    """The live floor of one tenant. `run` is a task of the application."""

    def __init__(
        self,
        database: Database,
        tenant_id: int,
        watching: Watching,
        board: Board,
        seating: Seating,
        presence: Callable[[], Mapping[str, Presence]],
        settle: Callable[[], Awaitable[None]],
        timezone: str,
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._watching = watching
        self._board = board
        self._settle = settle
        self._zone = ZoneInfo(timezone) if timezone else None
        self._day = Day(self._midnight(datetime.now(UTC)))
        self.plan = FloorPlan(watching.rows, board, self._day, seating, presence)
        self._turns: asyncio.Queue[Turn] = asyncio.Queue(MOST_TURNS)
        self._stale = asyncio.Event()
        self.counted = asyncio.Event()
        """Set once today's numbers are complete."""

    def take(self, change: CallChange) -> None:
        """A call changed."""
        self._day.take(change)
        self.plan.take(change)

    def recognized(self, call: Call, customer: Customer) -> None:
        """It became known who the customer of a call is."""
        self.plan.recognized(call, customer)

    def spy(self, pbx: str, event: ev.SpyStarted | ev.SpyStopped) -> None:
        """Somebody begins, or ends, to listen to a call."""
        self.plan.spy(pbx, event)

    def limits(self) -> Mapping[QueueKey, Limits]:
        """What was set for queues."""
        return self.plan.limits

    async def set_limits(self, key: QueueKey, wanted: Limits, by: str) -> None:
        """Set what a queue is measured by, and when to tell."""
        async with self._database.unit(self._tenant_id) as unit:
            await stored.save(unit, key, wanted, by)
        self.plan.limits[key] = wanted
        self.plan.redraw({key})
        self.count_anew()

    def count_anew(self) -> None:
        """What the log says of today may have changed."""
        self._stale.set()

    async def run(self) -> None:
        """Keep going until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat(), name="floor beat")
            group.create_task(self._count(), name="today's numbers")
            group.create_task(self._tell(), name="queue alerts")

    async def _beat(self) -> None:
        beats = 0
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            beats += 1
            if beats % JUDGED == 0:
                now = datetime.now(UTC)
                self._judge(now)
                if self._midnight(now) != self._day.began:
                    self._stale.set()
            for _ in self.plan.draw():
                await asyncio.sleep(0)
            self._watching.beat()

    def _judge(self, now: datetime) -> None:
        plan = self.plan
        for key in {*plan.limits, *plan.watchman.queues()}:
            known = self._board.knows(key)
            found = judge(plan.limits[key], plan.facts(key), now) if known and key in plan.limits else ()
            turns = plan.watchman.look(key, {alert.kind: alert for alert in found}, now)
            for turn in turns:
                plan.redraw({key})
                if self._turns.full():
                    _log.warning("queue_alert_dropped", queue=key[1])
                else:
                    self._turns.put_nowait(turn)

    async def _tell(self) -> None:
        while True:
            turn = await self._turns.get()
            await until_done("queue alert", partial(self._tell_one, turn), AWAY_PAUSE)

    async def _tell_one(self, turn: Turn) -> None:
        alert = turn.alert
        data = {
            "pbx": turn.queue[0],
            "queue": turn.queue[1],
            "kind": alert.kind.value,
            "severity": alert.severity.word,
            "value": round(alert.value, 4),
            "limit": alert.limit,
        }
        async with self._database.unit(self._tenant_id) as unit:
            await webhook.tell(unit, turn.at, data)

    async def _count(self) -> None:
        while True:
            self._stale.clear()
            await until_done("today's numbers", self._load, AWAY_PAUSE)
            self.counted.set()
            try:
                async with asyncio.timeout(RELOAD.total_seconds()):
                    await self._stale.wait()
            except TimeoutError:
                pass

    async def _load(self) -> None:
        await self._settle()
        day, now = self._day, datetime.now(UTC)
        queues: dict[QueueKey, Tally] = {}
        async with self._database.unit(self._tenant_id) as unit:
            found = await stored.load(unit)
            self.plan.redraw({*found, *self.plan.limits})
            self.plan.limits = found
            goals = {key: limits.goal for key, limits in self.plan.limits.items()}
            day.begin(self._midnight(now), goals)
            kept = day.settle(now - WRITTEN)
            async for portion in today.visits(unit, day.began, now, kept):
                for pbx, visit in portion:
                    key = (pbx, visit.queue)
                    queues[key] = queues.get(key, NOTHING) + count(visit, goals.get(key, Goal()))
                await asyncio.sleep(0)
            sums = await today.agents(unit, day.began, now, kept)
        day.load(
            queues,
            {
                one.agent: AgentDay(
                    answered=one.answered, dialed=one.dialed, missed=one.missed, connected=one.connected
                )
                for one in sums
            },
        )

    def _midnight(self, now: datetime) -> datetime:
        local = now.astimezone(self._zone)
        begun = datetime(local.year, local.month, local.day, tzinfo=self._zone)
        # Without a zone of its own this machine's, whose offset of that very midnight counts.
        return begun.astimezone(UTC)


class PopOverseer:
    """`screenpop.contracts.Overseer`: the roles decide, and the queues that a supervisor is given."""

    def scope(self, who: Identity) -> Scope:
        """The queues that somebody may watch."""
        role = Role(who.role)
        if Permission.FLOOR_WATCH not in permissions_of(role):
            raise Forbidden(f"watching the floor is not allowed for the role {role.value}")
        return who.queues
