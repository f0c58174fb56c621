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
from callcenter.accounts.idempotency import Idempotency
from callcenter.accounts.trail import Sightings, Trail
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
from callcenter.events import QueueList, QueueMemberState, SpyStarted, SpyStopped
from callcenter.fanout import FanOut
from callcenter.joints.board import WebBoard
from callcenter.joints.calls import WebCallLog
from callcenter.joints.customers import WebCustomers
from callcenter.joints.desk import WebDesk, WebDuty
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.dialing import PopDialer, Switchboard, WebDialer
from callcenter.joints.directory import directory_of
from callcenter.joints.duty import Duty
from callcenter.joints.entrance import Eviction, PopTickets
from callcenter.joints.erasure import Erasing
from callcenter.joints.floorwatch import FloorWatch, PopOverseer
from callcenter.joints.health import ServiceHealth, meters
from callcenter.joints.housekeeping import Housekeeping
from callcenter.joints.matching import PopMatcher, WebMatcher
from callcenter.joints.numbers import Numbers
from callcenter.joints.recognition import Recognition
from callcenter.joints.reconciling import Reconciler
from callcenter.joints.reports import WebReports
from callcenter.joints.seating import Seating
from callcenter.joints.shifts import Shifts
from callcenter.joints.softphones import AsteriskCabinets, Evictions, PhoneEviction, WebPhones, follow
from callcenter.joints.steering import Steering
from callcenter.joints.watching import Watch
from callcenter.joints.webhooks import WebWebhooks, webhook_meters, worker_of
from callcenter.live.board import Board
from callcenter.model import Call
from callcenter.pbx import Pbx
from callcenter.reports.rolling import catch_up
from callcenter.settings import PbxSettings, Settings
from callcenter.softphone.keyring import Keyring
from callcenter.web.application import build
from callcenter.web.envelope import origin_of
from callcenter.web.port import BoundedRunner
from callcenter.web.services import LOOPBACK, Services
from callcenter.web.telemetry import build_registry
from callcenter.web.turns import most_of
from crm_bridge.outbox import CallOutbox
from screenpop.messages import AgentState, Customer
from screenpop.origins import Origins
from screenpop.presence import Seat
from screenpop.server import ScreenpopServer

PEOPLE_EVERY: Final = timedelta(seconds=30)
"""How often names and seats that another process changed are looked for."""
SETTLE_S: Final = 5.0
"""How long an erasure may wait for calls to be written that are on their way to the log."""
SESSIONS_EVERY: Final = timedelta(seconds=1)
"""How often it is looked whether the log-ins behind open pages still stand: one statement for all."""
WEBHOOKS_EVERY: Final = timedelta(seconds=30)
"""How often webhooks that wait are counted, for /metrics."""
ROLL_UP_EVERY: Final = timedelta(seconds=5)
"""How often quarters in which a call changed are summed up anew; reports are right meanwhile too."""
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
        numbers = self._numbers = Numbers(settings.pbx)
        index = self._index = CustomerIndex(database.pool)
        self._bell = Bell(database)
        self.board = Board()
        self.fanout = FanOut()
        place = place_of(settings.database.spool_directory, settings.tenant, database.place)
        spool = Spool(place, settings.database.spool_mb * 1024 * 1024)
        self.writer = CallLogWriter(database, tenant_id, spool=spool)
        self.recognition = Recognition(index, numbers, tenant_id, self._link)
        self.pbxs = {one.id: self._pbx(one) for one in settings.pbx}
        self.claims = {one.id: Claim(database, f"{settings.tenant}/{one.id}") for one in settings.pbx}
        """PBX → the right to follow it, which one process has at a time."""
        self.webhooks = worker_of(database, tenant_id, settings.webhooks)
        registry = build_registry(
            (*meters(self.pbxs, self.claims, self.fanout, self.writer), *webhook_meters(self.webhooks.counters))
        )
        tickets = PopTickets()
        switchboard = Switchboard(self.pbxs, numbers, self._seat_of)
        public = settings.web.public_url
        origins = (*settings.screenpop.allowed_origins, *((public,) if public else ()))
        self.seating = Seating(settings.tenant, self.pbxs, numbers)
        self.words = DeskWords(database, tenant_id)
        self.shifts = Shifts(database, tenant_id)
        self.duty = Duty(self.pbxs, self.seating, self.board, self.words, self.shifts, self._show)
        self.seating.on_seated = self.duty.seated
        duty = WebDuty(database, self.duty, self.seating)
        self.screenpop = ScreenpopServer(
            settings.screenpop,
            origins=Origins(origins, None if public else lambda: self.web_port),
            tenants={settings.tenant: tenant_id},
            tickets=tickets,
            matcher=PopMatcher(self.recognition),
            dialer=PopDialer(switchboard, self._seat_of),
            duty=duty,
            registry=registry,
            overseer=PopOverseer(),
        )
        self._cabinets = AsteriskCabinets(settings.pbx)
        softphones = {one.id: one.softphone for one in settings.pbx if one.softphone is not None}
        self.keyring = Keyring(softphones, self._cabinets, self._seat_of, self._has_page)
        self._cabinets.on_connected = self.keyring.settle
        reconciler = Reconciler(settings, database, tenant_id, index, self.seating.seats)
        self.watch = Watch(reconciler, self.pbxs, settings.reconcile_at, self.writer.caught_up.wait)
        pages = Eviction(settings.tenant, self.screenpop)
        self.access = tickets.access = Access(
            database,
            tenant_id,
            session_life=timedelta(hours=settings.web.session_hours),
            ticket_life=timedelta(seconds=settings.screenpop.ticket_s),
            seats_changed=self.seating,
            session_ended=Evictions(pages, PhoneEviction(self.keyring)),
        )
        self.access.on_queues = pages.queues_changed
        self.floor = FloorWatch(
            database,
            tenant_id,
            self.screenpop.watching(settings.tenant),
            self.board,
            self.seating,
            self._presence,
            self._settle,
            settings.timezone,
        )
        self.steering = Steering(database, self.pbxs, self.board, self.seating, self.floor, self._unseat)
        self._idempotency = Idempotency(database, lambda: datetime.now(UTC))
        self.sightings = Sightings(database, tenant_id, lambda: datetime.now(UTC))
        followers = [CallOutbox()]
        self._erasing = Erasing(database, followers, self._settle, self.recognition.forget)
        self._housekeeping = Housekeeping(database, tenant_id, settings.retention, followers)
        self.web = build(
            Services(
                accounts=self.access,
                administration=self.access.administration,
                keys=self.access.keys,
                trail=Trail(database),
                sightings=self.sightings,
                idempotency=self._idempotency,
                tickets=self.access,
                numbers=numbers,
                calls=WebCallLog(database, self._bell, self.words.check_outcome),
                customers=WebCustomers(database, numbers, self._erasing, self.words),
                matcher=WebMatcher(index, numbers),
                dialer=WebDialer(switchboard),
                phones=WebPhones(self.keyring, switchboard),
                board=WebBoard(self.board, self._presence, self.seating.seats),
                steering=self.steering,
                desk=WebDesk(database, self.words),
                duty=duty,
                reports=WebReports(database),
                webhooks=WebWebhooks(database, self.webhooks),
                reconciler=self.watch,
                health=ServiceHealth(database, self.pbxs, self.claims, self.screenpop, self.writer),
                registry=registry,
                screenpop_port=lambda: self.screenpop.port,
                screenpop_url=settings.screenpop.public_url,
                public_url=public,
                connect_sources=tuple(sorted({origin_of(one.url) for one in softphones.values()})),
                static=_static(),
                trusted_proxies=(*LOOPBACK, *settings.web.trusted_proxies),
                at_once=most_of(settings.database.pool_size),
                people_rate=settings.web.requests_per_minute,
                key_rate=settings.web.key_requests_per_minute,
            )
        )
        self.fanout.add("recognition", lambda change, arrived: self.recognition.publish(change))
        # Before the pages: an agent whose call ends is not ready for the moment until the wrap-up begins.
        self.fanout.add("duty", self.duty.take)
        self.fanout.add("screenpop", self._pop)
        self.fanout.add("board", lambda change, arrived: self.board.take(change))
        self.fanout.add("floor", lambda change, arrived: self.floor.take(change))
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
                self.fanout.tell()
                self.writer.stop(self.settings.stop_grace)

    def stop(self) -> None:
        """Ask for an orderly end; `run` returns when it is done."""
        self._stop.set()

    async def _run_workers(self) -> None:
        runner = BoundedRunner(self.web, shutdown_timeout_s=WEB_GRACE_S)
        async with self._index.ready(), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.recognition.run(), name="recognition"),
                group.create_task(self.screenpop.serve(), name="screen-pop"),
            ]
            await self.screenpop.ready.wait()
            await self._read_people()
            tasks.append(group.create_task(self.shifts.run(), name="shifts"))
            tasks.append(group.create_task(self.duty.run(), name="duty"))
            tasks.append(
                group.create_task(repeat("people and seats", self._read_people, PEOPLE_EVERY), name="people and seats")
            )
            tasks.append(
                group.create_task(repeat("sessions", self.access.end_lapsed, SESSIONS_EVERY), name="lapsed sessions")
            )
            tasks.append(group.create_task(self.keyring.run(), name="softphones"))
            tasks.append(group.create_task(self._end_lost(), name="lost calls"))
            tasks.append(group.create_task(self._housekeeping.run(), name="housekeeping"))
            tasks.append(group.create_task(self.sightings.run(), name="audit of what was seen"))
            tasks.append(group.create_task(self._bell.run(), name="change feed"))
            tasks.append(group.create_task(self.watch.run(), name="watch"))
            tasks.append(group.create_task(self.floor.run(), name="floor"))
            tasks.append(group.create_task(self.webhooks.run(), name="webhooks"))
            tasks.append(group.create_task(repeat("roll-ups", self._roll_up, ROLL_UP_EVERY), name="roll-ups"))
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

    async def _roll_up(self) -> None:
        await catch_up(self.database, self.tenant_id)

    async def _read_people(self) -> None:
        self.seating.name(list(await self.access.agents(self.tenant_id)))
        await self.access.seat_book.refresh()
        await self.words.refresh()
        await self._erasing.notice(self.tenant_id)

    def _pbx(self, settings: PbxSettings) -> Pbx:
        def on_member(state: QueueMemberState) -> None:
            device = self.board.member(settings.id, state)
            self.duty.member_changed(settings.id, device)

        def on_queues(listed: QueueList, whole: bool) -> None:
            for device in self.board.learn(settings.id, listed, pbx.tracker.call_of, whole=whole):
                self.duty.member_changed(settings.id, device)

        def on_spy(event: SpyStarted | SpyStopped) -> None:
            self.floor.spy(settings.id, event)
            self.steering.spying.heard(event)

        reader = self._numbers.reader(settings.id)
        directory = directory_of(settings, tenant=self.settings.tenant, reader=reader)
        pbx = Pbx(
            settings,
            directory,
            self.fanout.publish,
            on_member,
            lambda alive, at: self._lost.put_nowait((settings.id, alive, at)),
            partial(self._recall, settings.id),
            on_queues,
            on_spy,
            lambda action_id: self.steering.spying.failed(action_id),
        )
        return pbx

    async def _follow(self, pbx_id: str, pbx: Pbx) -> None:
        """Follow a PBX, unless another process does: then when that is gone."""

        async def work() -> None:
            await self.writer.adopt()
            await follow(pbx, self._cabinets)

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
            ended = await recovery.end_lost(unit, pbx_id, alive, at)
        self.floor.count_anew()
        return ended

    async def _settle(self) -> None:
        """Wait a little for calls on their way to the log; what comes later is found as it is written."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self.writer.flush()

    def _seat_of(self, agent: str) -> Extension | None:
        return self.seating.seat_of(agent)

    def _show(self, seat: Seat) -> None:
        self.screenpop.seat(self.settings.tenant, seat)

    def _has_page(self, session: str) -> bool:
        return any(who.session == session for who in self.screenpop.pages(self.settings.tenant))

    def _presence(self) -> dict[str, AgentState]:
        return self.screenpop.agent_states(self.settings.tenant)

    async def _unseat(self, agent: str) -> None:
        await self.access.unseat(self.tenant_id, agent)

    def _link(self, call: Call, customer_id: UUID, name: str) -> None:
        self.floor.recognized(call, Customer(id=customer_id, name=name))
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
