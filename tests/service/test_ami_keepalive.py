"""The keep-alive on a clock that ticks in steps, as uvloop's does: an answer within one step is an answer."""

import asyncio

from tests.service.ami_peer import Peer, serving
from tests.service.test_ami_client import Desk, running

STEP_S = 0.05
"""uvloop's step is a millisecond, in which a PBX on this machine answers; a longer one makes the test certain."""


class SteppingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still between two steps."""

    def time(self) -> float:
        return super().time() // STEP_S * STEP_S


async def _listen_to_a_quiet_pbx() -> list[str]:
    async with serving(Peer()) as peer, running(Desk(peer.port, keepalive_s=2 * STEP_S)) as desk:
        await desk.client.connected()
        async with asyncio.timeout(10):
            while peer.names().count("Ping") < 5:
                peer.progress.clear()
                await peer.progress.wait()
        return desk.reasons()


def test_an_answer_within_the_tick_of_the_question_is_no_silence() -> None:
    with asyncio.Runner(loop_factory=SteppingLoop) as runner:
        assert runner.run(_listen_to_a_quiet_pbx()) == []
