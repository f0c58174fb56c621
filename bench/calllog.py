"""Writing the call log: ours against COPY (the limit) and the ORM's `add_all` (the naive way), batches of 50.

All three write the same answered queue calls (one call, one visit, two offers, one connection, one agent) into the same
tables in one transaction per batch, with the change feed's number. Commits do not wait for the disk, which is
the same for all three and would hide the differences. Budget: at least 0.8 of COPY.
"""

import asyncio
import itertools
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

import callcenter.accounts.tables
import callcenter.customers.tables  # noqa: F401 — the ORM wants every table that a foreign key names
from bench.rows import Row, table
from callcenter.calllog import record
from callcenter.calllog.store import store
from callcenter.calllog.tables import CallAgentRow, CallRow, ConnectionRow, OfferRow, QueueVisitRow
from callcenter.db import migrations
from callcenter.db.embedded import EmbeddedPostgres
from callcenter.db.engine import Database, connect
from callcenter.metrics import durations
from callcenter.model import (
    Call,
    CallStatus,
    Connection,
    Direction,
    HangupBy,
    Offer,
    OfferResult,
    Party,
    PartyKind,
    QueueExit,
    QueueVisit,
)

BATCH = 50
ROWS_PER_CALL = 6
NO_DISK = {"fsync": "off", "synchronous_commit": "off"}
FEED = """
    INSERT INTO call_feeds AS f (tenant_id, last_seq) VALUES ($1, $2)
    ON CONFLICT (tenant_id) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq RETURNING last_seq - $2
"""
_numbers = itertools.count()

Write = Callable[[Database, int, Sequence[Call]], Awaitable[None]]


def answered_call() -> Call:
    """A new call that rang two agents out of a queue and was answered by the first."""
    at = datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(seconds=next(_numbers))
    rang, answered, ended = at + timedelta(seconds=2), at + timedelta(seconds=9), at + timedelta(seconds=69)
    return Call(
        call_id=uuid4(),
        tenant="default",
        pbx="pbx",
        linkedids=("1772452800.1",),
        direction=Direction.INBOUND,
        caller=Party(number="02071838750", e164="+442071838750", name="Ada", channel="PJSIP/trunk-00000001"),
        callee=Party(number="1001", name="Li", channel="PJSIP/1001-00000002", kind=PartyKind.AGENT, agent="li"),
        status=CallStatus.ANSWERED,
        started_at=at,
        did="+442071830000",
        answered_at=answered,
        ended_at=ended,
        queue_visits=(QueueVisit(queue="sales", joined_at=at, left_at=answered, exit=QueueExit.ANSWERED, position=1),),
        offers=tuple(
            Offer(interface=f"PJSIP/{n}", agent=agent, queue="sales", rang_at=rang, ended_at=answered, result=result)
            for n, agent, result in (
                (1001, "li", OfferResult.ANSWERED),
                (1002, "mo", OfferResult.ANSWERED_ELSEWHERE),
            )
        ),
        connections=(Connection(from_=answered, to=ended, agent="li", interface="PJSIP/1001", number="1001"),),
        hangup_by=HangupBy.CALLER,
        hangup_cause=16,
    )


async def by_store(database: Database, tenant_id: int, calls: Sequence[Call]) -> None:
    """Ours."""
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})


async def by_copy(database: Database, tenant_id: int, calls: Sequence[Call]) -> None:
    """Bare COPY of the same rows: no repeating, no corrections."""
    async with database.unit(tenant_id) as unit:
        base = await unit.fetchval(FEED, len(calls))
        for table, rows in _rows(tenant_id, base, calls).items():
            await unit.connection.copy_records_to_table(
                table, columns=list(rows[0]), records=[tuple(row.values()) for row in rows]
            )


async def by_orm(database: Database, tenant_id: int, calls: Sequence[Call]) -> None:
    """SQLModel objects and `add_all`."""
    kinds = {
        "calls": CallRow,
        "queue_visits": QueueVisitRow,
        "offers": OfferRow,
        "connections": ConnectionRow,
        "call_agents": CallAgentRow,
    }
    async with AsyncSession(database.engine) as session, session.begin():
        connection = await (await session.connection()).get_raw_connection()
        assert connection.driver_connection is not None
        base = await connection.driver_connection.fetchval(FEED, tenant_id, len(calls))
        for table, rows in _rows(tenant_id, base, calls).items():
            session.add_all([kinds[table](**row) for row in rows])
            await session.flush()


def _rows(tenant_id: int, base: int, calls: Sequence[Call]) -> dict[str, list[dict[str, object]]]:
    tables = ("calls", "queue_visits", "offers", "connections", "call_agents")
    out: dict[str, list[dict[str, object]]] = {name: [] for name in tables}
    for n, call in enumerate(calls, start=1):
        took = durations.of(call)
        key = {"tenant_id": tenant_id, "call_id": call.call_id}
        out["calls"].append(
            {
                **key,
                "seq": base + n,
                **{name: getattr(call, name) for name in ("pbx", "direction", "status", "did", "hangup_by")},
                **{name: getattr(call, name) for name in ("started_at", "answered_at", "ended_at", "hangup_cause")},
                **{f"{name}_s": record.seconds(getattr(took, name)) for name in durations.Durations.__struct_fields__},
                "caller": msgspec.to_builtins(call.caller),
                "callee": msgspec.to_builtins(call.callee),
                "linkedids": list(call.linkedids),
                "holds": [],
                "transfers": [],
                "recordings": [],
                "digest": b"0123456789abcdef",
            }
        )
        for i, visit in enumerate(call.queue_visits):
            row = {name: getattr(visit, name) for name in ("queue", "joined_at", "left_at", "exit", "position")}
            out["queue_visits"].append({**key, "n": i, **row, "wait_s": record.wait_s(visit, call.ended_at)})
        for i, offer in enumerate(call.offers):
            row = {name: getattr(offer, name) for name in ("agent", "interface", "queue", "rang_at", "ended_at")}
            out["offers"].append(
                {**key, "n": i, **row, "ring_s": record.ring_s(offer, call.ended_at), "result": offer.result}
            )
        for i, talk in enumerate(call.connections):
            row = {name: getattr(talk, name) for name in ("agent", "interface", "number")}
            out["connections"].append({**key, "n": i, **row, "from_at": talk.from_, "to_at": talk.to})
        out["call_agents"].append({**key, "agent": "li", "started_at": call.started_at})
    return out


async def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of each round of each way; the ways take turns, so that a busy machine hits all alike."""
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="callcenter-bench-"))
    ways: dict[str, Write] = {"ours": by_store, "copy": by_copy, "orm": by_orm}
    took: dict[str, list[float]] = {name: [] for name in ways}
    try:
        async with EmbeddedPostgres(directory / "postgresql", NO_DISK) as server:
            database = await connect(server.url(), pool_size=2)
            try:
                await migrations.upgrade(database)
                tenant_id = await database.ensure_tenant("default")
                for turn in range(rounds + 5):
                    for name, write in ways.items():
                        calls = [answered_call() for _ in range(BATCH)]
                        begun = time.perf_counter()
                        await write(database, tenant_id, calls)
                        if turn >= 5:
                            took[name].append(time.perf_counter() - begun)
            finally:
                await database.close()
    finally:
        await asyncio.to_thread(shutil.rmtree, directory)
    return took


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    took = asyncio.run(measure(60 if quick else 200))
    names = {"ours": "ours", "copy": "COPY (limit)", "orm": "ORM, add_all"}
    return [
        Row(
            name=f"{names[way]}, batches of {BATCH} calls",
            value=BATCH * ROWS_PER_CALL / statistics.median(times),
            unit="rows/s",
            ratio=statistics.median(base / one for one, base in zip(times, took["copy"], strict=True)),
            ratio_to="COPY",
            budget="≥ 0.8" if way == "ours" else "",
        )
        for way, times in took.items()
    ]


if __name__ == "__main__":
    print(table("Writing the call log", run(True)))
