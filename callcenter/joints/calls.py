"""The call log, as the web needs it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from callcenter.calllog import annotations, feed, queries
from callcenter.calllog.bell import Bell
from callcenter.calllog.export import Exports, Layout
from callcenter.callrecord import CallRecord
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.web import services as web


class WebCallLog:
    """`callcenter.web.services.CallLog` on the call log's queries."""

    def __init__(self, database: Database, bell: Bell, check_outcome: Callable[[str], None]) -> None:
        self._database = database
        self._check_outcome = check_outcome
        self._bell = bell
        self._exports = Exports(database)

    async def page(
        self, tenant_id: int, wanted: web.CallFilter, *, cursor: str | None, limit: int
    ) -> web.Page[CallRecord]:
        """Calls, the newest first."""
        chosen = _filter(wanted)
        async with self._database.unit(tenant_id) as unit:
            page = await queries.list_calls(unit, chosen, limit=limit, cursor=cursor)
        return web.Page(items=page.items, next_cursor=page.next_cursor)

    async def changes(self, tenant_id: int, after: str | None, *, limit: int, wait: timedelta) -> feed.FeedPage:
        """What changed after a cursor, as soon as something did, at the latest after `wait`."""
        clock = asyncio.get_running_loop().time
        over = clock() + wait.total_seconds()
        while True:
            rung = self._bell.ready(tenant_id)
            async with self._database.unit(tenant_id) as unit:
                page = await feed.read_changes(unit, after, limit=limit)
            left = timedelta(seconds=over - clock())
            if page.items or left <= timedelta(0) or self._bell.closed:
                return page
            after = page.cursor
            await self._bell.wait(rung, left)

    async def export(
        self,
        tenant_id: int,
        wanted: web.CallFilter,
        layout: str,
        write: Callable[[bytes], Awaitable[None]],
        *,
        by: str,
        bom: bool,
    ) -> int:
        """Write calls to a file or a network."""
        chosen = _filter(wanted)
        return await self._exports.run(tenant_id, chosen, Layout(layout), write, by=by, byte_order_mark=bom)

    async def get(self, tenant_id: int, call_id: UUID) -> CallRecord:
        """One call, raises `NotFound`."""
        async with self._database.unit(tenant_id) as unit:
            return await queries.get_call(unit, call_id)

    async def set_note(self, tenant_id: int, call_id: UUID, text: str, by: str) -> CallRecord:
        """Replace the note."""
        return await self._change(tenant_id, lambda unit: annotations.set_note(unit, call_id, text, actor=by))

    async def set_customer(self, tenant_id: int, call_id: UUID, customer_id: UUID | None, by: str) -> CallRecord:
        """Say who it was."""
        return await self._change(
            tenant_id, lambda unit: annotations.set_customer(unit, call_id, customer_id, actor=by)
        )

    async def set_outcome(self, tenant_id: int, call_id: UUID, outcome: str | None, by: str) -> CallRecord:
        """Say what it came to; raises `BadInput` for an outcome that is not in use."""
        if outcome is not None:
            self._check_outcome(outcome)
        return await self._change(tenant_id, lambda unit: annotations.set_outcome(unit, call_id, outcome, actor=by))

    async def _change(self, tenant_id: int, change: Callable[[Unit], Awaitable[CallRecord]]) -> CallRecord:
        async with self._database.unit(tenant_id) as unit:
            return await change(unit)


def _filter(wanted: web.CallFilter) -> queries.CallFilter:
    return queries.CallFilter(
        customer=wanted.customer,
        agent=wanted.agent,
        number=wanted.number,
        status=wanted.status,
        direction=wanted.direction,
        queue=wanted.queue,
        exit=wanted.exit,
        did=wanted.did,
        outcome=wanted.outcome,
        campaign=wanted.campaign,
        text=wanted.text,
        within=wanted.within,
        since=wanted.since,
        until=wanted.until,
    )
