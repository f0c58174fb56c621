"""What any SIP caller can do, at the trunk or at a desk: call and hang up, stay, give up, or be refused."""

from typing import NamedTuple

from tests.testbed.script import Side, Step, written
from tests.testbed.sipp import Sipp, SippRun


class Caller(NamedTuple):
    """One who calls from an address, under a name and number of their own."""

    sipp: Sipp
    host: str
    port: int
    user: str
    from_header: str
    privacy: str = "none"
    password: str | None = None

    async def hangs_up(self, dialed: str, *, after_s: float) -> SippRun:
        """Call, wait for the answer, and hang up this long after it."""
        return await self._call("call-then-hang-up", dialed, talk=after_s)

    async def stays(self, dialed: str) -> SippRun:
        """Call, wait for the answer, and stay until the other side hangs up."""
        return await self._call("call-until-hung-up", dialed)

    async def gives_up(self, dialed: str, *, after_s: float) -> SippRun:
        """Call, and cancel this long after Asterisk took the call in hand; it must not be answered before."""
        return await self._call("call-then-cancel", dialed, patience=after_s)

    async def is_refused(self, dialed: str) -> SippRun:
        """Call, and be told that it cannot be: busy, nobody answers, no such number."""
        return await self._call("call-refused", dialed)

    async def transfers(self, dialed: str, target: str, *, after_s: float) -> SippRun:
        """Call, wait for the answer, talk this long, and transfer the other side blindly to the target (REFER)."""
        return await self._call("call-then-transfer", dialed, target, talk=after_s)

    async def plays(self, dialed: str, *steps: Step, replaces: str = "", tone: bool = False) -> SippRun:
        """Call, wait for the answer, and do what the steps say. The call may replace another one (RFC 3891).

        Who speaks sends silence, or a `tone` that can be told from it.
        """
        side = Side(" [from];tag=[pid]c[call_number]", cseq=2)
        return await self._call("call-as-scripted", dialed, steps=written(side, steps), replaces=replaces, tone=tone)

    async def _call(
        self,
        scenario: str,
        dialed: str,
        target: str = "",
        *,
        steps: str = "",
        replaces: str = "",
        tone: bool = False,
        **variables: float,
    ) -> SippRun:
        keys = {"from": self.from_header, "user": self.user, "dialed": dialed, "privacy": self.privacy}
        keys |= {"target_number": target, "speech": self.sipp.speech(tone=tone)}
        return await self.sipp.start(
            scenario,
            host=self.host,
            port=self.port,
            keys=keys,
            variables=variables,
            password=self.password,
            steps=steps,
            replaces=replaces,
        )
