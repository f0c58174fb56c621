"""`callcenter serve`: the service, until SIGTERM or Ctrl-C."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Final

import structlog
import uvloop

from callcenter import logs
from callcenter import settings as configuration
from callcenter.app import Application
from callcenter.errors import SettingsError
from callcenter.settings import Settings

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
    """Serve until a signal comes."""
    async with Application.open(settings) as application:
        stop_by_signal(application)
        await application.run()


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
