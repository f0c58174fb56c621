"""The provider's side of the trunk: who calls in from outside, and who is called there."""

from tests.testbed.asterisk import TRUNK_HOST
from tests.testbed.callees import Callee
from tests.testbed.callers import Caller
from tests.testbed.ports import free_udp_port
from tests.testbed.sipp import Sipp


class Trunk:
    """The outside world. :attr:`called` is what it does with the next outbound call, :meth:`caller` is someone
    calling in.
    """

    def __init__(self, sipp: Sipp, port: int) -> None:
        self._sipp = sipp
        self.called = Callee(sipp, TRUNK_HOST, port)

    def caller(self, number: str = "+447700900123", name: str = "") -> Caller:
        """Return a caller with this number, as the provider writes it, and this display name (any Unicode)."""
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{escaped}" ' if name else ""
        return Caller(self._sipp, TRUNK_HOST, free_udp_port(TRUNK_HOST), number, f"{shown}<sip:{number}@{TRUNK_HOST}>")

    def anonymous_caller(self) -> Caller:
        """Return a caller who withholds the number, in the way RFC 3323 says."""
        return Caller(
            self._sipp,
            TRUNK_HOST,
            free_udp_port(TRUNK_HOST),
            "anonymous",
            '"Anonymous" <sip:anonymous@anonymous.invalid>',
            "id",
        )
