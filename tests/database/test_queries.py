"""Pages of calls and what people add to them."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from callcenter.calllog.annotations import set_customer, set_note, set_outcome
from callcenter.calllog.queries import CallFilter, get_call, list_calls
from callcenter.calllog.store import store, store_merge
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.errors import BadInput, NotFound
from callcenter.model import CallStatus, Direction, Offer, OfferResult, Party, PartyKind, QueueExit, QueueVisit
from tests.fixtures.calls import NOON, call_id, in_progress, queue_call

CUSTOMER = UUID("0198c000-0000-7000-8000-000000000001")


@pytest.fixture
async def unit(database: Database, tenant_id: int) -> AsyncIterator[Unit]:
    await database.pool.execute(
        "INSERT INTO customers (tenant_id, customer_id, name) VALUES ($1, $2, 'Ada')", tenant_id, CUSTOMER
    )
    async with database.unit(tenant_id) as unit:
        yield unit


async def listed(unit: Unit, wanted: CallFilter) -> list[UUID]:
    return [item.call_id for item in (await list_calls(unit, wanted)).items]


async def test_pages_give_every_call_once_newest_first(unit: Unit) -> None:
    # three calls each minute, so that the time alone does not order them
    calls = [queue_call(n, started_at=NOON + timedelta(minutes=n // 3)) for n in range(17)]
    await store(unit, calls, {})
    seen: list[UUID] = []
    cursor: str | None = None
    for page_number in range(10):
        page = await list_calls(unit, limit=5, cursor=cursor)
        seen += [item.call_id for item in page.items]
        cursor = page.next_cursor
        if page_number == 0:
            # a call that comes in now does not shift what follows
            await store(unit, [queue_call(100)], {})
        if cursor is None:
            break
    assert seen == [call.call_id for call in sorted(calls, key=lambda c: (c.started_at, c.call_id), reverse=True)]


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "AAAA", "A" * 32 + "A", "Zm9v" * 100])
async def test_a_cursor_that_we_did_not_give_is_refused(unit: Unit, cursor: str) -> None:
    with pytest.raises(BadInput, match="cursor"):
        await list_calls(unit, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 501])
async def test_a_limit_out_of_bounds_is_refused(unit: Unit, limit: int) -> None:
    with pytest.raises(BadInput, match="limit"):
        await list_calls(unit, limit=limit)


async def test_filters_choose(unit: Unit) -> None:
    other = Party(number="1002", kind=PartyKind.AGENT, agent="mo")
    outbound = queue_call(
        1,
        direction=Direction.OUTBOUND,
        status=CallStatus.NO_ANSWER,
        caller=other,
        callee=Party(number="02079460000", e164="+442079460000"),
        queue_visits=(),
        did=None,
        offers=(),
        connections=(),
    )
    missed = queue_call(
        2,
        status=CallStatus.ABANDONED,
        callee=Party(number="600", kind=PartyKind.EXTENSION),
        connections=(),
        queue_visits=(QueueVisit(queue="sales", joined_at=NOON, left_at=NOON, exit=QueueExit.ABANDONED),),
        offers=(Offer(interface="PJSIP/1001", agent="li", rang_at=NOON, result=OfferResult.CALLER_GAVE_UP),),
    )
    await store(unit, [queue_call(0), outbound, missed], {call_id(0): CUSTOMER})

    async def numbers(**wanted: Any) -> list[int]:
        found = await listed(unit, CallFilter(**wanted))
        return [n for n in (2, 1, 0) if call_id(n) in found]

    assert await numbers() == [2, 1, 0]
    assert await numbers(customer=CUSTOMER) == [0]
    assert await numbers(agent="li") == [2, 0]
    # mo rang too on call 0, but li took it: that is no call of mo's
    assert await numbers(agent="mo") == [1]
    assert await numbers(number="+442071838750") == [2, 0]
    assert await numbers(number="+442079460000") == [1]
    assert await numbers(number="1001") == [0]
    assert await numbers(status=CallStatus.ABANDONED) == [2]
    assert await numbers(direction=Direction.OUTBOUND) == [1]
    assert await numbers(queue="sales") == [2, 0]
    assert await numbers(queue="sales", exit=QueueExit.ANSWERED) == [0]
    assert await numbers(exit=QueueExit.ABANDONED) == [2]
    assert await numbers(queue="support", exit=QueueExit.ABANDONED) == []
    assert await numbers(did="+442071830000") == [2, 0]
    assert await numbers(outcome="sold") == []
    assert await numbers(since=NOON + timedelta(minutes=1)) == [2, 1]
    assert await numbers(until=NOON + timedelta(minutes=1)) == [0]
    assert await numbers(agent="li", status=CallStatus.ANSWERED, queue="sales") == [0]


async def test_an_agents_calls_come_in_pages_in_the_order_of_all(unit: Unit) -> None:
    calls = [queue_call(n, started_at=NOON + timedelta(minutes=n // 3)) for n in range(9)]
    others = [queue_call(n, callee=Party(number="1003"), offers=(), connections=()) for n in range(20, 25)]
    await store(unit, [*calls, *others], {})
    seen: list[UUID] = []
    cursor: str | None = None
    for _ in range(5):
        page = await list_calls(unit, CallFilter(agent="li"), limit=2, cursor=cursor)
        seen += [item.call_id for item in page.items]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == [call.call_id for call in sorted(calls, key=lambda c: (c.started_at, c.call_id), reverse=True)]


async def test_a_call_that_is_told_anew_is_listed_for_who_had_it_in_the_end(unit: Unit) -> None:
    offers = queue_call().offers
    rung = [msgspec.structs.replace(offer, result=None) for offer in offers]
    ringing = queue_call(callee=Party(number="600"), offers=tuple(rung), connections=())
    await store(unit, [ringing], {})
    assert await listed(unit, CallFilter(agent="mo")) == [call_id(0)]
    await store(unit, [queue_call()], {})
    assert await listed(unit, CallFilter(agent="mo")) == []
    assert await listed(unit, CallFilter(agent="li")) == [call_id(0)]


class Explaining(Unit):
    """Keeps the plan of what it reads."""

    plan = ""

    async def fetch(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        self.plan = "\n".join(row[0] for row in await super().fetch(f"EXPLAIN {sql}", *arguments))
        return await super().fetch(sql, *arguments)


_MANY = """
    INSERT INTO calls (tenant_id, call_id, pbx, linkedids, direction, status, caller, callee, started_at, digest, seq)
    SELECT $1, gen_random_uuid(), pbx, linkedids, direction, status, caller, callee,
        started_at + n * interval '1 minute', digest, seq + n
    FROM calls, generate_series(1, 20000) n WHERE tenant_id = $1
"""
_THEIR_AGENTS = """
    INSERT INTO call_agents (tenant_id, call_id, agent, started_at)
    SELECT tenant_id, call_id, CASE WHEN seq % 5000 = 0 THEN 'rare' ELSE 'busy' END, started_at
    FROM calls WHERE tenant_id = $1
"""


async def test_the_calls_of_an_agent_are_read_by_the_index_of_agents(unit: Unit) -> None:
    await store(unit, [queue_call(offers=(), connections=(), callee=Party(number="600"))], {})
    await unit.execute(_MANY)
    await unit.execute(_THEIR_AGENTS)
    await unit.connection.execute("ANALYZE calls, call_agents")
    explaining = Explaining(unit.connection, unit.tenant_id)
    filters: tuple[dict[str, Any], ...] = (
        {},
        {"status": CallStatus.ANSWERED},
        {"since": NOON},
        {"until": NOON + timedelta(days=5)},
    )
    for agent in ("rare", "busy", "nobody"):
        for more in filters:
            page = await list_calls(explaining, CallFilter(agent=agent, **more), limit=10)
            assert "ix_call_agents_newest" in explaining.plan
            for slow in ("Seq Scan on calls", "Seq Scan on call_agents", "ix_calls_newest", "Hash"):
                assert slow not in explaining.plan, explaining.plan
            assert bool(page.items) == (agent != "nobody")


async def test_merged_calls_are_not_listed(unit: Unit) -> None:
    await store(unit, [queue_call(0), in_progress(1)], {})
    await store_merge(unit, call_id(1), call_id(0))
    assert await listed(unit, CallFilter()) == [call_id(0)]


async def test_an_unknown_call_is_not_found(unit: Unit) -> None:
    missing = uuid4()
    for attempt in (
        get_call(unit, missing),
        set_note(unit, missing, "x", actor="li"),
        set_outcome(unit, missing, "sale", actor="li"),
        set_customer(unit, missing, CUSTOMER, actor="li"),
    ):
        with pytest.raises(NotFound, match=str(missing)):
            await attempt


async def test_each_person_has_one_note_on_a_call(unit: Unit) -> None:
    await store(unit, [queue_call()], {})
    await set_note(unit, call_id(0), "first", actor="li")
    await set_note(unit, call_id(0), "of mo", actor="mo")
    found = await set_note(unit, call_id(0), "  better \x00", actor="li")
    assert [(note.by, note.text) for note in found.notes] == [("mo", "of mo"), ("li", "better")]
    assert (found.version, found.seq) == (4, 4)
    found = await set_note(unit, call_id(0), "", actor="mo")
    assert [note.by for note in found.notes] == ["li"]
    with pytest.raises(BadInput, match="10000 characters"):
        await set_note(unit, call_id(0), "x" * 10_001, actor="li")


async def test_outcome_and_customer_are_set_and_taken_back(unit: Unit) -> None:
    await store(unit, [queue_call()], {})
    assert (await set_outcome(unit, call_id(0), "sale", actor="li")).outcome == "sale"
    assert (await set_outcome(unit, call_id(0), None, actor="li")).outcome is None
    linked = await set_customer(unit, call_id(0), CUSTOMER, actor="li")
    assert linked.customer is not None and linked.customer.name == "Ada"
    last = await unit.fetchval("SELECT last_call_at FROM customers WHERE tenant_id = $1")
    assert last == queue_call().started_at
    assert (await set_customer(unit, call_id(0), None, actor="li")).customer is None
    with pytest.raises(NotFound, match="customer"):
        await set_customer(unit, call_id(0), uuid4(), actor="li")


async def test_additions_are_audited_without_their_text(unit: Unit) -> None:
    await store(unit, [queue_call()], {})
    await set_note(unit, call_id(0), "private words", actor="li")
    await set_outcome(unit, call_id(0), "sale", actor="mo")
    trail = await unit.fetch(
        "SELECT actor, action, subject_id, detail FROM audit WHERE tenant_id = $1 ORDER BY audit_id"
    )
    assert [tuple(entry) for entry in trail] == [
        ("li", "call.note", str(call_id(0)), {"characters": 13}),
        ("mo", "call.outcome", str(call_id(0)), {"outcome": "sale"}),
    ]
