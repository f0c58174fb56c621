"""The web port: how long a client may take to send a request's headers and to read an answer; how many there may be.

The service shares its file descriptors with the call log and the PBX connections, so nobody may have them all.
"""

import asyncio
import secrets
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import web

from callcenter.web.problems import from_wire

HEAD_S: Final = 75.0
"""For the headers of a request, counted from the connection or the answer before: bytes that trickle in win no time.
An idle connection ends after it too, so a proxy must drop its own sooner (nginx after 60 s, our Caddy sample too)."""
TAKEN_S: Final = 60.0
"""For what was written to be taken: a page on a slow line, or a piece of an export. No deadline of a request holds any
more when its answer is being sent."""
MOST_CONNECTIONS: Final = 1024
"""Of all clients together: a browser without a proxy in between has up to six."""


class BoundedRunner(web.AppRunner):
    """An `AppRunner` whose server refuses connections beyond a number, headers that take too long, and non-readers."""

    def __init__(
        self,
        app: web.Application,
        *,
        shutdown_timeout_s: float = 3.0,
        head_s: float = HEAD_S,
        taken_s: float = TAKEN_S,
        most: int = MOST_CONNECTIONS,
    ) -> None:
        """`shutdown_timeout_s` is what requests in hand get at a stop."""
        # aiohttp's keep-alive timer runs from the start of a connection, whatever arrives, and ends it unless a
        # request is being answered: that is a deadline for the headers.
        self._options: dict[str, Any] = {"access_log": None, "keepalive_timeout": head_s}
        super().__init__(app, shutdown_timeout=shutdown_timeout_s, **self._options)
        self._most = most
        self._taken_s = taken_s

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _BoundedServer(self._most, self._taken_s, made, **self._options)


class _Handler(web.RequestHandler):
    """A connection that is cut off when what was written to it is not taken in time, whoever waits for that."""

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, taken_s: float, **options: Any) -> None:
        super().__init__(manager, loop=loop, **options)
        self._taken_s = taken_s
        self._late: asyncio.TimerHandle | None = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached the application, such as a URL that is too long, by a problem too."""
        super().handle_error(request, status, exc, message)
        response = from_wire(HTTPStatus(status), secrets.token_hex(8))
        response.force_close()
        return response

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be told as soon as anything waits, and again only when nothing does."""
        # by its type, since uvloop's transports are no asyncio.Transport, though they can do the same
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=0)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        """Something waits for the client to read."""
        super().pause_writing()
        if self._late is None and self.transport is not None:
            self._late = self._loop.call_later(self._taken_s, self.transport.abort)

    def resume_writing(self) -> None:
        """All of it is taken."""
        self._in_time()
        super().resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nobody is there any more."""
        self._in_time()
        super().connection_lost(exc)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _BoundedServer(web.Server):
    def __init__(self, most: int, taken_s: float, made: web.Server, **options: Any) -> None:
        super().__init__(made.request_handler, request_factory=made.request_factory, **options)
        self._most = most
        self._taken_s = taken_s
        self._given = options
        self._open: set[web.RequestHandler] = set()

    def __call__(self) -> web.RequestHandler:
        return _Handler(self, loop=asyncio.get_running_loop(), taken_s=self._taken_s, **self._given)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._open.add(handler)
        if len(self._open) > self._most:
            transport.abort()

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._open.discard(handler)
        super().connection_lost(handler, exc)
