"""What any SIP callee can do with its next call, at a desk or out in the world: answer, let it ring, say no."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.testbed.script import Side, Step, written
from tests.testbed.sipp import Sipp, SippRun

BUSY = "486 Busy Here"
DECLINED = "603 Decline"
UNAVAILABLE = "503 Service Unavailable"
NO_SUCH_NUMBER = "404 Not Found"


class Callee(NamedTuple):
    """One who can be called at an address. Each method returns when the next call can come; the run ends with that
    call.
    """

    sipp: Sipp
    host: str
    port: int

    async def answers(self, *, after_s: float = 0.5) -> SippRun:
        """Ring this long, answer, and stay until the other side hangs up."""
        return await self._take("answer-until-hung-up", ring=after_s)

    async def answers_and_hangs_up(self, *, after_s: float = 0.5, talk_s: float = 1) -> SippRun:
        """Ring, answer, talk this long, and hang up."""
        return await self._take("answer-then-hang-up", ring=after_s, talk=talk_s)

    async def answers_speaks_and_hangs_up(
        self, *, after_s: float = 0.5, talk_s: float = 1, tone: bool = False
    ) -> SippRun:
        """Ring, answer, send sound (silence, or a `tone` that can be told from it) while talking this long, hang up.

        The other phones are silent: they send no RTP at all. Asterisk takes Local channels out of a call only once
        sound flows.
        """
        return await self._take(
            "answer-speak-then-hang-up", keys={"speech": self.sipp.speech(tone=tone)}, ring=after_s, talk=talk_s
        )

    async def answers_holds_and_hangs_up(
        self, *, after_s: float = 0.5, talk_s: float = 1, hold_s: float = 1
    ) -> SippRun:
        """Ring, answer, talk, hold, resume, talk as long again, and hang up."""
        return await self._take("answer-hold-resume", ring=after_s, talk=talk_s, hold=hold_s)

    async def rings(self) -> SippRun:
        """Ring until the call is taken away again."""
        return await self._take("ring-until-canceled")

    async def refuses(self, status: str = BUSY, *, after_s: float | None = None) -> SippRun:
        """Say no with this SIP status, at once or after ringing this long."""
        if after_s is None:
            return await self._take("refuse-at-once", status=status)
        return await self._take("refuse", status=status, ring=after_s)

    async def answers_and_transfers(self, target: str, *, after_s: float = 0.5, talk_s: float = 1) -> SippRun:
        """Ring, answer, talk, and transfer the caller blindly to this number (REFER)."""
        return await self._take("answer-then-transfer", keys={"target_number": target}, ring=after_s, talk=talk_s)

    async def answers_and_holds(self, *, after_s: float = 0.5, talk_s: float = 1) -> SippRun:
        """Ring, answer, talk and hold the caller, to be joined with another call by :meth:`joins`."""
        return await self._take("answer-hold-then-join", ring=after_s, talk=talk_s)

    async def joins(self, held: SippRun, consultation: SippRun, target: str) -> None:
        """Complete an attended transfer: join the held caller with the call that this phone made to the target."""
        await self.sipp.tell(held, target, joins=consultation)

    async def plays(self, *steps: Step, after_s: float = 0.5) -> SippRun:
        """Ring this long, answer, and do what the steps say."""
        side = Side("[$local];tag=[pid]a[call_number]", cseq=0)
        keys = {"speech": self.sipp.speech()}
        return await self._take("answer-as-scripted", keys=keys, steps=written(side, steps), ring=after_s)

    async def forwards(self, target: str) -> SippRun:
        """Send the caller to this number at once (302)."""
        return await self._take("forward", keys={"target_number": target})

    async def _take(
        self,
        scenario: str,
        *,
        status: str = "",
        steps: str = "",
        keys: Mapping[str, str] | None = None,
        **variables: float,
    ) -> SippRun:
        return await self.sipp.start(
            scenario,
            host=self.host,
            port=self.port,
            keys=keys,
            variables=variables,
            status=status,
            steps=steps,
            listens=True,
        )
