"""The screen-pop server: WebSocket connections of agents' pages, on a port of its own.

`publish` takes each change of a call and returns at once: it decides, numbers and writes without waiting for
anybody. Each connection costs one task, which reads; pings, deadlines and slow readers are the business of
one sweep for all.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from callcenter import changes
from callcenter.changes import Change
from callcenter.errors import BadInput, Forbidden
from callcenter.settings import ScreenpopSettings
from screenpop import messages
from screenpop.audience import Effect
from screenpop.client import FLOOD, TOO_SLOW, Client, Door, Socket
from screenpop.contracts import Dialer, Duty, Identity, Matcher, Overseer, Tickets
from screenpop.floor import REPLACED, Floor
from screenpop.lookups import Lookups
from screenpop.messages import Ack, AgentState, Hello, Numbered, Watch
from screenpop.origins import Origins
from screenpop.presence import Seat
from screenpop.telemetry import Telemetry
from screenpop.timing import Timing
from screenpop.verbs import Verbs
from screenpop.watching import Watching

PATH = "/screenpop"
BAD_MESSAGE = 4400
BAD_TICKET = 4401
NOT_ALLOWED = 4403
GOING_AWAY = 1001
INTERNAL = 1011
CUT_OFF = {
    1009: "oversized",
    INTERNAL: "error",
    BAD_MESSAGE: "message",
    BAD_TICKET: "ticket",
    TOO_SLOW: "slow",
    REPLACED: "replaced",
    FLOOD: "flood",
}
"""Close codes with which the server ends a connection on its own account, as the metrics call them."""
MAX_STRANGERS = 1024
"""Connections that have not said hello yet, from their first moment on; more are cut off."""
SWEPT_AT_ONCE = 50
"""Connections that are looked after in one piece."""

DEFAULT_TIMING = Timing()

_log = structlog.get_logger("screenpop")
# The library reports each broken handshake with a traceback; they are counted here instead.
_library_log = logging.getLogger("screenpop.websockets")
_library_log.setLevel(logging.CRITICAL)


class ScreenpopServer:
    """Pushes pops, calls and states to the pages of all agents.

    Args:
        settings: where to listen, who may connect, how much may wait for a slow page.
        origins: which web pages may connect.
        tenants: id of each tenant by its slug, as in `Call.tenant`; may grow.
        tickets: redeems the tickets of `hello`.
        matcher: finds customers.
        dialer: calls and hangs up where agents ask for it.
        duty: is told whose page is open, and what agents say of themselves.
        registry: where the metrics go.
        timing: the deadlines.
        strangers: how many may be connected without having said hello.
        overseer: who may watch the floor; without one, nobody.
    """

    def __init__(
        self,
        settings: ScreenpopSettings,
        *,
        origins: Origins,
        tenants: Mapping[str, int],
        tickets: Tickets,
        matcher: Matcher,
        dialer: Dialer,
        duty: Duty,
        registry: CollectorRegistry,
        timing: Timing = DEFAULT_TIMING,
        strangers: int = MAX_STRANGERS,
        overseer: Overseer | None = None,
    ) -> None:
        self._settings = settings
        self._timing = timing
        self._origins = origins
        self._tenants = tenants
        self._tickets = tickets
        self._telemetry = Telemetry(registry)
        self._lookups = Lookups(matcher, self._telemetry, timing)
        self._verbs = Verbs(dialer, duty, timing.verb_s)
        self._duty = duty
        self._floors: dict[int, Floor] = {}
        self._overseer = overseer
        self._watching: dict[int, Watching] = {}
        self._clients: set[Client] = set()
        self._door = Door(strangers)
        self._group: asyncio.TaskGroup | None = None
        self.port = 0
        """The port that is listened on, once `ready` is set."""
        self.ready = asyncio.Event()

    async def serve(self) -> None:
        """Serve until canceled; then tell every page (1001) and wait a few seconds for what is in hand.

        Raises:
            OSError: the address cannot be listened on.
        """

        class Counted(Socket):
            door = self._door

        listener = await serve(
            self._handle,
            self._settings.host,
            self._settings.port,
            process_request=self._check_request,
            create_connection=Counted,
            compression=None,
            max_size=messages.MAX_MESSAGE,
            max_queue=4,
            open_timeout=self._timing.hello_s,
            ping_interval=None,
            close_timeout=self._timing.close_s,
            server_header=None,
            logger=_library_log,
        )
        self.port = next(iter(listener.sockets)).getsockname()[1]
        _log.info("screenpop_ready", host=self._settings.host, port=self.port)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._sweep(), name="screenpop sweep")
                self.ready.set()
        finally:
            self._group = None
            self.ready.clear()
            listener.close(code=GOING_AWAY, reason="the server stops: connect again")
            await listener.wait_closed()

    def publish(self, change: Change, arrived: float | None = None) -> None:
        """Tell the agents what a change means for them; never waits.

        `arrived` is when the event came from the PBX, on the `time.perf_counter` clock; default now.
        """
        if isinstance(change, changes.Anomaly):
            return
        floor = self._floor_of(change.call.tenant)
        if floor is None:
            return
        if isinstance(change, changes.AgentRinging) and change.offer.agent is not None:
            if arrived is None:
                arrived = time.perf_counter()
            floor.rang(change.call_id, change.offer.agent, arrived)
        self._act(floor, floor.audience.apply(change))
        if isinstance(change, changes.CallEnded):
            floor.ended(change.call_id)

    def seat(self, tenant: str, seat: Seat) -> None:
        """Say which phone an agent sits at, their name, and whether they pause."""
        floor = self._floor_of(tenant)
        if floor is not None:
            self._act(floor, floor.audience.sit(seat, datetime.now(UTC)))

    def agent_states(self, tenant: str) -> dict[str, AgentState]:
        """What each agent does, as they were told last."""
        floor = self._floor_of(tenant)
        return floor.audience.states() if floor is not None else {}

    def broadcast(self, tenant: str, message: Numbered, agents: list[str] | None = None) -> None:
        """Send a message to many agents, or to all (None): encoded once."""
        floor = self._floor_of(tenant)
        if floor is not None:
            floor.broadcast(message, agents)

    def watching(self, tenant: str) -> Watching:
        """What is shown of the floor, and to whom: put rows there, and beat.

        Raises:
            KeyError: there is no such tenant.
        """
        return self._watching.setdefault(self._tenants[tenant], Watching())

    def pages(self, tenant: str) -> set[Identity]:
        """The log-ins whose pages are connected now."""
        floor = self._floor_of(tenant)
        return {*floor.pages(), *self.watching(tenant).pages()} if floor is not None else set()

    def evict(self, tenant: str, agent: str, session: str) -> None:
        """Close the pages of a log-in that is over: logged out, shut out, too old."""
        floor = self._floor_of(tenant)
        if floor is not None:
            floor.evict(agent, session, BAD_TICKET, "you were logged out")
            self.watching(tenant).evict(agent, session, BAD_TICKET, "you were logged out")

    def _floor_of(self, tenant: str) -> Floor | None:
        tenant_id = self._tenants.get(tenant)
        return None if tenant_id is None else self._floor(tenant_id)

    def _floor(self, tenant_id: int) -> Floor:
        floor = self._floors.get(tenant_id)
        if floor is None:
            floor = self._floors[tenant_id] = Floor(tenant_id, self._telemetry, self._timing, self._duty.present)
        return floor

    def _act(self, floor: Floor, effects: list[Effect]) -> None:
        for lookup in floor.deliver(effects):
            self._lookups.start(self._group, floor, lookup)

    def _check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse before the upgrade what has no business here."""
        if request.path.partition("?")[0] != PATH:
            return connection.respond(404, f"There is nothing here; the screen-pop server is at {PATH}.\n")
        refusal = self._origins.refusal(request.headers.get_all("Origin"), request.headers.get("Host"))
        if refusal is not None:
            self._telemetry.refused.labels("origin").inc()
            return connection.respond(403, refusal)
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        """One connection, from its hello to its end."""
        assert isinstance(connection, Socket)
        for exchange in (connection.request, connection.response):
            if exchange is not None:
                exchange.headers.clear()  # kilobytes of browser headers, for as long as the page is open
        client = Client(connection, self._settings.queue_limit * 1024, self._timing)
        self._clients.add(client)
        self._telemetry.clients.inc()
        try:
            await self._converse(client)
        except ConnectionClosed:
            pass
        except BadInput as problem:
            connection.shut(BAD_MESSAGE, str(problem))
        except Exception as problem:
            _log.exception("screenpop_connection_failed", reason=type(problem).__name__)
            connection.shut(INTERNAL, "something went wrong on the server: try again")
        finally:
            self._telemetry.clients.dec()
            await connection.close()
            sent = connection.protocol.close_sent
            if sent is not None and sent.code in CUT_OFF:
                self._telemetry.refused.labels(CUT_OFF[sent.code]).inc()
            self._clients.discard(client)

    async def _converse(self, client: Client) -> None:
        hello, who = await self._greet(client)
        client.socket.come_in()
        if hello is None or who is None:
            return
        if isinstance(hello, Watch):
            await self._watch(client, who)
            return
        floor = self._floor(who.tenant_id)
        floor.enter(who, client, hello.resume)
        try:
            await self._listen(client, floor, who)
        finally:
            floor.leave(who, client, time.monotonic())

    async def _watch(self, client: Client, who: Identity) -> None:
        """Show the floor for as long as the page is there; it has nothing to say."""
        try:
            if self._overseer is None:
                raise Forbidden("nobody may watch the floor here")
            scope = self._overseer.scope(who)
        except Forbidden as problem:
            client.socket.shut(NOT_ALLOWED, str(problem))
            return
        watching = self._watching.setdefault(who.tenant_id, Watching())
        watching.enter(who, client, scope)
        try:
            await client.socket.recv()
            raise BadInput("who watches the floor has nothing to say")
        finally:
            watching.leave(client)

    async def _greet(self, client: Client) -> tuple[Hello | Watch | None, Identity | None]:
        """Take the ticket; what is not a valid hello in time ends the connection."""
        try:
            async with asyncio.timeout(self._timing.hello_s):
                hello = messages.decode(_text(await client.socket.recv()))
        except TimeoutError:
            raise BadInput("no hello in time") from None
        if not isinstance(hello, Hello | Watch):
            raise BadInput("the first message must be hello, with a ticket")
        async with asyncio.timeout(self._timing.hello_s):
            who = await self._tickets.redeem(hello.ticket)
        if who is None:
            client.socket.shut(BAD_TICKET, "the ticket is unknown, used or too old: get a new one")
        return hello, who

    async def _listen(self, client: Client, floor: Floor, who: Identity) -> None:
        while True:
            text = _text(await client.socket.recv())
            if not client.may_speak():
                client.socket.shut(FLOOD, "too many messages: slow down")
                return
            message = messages.decode(text)
            match message:
                case Ack(seq=seq):
                    floor.ack(who, seq)
                case Hello() | Watch():
                    raise BadInput("hello was said already")
                case verb:
                    self._verbs.start(self._group, floor, client, who, verb)

    async def _sweep(self) -> None:
        """Look after all connections, so that none needs a task or timer of its own for it."""
        while True:
            await asyncio.sleep(self._timing.sweep_s)
            now = time.monotonic()
            if self._door.refused:
                self._telemetry.refused.labels("crowd").inc(self._door.refused)
                self._door.refused = 0
            for place, client in enumerate(list(self._clients), 1):
                client.check(now)
                if not place % SWEPT_AT_ONCE:
                    await asyncio.sleep(0)  # a pop does not wait for thousands of pages
            for floor in self._floors.values():
                floor.tidy(now)


def _text(frame: str | bytes) -> str:
    if isinstance(frame, bytes):
        raise BadInput("messages are text, not binary")
    return frame
