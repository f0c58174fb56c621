"""`callcenter doctor`: each thing that can be wrong is found, and comes with its mend."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from callcenter.cli.examination import examine
from callcenter.cli.findings import Finding, Verdict
from callcenter.simulator.flows import inbound
from callcenter.simulator.people import Answers, Caller, Manners
from callcenter.simulator.server import Simulator

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, database_url: str) -> Write:
    """Writes a configuration for a PBX and a database."""

    def configuration(port: int, secret: str, username: str = "callcenter", database: str = database_url) -> Path:
        file = tmp_path / "callcenter.toml"
        file.write_text(
            f'[database]\nurl = "{database}"\n'
            f'[[pbx]]\nport = {port}\nusername = "{username}"\nsecret = "{secret}"\n'
            'region = "GB"\naction_timeout_s = 2\n'
        )
        return file

    return configuration


def said(findings: list[Finding], verdict: Verdict) -> str:
    """What was found of one kind, with its mends."""
    return "\n".join(f"{one.subject}: {one.what} → {one.mend}" for one in findings if one.verdict is verdict)


async def test_a_healthy_house_has_nothing_bad(write: Write) -> None:
    async with Simulator() as pbx:
        quick = Manners(callee=lambda extension, attempt: Answers(0.1), talk=0.2)
        for after in (0.2, 0.6, 1.0, 1.4, 1.8, 2.2):
            pbx.place(inbound(pbx.pbx, Caller("+447700900123"), "02079460991", quick), after)
        findings = await examine(write(pbx.port, pbx.secret, pbx.username), 10.0)
    assert said(findings, Verdict.BAD) == ""
    good = said(findings, Verdict.GOOD)
    for part in ("PostgreSQL", "revision", "Asterisk", "CoreShowChannels", "clocks agree", "events of calls arrive"):
        assert part in good


async def test_a_wrong_secret_is_named_with_its_mend(write: Write) -> None:
    async with Simulator() as pbx:
        findings = await examine(write(pbx.port, "wrong", pbx.username), 0.0)
    bad = said(findings, Verdict.BAD)
    assert "the PBX cannot be used" in bad and "secret" in bad and "manager.conf" in bad
    assert "wrong" not in bad.replace("wrong configuration", "")


async def test_nobody_at_the_port_is_told(write: Write) -> None:
    async with Simulator() as pbx:
        port = pbx.port
    file = write(port, "x")
    file.write_text(file.read_text().replace("action_timeout_s = 2", "action_timeout_s = 600"))
    async with asyncio.timeout(60):
        findings = await examine(file, 0.0)
    assert "is Asterisk running" in said(findings, Verdict.BAD)


async def test_a_silent_time_is_a_doubt_and_no_fault(write: Write) -> None:
    async with Simulator() as pbx:
        findings = await examine(write(pbx.port, pbx.secret, pbx.username), 0.05)
    assert said(findings, Verdict.BAD) == ""
    assert "nobody called" in said(findings, Verdict.DOUBT)


async def test_a_database_that_is_away_is_told_without_its_password(write: Write) -> None:
    async with Simulator() as pbx:
        away = "postgresql://someone:topsecret@127.0.0.1:1/none"
        findings = await examine(write(pbx.port, pbx.secret, pbx.username, away), 0.0)
    bad = said(findings, Verdict.BAD)
    assert "database" in bad and "start PostgreSQL" in bad
    assert "topsecret" not in bad


async def test_a_configuration_that_is_wrong_names_the_key(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text('[[pbx]]\nland = "GB"\n')
    bad = said(await examine(file, 0.0), Verdict.BAD)
    assert "land" in bad
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    assert "no PBX is configured" in said(await examine(empty, 0.0), Verdict.BAD)
