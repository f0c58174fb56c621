"""Everything at once: Asterisk, its phones and its trunk."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.testbed.asterisk import Asterisk
from tests.testbed.phones import Phone
from tests.testbed.sipp import Sipp, SippFailed, SippRun
from tests.testbed.trunk import Trunk


class Pbx:
    """A PBX in service. Use it as an async context manager; ``values`` are those of :class:`Asterisk`."""

    def __init__(self, chroot: Path, **values: Any) -> None:
        self.asterisk = Asterisk(chroot, **values)
        self._phones: dict[str, Phone] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.asterisk)
        values = self.asterisk.values
        self._sipp = Sipp(self.asterisk.chroot, self.asterisk.home, (values.sip_host, values.sip_port))
        self._stack.push_async_callback(self._sipp.stop)
        self.trunk = Trunk(self._sipp, values.trunk_host, values.trunk_port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def phone(self, extension: str) -> Phone:
        """Return the phone of an extension, registered; the same one each time."""
        if extension not in self._phones:
            phone = Phone(self._sipp, extension, self.asterisk.values.phone_secrets[extension])
            await phone.register()
            self._phones[extension] = phone
        return self._phones[extension]

    async def registers(self, extension: str, password: str) -> bool:
        """Say whether Asterisk takes a password for an extension."""
        try:
            await Phone(self._sipp, extension, password).register()
        except SippFailed:
            return False
        return True

    async def phones(self, *extensions: str) -> list[Phone]:
        """Return the phones of these extensions, registered."""
        return [await self.phone(extension) for extension in extensions]

    async def tell(self, run: SippRun, target: str = "", *, joins: SippRun | None = None) -> None:
        """Tell a call that plays a script to go on; see :meth:`Sipp.tell`."""
        await self._sipp.tell(run, target, joins=joins)

    def branch(self) -> "Pbx":
        """Return a second PBX, to be started: it is what the trunk of this one leads to, and the other way round."""
        values = self.asterisk.values
        return Pbx(
            self.asterisk.chroot,
            sip_host=values.trunk_host,
            sip_port=values.trunk_port,
            trunk_host=values.sip_host,
            trunk_port=values.sip_port,
            # Its phones and its trunk share an address.
            identifier_order="username,ip,anonymous",
        )

    @staticmethod
    async def finished(*runs: SippRun, deadline_s: float = 20) -> None:
        """Wait until all these calls have ended as their scenarios say; :class:`SippFailed` if one has not."""
        async with asyncio.TaskGroup() as group:
            for number, run in enumerate(runs):
                group.create_task(run.finished(deadline_s=deadline_s), name=f"call {number}: {run.name}")
