"""The provider's side of the trunk: who calls in from outside, and who is called there."""

from tests.testbed.callees import Callee
from tests.testbed.callers import Caller
from tests.testbed.ports import free_udp_port
from tests.testbed.sipp import Sipp


class Trunk:
    """The outside world. :attr:`called` is what it does with the next outbound call, :meth:`caller` is someone
    calling in.
    """

    def __init__(self, sipp: Sipp, host: str, port: int) -> None:
        self._sipp, self._host = sipp, host
        self.called = Callee(sipp, host, port)

    def caller(self, number: str = "+447700900123", name: str = "") -> Caller:
        """Return a caller with this number, as the provider writes it, and this display name (any Unicode)."""
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{escaped}" ' if name else ""
        return Caller(self._sipp, self._host, free_udp_port(self._host), number, f"{shown}<sip:{number}@{self._host}>")

    def anonymous_caller(self) -> Caller:
        """Return a caller who withholds the number, in the way RFC 3323 says."""
        return Caller(
            self._sipp,
            self._host,
            free_udp_port(self._host),
            "anonymous",
            '"Anonymous" <sip:anonymous@anonymous.invalid>',
            "id",
        )
