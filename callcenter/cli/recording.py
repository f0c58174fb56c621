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
from callcenter.settings import LogSettings, PbxSettings


def run(file: Path, config: Path | None, pbx: str | None, raw: bool, scrub: bool, seconds: float | None) -> None:
    """Record until the time is over or Ctrl-C."""
    settings = configuration.load(config)
    # What the client logs is said below, in better words.
    logs.configure(LogSettings(level="ERROR"))
    chosen = [one for one in settings.pbx if pbx is None or one.id == pbx]
    if not chosen:
        raise SettingsError("there is no such [[pbx]] in the configuration" if pbx else "no PBX is configured")
    with suppress(KeyboardInterrupt):
        asyncio.run(_record(chosen[0], file, raw, scrub, seconds))
    if file.stat().st_size == 0:
        file.unlink()
        typer.echo(f"no event came: {file} is not written", err=True)
        raise typer.Exit(1)


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
            if recorder.blocks:
                typer.echo(f"{recorder.blocks} events in {path}", err=True)


async def _write(inbox: Inbox, recorder: Recorder) -> None:
    told = ""
    while True:
        for at, item in await inbox.batch():
            if isinstance(item, AmiState):
                news = _news(item)
                if news not in ("", told):
                    typer.echo(news, err=True)
                    told = news
            else:
                recorder.write(item, at)


def _news(state: AmiState) -> str:
    """What a person should know of the connection; empty while it is being made."""
    match state.phase:
        case Phase.DOWN:
            return f"not connected: {state.reason}"
        case Phase.LOGGED_IN:
            return f"connected to Asterisk {state.version}: recording, Ctrl-C ends it"
        case _:
            return ""
