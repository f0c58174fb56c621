"""Many calls at once: one SIPp that calls in at a rate, and one for each phone that takes every call."""

import asyncio
import csv
from asyncio.subprocess import DEVNULL, Process
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from tests.testbed import Pbx
from tests.testbed.asterisk import TRUNK_HOST
from tests.testbed.ports import LOOPBACK, free_udp_port, udp_port_is_bound
from tests.testbed.sipp import SCENARIOS

BIND_S = 10


class InboundCall(NamedTuple):
    """Who calls, and which number."""

    number: str
    name: str
    dialed: str


class Load:
    """Makes SIPp processes of many calls. Enter `stack` to have them ended."""

    def __init__(self, pbx: Pbx, stack: AsyncExitStack) -> None:
        self._asterisk, self._stack = pbx.asterisk, stack
        self._home = pbx.asterisk.home / "load"
        self._home.mkdir()

    async def phone(self, extension: str, *, ring_s: float) -> None:
        """A registered phone that answers each call, as many at once as come, until the caller hangs up."""
        port = free_udp_port()
        keys = ["-key", "user", extension, "-ap", self._asterisk.values.phone_secrets[extension], "-m", "1"]
        register = await self._start("register", f"register-{extension}", LOOPBACK, port, *keys)
        assert await asyncio.wait_for(register.wait(), BIND_S) == 0, f"{extension} could not register"
        ring = ["-set", "ring_ms", str(round(ring_s * 1000))]
        await self._start("answer-until-hung-up", f"phone-{extension}", LOOPBACK, port, *ring)
        async with asyncio.timeout(BIND_S):
            while not udp_port_is_bound(LOOPBACK, port):  # noqa: ASYNC110 - a port has no event to wait for
                await asyncio.sleep(0.02)

    async def call(self, calls: list[InboundCall], *, rate: float, talk_s: float, deadline_s: float) -> str:
        """Place the calls at so many in a second, each hung up by the caller; returns what went wrong, if anything."""
        with (self._home / "calls.csv").open("w", encoding="utf-8", newline="") as file:
            file.write("SEQUENTIAL\n")
            csv.writer(file, delimiter=";").writerows(calls)
        options = ["-inf", f"{self._inside(self._home)}/calls.csv", "-r", f"{rate:g}", "-m", str(len(calls))]
        options += ["-l", str(len(calls)), "-set", "talk_ms", str(round(talk_s * 1000))]
        options += ["-key", "privacy", "none"]
        fields = {
            "[from]": f'"[field1]" <sip:[field0]@{TRUNK_HOST}>',
            "[user]": "[field0]",
            "[dialed]": "[field2]",
        }
        port = free_udp_port(TRUNK_HOST)
        callers = await self._start("call-then-hang-up", "callers", TRUNK_HOST, port, *options, replace=fields)
        code = await asyncio.wait_for(callers.wait(), deadline_s)
        errors = self._home / "callers.errors"
        said = errors.read_text("utf-8", "replace")[-2000:] if errors.exists() else ""
        return "" if code == 0 else f"SIPp exited with {code}: {said}"

    async def _start(
        self, scenario: str, name: str, host: str, port: int, *options: str, replace: dict[str, str] | None = None
    ) -> Process:
        text = (SCENARIOS / f"{scenario}.xml").read_text("utf-8")
        for old, new in (replace or {}).items():
            text = text.replace(old, new)
        (self._home / f"{name}.xml").write_text(text, encoding="utf-8")
        inside = self._inside(self._home)
        command = ["chroot", str(self._asterisk.chroot), "sipp", f"{LOOPBACK}:{self._asterisk.values.sip_port}"]
        command += ["-sf", f"{inside}/{name}.xml", "-i", host, "-p", str(port), "-mi", host, "-nostdin", "-aa"]
        command += ["-min_rtp_port", str(free_udp_port(host)), "-cp", str(free_udp_port())]
        command += ["-trace_err", "-error_file", f"{inside}/{name}.errors", *options]
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        self._stack.push_async_callback(_ended, process)
        return process

    def _inside(self, path: Path) -> str:
        return "/" + str(path.relative_to(self._asterisk.chroot))


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
