"""SIPp, one process for one call: start it, and learn whether the call went as its scenario says."""

import asyncio
import itertools
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tests.testbed.ports import LOOPBACK, free_udp_port, udp_port_is_bound

SCENARIOS = Path(__file__).parent / "sipp"
_CALL_S = 20
_START_S = 10


class SippFailed(AssertionError):
    """A call did not go as its scenario says; the text holds what SIPp did not expect."""


class SippRun:
    """A SIPp process that plays one side of one call."""

    def __init__(
        self,
        name: str,
        process: Process,
        errors: Path,
        messages: Path,
        *,
        address: tuple[str, int],
        remote: tuple[str, int],
        placed: bool,
    ) -> None:
        self.name = name
        self.address, self.remote = address, remote
        self._placed = placed
        self._process, self._errors, self._messages = process, errors, messages

    async def finished(self, *, deadline_s: float = _CALL_S) -> None:
        """Wait for the end of the call.

        Raises:
            SippFailed: The call went otherwise than the scenario says, or did not end in time.
        """
        try:
            async with asyncio.timeout(deadline_s):
                status = await self._process.wait()
        except TimeoutError:
            await self.stop()
            raise SippFailed(f"{self.name}: the call did not end within {deadline_s} s\n{self.report()}") from None
        if status != 0:
            raise SippFailed(f"{self.name}: SIPp exited with {status}\n{self.report()}")

    async def stop(self) -> None:
        """End the process, whatever the call is doing; harmless if it has ended."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def running(self) -> bool:
        """Whether the call, or the wait for it, is still going on."""
        return self._process.returncode is None

    def dialog(self) -> tuple[str, str, str]:
        """Return the Call-ID, the caller's tag and the callee's tag of the call, which rings or was answered."""
        text = self._messages.read_text("utf-8", "replace")
        answer = text[min(place for status in (180, 183, 200) if (place := text.find(f"SIP/2.0 {status} ")) >= 0) :]
        headers = dict(line.split(": ", 1) for line in answer.split("\n\n")[0].splitlines() if ": " in line)
        return headers["Call-ID"], headers["From"].rpartition("tag=")[2], headers["To"].rpartition("tag=")[2]

    def replaces(self) -> str:
        """Return a Replaces header's value for this call.

        The tags are as the PBX sees them (RFC 3891): "to" is its own, "from" the phone's.
        """
        call_id, caller, callee = self.dialog()
        own, remote = (caller, callee) if self._placed else (callee, caller)
        return f"{call_id};to-tag={remote};from-tag={own}"

    def call_id(self) -> str:
        """Return the Call-ID of the call."""
        return self._messages.read_text("utf-8", "replace").split("Call-ID: ", 1)[1].splitlines()[0]

    def report(self) -> str:
        """Return what SIPp complained of, and the SIP messages it saw."""
        texts = [path.read_text("utf-8", "replace") for path in (self._errors, self._messages) if path.exists()]
        return "\n".join(texts)[-6000:]


class Sipp:
    """Starts SIPp from the chroot. All that it started can be stopped at once."""

    def __init__(self, chroot: Path, home: Path, remote: tuple[str, int]) -> None:
        self._chroot, self._remote = chroot, remote
        self._home = home / "sipp"
        self._home.mkdir()
        self._numbers = itertools.count(1)
        self._runs: list[SippRun] = []

    async def start(
        self,
        scenario: str,
        *,
        host: str,
        port: int,
        keys: Mapping[str, str] | None = None,
        variables: Mapping[str, float] | None = None,
        password: str | None = None,
        status: str = "",
        listens: bool = False,
        steps: str = "",
        replaces: str = "",
    ) -> SippRun:
        """Start one call of a scenario at this address, and return when it has sent or, if it ``listens``, can be
        called.

        ``keys`` stand for ``[name]`` in the scenario; ``variables`` are its pauses, in seconds, and end in ``_ms``
        there; ``status`` is the SIP status line of a refusal, such as ``486 Busy Here``; ``steps`` are what
        :mod:`tests.testbed.script` wrote, and ``replaces`` is the value of a Replaces header.
        """
        name = f"{next(self._numbers):02}-{scenario}-{host}-{port}"
        inside = "/" + str(self._home.relative_to(self._chroot))
        text = (SCENARIOS / f"{scenario}.xml").read_text(encoding="utf-8")
        text = text.replace("{{status}}", status).replace("{{steps}}", steps)
        text = text.replace("{{replaces}}", f"    Replaces: {replaces}\n" if replaces else "")
        (self._home / f"{name}.xml").write_text(text, encoding="utf-8")
        media = free_udp_port(host)
        command = ["chroot", str(self._chroot), "sipp", f"{self._remote[0]}:{self._remote[1]}"]
        command += ["-sf", f"{inside}/{name}.xml", "-i", host, "-p", str(port), "-mi", host]
        command += ["-min_rtp_port", str(media), "-m", "1", "-l", "1", "-nostdin", "-aa", "-cp", str(free_udp_port())]
        command += ["-trace_err", "-error_file", f"{inside}/{name}.errors"]
        command += ["-trace_msg", "-message_file", f"{inside}/{name}.messages"]
        for key, text in (keys or {}).items():
            command += ["-key", key, text]
        for variable, seconds in (variables or {}).items():
            command += ["-set", f"{variable}_ms", str(round(seconds * 1000))]
        if password is not None:
            command += ["-ap", password]
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        errors, messages = self._home / f"{name}.errors", self._home / f"{name}.messages"
        run = SippRun(name, process, errors, messages, address=(host, port), remote=self._remote, placed=not listens)
        self._runs.append(run)
        if listens:
            await self._bound(run, host, port)
        return run

    def speech(self, *, tone: bool = False) -> str:
        """Return the path, as SIPp sees it, of a second of A-law: silence, sound enough for Asterisk, or a tone."""
        path = self._home / ("tone.al" if tone else "speech.al")
        # A square wave of 1000 Hz, half as loud as can be.
        path.write_bytes((b"\xb5" * 4 + b"\x35" * 4) * 1000 if tone else b"\xd5" * 8000)
        return "/" + str(path.relative_to(self._chroot))

    async def tell(self, run: SippRun, target: str = "", *, joins: SippRun | None = None) -> None:
        """Tell a call that waits for it to go on; where to refer the other side to, and which call to join it with."""
        host, port = run.address
        remote_host, remote_port = joins.remote if joins is not None else self._remote
        parameters = f"?Replaces={quote(joins.replaces(), safe='')}" if joins is not None else ""
        info = [
            f"INFO sip:{host}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {LOOPBACK};branch=z9hG4bK-control",
            f"From: <sip:control@{LOOPBACK}>;tag=control",
            f"To: <sip:{host}:{port}>",
            f"Call-ID: {run.call_id()}",
            "CSeq: 1 INFO",
            f"X-Refer-To: {target}@{remote_host}:{remote_port}{parameters}",
            "Content-Length: 0",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(("\r\n".join(info) + "\r\n\r\n").encode(), (host, port))

    async def stop(self) -> None:
        """End every process that is still there."""
        for run in self._runs:
            await run.stop()

    async def _bound(self, run: SippRun, host: str, port: int) -> None:
        async with asyncio.timeout(_START_S):
            while not udp_port_is_bound(host, port):
                if not run.running:
                    await run.finished()
                    raise SippFailed(f"{run.name}: SIPp ended before it listened")
                await asyncio.sleep(0.02)
