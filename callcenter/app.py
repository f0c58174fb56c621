"""The composition root: builds every part, joins them, runs them in one group, and stops them in order.

A stop first ends what brings new work (web, PBX connections), then tells the pages, then lets the call log write what
waits, and closes the database last.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from aiohttp import web

from callcenter.accounts.access import Access
from callcenter.accounts.values import Extension
from callcenter.calllog import recovery
from callcenter.calllog.bell import Bell
from callcenter.calllog.spool import Spool, place_of
from callcenter.calllog.writer import CallLogWriter
from callcenter.changes import CallChange
from callcenter.customers.index import CustomerIndex
from callcenter.db.away import AWAY, repeat, until_done
from callcenter.db.claim import Claim
from callcenter.db.engine import Database
from callcenter.db.opening import open_database
from callcenter.events import QueueMemberState
from callcenter.fanout import FanOut
from callcenter.joints.board import WebBoard
from callcenter.joints.calls import WebCallLog
from callcenter.joints.customers import WebCustomers
from callcenter.joints.dialing import PopDialer, Switchboard, WebDialer
from callcenter.joints.directory import directory_of
from callcenter.joints.entrance import Eviction, PopTickets
from callcenter.joints.erasure import Erasing
from callcenter.joints.health import ServiceHealth, meters
from callcenter.joints.housekeeping import Housekeeping
from callcenter.joints.matching import PopMatcher, WebMatcher
from callcenter.joints.numbers import Numbers
from callcenter.joints.recognition import Recognition
from callcenter.joints.reconciling import Reconciler
from callcenter.joints.seating import Seating
from callcenter.joints.watching import Watch
from callcenter.joints.webhooks import WebWebhooks, webhook_meters, worker_of
from callcenter.live.board import Board
from callcenter.model import Call
from callcenter.pbx import Pbx
from callcenter.settings import PbxSettings, Settings
from callcenter.web.application import build
from callcenter.web.port import BoundedRunner
from callcenter.web.services import LOOPBACK, Services
from callcenter.web.telemetry import build_registry
from crm_bridge.outbox import CallOutbox
from screenpop.messages import AgentState
from screenpop.origins import Origins
from screenpop.server import ScreenpopServer

PEOPLE_EVERY: Final = timedelta(seconds=30)
"""How often names and seats that another process changed are looked for."""
SETTLE_S: Final = 5.0
"""How long an erasure may wait for calls to be written that are on their way to the log."""
SESSIONS_EVERY: Final = timedelta(seconds=1)
"""How often it is looked whether the log-ins behind open pages still stand: one statement for all."""
WEBHOOKS_EVERY: Final = timedelta(seconds=30)
"""How often webhooks that wait are counted, for /metrics."""
LOST_PAUSE: Final = timedelta(seconds=10)
"""Between two attempts to end the calls of an earlier run, while PostgreSQL is away."""
RECALL_S: Final = 5.0
"""How long a start waits for what an earlier run wrote of calls in progress."""
WEB_GRACE_S: Final = 3.0

_log = structlog.get_logger("callcenter.app")


class Application:
    """The whole service of one tenant. `open` makes it, `run` keeps it going until `stop`."""

    def __init__(self, settings: Settings, database: Database, tenant_id: int) -> None:
        self.settings = settings
        self.database = database
        self.tenant_id = tenant_id
        self.web_port = 0
        """Where the pages are, once `ready` is set."""
        self.ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._lost: asyncio.Queue[tuple[str, frozenset[UUID], datetime]] = asyncio.Queue(len(settings.pbx) or 1)
        numbers = Numbers(settings.pbx)
        index = self._index = CustomerIndex(database.pool)
        self._bell = Bell(database)
        self.board = Board()
        self.fanout = FanOut()
        place = place_of(settings.database.spool_directory, settings.tenant, database.place)
        spool = Spool(place, settings.database.spool_mb * 1024 * 1024)
        self.writer = CallLogWriter(database, tenant_id, spool=spool)
        self.recognition = Recognition(index, numbers, tenant_id, self._link)
        self.pbxs = {one.id: self._pbx(one) for one in settings.pbx}
        self.webhooks = worker_of(database, tenant_id, settings.webhooks)
        self.claims = {one.id: Claim(database, f"{settings.tenant}/{one.id}") for one in settings.pbx}
        """PBX → the right to follow it, which one process has at a time."""
        registry = build_registry(
            (
                *meters(self.pbxs, self.claims, self.fanout, self.writer),
                *webhook_meters(self.webhooks.counters),
            )
        )
        tickets = PopTickets()
        switchboard = Switchboard(self.pbxs, numbers, self._seat_of)
        public = settings.web.public_url
        origins = (*settings.screenpop.allowed_origins, *((public,) if public else ()))
        self.screenpop = ScreenpopServer(
            settings.screenpop,
            origins=Origins(origins, None if public else lambda: self.web_port),
            tenants={settings.tenant: tenant_id},
            tickets=tickets,
            matcher=PopMatcher(self.recognition),
            dialer=PopDialer(switchboard, self._seat_of),
            registry=registry,
        )
        self.seating = Seating(settings.tenant, self.pbxs, numbers, self.board, self.screenpop)
        reconciler = Reconciler(settings, database, tenant_id, index, self.seating.seats)
        self.watch = Watch(reconciler, self.pbxs, settings.reconcile_at)
        self.access = tickets.access = Access(
            database,
            tenant_id,
            session_life=timedelta(hours=settings.web.session_hours),
            ticket_life=timedelta(seconds=settings.screenpop.ticket_s),
            seats_changed=self.seating,
            session_ended=Eviction(settings.tenant, self.screenpop),
        )
        followers = [CallOutbox()]
        self._housekeeping = Housekeeping(database, tenant_id, settings.retention, followers)
        self._web = build(
            Services(
                accounts=self.access,
                tickets=self.access,
                numbers=numbers,
                calls=WebCallLog(database, self._bell),
                customers=WebCustomers(
                    database, numbers, Erasing(database, followers, self._settle, self.recognition.forget)
                ),
                matcher=WebMatcher(index, numbers),
                dialer=WebDialer(switchboard),
                board=WebBoard(self.board, self._presence, self.seating.seats),
                webhooks=WebWebhooks(database, self.webhooks),
                reconciler=self.watch,
                health=ServiceHealth(database, self.pbxs, self.claims, self.screenpop, self.writer),
                registry=registry,
                screenpop_port=lambda: self.screenpop.port,
                screenpop_url=settings.screenpop.public_url,
                public_url=public,
                static=_static(),
                trusted_proxies=(*LOOPBACK, *settings.web.trusted_proxies),
            )
        )
        self.fanout.add("recognition", lambda change, arrived: self.recognition.publish(change))
        self.fanout.add("screenpop", self._pop)
        self.fanout.add("board", lambda change, arrived: self.board.take(change))
        self.fanout.add("calllog", lambda change, arrived: self.writer.put(change))

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator["Application"]:
        """The service on its database, which is brought to its schema first.

        Raises:
            DatabaseError: PostgreSQL cannot be had.
        """
        async with open_database(settings, migrate=True) as database:
            tenant_id = await database.ensure_tenant(settings.tenant)
            application = cls(settings, database, tenant_id)
            try:
                yield application
            finally:
                application.access.close()

    async def run(self) -> None:
        """Run until `stop` is called.

        Raises:
            OSError: a port cannot be listened on. Anything else is a fault of ours, and ends the service loudly.
        """
        async with asyncio.TaskGroup() as keepers:
            keepers.create_task(self.writer.run(), name="call log")
            try:
                await self._run_workers()
            finally:
                self.writer.stop(self.settings.stop_grace)

    def stop(self) -> None:
        """Ask for an orderly end; `run` returns when it is done."""
        self._stop.set()

    async def _run_workers(self) -> None:
        runner = BoundedRunner(self._web, shutdown_timeout_s=WEB_GRACE_S)
        async with self._index.ready(), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.recognition.run(), name="recognition"),
                group.create_task(self.screenpop.serve(), name="screen-pop"),
            ]
            await self.screenpop.ready.wait()
            await self._read_people()
            tasks.append(
                group.create_task(repeat("people and seats", self._read_people, PEOPLE_EVERY), name="people and seats")
            )
            tasks.append(
                group.create_task(repeat("sessions", self.access.end_lapsed, SESSIONS_EVERY), name="lapsed sessions")
            )
            tasks.append(group.create_task(self._end_lost(), name="lost calls"))
            tasks.append(group.create_task(self._housekeeping.run(), name="housekeeping"))
            tasks.append(group.create_task(self._bell.run(), name="change feed"))
            tasks.append(group.create_task(self.watch.run(), name="watch"))
            tasks.append(group.create_task(self.webhooks.run(), name="webhooks"))
            tasks.append(
                group.create_task(repeat("webhook count", self.webhooks.measure, WEBHOOKS_EVERY), name="webhook count")
            )
            tasks += [group.create_task(self._follow(name, pbx), name=f"pbx {name}") for name, pbx in self.pbxs.items()]
            try:
                await self._open_web(runner)
                self.ready.set()
                await self._stop.wait()
            finally:
                self.ready.clear()
                self._bell.close()
                await runner.cleanup()
                for task in reversed(tasks):
                    task.cancel()

    async def _open_web(self, runner: web.AppRunner) -> None:
        await runner.setup()
        site = web.TCPSite(runner, self.settings.web.host, self.settings.web.port)
        await site.start()
        self.web_port = runner.addresses[0][1]
        _log.info("service_ready", host=self.settings.web.host, port=self.web_port, pbxs=list(self.pbxs))

    async def _read_people(self) -> None:
        self.seating.name(list(await self.access.agents(self.tenant_id)))
        await self.access.seat_book.refresh()

    def _pbx(self, settings: PbxSettings) -> Pbx:
        def on_member(state: QueueMemberState) -> None:
            device = self.board.member(settings.id, state)
            self.seating.member_changed(settings.id, device)

        directory = directory_of(settings, tenant=self.settings.tenant)
        return Pbx(
            settings,
            directory,
            self.fanout.publish,
            on_member,
            lambda alive, at: self._lost.put_nowait((settings.id, alive, at)),
            partial(self._recall, settings.id),
        )

    async def _follow(self, pbx_id: str, pbx: Pbx) -> None:
        """Follow a PBX, unless another process does: then when that is gone."""

        async def work() -> None:
            await self.writer.adopt()
            await pbx.run()

        await self.claims[pbx_id].run(work)

    async def _recall(self, pbx_id: str) -> Sequence[Call]:
        """What the log knows of calls that may go on at a PBX; nothing where PostgreSQL does not tell soon."""
        try:
            async with asyncio.timeout(RECALL_S):
                await self.writer.caught_up.wait()
                async with self.database.unit(self.tenant_id) as unit:
                    return await recovery.in_progress(unit, pbx_id)
        except AWAY as problem:
            _log.warning("calls_not_recalled", pbx=pbx_id, reason=type(problem).__name__)
            return ()

    async def _end_lost(self) -> None:
        """Calls that were going on when an earlier run of the service ended, and that are gone now, are ended."""
        while True:
            pbx_id, alive, at = await self._lost.get()
            # What an earlier run left on the disk tells more of how calls ended.
            await self.writer.caught_up.wait()
            end = partial(self._end_lost_of, pbx_id, alive, at)
            ended = await until_done("lost calls", end, LOST_PAUSE)
            if ended:
                _log.info("lost_calls_ended", pbx=pbx_id, calls=ended)

    async def _end_lost_of(self, pbx_id: str, alive: frozenset[UUID], at: datetime) -> int:
        async with self.database.unit(self.tenant_id) as unit:
            return await recovery.end_lost(unit, pbx_id, alive, at)

    async def _settle(self) -> None:
        """Wait a little for calls on their way to the log; what comes later is found as it is written."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self.writer.flush()

    def _seat_of(self, agent: str) -> Extension | None:
        return self.seating.seat_of(agent)

    def _presence(self) -> dict[str, AgentState]:
        return self.screenpop.agent_states(self.settings.tenant)

    def _link(self, call: Call, customer_id: UUID) -> None:
        self.writer.link(call.call_id, customer_id)
        if call.ended_at is not None:
            self.writer.put_call(call)

    def _pop(self, change: CallChange, arrived: datetime) -> None:
        waited = (datetime.now(UTC) - arrived).total_seconds()
        self.screenpop.publish(change, time.perf_counter() - waited)


def _static() -> Path | None:
    """The built front end, if it was built."""
    found = Path(str(files("screenpop"))) / "static"
    return found if (found / "index.html").is_file() else None
