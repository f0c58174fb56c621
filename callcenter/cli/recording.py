"""`callcenter record`: what a PBX says, to a file that `replay` reads."""

import asyncio
import secrets
from contextlib import suppress
from pathlib import Path

import typer

from callcenter import logs
from callcenter import settings as configuration
from callcenter.ami.client import AmiClient
from callcenter.ami.inbox import Inbox
from callcenter.ami.record import Recorder
from callcenter.ami.scrub import Scrubber
from callcenter.ami.state import AmiState, Phase
from callcenter.errors import BadFile, SettingsError
from callcenter.settings import PbxSettings


def run(file: Path, config: Path | None, pbx: str | None, raw: bool, scrub: bool, seconds: float | None) -> None:
    """Record until the time is over or Ctrl-C."""
    settings = configuration.load(config)
    logs.configure(settings.log)
    chosen = [one for one in settings.pbx if pbx is None or one.id == pbx]
    if not chosen:
        raise SettingsError("there is no such [[pbx]] in the configuration" if pbx else "no PBX is configured")
    with suppress(KeyboardInterrupt):
        asyncio.run(_record(chosen[0], file, raw, scrub, seconds))


async def _record(settings: PbxSettings, path: Path, raw: bool, scrub: bool, seconds: float | None) -> None:
    try:
        file = path.open("xb")
    except FileExistsError:
        raise BadFile(f"{path} exists already: name another file, or remove it") from None
    except OSError as problem:
        raise BadFile(f"{path} cannot be written: {problem.strerror}") from problem
    inbox = Inbox()
    client = AmiClient(settings, inbox.on_block, inbox.on_state)
    with file:
        recorder = Recorder(file, raw=raw, scrub=Scrubber(secrets.token_bytes(16)).block if scrub else None)
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                group.create_task(client.run(), name="ami")
                await _write(inbox, recorder)
        except TimeoutError:
            pass
        finally:
            typer.echo(f"{recorder.blocks} events in {path}", err=True)


async def _write(inbox: Inbox, recorder: Recorder) -> None:
    while True:
        for at, item in await inbox.batch():
            if isinstance(item, AmiState):
                if item.phase is Phase.DOWN:
                    typer.echo(f"not connected: {item.reason}", err=True)
            else:
                recorder.write(item, at)
