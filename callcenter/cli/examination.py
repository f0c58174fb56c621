"""`callcenter doctor`: looks at everything the service stands on, and says how to mend what is wrong."""

import asyncio
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from asterisk_conf import event_names
from callcenter import logs
from callcenter import settings as configuration
from callcenter.ami import actions, wire
from callcenter.ami.client import AmiClient
from callcenter.ami.snapshot import clock
from callcenter.ami.state import AmiState, Phase
from callcenter.cli import pbx_configuration, softphone_findings
from callcenter.cli.findings import Finding, Verdict
from callcenter.cli.pbx_kinds import Kind, Topic, mend
from callcenter.db import migrations
from callcenter.db.opening import opened, server_url
from callcenter.errors import AmiError, CallCenterError
from callcenter.settings import LogSettings, PbxSettings, Settings

SKEW: Final = timedelta(seconds=2)
"""A larger difference between the clocks makes the times in the call log wrong for people."""

CALL_EVENTS: Final = {"Newchannel", "Hangup"}
"""Seen as soon as anybody calls, if the AMI user may see calls at all."""

UNTIMED: Final = {"FullyBooted"}
"""Has no `Timestamp` even where `timestampevents` is on."""


def run(config: Path | None, listen_s: float, kind: Kind | None = None) -> None:
    """Examine everything, print the findings, and exit with 1 if something is bad."""
    # What the client logs is found again in the findings, in better words.
    logs.configure(LogSettings(level="ERROR"))
    findings = asyncio.run(examine(config, listen_s, kind))
    Console().print(shown(findings))
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(1)


def shown(findings: Iterable[Finding]) -> Table:
    """The findings as a table, in which no long address or path is cut off."""
    table = Table("", "", Column(overflow="fold"), show_header=False, box=None, padding=(0, 1))
    colors = {Verdict.GOOD: "green", Verdict.DOUBT: "yellow", Verdict.BAD: "red"}
    for finding in findings:
        told = Text(finding.what)
        if finding.mend:
            told.append(f"\n→ {finding.mend}", style="bold")
        table.add_row(Text(finding.verdict.value, style=colors[finding.verdict]), finding.subject, told)
    return table


async def examine(config: Path | None, listen_s: float, kind: Kind | None = None) -> list[Finding]:
    """All findings; a part that cannot be looked at is a finding too. Without a `kind` each PBX is recognized."""
    try:
        settings = configuration.load(config)
    except CallCenterError as problem:
        return [Finding("configuration", Verdict.BAD, str(problem), "mend the file, or name another with --config")]
    findings = [Finding("configuration", Verdict.GOOD, f"{len(settings.pbx)} PBX configured")]
    if not settings.pbx:
        findings[0] = Finding(
            "configuration", Verdict.BAD, "no PBX is configured", "write a [[pbx]] section into callcenter.toml"
        )
    findings += await _database(settings)
    for pbx in settings.pbx:
        findings += await examine_pbx(pbx, listen_s, kind)
    return findings


async def _database(settings: Settings) -> list[Finding]:
    try:
        async with server_url(settings) as url, opened(url, settings) as database:
            version = await database.pool.fetchval("SHOW server_version")
            reached = Finding("database", Verdict.GOOD, f"PostgreSQL {version} at {database.place}")
            try:
                await migrations.check(database)
            except CallCenterError as problem:
                return [
                    reached,
                    Finding("schema", Verdict.BAD, str(problem), "run `callcenter db upgrade`, or start the service"),
                ]
            return [reached, Finding("schema", Verdict.GOOD, f"revision {migrations.head()}")]
    except CallCenterError as problem:
        return [Finding("database", Verdict.BAD, str(problem), "start PostgreSQL, or correct the database URL")]


class _Listener:
    """What a PBX said while we listened."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.stamp: datetime | None = None
        self.called = asyncio.Event()
        self.settled = asyncio.Event()
        """Set once we are logged in, or cannot be."""
        self.reason = "no answer"

    def on_block(self, block: bytes) -> None:
        """Take note of an event."""
        headers = wire.fields(block)
        name = headers.get("Event", "")
        self.seen[name] = self.seen.get(name, 0) + 1
        if self.seen.keys() >= CALL_EVENTS:
            self.called.set()
        stamp = headers.get("Timestamp")
        if stamp is not None and self.stamp is None:
            try:
                self.stamp = datetime.fromtimestamp(float(stamp), UTC)
            except (ValueError, OverflowError, OSError):
                return

    def on_state(self, state: AmiState) -> None:
        """Take note whether the connection was made, or why it failed."""
        if state.phase is Phase.DOWN:
            self.reason = state.reason
        if state.phase is not Phase.CONNECTING:
            self.settled.set()


async def examine_pbx(settings: PbxSettings, listen_s: float, kind: Kind | None = None) -> list[Finding]:
    """Connect to a PBX like the service does, and look at it and at what comes."""
    listener = _Listener()
    client = AmiClient(settings, listener.on_block, listener.on_state)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(client.run(), name=f"ami {settings.id}")
        try:
            # A doctor does not try again: the first failure is the finding.
            async with asyncio.timeout(settings.action_timeout_s * 2):
                await listener.settled.wait()
            if client.state.phase is Phase.LOGGED_IN:
                return await _connected(settings, client, listener, listen_s, kind)
        except (AmiError, TimeoutError):
            pass  # the finding below says why
        finally:
            running.cancel()
    return [Finding(settings.id, Verdict.BAD, "the PBX cannot be used", listener.reason)]


async def _connected(
    settings: PbxSettings, client: AmiClient, listener: _Listener, listen_s: float, kind: Kind | None
) -> list[Finding]:
    state = client.state
    name = settings.id
    read = pbx_configuration.reader(client)
    findings = [Finding(name, Verdict.GOOD, f"Asterisk {state.version}, logged in as {settings.username}")]
    findings += pbx_configuration.version_findings(name, state.version)
    kind = await _kind(name, read, kind, findings)
    findings += [
        Finding(
            name,
            Verdict.BAD,
            f"the AMI user lacks the right {right}: its write = must have {right}",
            mend(kind, Topic.USER),
        )
        for right in state.missing_rights
    ]
    if not settings.tls and settings.host not in ("127.0.0.1", "::1", "localhost"):
        findings.append(
            Finding(name, Verdict.DOUBT, "AMI is not encrypted", "set tls = true, or reach it through a tunnel")
        )
    findings += await _configuration(settings, read, kind)
    findings += await _clock(name, client)
    findings += await _lists(name, client)
    await _listen(listener, listen_s)
    findings += unused(name, listener.seen)
    findings += _events(name, listener, listen_s, kind)
    return findings


async def _kind(name: str, read: pbx_configuration.Read, kind: Kind | None, findings: list[Finding]) -> Kind:
    """The kind that was said, or what it looks like."""
    if kind is not None:
        return kind
    try:
        found = await pbx_configuration.recognize(read)
    except AmiError:
        found = Kind.ASTERISK
    told = f"it looks like {found.called}: the mends below are for that; --kind names another"
    findings.append(Finding(name, Verdict.GOOD, told))
    return found


async def _configuration(settings: PbxSettings, read: pbx_configuration.Read, kind: Kind) -> list[Finding]:
    """What the PBX's own files say."""
    try:
        found = await pbx_configuration.gather(read, settings)
        phones = await _phones(settings, read, kind) if found is not None else []
    except AmiError as problem:
        what = f"its configuration cannot be looked at: {problem}"
        return [Finding(settings.id, Verdict.DOUBT, what, f"add reporting to write =: {mend(kind, Topic.USER)}")]
    if found is None:
        what = "its configuration cannot be looked at: the module func_config.so is not loaded"
        return [Finding(settings.id, Verdict.DOUBT, what, "load it in modules.conf, or compare the files by hand")]
    return pbx_configuration.judge(settings.id, kind, found, settings) + phones


async def _phones(settings: PbxSettings, read: pbx_configuration.Read, kind: Kind) -> list[Finding]:
    """Phones in the browser, where there are to be any."""
    if settings.softphone is None:
        return []
    found = await softphone_findings.gather(read, settings.softphone)
    findings = softphone_findings.judge(settings.id, kind, found, settings.softphone)
    return [*findings, await softphone_findings.knock(settings.id, kind, settings.softphone)]


def unused(name: str, seen: Collection[str]) -> list[Finding]:
    """Doubt where events came that the sample's filters hold back. Asterisk does not tell whether it has any."""
    needless = sorted(set(seen) - event_names())
    if not needless:
        return []
    return [
        Finding(
            name,
            Verdict.DOUBT,
            f"Asterisk sends events that nobody reads: {', '.join(needless)}",
            "take the eventfilter lines of `callcenter asterisk-conf` into the AMI user's section of manager.conf",
        )
    ]


async def _clock(name: str, client: AmiClient) -> list[Finding]:
    """The PBX's clock beside ours: Asterisk tells its own with each answer to a ping."""
    before = datetime.now(UTC)
    try:
        pong = (await client.action(actions.Ping())).fields
    except AmiError as problem:
        return [Finding(name, Verdict.BAD, "it does not answer a ping", str(problem))]
    after = datetime.now(UTC)
    middle = before + (after - before) / 2
    theirs = clock(pong, middle)
    return [clock_finding(name, middle - theirs)]


def clock_finding(name: str, behind: timedelta) -> Finding:
    """Whether the PBX's clock agrees with ours; `behind` is how far it is behind."""
    if abs(behind) <= SKEW:
        return Finding(name, Verdict.GOOD, "the clocks agree")
    side = "behind" if behind > timedelta(0) else "ahead of"
    what = f"the PBX's clock is {abs(behind.total_seconds()):.1f} s {side} ours: times in the call log are wrong by it"
    return Finding(name, Verdict.BAD, what, "run an NTP client (chrony, systemd-timesyncd) on both machines")


async def _lists(name: str, client: AmiClient) -> list[Finding]:
    """The snapshots that follow each log-in."""
    findings = []
    for action in (actions.CoreShowChannels(), actions.QueueStatus()):
        try:
            count = len((await client.action(action)).events)
            findings.append(Finding(name, Verdict.GOOD, f"{action.name} answers with {count} lines"))
        except AmiError as problem:
            findings.append(Finding(name, Verdict.BAD, f"{action.name} fails", str(problem)))
    return findings


async def _listen(listener: _Listener, listen_s: float) -> None:
    """Until a call was seen, or the time is over."""
    try:
        async with asyncio.timeout(listen_s):
            await listener.called.wait()
    except TimeoutError:
        return


def _events(name: str, listener: _Listener, listen_s: float, kind: Kind) -> list[Finding]:
    findings = []
    if not listener.seen.keys() - UNTIMED:
        findings.append(Finding(name, Verdict.DOUBT, "no event came, so it is not known whether events carry the time"))
    elif listener.stamp is None:
        findings.append(
            Finding(
                name,
                Verdict.BAD,
                "events carry no time",
                mend(kind, Topic.TIMESTAMPS),
            )
        )
    else:
        findings.append(Finding(name, Verdict.GOOD, "events carry the time"))
    if listener.seen.keys() & CALL_EVENTS:
        findings.append(Finding(name, Verdict.GOOD, "events of calls arrive"))
    else:
        findings.append(
            Finding(
                name,
                Verdict.DOUBT,
                f"nobody called within {listen_s:g} s, so it is not known whether events of calls arrive",
                "run `callcenter doctor --listen 60` and place a call; if none is seen then, add call, agent and"
                " dialplan to read = of the AMI user, and look at its eventfilter lines",
            )
        )
    return findings
