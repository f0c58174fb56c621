"""The service as its user starts it: `callcenter serve` in a process of its own, beside the same user's commands."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from callcenter.simulator.server import Simulator
from tests.testbed.asterisk import Asterisk
from tests.testbed.ports import LOOPBACK, free_tcp_port

COMMAND = Path(sys.executable).with_name("callcenter")
READY_S = 60
STOP_S = 10


class Service:
    """`callcenter serve` with a configuration of its own in `home`. Use it as an async context manager."""

    def __init__(
        self, home: Path, asterisk: Asterisk | Simulator, *, database_url: str | None = None, **pbx: Any
    ) -> None:
        """`database_url`: a PostgreSQL that runs; without, the service starts its embedded one under `home`.

        `pbx` are more settings of the PBX.
        """
        self.home = home
        self.config = home / "callcenter.toml"
        self.log = home / "service.log"
        self.web_port, self.screenpop_port = free_tcp_port(), free_tcp_port()
        self.url = f"http://{LOOPBACK}:{self.web_port}"
        self._process: Process | None = None
        if isinstance(asterisk, Simulator):
            port, secret = asterisk.port, asterisk.secret
        else:
            port, secret = asterisk.values.ami_port, asterisk.values.ami_secret
        database = {"url": database_url} if database_url else {"directory": str(home / "postgresql")}
        sections: dict[str, Mapping[str, Any]] = {
            "web": {"port": self.web_port},
            "screenpop": {"port": self.screenpop_port},
            "database": database,
            "log": {"format": "json"},
        }
        softphone = pbx.pop("softphone", None)
        pbx = {"port": port, "secret": secret, "region": "GB", "trunks": ["trunk"], **pbx}
        parts = [f"[{name}]\n{_toml(section)}" for name, section in sections.items()]
        parts.append(f"[[pbx]]\n{_toml(pbx)}")
        if softphone is not None:
            parts.append(f"[pbx.softphone]\n{_toml(softphone)}")
        self.config.write_text("\n".join(parts), encoding="utf-8")

    async def __aenter__(self) -> Self:
        try:
            await self.start()
            await self.is_ready()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            await self.stop()

    async def start(self) -> None:
        """Start it, and wait for nothing."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                COMMAND, "serve", "--config", self.config, cwd=self.home, stdin=DEVNULL, stdout=log, stderr=log
            )

    async def is_ready(self, wanted: bool = True) -> None:
        """Wait until /readyz says that every part works or, if not `wanted`, that one does not."""
        async with aiohttp.ClientSession() as web:

            async def answers() -> bool:
                try:
                    async with web.get(f"{self.url}/readyz") as response:
                        return (response.status == 200) is wanted
                except aiohttp.ClientConnectionError:
                    self.is_running()
                    return False

            await until(answers, f"/readyz is {'' if wanted else 'not '}200", deadline_s=READY_S)

    def is_running(self) -> None:
        """Fail with the log if the process has ended by itself."""
        if self._process is None or self._process.returncode is not None:
            code = self._process.returncode if self._process else None
            raise AssertionError(f"the service has ended with {code}:\n{self.tail()}")

    async def stop(self) -> float:
        """Stop it by SIGTERM, and return how many seconds that took; fail if it takes too long, or complains."""
        process, self._process = self._process, None
        assert process is not None
        began = asyncio.get_running_loop().time()
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"the service did not stop within {STOP_S} s:\n{self.tail()}") from None
        assert code == 0, f"the service ended with {code}:\n{self.tail()}"
        return asyncio.get_running_loop().time() - began

    async def kill(self) -> None:
        """End it without a word, as a crash would."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def run(self, *arguments: str, stdin: str = "") -> str:
        """Run another command with the same configuration, and return what it printed."""
        code, text = await self._run(*arguments, stdin=stdin)
        assert code == 0, f"callcenter {' '.join(arguments)}: {text}"
        return text

    async def refused(self, *arguments: str) -> str:
        """Run a command that must fail, and return what it said."""
        code, text = await self._run(*arguments)
        assert code not in (0, None), f"callcenter {' '.join(arguments)} did not fail: {text}"
        return text

    def cpu_s(self) -> float:
        """Seconds of CPU time that the process has used."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def tail(self, size: int = 6000) -> str:
        """The end of the log."""
        return self.log.read_text("utf-8", "replace")[-size:] if self.log.exists() else "(no log)"

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of one event."""
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    async def _run(self, *arguments: str, stdin: str = "") -> tuple[int | None, str]:
        command = [str(COMMAND), *arguments, "--config", str(self.config)]
        process = await asyncio.create_subprocess_exec(*command, cwd=self.home, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
        async with asyncio.timeout(READY_S):
            output, _ = await process.communicate(stdin.encode())
        return process.returncode, output.decode()


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, *, deadline_s: float = 10, every_s: float = 0.05
) -> None:
    """Ask until it is true; fail with `what` when the deadline is over."""
    loop = asyncio.get_running_loop()
    over = loop.time() + deadline_s
    while not await condition():
        if loop.time() > over:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        await asyncio.sleep(every_s)


def _toml(values: Mapping[str, Any]) -> str:
    # JSON writes strings, numbers and lists as TOML does.
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
