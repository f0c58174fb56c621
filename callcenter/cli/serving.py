"""`callcenter serve`: the service, until SIGTERM or Ctrl-C."""

import asyncio
import errno
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
import uvloop

from callcenter import logs
from callcenter import settings as configuration
from callcenter.app import Application
from callcenter.errors import ClaimLost, SettingsError
from callcenter.settings import Settings

COLLECT_EVERY: Final = (500, 5, 2_000)
"""When to look for garbage in circles, which calls leave none of: after so many new objects through those alone, which
takes 0.4 ms, after so many such looks through what is left of them, 4 ms, and after so many of those through all. To
look through 200,000 was measured to stop everything for 40 ms."""
_NO_PORT: Final = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)
STOP_DEADLINE_S: Final = 10.0
"""After a signal the process is gone within this time, whatever hangs."""


def run(config: Path | None) -> None:
    """Load the configuration and serve."""
    settings = configuration.load(config)
    if not settings.pbx:
        raise SettingsError(
            "no PBX is configured: write a [[pbx]] section into callcenter.toml, or try `callcenter demo`"
        )
    logs.configure(settings.log)
    uvloop.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Serve until a signal comes.

    Raises:
        SettingsError: a port cannot be listened on. ClaimLost: another process follows a PBX of ours now.
    """
    async with Application.open(settings) as application:
        spare_collector()
        stop_by_signal(application)
        with ports_explained():
            await application.run()


@contextmanager
def ports_explained() -> Iterator[None]:
    """Make a sentence of the failure to listen on a port, and of a PBX that another process follows now.

    Raises:
        SettingsError: a port is what ended the block. ClaimLost: the other process is.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        lost, other = group.split(ClaimLost)
        if lost is not None and other is None:
            raise ClaimLost(str(_first(lost))) from None
        problem = _unlistenable(group)
        if problem is None:
            raise
        raise SettingsError(
            f"a port cannot be listened on ({problem.strerror or problem}): is the service running already? "
            "Stop what has the port, or choose others under [web] and [screenpop], for the demo with --port"
        ) from None


def _unlistenable(group: BaseExceptionGroup[BaseException]) -> OSError | None:
    """The failure to listen that ended the service, if that is what ended it."""
    _, other = group.split(lambda leaf: isinstance(leaf, OSError) and leaf.errno in _NO_PORT)
    leaf = _first(group)
    return leaf if other is None and isinstance(leaf, OSError) else None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    leaf: BaseException = group
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf


def spare_collector() -> None:
    """Keep what was loaded and built so far out of the garbage collector's way.

    It stays until the end, and to look through it all again stops everything for a tenth of a second, while phones
    ring. Of what is new it looks rarely: see `COLLECT_EVERY`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)


def stop_by_signal(application: Application) -> None:
    """The first SIGTERM or SIGINT asks for an orderly end, the second is immediate; so is a stop that hangs."""
    loop = asyncio.get_running_loop()
    log = structlog.get_logger("callcenter.app")
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            sys.exit(1)
        asked = True
        log.info("service_stops")
        application.stop()
        # A process that hangs in its stop helps nobody; SystemExit ends it from inside the loop.
        loop.call_later(STOP_DEADLINE_S, sys.exit, 1)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
