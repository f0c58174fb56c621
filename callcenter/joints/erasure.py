"""Erases a customer everywhere: customers, calls, outbox, caches. Who asks twice gets the same answer.

Calls are blanked in transactions of their own, a batch each, and the customer goes last, so that an erasure that was
interrupted is found again and goes on. The audit trail says who asked and how many calls it were, and not of whom.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from callcenter.calllog import erasure as calls
from callcenter.calllog.erasure import Follower
from callcenter.calllog.yielding import give_way
from callcenter.customers import erasure as customers
from callcenter.db import audit
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.desk import callbacks
from callcenter.errors import NotFound

Progress = Callable[[int], None]
"""Told how many calls are blanked by now."""


class Erased(msgspec.Struct, frozen=True):
    """Calls that were blanked, and files in which they were recorded, which the PBX has until somebody deletes them."""

    customer_id: UUID
    calls: int
    recordings: tuple[str, ...]


class Erasing:
    """Erases customers of all tenants."""

    def __init__(
        self,
        database: Database,
        followers: Sequence[Follower],
        settle: Callable[[], Awaitable[None]] | None = None,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """`settle` lets what is known of calls be written before, `forget` empties caches after it."""
        self._database = database
        self._followers = followers
        self._settle = settle
        self._forget = forget
        self._noticed: datetime | None = None

    async def erase(
        self, tenant_id: int, customer_id: UUID, *, actor: str, progress: Progress = lambda calls: None
    ) -> Erased:
        """Erase a customer; for one who is erased already it changes nothing.

        Raises:
            NotFound: there is no such customer, and there was none who was erased.
        """
        if self._settle is not None:
            await self._settle()
        async with self._database.unit(tenant_id) as unit:
            known = await customers.lock(unit, customer_id)
            if known is None:
                before = await calls.find(unit, customer_id)
                if before is None:
                    raise NotFound(f"there is no customer {customer_id}")
                return Erased(customer_id, before.calls, ())
            begun = await calls.begin(unit, customer_id, {*known.e164, *known.written})
            await audit.note(
                unit, actor=actor, action="customer.erase", subject_type="customer", subject_id=str(customer_id)
            )
        recordings: list[str] = []
        total = begun.calls
        while True:
            blanked = await give_way(
                self._database,
                tenant_id,
                lambda unit: calls.blank_some(unit, customer_id, begun.token, known.e164, self._followers),
            )
            if not blanked.call_ids:
                break
            recordings += blanked.recordings
            total += len(blanked.call_ids)
            progress(total)
        done, late = await give_way(
            self._database, tenant_id, lambda unit: self._end(unit, customer_id, begun.token, actor)
        )
        self._forget()
        return Erased(customer_id, done.calls, (*recordings, *late))

    async def notice(self, tenant_id: int) -> None:
        """Empty caches where another process erased somebody since the last time; to be called now and then."""
        async with self._database.unit(tenant_id) as unit:
            latest = await calls.latest(unit)
        if latest != self._noticed:
            self._noticed = latest
            self._forget()

    async def _end(self, unit: Unit, customer_id: UUID, token: str, actor: str) -> tuple[calls.Begun, list[str]]:
        """Delete the customer, and blank what was linked to them until this moment; with the recordings of that."""
        recordings: list[str] = []
        known = await customers.lock(unit, customer_id)
        numbers = known.e164 if known is not None else ()
        while (blanked := await calls.blank_some(unit, customer_id, token, numbers, self._followers)).call_ids:
            recordings += blanked.recordings
        await callbacks.forget(unit, numbers)
        await customers.delete(unit, customer_id)
        done = await calls.finish(unit, customer_id)
        await audit.note(
            unit,
            actor=actor,
            action="customer.erased",
            subject_type="customer",
            subject_id=str(customer_id),
            detail={"calls": done.calls},
        )
        return done, recordings
