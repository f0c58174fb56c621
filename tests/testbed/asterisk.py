"""One real Asterisk 22, started from the prepared chroot with the project's own sample configuration."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

import asterisk_conf
from tests.testbed.ami import AmiLink
from tests.testbed.ports import LOOPBACK, free_rtp_range, free_tcp_port, free_udp_port
from tests.testbed.records import (
    CdrRow,
    CelRow,
    QueueLogRow,
    parse_cdr,
    parse_cel,
    parse_queue_log,
)

TRUNK_HOST = "127.0.0.2"
"""The trunk's address: loopback too, but another than the phones', so that Asterisk knows it by its address alone."""

_PREPARE = Path(__file__).parents[2] / "scripts" / "asterisk-testbed"
_READY_S = 30
_OBSERVER = "observer"
# What FreePBX gives its own AMI user; "all" would add the events that only Asterisk's own test suite reads.
_OBSERVED = "system,call,log,verbose,agent,user,config,dtmf,reporting,cdr,dialplan,originate,message"


class Unavailable(Exception):
    """This machine cannot have a real Asterisk; the text says why and what to do."""


def find_chroot() -> Path:
    """Return the prepared chroot, and prepare it first where that has not been done, which takes about a minute.

    Raises:
        Unavailable: The machine has no root or no Debian.
    """
    done = subprocess.run([_PREPARE, "prepare"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(done.stderr.strip()[-2000:] or f"{_PREPARE} exited with {done.returncode}")
    return Path(done.stdout.strip())


class Asterisk:
    """A running Asterisk. Use it as an async context manager: it is ready inside, and stopped and wiped away after.

    It listens on loopback alone, with ports and directories of its own, so that several can run side by side. Its
    configuration is :mod:`asterisk_conf`'s samples; ``values`` replaces fields of :class:`asterisk_conf.Values`, for
    instance ``queue_ring_s=3``. The short times below are the tests' own.
    """

    def __init__(self, chroot: Path, **values: Any) -> None:
        self.chroot = chroot
        self.home = Path(tempfile.mkdtemp(prefix="ast-", dir=_directory(chroot)))
        inside = "/" + str(self.home.relative_to(chroot))
        rtp_start, rtp_end = free_rtp_range()
        defaults = asterisk_conf.Values(
            etc_dir=f"{inside}/etc",
            lib_dir=f"{inside}/lib",
            spool_dir=f"{inside}/spool",
            run_dir=f"{inside}/run",
            log_dir=f"{inside}/log",
            ami_port=free_tcp_port(),
            sip_host=LOOPBACK,
            sip_port=free_udp_port(),
            http_enabled=True,
            http_port=free_tcp_port(),
            rtp_start=rtp_start,
            rtp_end=rtp_end,
            trunk_host=TRUNK_HOST,
            trunk_port=free_udp_port(TRUNK_HOST),
            trunk_qualify_s=0,
            phone_qualify_s=0,
            extension_ring_s=3,
            trunk_ring_s=4,
            menu_wait_s=1,
            queue_ring_s=3,
            queue_retry_s=1,
            queue_wait_s=8,
            park_timeout_s=3,
            transfer_ring_s=3,
            transfer_pause_s=1,
        )
        self.values = msgspec.structs.replace(defaults, **values)
        self._config = f"{inside}/etc/asterisk.conf"
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        try:
            self._write_configuration()
            await self._start()
        except BaseException:
            await self.stop()
            self.wipe()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        self.wipe()

    def ami(self) -> AmiLink:
        """Return a connection as the user ``callcenter``: least rights and filtered, what the service itself gets."""
        return AmiLink(LOOPBACK, self.values.ami_port, "callcenter", self.values.ami_secret)

    def observer(self) -> AmiLink:
        """Return a connection that sees every event and may do everything: what a test wants to know or to cause."""
        return AmiLink(LOOPBACK, self.values.ami_port, _OBSERVER, self.values.ami_secret)

    async def console(self, command: str) -> str:
        """Run a console command and return what it printed."""
        run = await asyncio.create_subprocess_exec(
            "chroot", self.chroot, "asterisk", "-C", self._config, "-rx", command, stdout=PIPE, stderr=STDOUT
        )
        async with asyncio.timeout(15):
            output, _ = await run.communicate()
        return output.decode("utf-8", "replace")

    async def extend(self, context: str, exten: str, *applications: str) -> None:
        """Give an extension other steps than the sample dialplan's, until it is loaded again."""
        await self.console(f"dialplan remove extension {exten}@{context}")
        for priority, application in enumerate(applications, 1):
            await self.console(f"dialplan add extension {exten},{priority},{application} into {context}")

    async def stop(self) -> None:
        """Stop as an admin would, so that the last records are written; kill it if it will not stop."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        try:
            await self.console("core stop now")
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def crash(self) -> None:
        """End it at once, as a power cut would: nobody is told."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def start_again(self) -> None:
        """Start it after :meth:`stop` or :meth:`crash`, on the same ports and with the same files."""
        await self._start()

    def wipe(self) -> None:
        """Remove its directories."""
        shutil.rmtree(self.home, ignore_errors=True)

    def cdr(self) -> list[CdrRow]:
        """Return the call detail records written up to now; a call's last ones come a moment after its end."""
        return parse_cdr(self.cdr_text())

    def cel(self) -> list[CelRow]:
        """Return the channel events written up to now."""
        return parse_cel(self.cel_text())

    def queue_log(self) -> list[QueueLogRow]:
        """Return the queue log written up to now."""
        return parse_queue_log(self.queue_log_text())

    def cdr_text(self) -> str:
        """Return the file of call detail records as it is."""
        return self._log("cdr-custom/callcenter.csv")

    def cel_text(self) -> str:
        """Return the file of channel events as it is."""
        return self._log("cel-custom/callcenter.csv")

    def queue_log_text(self) -> str:
        """Return the queue log as it is."""
        return self._log("queue_log")

    def messages(self) -> str:
        """Return Asterisk's own log, for the report of a test that failed."""
        return self._log("messages.log")

    def _log(self, name: str) -> str:
        path = self.home / "log" / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _write_configuration(self) -> None:
        for name in ("etc/manager.d", "lib/keys", "spool", "run", "log/cdr-custom", "log/cel-custom"):
            (self.home / name).mkdir(parents=True)
        asterisk_conf.write(self.home / "etc", values=self.values)
        (self.home / "etc/manager.d/observer.conf").write_text(
            f"[{_OBSERVER}]\nsecret = {self.values.ami_secret}\nread = {_OBSERVED}\nwrite = all\nwritetimeout = 5000\n"
        )

    async def _start(self) -> None:
        output = (self.home / "log/console").open("wb")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                "chroot", self.chroot, "asterisk", "-f", "-C", self._config, stdout=output, stderr=STDOUT
            )
        async with asyncio.timeout(_READY_S):
            while not await self._listens():
                if self._process.returncode is not None:
                    raise RuntimeError(f"Asterisk exited with {self._process.returncode}:\n{self._log('console')}")
                await asyncio.sleep(0.05)
            async with self.observer() as link:
                await link.event("FullyBooted", deadline_s=_READY_S)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.values.ami_port)
        except OSError:
            return False
        writer.close()
        return True


def _directory(chroot: Path) -> Path:
    directory = chroot / "srv" / "callcenter-tests"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise Unavailable(f"a real Asterisk needs root, and this is user {os.getuid()}") from error
    return directory
