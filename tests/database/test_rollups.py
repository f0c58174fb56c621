"""Roll-ups are what the calls say, whatever happened to the calls and in whichever order."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from callcenter.calllog.annotations import set_outcome
from callcenter.calllog.retention import delete
from callcenter.calllog.store import store, store_merge
from callcenter.db.engine import Database
from callcenter.live.day import Day
from callcenter.metrics import durations
from callcenter.metrics.distribution import BUCKETS, bucket_of
from callcenter.metrics.service_level import REFUSED
from callcenter.model import Call, Direction, Offer, OfferResult, QueueExit
from callcenter.reports.rolling import catch_up, roll
from callcenter.reports.summing import COLUMNS, sums
from tests.fixtures.calls import NOON, call_id, in_progress, queue_call

EARLY, LATE = NOON - timedelta(days=1), NOON + timedelta(days=1)
KINDS = ("answered", "abandoned", "refused", "outbound", "missed", "open")


def made(n: int, kind: str, minutes: int) -> Call:
    """Call `n` of some kind, begun so many minutes after noon."""
    call = queue_call(n, started_at=NOON + timedelta(minutes=minutes))
    move = call.started_at - (NOON + timedelta(minutes=n))
    visit = call.queue_visits[0]
    visit = replace(visit, joined_at=visit.joined_at + move, left_at=visit.left_at and visit.left_at + move)
    call = replace(call, queue_visits=(visit,), linkedids=(f"{n}.{minutes}",))
    match kind:
        case "open":
            return replace(in_progress(n), started_at=call.started_at)
        case "abandoned" | "missed":
            rang = Offer(
                interface="PJSIP/1001", agent="li", rang_at=call.started_at, ended_at=call.started_at,
                result=OfferResult.NO_ANSWER if kind == "missed" else OfferResult.CALLER_GAVE_UP,
            )  # fmt: skip
            left = replace(visit, exit=QueueExit.ABANDONED if kind == "abandoned" else QueueExit.TIMEOUT)
            return replace(call, queue_visits=(left,), offers=(rang,), connections=(), holds=(), did=None)
        case "refused":
            return replace(call, queue_visits=(replace(visit, exit=QueueExit.FULL),), offers=(), connections=())
        case "outbound":
            ends = {"caller": call.callee, "callee": call.caller}
            return replace(call, direction=Direction.OUTBOUND, queue_visits=(), **ends)
    return call


class Book:
    """What the calls say, counted by the functions of the live numbers."""

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.outcomes: dict[int, str] = {}

    def expected(self) -> dict[str, dict[tuple[Any, ...], list[Any]]]:
        day = Day(EARLY)
        found: dict[str, dict[tuple[Any, ...], list[Any]]] = {name: {} for name in COLUMNS}
        for n, call in self.calls.items():
            if call.ended_at is None:
                continue
            at = call.started_at.replace(minute=call.started_at.minute // 15 * 15, second=0, microsecond=0)
            took = durations.of(call)
            talk = (took.talk or timedelta(0)).total_seconds()
            handle = talk + (took.hold or timedelta(0)).total_seconds()
            talks = [0] * BUCKETS
            if talk > 0:
                talks[bucket_of(took.talk or timedelta(0))] = 1
            key = (at, call.direction, call.status, call.did or "", self.outcomes.get(n, ""))
            _add(found["report_calls"], key, [1, int(talk > 0), talk, handle, talks])
            for visit in call.queue_visits:
                took_s = durations.wait_of(visit, None)
                waits = {exit: [0] * BUCKETS for exit in (QueueExit.ANSWERED, QueueExit.ABANDONED)}
                if visit.exit in waits:
                    waits[visit.exit][bucket_of(took_s)] = 1
                answered = visit.exit is QueueExit.ANSWERED
                refused = visit.exit in REFUSED
                _add(
                    found["report_queues"],
                    (at, call.pbx, visit.queue),
                    [
                        *(int(not refused), int(refused), waits[QueueExit.ANSWERED], waits[QueueExit.ABANDONED]),
                        *(took_s.total_seconds() if answered else 0.0, int(answered), handle if answered else 0.0),
                    ],
                )
            for agent, did in day.share_of(call).agents.items():
                line = [did.answered, did.dialed, did.missed, did.connected.total_seconds()]
                _add(found["report_agents"], (at, agent), line)
        return {name: {key: _rounded(line) for key, line in rows.items()} for name, rows in found.items()}


def _add(rows: dict[tuple[Any, ...], list[Any]], key: tuple[Any, ...], line: list[Any]) -> None:
    old = rows.get(key)
    rows[key] = line if old is None else [_plus(one, other) for one, other in zip(old, line, strict=True)]


def _plus(one: Any, other: Any) -> Any:
    return [a + b for a, b in zip(one, other, strict=True)] if isinstance(one, list) else one + other


def _rounded(line: Sequence[Any]) -> list[Any]:
    return [round(one, 3) if isinstance(one, float) else one for one in line]


async def read(database: Database, tenant_id: int, *, rolled: bool) -> Mapping[str, dict[tuple[Any, ...], list[Any]]]:
    found: dict[str, dict[tuple[Any, ...], list[Any]]] = {}
    keys = {"report_calls": 5, "report_queues": 3, "report_agents": 2}
    async with database.unit(tenant_id) as unit:
        for table, size in keys.items():
            rows = [tuple(row) for row in await unit.fetch(sums(table, rolled=rolled), EARLY, LATE)]
            found[table] = {row[:size]: _rounded(row[size:]) for row in rows}
            assert len(found[table]) == len(rows)
    return found


STEP = st.one_of(
    st.tuples(st.just("store"), st.integers(0, 4), st.sampled_from(KINDS), st.integers(0, 40)),
    st.tuples(st.just("merge"), st.integers(0, 4), st.integers(0, 4)),
    st.tuples(st.just("delete"), st.integers(0, 4)),
    st.tuples(st.just("outcome"), st.integers(0, 4), st.sampled_from(["sold", "later"])),
    st.tuples(st.just("roll")),
)


async def play(database: Database, tenant_id: int, steps: Sequence[tuple[Any, ...]]) -> Book:
    """Do all steps, each in a transaction of its own; those that make no sense are passed over."""
    book = Book()
    merged: dict[int, int] = {}
    for step in steps:
        what, *rest = step
        if what == "roll":
            await roll(database, tenant_id, at_most=1)
            continue
        n = rest[0]
        async with database.unit(tenant_id) as unit:
            if what == "store" and n not in merged:
                call = made(n, rest[1], rest[2])
                await store(unit, [call], {})
                book.calls[n] = call
            elif n in book.calls and what == "delete" and book.calls[n].ended_at is not None:
                await delete(unit, [call_id(n)], ())
                del book.calls[n]
                book.outcomes.pop(n, None)
                _forget(merged, n)
            elif n in book.calls and what == "outcome":
                await set_outcome(unit, call_id(n), rest[1], actor="li")
                book.outcomes[n] = rest[1]
            elif n in book.calls and what == "merge" and rest[1] in book.calls and rest[1] != n:
                await store_merge(unit, call_id(n), call_id(rest[1]))
                del book.calls[n]
                merged[n] = rest[1]
                if n in book.outcomes:
                    book.outcomes.setdefault(rest[1], book.outcomes.pop(n))
    return book


def _forget(merged: dict[int, int], gone: int) -> None:
    """With a call go those that were merged into it."""
    for n in [n for n, survivor in merged.items() if survivor == gone]:
        del merged[n]
        _forget(merged, n)


async def check(database: Database, tenant_id: int, steps: Sequence[tuple[Any, ...]]) -> None:
    async with database.unit(tenant_id) as unit:
        for table in ("calls", "report_marks", *COLUMNS):
            await unit.execute(f"DELETE FROM {table} WHERE tenant_id = $1")
        await unit.execute("DELETE FROM report_marks WHERE tenant_id = $1")
    book = await play(database, tenant_id, steps)
    expected = book.expected()
    assert await read(database, tenant_id, rolled=False) == expected
    assert await read(database, tenant_id, rolled=True) == expected  # while quarters are marked still
    await catch_up(database, tenant_id)
    assert await read(database, tenant_id, rolled=True) == expected
    async with database.unit(tenant_id) as unit:
        assert await unit.fetchval("SELECT count(*) FROM report_marks WHERE tenant_id = $1") == 0


async def test_histories_of_any_kind(database: Database, tenant_id: int) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(st.lists(STEP, max_size=14))
    def run(steps: list[tuple[Any, ...]]) -> None:
        asyncio.run_coroutine_threadsafe(check(database, tenant_id, steps), loop).result(60)

    await asyncio.to_thread(run)


async def test_a_change_while_a_quarter_is_summed_up_is_not_lost(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [made(0, "answered", 0)], {})
    async with database.unit(tenant_id) as writing:
        await store(writing, [made(1, "answered", 1)], {})
        assert await roll(database, tenant_id) == 1  # does not wait for the writer, and does not see its call
        async with database.unit(tenant_id) as unit:
            assert await unit.fetchval("SELECT sum(calls) FROM report_calls WHERE tenant_id = $1") == 1
    assert await roll(database, tenant_id) == 1
    async with database.unit(tenant_id) as unit:
        assert await unit.fetchval("SELECT sum(calls) FROM report_calls WHERE tenant_id = $1") == 2
