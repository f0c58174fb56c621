"""Many calls at once: a SIPp for each kind of caller, which calls at a rate, and one for each phone."""

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
PATIENCE_S = 30
"""After so long without the message that its scenario waits for, a caller hangs up."""


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

    async def phone(
        self, extension: str, scenario: str = "answer-until-hung-up", *, target: str = "", **seconds: float
    ) -> None:
        """A registered phone that does the same with each call, as many at once as come.

        `seconds` are the pauses of the scenario, `ring` and `talk`; `target` is where it transfers to.
        """
        port = free_udp_port()
        keys = ["-key", "user", extension, "-ap", self._asterisk.values.phone_secrets[extension], "-m", "1"]
        register = await self._start("register", f"register-{extension}", LOOPBACK, port, *keys)
        assert await asyncio.wait_for(register.wait(), BIND_S) == 0, f"{extension} could not register"
        await self._callee(scenario, f"phone-{extension}", LOOPBACK, port, target, seconds)

    async def outside(self, **seconds: float) -> None:
        """Everybody who is called out in the world: answers, and stays until the other side hangs up."""
        port = self._asterisk.values.trunk_port
        await self._callee("answer-until-hung-up", "outside", TRUNK_HOST, port, "", seconds)

    async def call(
        self,
        calls: list[InboundCall],
        *,
        rate: float,
        deadline_s: float,
        name: str = "callers",
        scenario: str = "call-then-hang-up",
        phone: str | None = None,
        **seconds: float,
    ) -> str:
        """Place the calls at so many in a second, from outside or from a phone; returns what went wrong, if anything.

        `seconds` are the pauses of the scenario: `talk`, after which the caller hangs up, or `patience`.
        """
        with (self._home / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            file.write("SEQUENTIAL\n")
            csv.writer(file, delimiter=";").writerows(calls)
        options = ["-inf", f"{self._inside(self._home)}/{name}.csv", "-r", f"{rate:g}", "-m", str(len(calls))]
        options += ["-l", str(len(calls)), "-key", "privacy", "none", *_pauses(seconds)]
        options += ["-recv_timeout", str(PATIENCE_S * 1000)]
        host = TRUNK_HOST if phone is None else LOOPBACK
        if phone is not None:
            options += ["-ap", self._asterisk.values.phone_secrets[phone]]
        fields = {"[from]": f'"[field1]" <sip:[field0]@{host}>', "[user]": "[field0]", "[dialed]": "[field2]"}
        callers = await self._start(scenario, name, host, free_udp_port(host), *options, replace=fields)
        try:
            code: int | str | None = await asyncio.wait_for(callers.wait(), deadline_s)
        except TimeoutError:
            code = f"nothing within {deadline_s:.0f} s"
            await _ended(callers)
        errors = self._home / f"{name}.errors"
        said = errors.read_text("utf-8", "replace")[-2000:] if errors.exists() else ""
        return "" if code == 0 else f"SIPp ({name}) exited with {code}: {said}"

    async def _callee(
        self, scenario: str, name: str, host: str, port: int, target: str, seconds: dict[str, float]
    ) -> None:
        await self._start(scenario, name, host, port, "-key", "target_number", target, *_pauses(seconds))
        async with asyncio.timeout(BIND_S):
            while not udp_port_is_bound(host, port):  # noqa: ASYNC110 - a port has no event to wait for
                await asyncio.sleep(0.02)

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


def _pauses(seconds: dict[str, float]) -> list[str]:
    """The pauses of a scenario, as SIPp's options."""
    return [word for name, pause in seconds.items() for word in ("-set", f"{name}_ms", str(round(pause * 1000)))]


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
