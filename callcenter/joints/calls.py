"""The call log, as the web needs it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from callcenter.calllog import annotations, queries
from callcenter.calllog.record import stamp
from callcenter.callrecord import CallRecord
from callcenter.db.engine import Database
from callcenter.db.unit import NativeUnit
from callcenter.errors import BadInput
from callcenter.web import services as web


class WebCallLog:
    """`callcenter.web.services.CallLog` on the call log's queries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant_id: int, wanted: web.CallFilter, *, after: web.Position | None, limit: int
    ) -> web.Page[CallRecord]:
        """Calls, the newest first."""
        chosen = queries.CallFilter(
            customer=wanted.customer,
            agent=wanted.agent,
            number=wanted.number,
            status=wanted.status,
            direction=wanted.direction,
            since=wanted.since,
            until=wanted.until,
        )
        async with self._database.native(tenant_id) as unit:
            page = await queries.list_calls(unit, chosen, limit=limit, after=_position(after))
        end = page.after
        return web.Page(
            items=page.items,
            after=web.Position(key=stamp(end.started_at), id=end.call_id) if end is not None else None,
        )

    async def get(self, tenant_id: int, call_id: UUID) -> CallRecord:
        """One call, raises `NotFound`."""
        async with self._database.native(tenant_id) as unit:
            return await queries.get_call(unit, call_id)

    async def set_note(self, tenant_id: int, call_id: UUID, text: str, by: str) -> CallRecord:
        """Replace the note."""
        return await self._change(tenant_id, lambda unit: annotations.set_note(unit, call_id, text, actor=by))

    async def set_customer(
        self, tenant_id: int, call_id: UUID, customer_id: UUID | None, by: str
    ) -> CallRecord:
        """Say who it was."""
        return await self._change(
            tenant_id, lambda unit: annotations.set_customer(unit, call_id, customer_id, actor=by)
        )

    async def set_outcome(self, tenant_id: int, call_id: UUID, outcome: str | None, by: str) -> CallRecord:
        """Say what it came to."""
        return await self._change(tenant_id, lambda unit: annotations.set_outcome(unit, call_id, outcome, actor=by))

    async def _change(
        self, tenant_id: int, change: Callable[[NativeUnit], Awaitable[CallRecord]]
    ) -> CallRecord:
        async with self._database.native(tenant_id) as unit:
            return await change(unit)


def _position(after: web.Position | None) -> queries.Position | None:
    if after is None:
        return None
    try:
        return queries.Position(datetime.fromisoformat(after.key), after.id)
    except ValueError:
        raise BadInput("the cursor is none that a page before gave: ask for the first page again") from None
