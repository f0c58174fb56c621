"""The simulated PBX as a server: AMI on a port, and the clock that lets the calls go on."""

import asyncio
import secrets
import time
from types import TracebackType
from typing import Self

import structlog

from callcenter.simulator.desk import Desk
from callcenter.simulator.flows import Order
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Signal
from callcenter.simulator.schedule import Flow, Schedule
from callcenter.simulator.session import BANNER, Account, Session
from callcenter.simulator.world import World

_MAX_UNSENT = 4 * 1024 * 1024
"""Bytes that may wait for a client before it is cut off, as Asterisk cuts off who does not read."""

_SHORTEST_WAIT_S = 0.001


class Simulator:
    """A PBX that can be started, called and stopped; use it as an async context manager, or `await run()`.

    `port` 0 asks the system for a free one. The log-in is `username` and `secret`. With `speed` 10 its clock,
    and so its time stamps, run ten times as fast as ours.
    """

    def __init__(
        self,
        world: World | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        account: Account | None = None,
        speed: float = 1.0,
    ) -> None:
        self.world = world or World()
        self.host = host
        self.port = port
        self.account = account or Account(secret=secrets.token_urlsafe(18))
        self.speed = speed
        self.cut_off = 0
        """Clients that did not read fast enough."""
        self._started = time.time()
        self._origin = time.monotonic()
        self._sessions: dict[Session, asyncio.StreamWriter] = {}
        self._wake = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._conductor: asyncio.Task[None] | None = None
        self._frozen = False
        self._calls_per_minute = 0.0
        self._open: set[asyncio.Future[None]] = set()
        self._log = structlog.get_logger().bind(simulator=True)
        self._boot()

    def _boot(self) -> None:
        self.pbx = Pbx(self.world.company, self._now, self._tell, self.world.random)
        self.schedule = Schedule(self.pbx)
        self._desk = Desk(self.pbx, self.schedule.signal, self._dial)

    @property
    def username(self) -> str:
        """The AMI user."""
        return self.account.username

    @property
    def secret(self) -> str:
        """The AMI user's secret."""
        return self.account.secret

    async def start(self) -> None:
        """Listen, and let the time run."""
        self._server = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._conductor = asyncio.create_task(self._conduct(), name="simulator: conductor")
        self._conductor.add_done_callback(self._conducted)

    async def stop(self) -> None:
        """End all connections and calls.

        Raises:
            Exception: what ended the conductor before, if something did.
        """
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.cut_clients()
        self._abandon_calls()
        if server is not None:
            await server.wait_closed()
        conductor, self._conductor = self._conductor, None
        if conductor is not None:
            conductor.cancel()
            try:
                await conductor
            except asyncio.CancelledError:
                pass

    async def run(self) -> None:
        """Serve until canceled, or until something is wrong."""
        async with self:
            assert self._conductor is not None
            await asyncio.shield(self._conductor)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def place(self, flow: Flow, after: float = 0.0) -> "asyncio.Future[None]":
        """Let a call begin `after` seconds from now; the future is done when the call is over, and canceled when
        the PBX stops first.

        Make the flow with `flows`, `queue_flows` or `world`, on this simulator's `pbx`.
        """
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open.add(over)
        over.add_done_callback(self._open.discard)
        self.schedule.place(flow, after, lambda: None if over.done() else over.set_result(None))
        self._wake.set()
        return over

    def _abandon_calls(self) -> None:
        for over in list(self._open):
            over.cancel()

    def traffic(self, calls_per_minute: float) -> None:
        """Let calls of all kinds come by themselves from now on."""
        self._calls_per_minute = calls_per_minute
        self.place(self.world.traffic(self.pbx, self.schedule, calls_per_minute))

    def attend(self, extension: str, first_call_after: float = 2.0) -> None:
        """Say that somebody sits at this phone now: a call comes soon, and more than elsewhere later.

        Whoever spoke there before hangs up and goes, or nothing could ring.
        """
        self.world.attend(extension)
        for name in [name for name in self.pbx.channels if name.startswith(f"PJSIP/{extension}-")]:
            self.schedule.signal(Signal("hangup", name))
        self._wake.set()
        call = self.world.to(self.pbx, extension)
        if call is not None:
            self.place(call, first_call_after)

    def leave(self, extension: str) -> None:
        """Say that nobody sits at this phone any more."""
        self.world.leave(extension)

    def freeze(self, frozen: bool = True) -> None:
        """Stay connected but say nothing and answer nothing, as a PBX does whose disk hangs."""
        self._frozen = frozen
        self._wake.set()

    def cut_clients(self) -> None:
        """End all AMI connections, as a restart of the network does; the calls go on."""
        for writer in list(self._sessions.values()):
            writer.transport.abort()

    def restart(self) -> None:
        """Do as Asterisk does when it is restarted: all calls are gone and ids begin anew."""
        for session in list(self._sessions):
            session.tell(b"Event: Shutdown\r\nPrivilege: system,all\r\nShutdown: Cleanly\r\nRestart: True", "system")
        for writer in list(self._sessions.values()):
            writer.close()
        self._abandon_calls()
        self._boot()
        if self._calls_per_minute:
            self.traffic(self._calls_per_minute)
        self._wake.set()

    def _now(self) -> float:
        return self._started + (time.monotonic() - self._origin) * self.speed

    def _dial(self, order: Order) -> None:
        self.place(self.world.dialed(self.pbx, order))

    def _tell(self, block: bytes, right: str) -> None:
        for session in self._sessions:
            session.tell(block, right)

    async def _conduct(self) -> None:
        """Let each flow go on when its time has come."""
        while True:
            self._wake.clear()
            if not self._frozen:
                self.schedule.run_due()
            due = None if self._frozen else self.schedule.next_due
            if due is None:
                await self._wake.wait()
                continue
            try:
                async with asyncio.timeout(max(_SHORTEST_WAIT_S, (due - self._now()) / self.speed)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _conducted(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self._log.error("simulator_failed", exc_info=task.exception())
            self.cut_clients()
            if self._server is not None:
                self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one AMI client until it leaves."""

        def write(data: bytes) -> None:
            if writer.transport.is_closing():
                return
            if writer.transport.get_write_buffer_size() > _MAX_UNSENT:
                self.cut_off += 1
                writer.transport.abort()
                return
            writer.write(data)

        session = Session(self._desk, self.account, write)
        self._sessions[session] = writer
        writer.write(BANNER)
        try:
            while not session.closing and (data := await reader.read(65536)):
                if not self._frozen:
                    session.receive(data)
                    self._wake.set()
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            del self._sessions[session]
            writer.close()
