"""`callcenter doctor` on a real Asterisk, with each thing broken in turn: it is found, and comes with its mend."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

import asterisk_conf
from callcenter.cli.examination import examine_pbx
from callcenter.cli.findings import Finding, Verdict
from callcenter.cli.pbx_kinds import Kind
from callcenter.settings import PbxSettings, SoftphoneSettings
from tests.testbed.asterisk import Asterisk


@pytest.fixture
async def asterisk(asterisk_chroot: Path) -> AsyncIterator[Asterisk]:
    """An Asterisk of the test's own, without phones."""
    async with Asterisk(asterisk_chroot) as asterisk:
        yield asterisk


def settings_of(asterisk: Asterisk, **settings: Any) -> PbxSettings:
    """The service's settings for it."""
    values = asterisk.values
    return PbxSettings(port=values.ami_port, secret=SecretStr(values.ami_secret), action_timeout_s=5.0, **settings)


@contextmanager
def changed(asterisk: Asterisk, name: str, old: str, new: str) -> Iterator[None]:
    """A file of /etc/asterisk with one thing replaced, for the length of the block."""
    path = asterisk.home / "etc" / name
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def said(findings: list[Finding], *verdicts: Verdict) -> str:
    return "\n".join(f"{one.what} → {one.mend}" for one in findings if one.verdict in verdicts)


def wrong(findings: list[Finding]) -> str:
    """All that is bad or in doubt, but that nobody called meanwhile."""
    ours = [one for one in findings if "nobody called" not in one.what and "no event came" not in one.what]
    return said(ours, Verdict.BAD, Verdict.DOUBT)


RIGHTS = "write = call,agent,originate,reporting"
BROKEN = {
    "time stamps": ("manager.conf", "timestampevents = yes", "", "timestampevents is not switched on", "manager.conf"),
    "a right": ("manager.conf", RIGHTS, "write = call,agent,reporting", "lacks the right originate", "write ="),
    "all rights": ("manager.conf", RIGHTS, "write = call", "the PBX cannot be used", "reporting"),
    "patience": ("manager.conf", "writetimeout = 5000", "", "is not set, which means 100 ms", "manager.conf"),
    "addresses": ("manager.conf", "deny = 0.0.0.0/0.0.0.0", "", "may log in from any address", "permit"),
    "CEL": ("cel.conf", "enable = yes", "enable = no", "CEL is off", "cel.conf"),
    "events of CEL": ("cel.conf", "BRIDGE_ENTER,", "", "CEL does not write BRIDGE_ENTER", "events ="),
    "apps of CEL": ("cel.conf", "apps = dial,queue", "apps = dial", "apps queue", "apps ="),
    "queue log": ("logger.conf", "queue_log = yes", "queue_log = no", "the queue log is off", "logger.conf"),
    "feature code": ("features.conf", "atxfer = *2", "", "attended transfers", "featuremap"),
}
RELOADED = {"manager.conf": "manager reload", "features.conf": "module reload features"}


async def test_each_thing_that_is_broken_is_found_with_its_mend(asterisk: Asterisk) -> None:
    settings = settings_of(asterisk)
    assert wrong(await examine_pbx(settings, 0.0)) == ""
    for what, (name, old, new, found, mend) in BROKEN.items():
        with changed(asterisk, name, old, new):
            if name in RELOADED:
                await asterisk.console(RELOADED[name])
            told = wrong(await examine_pbx(settings, 0.0))
        assert found in told and mend in told.partition(found)[2], f"{what}: {told}"
        assert told.count("→") == 1, f"{what}: {told}"
        if name in RELOADED:
            await asterisk.console(RELOADED[name])
    assert "there is no context elsewhere" in wrong(
        await examine_pbx(settings_of(asterisk, dial_context="elsewhere"), 0.0)
    )
    settings = settings_of(asterisk)
    for module, found in (("cel_custom.so", "CEL is written nowhere"), ("app_queue.so", "app_queue.so is not loaded")):
        await asterisk.console(f"module unload {module}")
        assert found in wrong(await examine_pbx(settings, 0.0))
        await asterisk.console(f"module load {module}")
    await asterisk.console("module unload func_config.so")
    assert "cannot be looked at" in wrong(await examine_pbx(settings, 0.0))


def with_phones(asterisk: Asterisk, extensions: str = "1011-1012", path: str = "/ws") -> PbxSettings:
    """Settings with phones in the browser."""
    values = asterisk.values
    return settings_of(
        asterisk,
        softphone=SoftphoneSettings(
            extensions=(extensions,),
            url=f"ws://127.0.0.1:{values.http_port}{path}",
            secret=SecretStr(values.ami_phones_secret),
        ),
    )


PHONES_BROKEN = {
    "the user": ("manager.conf", "write = system", "", "no user callcenter-phones with write = system", "manager.conf"),
    "passwords": ("sorcery.conf", "auth = astdb,callcenter", "", "does not look for passwords", "sorcery.conf"),
    "web server": ("http.conf", "enabled = yes", "enabled = no", "web server is off", "http.conf"),
    "transport": ("pjsip.conf", "protocol = ws", "protocol = tcp", "no transport with protocol = ws", "[ws]"),
}


async def test_each_thing_that_browser_phones_need_is_looked_at(asterisk: Asterisk) -> None:
    settings = with_phones(asterisk)
    findings = await examine_pbx(settings, 0.0)
    assert wrong(findings) == ""
    assert "2 endpoints are as they should be" in said(findings, Verdict.GOOD)
    assert "/ws opens" in said(findings, Verdict.GOOD)
    for what, (name, old, new, found, mend) in PHONES_BROKEN.items():
        with changed(asterisk, name, old, new):
            told = wrong(await examine_pbx(settings, 0.0))
        assert found in told and mend in told.partition(found)[2], f"{what}: {told}"
        assert told.count("→") == 1, f"{what}: {told}"


async def test_an_endpoint_that_is_none_for_browsers_is_named(asterisk: Asterisk) -> None:
    told = wrong(await examine_pbx(with_phones(asterisk, "1010-1013"), 0.0))
    assert "PJSIP has no endpoint 1013" in told
    assert "webrtc = yes is missing for 1010" in told and "1011" not in told
    with changed(asterisk, "pjsip.conf", "auth = 1012", "auth = 1012-auth"):
        await asterisk.console("module reload res_pjsip.so")  # which goes on after it has answered
        async with asyncio.timeout(20):
            while "the auth is not called as the extension for 1012" not in told:
                told = wrong(await examine_pbx(with_phones(asterisk), 0.0))


async def test_the_websocket_is_opened_as_browsers_do(asterisk: Asterisk) -> None:
    assert "answers 404" in wrong(await examine_pbx(with_phones(asterisk, path="/nowhere"), 0.0))
    await asterisk.console("module unload res_pjsip_transport_websocket.so")
    told = wrong(await examine_pbx(with_phones(asterisk), 0.0))
    assert "res_pjsip_transport_websocket.so" in told


async def test_the_additions_make_a_distribution_complete(asterisk: Asterisk) -> None:
    etc = asterisk.home / "etc"
    # What FreePBX and Issabel write themselves, as far as it matters, and nothing of ours.
    own = {
        "manager.conf": f"[general]\nenabled = yes\nport = {asterisk.values.ami_port}\nbindaddr = 127.0.0.1\n"
        "#tryinclude manager.d/*.conf\n#tryinclude manager_custom.conf\n",
        "cel.conf": "[general]\n#include cel_general_additional.conf\n#tryinclude cel_general_custom.conf\n",
        "cel_general_additional.conf": "enable=no\napps=mixmonitor,queue,voicemail\nevents=APP_START\n",
        "logger.conf": "[general]\n#tryinclude logger_general_custom.conf\n[logfiles]\nfull => notice\n",
        "extensions_freepbx.conf": "[macro-user-callerid]\nexten => s,1,NoOp()\n",
    }
    for name, text in own.items():
        (etc / name).write_text(text)
    with (etc / "extensions.conf").open("a") as extensions:
        extensions.write("\n#include extensions_freepbx.conf\n")
    await asterisk.console("core reload")
    bad = said(await examine_pbx(settings_of(asterisk), 0.0), Verdict.BAD)
    assert "cannot be used" in bad

    values = msgspec.structs.replace(asterisk.values)
    for name, text in asterisk_conf.additions(values).items():
        (etc / name).write_text(text)
    await asterisk.console("core reload")
    findings = await examine_pbx(settings_of(asterisk), 0.0)
    assert "it looks like FreePBX" in said(findings, Verdict.GOOD)
    assert wrong(findings) == ""
    status = await asterisk.console("cel show status")
    assert "CEL Logging: Enabled" in status and "Tracking Application: dial" in status


async def test_the_kind_is_recognized_and_can_be_said(asterisk: Asterisk) -> None:
    settings = settings_of(asterisk)
    assert "plain Asterisk" in said(await examine_pbx(settings, 0.0), Verdict.GOOD)
    (asterisk.home / "etc" / "issabelpbx_module_admin.conf").write_text("[general]\nbuiltin=hidden\n")
    assert "it looks like Issabel" in said(await examine_pbx(settings, 0.0), Verdict.GOOD)
    with changed(asterisk, "cel.conf", "enable = yes", "enable = no"):
        assert "PBX Configuration" in wrong(await examine_pbx(settings, 0.0))
        assert "fwconsole" in wrong(await examine_pbx(settings, 0.0, Kind.FREEPBX))
        assert "of cel.conf" in wrong(await examine_pbx(settings, 0.0, Kind.ASTERISK))
