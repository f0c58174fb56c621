"""What other systems take from the call log: the change feed, and files of any size."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from aiohttp import web

from callcenter.accounts.scope import shows
from callcenter.errors import BadInput
from callcenter.web.endpoint import Exchange
from callcenter.web.handlers.calls import read_conditions
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.feed import CallChanges, CallNews, ChangeKind, ChangesQuery, ExportFormat, ExportQuery

MEDIA = {ExportFormat.CSV: "text/csv", ExportFormat.NDJSON: "application/x-ndjson"}

_log = structlog.get_logger("callcenter.web")


async def list_changes(exchange: Exchange[ChangesQuery, Nothing]) -> CallChanges:
    """What changed after a cursor; with `wait` it comes as soon as there is something."""
    query = exchange.query
    page = await exchange.services.calls.changes(
        exchange.principal.tenant_id, query.after, limit=query.limit, wait=timedelta(seconds=query.wait)
    )
    items = tuple(
        CallNews(
            seq=item.seq,
            kind=ChangeKind(item.kind),
            call_id=item.call_id,
            call=item.call,
            merged_into=item.merged_into,
        )
        for item in page.items
        if item.call is None or shows(exchange.principal.queues, item.call)
    )
    return CallChanges(items=items, cursor=page.cursor, more=page.more)


async def export_calls(exchange: Exchange[ExportQuery, Nothing]) -> web.StreamResponse:
    """A file, sent while it is made: the client sees by the end of the stream whether it is whole."""
    query, request = exchange.query, exchange.request
    if query.bom and query.format is not ExportFormat.CSV:
        raise BadInput("bom: only a CSV begins with a byte order mark; leave it out for ndjson")
    wanted = read_conditions(exchange.services, query, exchange.principal)
    response = web.StreamResponse()
    response.content_type, response.charset = MEDIA[query.format], "utf-8"
    name = f"calls-{datetime.now(UTC):%Y%m%d-%H%M%S}.{query.format}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'

    async def send(piece: bytes) -> None:
        if not response.prepared:
            await response.prepare(request)
        await response.write(piece)

    if request.method == "HEAD":
        return response
    try:
        rows = await exchange.services.calls.export(
            exchange.principal.tenant_id, wanted, query.format, send, by=exchange.principal.actor, bom=query.bom
        )
    except (Exception, asyncio.CancelledError) as problem:
        if not response.prepared:
            raise
        # An error can no longer be told in the answer. Cut off in the middle of a chunk, it is seen to be incomplete.
        _log.warning("export_ended_early", reason=type(problem).__name__)
        if request.transport is not None:
            request.transport.abort()
        if isinstance(problem, asyncio.CancelledError):
            raise
        return response
    if not response.prepared:
        await response.prepare(request)
    await response.write_eof()
    _log.info("export_done", rows=rows)
    return response
