"""The web port: how long a client may take to finish a request's headers, and how many may be connected at once.

The service shares its file descriptors with the call log and the PBX connections, so nobody may have them all.
"""

import asyncio
from typing import Any, Final

from aiohttp import web

HEAD_S: Final = 75.0
"""For the headers of a request, counted from the connection or the answer before: bytes that trickle in win no time.
An idle connection ends after it too, so a proxy must drop its own sooner (nginx after 60 s, our Caddy sample too)."""
MOST_CONNECTIONS: Final = 1024
"""Of all clients together: a browser without a proxy in between has up to six."""


class BoundedRunner(web.AppRunner):
    """An `AppRunner` whose server refuses connections beyond a number, and headers that take too long."""

    def __init__(
        self,
        app: web.Application,
        *,
        shutdown_timeout_s: float = 3.0,
        head_s: float = HEAD_S,
        most: int = MOST_CONNECTIONS,
    ) -> None:
        """`shutdown_timeout_s` is what requests in hand get at a stop."""
        # aiohttp's keep-alive timer runs from the start of a connection, whatever arrives, and ends it unless a
        # request is being answered: that is a deadline for the headers.
        self._options: dict[str, Any] = {"access_log": None, "keepalive_timeout": head_s}
        super().__init__(app, shutdown_timeout=shutdown_timeout_s, **self._options)
        self._most = most

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _BoundedServer(self._most, made, **self._options)


class _BoundedServer(web.Server):
    def __init__(self, most: int, made: web.Server, **options: Any) -> None:
        super().__init__(made.request_handler, request_factory=made.request_factory, **options)
        self._most = most
        self._open: set[web.RequestHandler] = set()

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._open.add(handler)
        if len(self._open) > self._most:
            transport.abort()

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._open.discard(handler)
        super().connection_lost(handler, exc)
