"""Desk phones: they register, they can be called, and they dial."""

from tests.testbed.callees import Callee
from tests.testbed.callers import Caller
from tests.testbed.ports import LOOPBACK, free_udp_port
from tests.testbed.sipp import Sipp


class Phone:
    """The phone of an extension. :attr:`called` is what it does with its next call, :attr:`dials` how it places one."""

    def __init__(self, sipp: Sipp, extension: str, secret: str) -> None:
        self.extension = extension
        self._sipp, self._secret = sipp, secret
        self._port = free_udp_port()
        self.called = Callee(sipp, LOOPBACK, self._port)

    @property
    def dials(self) -> Caller:
        """The phone as a caller. It dials from a port of its own, as a second line would, so that it can be called
        too.
        """
        return Caller(
            sipp=self._sipp,
            host=LOOPBACK,
            port=free_udp_port(),
            user=self.extension,
            from_header=f"<sip:{self.extension}@{LOOPBACK}>",
            password=self._secret,
        )

    async def second_line(self) -> Callee:
        """Register anew at another port, where the next call comes while the call before still goes on."""
        self._port = free_udp_port()
        self.called = Callee(self._sipp, LOOPBACK, self._port)
        await self.register()
        return self.called

    async def register(self) -> None:
        """Register for an hour at the port where :attr:`called` will answer."""
        run = await self._sipp.start(
            "register",
            host=LOOPBACK,
            port=self._port,
            keys={"user": self.extension},
            password=self._secret,
        )
        await run.finished(deadline_s=10)
