"""Does what an agent asks for, and tells them how it went."""

import asyncio

import structlog

from callcenter.accounts.roles import may_say
from callcenter.errors import CallCenterError, Forbidden
from screenpop.audience import Delivery
from screenpop.client import Client
from screenpop.contracts import Dialer, Duty, Identity
from screenpop.floor import Floor
from screenpop.messages import (
    Dial,
    Extend,
    Fetch,
    Hangup,
    LogIntoQueues,
    Notice,
    Park,
    Pause,
    Ready,
    Transfer,
    TransferCancel,
    Verb,
)

MAX_AT_ONCE = 4
"""Verbs of one page in progress."""

_log = structlog.get_logger("screenpop")


class Verbs:
    """Runs verbs as tasks of a group; each ends with one notice that carries the verb's id."""

    def __init__(self, dialer: Dialer, duty: Duty, deadline_s: float) -> None:
        self._dialer = dialer
        self._duty = duty
        self._deadline_s = deadline_s

    def start(
        self,
        group: asyncio.TaskGroup | None,
        floor: Floor,
        client: Client,
        who: Identity,
        verb: Verb,
    ) -> None:
        """Begin a verb, or refuse it where the agent has too many in progress."""
        if group is None or client.verbs >= MAX_AT_ONCE:
            _tell(floor, who, verb, "wait until what you asked for before is done")
            return
        client.verbs += 1
        group.create_task(self._run(floor, client, who, verb), name=f"screenpop verb of {who.agent}")

    async def _run(self, floor: Floor, client: Client, who: Identity, verb: Verb) -> None:
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._do(who, verb)
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

    async def _do(self, who: Identity, verb: Verb) -> None:
        name = str(verb.__struct_config__.tag)
        if not may_say(who.role, name):
            raise Forbidden(f"this is not allowed for the role {who.role}")
        match verb:
            case Dial(number=number):
                await self._dialer.dial(who, number)
            case Hangup(call_id=call_id):
                await self._dialer.hangup(who, call_id)
            case Transfer(call_id=call_id, number=number, kind=kind):
                await self._dialer.transfer(who, call_id, number, attended=kind == "attended")
            case TransferCancel(call_id=call_id):
                await self._dialer.cancel_transfer(who, call_id)
            case Park(call_id=call_id):
                await self._dialer.park(who, call_id)
            case Fetch(call_id=call_id):
                await self._dialer.fetch(who, call_id)
            case Pause(reason=reason):
                await self._duty.pause(who, reason)
            case Ready():
                await self._duty.ready(who)
            case Extend(seconds=seconds):
                await self._duty.extend(who, seconds)
            case LogIntoQueues(logged_in=logged_in):
                await self._duty.log_into_queues(who, logged_in)


def _tell(floor: Floor, who: Identity, verb: Verb, failure: str | None) -> None:
    notice = Notice(
        level="info" if failure is None else "error",
        code="done" if failure is None else "failed",
        text=failure or "",
        id=verb.id,
    )
    floor.send(Delivery(who.agent, notice))
