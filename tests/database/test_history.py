"""The lists of a large call log walk one index each and stop at the end of the page; deletion and erasure likewise.

Plans are asserted, not times: a table of 60 thousand calls, filled as the bench fills ten million.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bench.filling import END, fill_calls
from callcenter.calllog import erasure, retention
from callcenter.calllog.feed import CHANGES
from callcenter.calllog.queries import CallFilter, list_calls
from callcenter.db.engine import Database, connect
from callcenter.db.unit import Unit
from callcenter.desk import missed
from callcenter.settings import RetentionRule
from tests.fixtures.database import TEMPLATE, of_database, run_as_admin

CALLS, CUSTOMERS = 60_000, 2_000


class Explaining(Unit):
    """Keeps the plans of what it reads and writes, as they were carried out."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit.connection, unit.tenant_id)
        self.plans: list[str] = []

    async def fetch(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        await self._explain(sql, arguments)
        return await super().fetch(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> str:
        await self._explain(sql, arguments)
        return await super().execute(sql, *arguments)

    async def _explain(self, sql: str, arguments: Sequence[object]) -> None:
        # carried out, so that the numbers of rows are the true ones, and taken back
        point = self.connection.transaction()
        await point.start()
        try:
            rows = await super().fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {sql}", *arguments)
        finally:
            await point.rollback()
        self.plans.append("\n".join(row[0] for row in rows))


@pytest.fixture(scope="module")
def filled_url(postgres_url: str) -> Iterator[str]:
    """A filled database for all tests of this module; each takes back what it does."""
    name = "callcenter_test_history"

    async def prepare() -> None:
        await run_as_admin(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
        database = await connect(of_database(postgres_url, name), pool_size=2)
        try:
            tenant_id = await database.ensure_tenant("default")
            await fill_calls(database, tenant_id, CALLS, CUSTOMERS)
        finally:
            await database.close()

    asyncio.run(prepare())
    yield of_database(postgres_url, name)
    asyncio.run(run_as_admin(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def unit(filled_url: str) -> AsyncIterator[Explaining]:
    database = await connect(filled_url, pool_size=1)
    try:
        tenant_id = await database.ensure_tenant("default")
        with pytest.raises(_TakenBack):
            async with database.unit(tenant_id) as opened:
                yield Explaining(opened)
                raise _TakenBack
    finally:
        await database.close()


class _TakenBack(Exception):
    """Ends a transaction without its effects."""


def most_rows(plan: str) -> int:
    """Rows that the hungriest node gave or threw away, over all its loops."""
    given = [float(rows) * int(loops) for rows, loops in re.findall(r"rows=([\d.]+) loops=(\d+)", plan)]
    removed = [int(rows) for rows in re.findall(r"Rows Removed by \w+(?: \w+)*: (\d+)", plan)]
    return int(max([*given, *removed]))


async def a_cursor(unit: Explaining, **wanted: Any) -> str:
    page = await list_calls(Unit(unit.connection, unit.tenant_id), CallFilter(**wanted), limit=5)
    assert page.next_cursor is not None
    return page.next_cursor


DAY = {"since": END - timedelta(days=500), "until": END - timedelta(days=499)}
MONTHS = {"since": END - timedelta(days=600), "until": END - timedelta(days=300)}


async def customer_of(unit: Explaining, order: str) -> UUID:
    """The customer with the most, or the fewest, calls."""
    found = await unit.connection.fetchval(
        "SELECT customer_id FROM calls WHERE customer_id IS NOT NULL GROUP BY 1"
        f" ORDER BY count(*) {order}, customer_id LIMIT 1"
    )
    assert isinstance(found, UUID)
    return found


@pytest.mark.parametrize("place", ["first", "next", "long ago"])
async def test_the_newest_page_and_those_after_it_walk_the_index_of_all_calls(unit: Explaining, place: str) -> None:
    cursor = await a_cursor(unit, until=END - timedelta(days=700 if place == "long ago" else 0))
    page = await list_calls(unit, limit=50, cursor=None if place == "first" else cursor)
    assert len(page.items) == 50
    assert "ix_calls_newest" in unit.plans[0]
    assert "Seq Scan on calls" not in unit.plans[0]
    assert most_rows(unit.plans[0]) <= 200, unit.plans[0]


@pytest.mark.parametrize("order", ["DESC", "ASC"])
@pytest.mark.parametrize("paged", [False, True])
async def test_a_customers_calls_walk_the_index_of_customers(unit: Explaining, order: str, paged: bool) -> None:
    customer = await customer_of(unit, order)
    cursor = await a_cursor(unit, customer=customer) if paged and order == "DESC" else None
    page = await list_calls(unit, CallFilter(customer=customer), limit=50, cursor=cursor)
    assert page.items
    assert "ix_calls_customer" in unit.plans[0]
    assert most_rows(unit.plans[0]) <= 400, unit.plans[0]


@pytest.mark.parametrize("times", [DAY, MONTHS, {}])
async def test_an_agents_day_walks_the_index_of_agents(unit: Explaining, times: dict[str, Any]) -> None:
    page = await list_calls(unit, CallFilter(agent="agent7", **times), limit=50)
    assert "ix_call_agents_newest" in unit.plans[0]
    assert "Seq Scan on call" not in unit.plans[0]
    assert most_rows(unit.plans[0]) <= 400, unit.plans[0]
    assert len(page.items) == (50 if times != DAY else len(page.items))


async def test_the_change_feed_walks_the_index_of_its_numbers(unit: Explaining) -> None:
    rows = await unit.fetch(CHANGES, CALLS // 2, 50)
    assert [row["seq"] for row in rows] == list(range(CALLS // 2 + 1, CALLS // 2 + 51))
    assert "uq_calls_seq" in unit.plans[0]
    assert "Seq Scan on calls" not in unit.plans[0]
    assert most_rows(unit.plans[0]) <= 200, unit.plans[0]


async def test_a_step_of_retention_reads_a_stretch_and_deletes_by_keys(unit: Explaining) -> None:
    rules = [RetentionRule(keep_days=60, queue=("queue3",)), RetentionRule(keep_days=90, answered=False)]
    walk = retention.Walk(rules, [END - timedelta(days=rule.keep_days) for rule in rules], 2_000)
    due = await walk.step(unit)
    due = await walk.step(unit)
    assert 100 < len(due) < 2_000
    assert "ix_calls_newest" in unit.plans[1]
    assert "Seq Scan on calls" not in unit.plans[1]
    assert most_rows(unit.plans[1]) <= 4_000, unit.plans[1]

    del unit.plans[:]
    await retention.delete(unit, [call_id for call_id, _ in due[:300]], [])
    assert len(unit.plans) == 4
    for plan in unit.plans:
        assert "Seq Scan" not in plan.replace("Seq Scan on call_feeds", ""), plan
        assert most_rows(plan) <= 2_000, plan


async def test_an_erasure_finds_calls_by_customer_and_by_number(unit: Explaining) -> None:
    customer = await customer_of(unit, "DESC")
    numbers = [
        row["e164"]
        for row in await unit.connection.fetch("SELECT e164 FROM customer_phones WHERE customer_id = $1", customer)
    ]
    begun = await erasure.begin(unit, customer, numbers)
    del unit.plans[:]
    blanked = await erasure.blank_some(unit, customer, begun.token, numbers)
    assert len(blanked.call_ids) > 20
    choosing = unit.plans[0]
    for index in ("ix_calls_customer", "ix_calls_caller", "ix_calls_callee", "ix_calls_merged"):
        assert index in choosing, choosing
    for plan in unit.plans:
        assert not re.search(r"Seq Scan on (calls|offers|connections)", plan), plan
        assert most_rows(plan) <= 2_000, plan


async def test_missed_calls_of_the_last_days_are_found_by_an_index_of_theirs(unit: Explaining) -> None:
    assert await missed.open_numbers(unit, END - timedelta(days=7))
    (plan,) = unit.plans
    assert "ix_calls_missed" in plan, plan
    assert not re.search(r"Seq Scan on (calls|offers|connections)", plan), plan
    assert most_rows(plan) <= 2_000, plan


async def test_no_index_of_the_call_log_is_there_for_nothing(database: Database) -> None:
    """Each has a reader: a list above, a foreign key, the recovery of lost calls, or a filter of the API."""
    known = {
        "pk_calls",
        "uq_calls_seq",
        "ix_calls_newest",
        "ix_calls_customer",
        "ix_calls_caller",
        "ix_calls_callee",
        "ix_calls_campaign",
        "ix_calls_noted",
        "ix_calls_open",
        "ix_calls_merged",
        "ix_calls_missed",
        "pk_queue_visits",
        "ix_queue_visits_tenant_id_queue_joined_at",
        "pk_offers",
        "pk_connections",
        "pk_call_agents",
        "ix_call_agents_newest",
        "pk_call_tombstones",
        "pk_call_feeds",
    }
    tables = ["calls", "queue_visits", "offers", "connections", "call_agents", "call_tombstones", "call_feeds"]
    rows = await database.pool.fetch("SELECT indexname FROM pg_indexes WHERE tablename = ANY($1::text[])", tables)
    assert {row["indexname"] for row in rows} == known
