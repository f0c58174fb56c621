"""Does what an agent asks for, and tells them how it went."""

import asyncio

import structlog

from callcenter.errors import CallCenterError
from screenpop.audience import Delivery
from screenpop.client import Client
from screenpop.contracts import Dialer, Identity
from screenpop.floor import Floor
from screenpop.messages import Dial, Hangup, Notice

MAX_AT_ONCE = 4
"""Verbs of one page in progress."""

_log = structlog.get_logger("screenpop")


class Verbs:
    """Runs verbs as tasks of a group; each ends with one notice that carries the verb's id."""

    def __init__(self, dialer: Dialer, deadline_s: float) -> None:
        self._dialer = dialer
        self._deadline_s = deadline_s

    def start(
        self,
        group: asyncio.TaskGroup | None,
        floor: Floor,
        client: Client,
        who: Identity,
        verb: Dial | Hangup,
    ) -> None:
        """Begin a verb, or refuse it where the agent has too many in progress."""
        if group is None or client.verbs >= MAX_AT_ONCE:
            _tell(floor, who, verb, "wait until what you asked for before is done")
            return
        client.verbs += 1
        group.create_task(self._run(floor, client, who, verb), name=f"screenpop verb of {who.agent}")

    async def _run(self, floor: Floor, client: Client, who: Identity, verb: Dial | Hangup) -> None:
        try:
            async with asyncio.timeout(self._deadline_s):
                if isinstance(verb, Dial):
                    await self._dialer.dial(who, verb.number)
                else:
                    await self._dialer.hangup(who, verb.call_id)
        except TimeoutError:
            _tell(floor, who, verb, "the PBX did not answer in time")
        except CallCenterError as problem:
            _tell(floor, who, verb, str(problem))
        except Exception as problem:
            # The type only: the text may hold the number.
            _log.error("verb_failed", agent=who.agent, reason=type(problem).__name__)
            _tell(floor, who, verb, "something went wrong on the server")
        else:
            _tell(floor, who, verb, None)
        finally:
            client.verbs -= 1


def _tell(floor: Floor, who: Identity, verb: Dial | Hangup, failure: str | None) -> None:
    notice = Notice(
        level="info" if failure is None else "error",
        code="done" if failure is None else "failed",
        text=failure or "",
        id=verb.id,
    )
    floor.send(Delivery(who.agent, notice))
