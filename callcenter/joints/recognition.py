"""Finds out whose call it is, once per call and as early as can be: before the first phone rings.

The screen-pop then gets the answer that is there already, and the call log the customer, where it is one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Final
from uuid import UUID

from callcenter.changes import CallChange, CallStarted
from callcenter.customers.index import CustomerIndex
from callcenter.joints.numbers import Numbers
from callcenter.matching.rank import Match, MatchStatus
from callcenter.model import Call, Direction, Party, PartyKind
from callcenter.tracking import ids

FRESH_S: Final = 10.0
"""How long an answer may be used again: as long as a call needs from its start to the last phone's ringing."""
MOST: Final = 4096
"""Answers that are kept; the oldest go first."""

Key = tuple[int, str, str, str | None]
Link = Callable[[Call, UUID, str], None]
"""Told of a call, as it is by then, and the one customer that it is with, by id and name."""


class Recognition:
    """Looks numbers up for calls that begin, and for who asks a moment later. `run` must be a task."""

    def __init__(self, index: CustomerIndex, numbers: Numbers, tenant_id: int, link: Link) -> None:
        self._index = index
        self._numbers = numbers
        self._tenant_id = tenant_id
        self._link = link
        self._answers: OrderedDict[Key, tuple[float, asyncio.Task[Match]]] = OrderedDict()
        self._asked: dict[UUID, Call] = {}
        """Calls whose look-up is under way, as they are now: short ones end before it does."""
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Look up until canceled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def publish(self, change: CallChange) -> None:
        """Begin the look-up of a call that begins; never waits."""
        call = change.call
        if call.call_id in self._asked:
            self._asked[call.call_id] = call
        group = self._group
        if group is None or not isinstance(change, CallStarted):
            return
        party = outside(call)
        if party is not None and party.number is not None:
            self._asked[call.call_id] = call
            task = self._ask(group, (self._tenant_id, party.number, call.pbx, trunk(party)))
            # No task of its own for this: each costs a third of what a look-up does.
            task.add_done_callback(partial(self._note, call.call_id))

    async def match(self, tenant_id: int, number: str, pbx: str, trunk: str | None) -> Match:
        """Whose number it is: a fresh answer that is there or on its way, or a new one."""
        key = (tenant_id, number, pbx, trunk)
        group = self._group
        if group is None:
            return await self._look_up(key)
        return await asyncio.shield(self._ask(group, key))

    def forget(self) -> None:
        """Forget all answers, the index's too: a customer was erased."""
        self._answers.clear()
        self._index.forget()

    def _ask(self, group: asyncio.TaskGroup, key: Key) -> "asyncio.Task[Match]":
        now = monotonic()
        while self._answers and (len(self._answers) > MOST or now - self._oldest() > FRESH_S):
            self._answers.popitem(last=False)
        known = self._answers.get(key)
        if known is not None:
            return known[1]
        task = group.create_task(self._look_up(key), name="look up a caller")
        self._answers[key] = (now, task)
        return task

    def _oldest(self) -> float:
        return next(iter(self._answers.values()))[0]

    async def _look_up(self, key: Key) -> Match:
        tenant_id, number, pbx, trunk = key
        found = await self._index.match(tenant_id, self._numbers.reader(pbx).read(number, trunk))
        if found.status is MatchStatus.INCOMPLETE:
            self._answers.pop(key, None)
        return found

    def _note(self, call_id: UUID, task: "asyncio.Task[Match]") -> None:
        call = self._asked.pop(call_id, None)
        if call is None or task.cancelled() or task.exception() is not None:
            return  # the group says what went wrong
        found = task.result()
        if len(found.candidates) == 1 and not found.more:
            one = found.candidates[0]
            self._link(call, one.customer_id, one.name)


def outside(call: Call) -> Party | None:
    """The party of a call that may be a customer."""
    party = call.callee if call.direction is Direction.OUTBOUND else call.caller
    return party if party.kind is PartyKind.EXTERNAL else None


def trunk(party: Party) -> str | None:
    return ids.resource(ids.interface(party.channel)) if party.channel else None
