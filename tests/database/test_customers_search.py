"""Searching customers: the same as going through all of them, without going through all of them."""

import json
import random
from typing import Any
from uuid import UUID

import pytest

from callcenter.customers import search
from callcenter.customers.search import START, by_number, by_text, everybody
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.matching.number import Reader

BRITISH = Reader("GB")
COUNT = 12_000
"""Customers: more than the longest stretch, so that each way is gone."""

NAIVE = """
SELECT customer_id FROM customers
WHERE tenant_id = $1 AND (
  starts_with(lower(name), lower($2)) OR starts_with(lower(email), lower($2))
  OR $3 <> '' AND to_tsvector('simple', name || ' ' || coalesce(company, '')) @@ to_tsquery('simple', $3))
ORDER BY lower(name) COLLATE "C", customer_id"""


@pytest.fixture
async def many(database: Database, tenant_id: int) -> None:
    """Customers with frequent and rare words, of which some stand only late in the order of names; many namesakes."""
    dice = random.Random(5)
    firsts = ["Ann", "ann", "Bob", "Zoe", "Zoë", "Li", "", "O'Brien"]
    lasts = ["Smith", "Smythe", "Lee", "Anders", "Zed", "Quince"]
    rows: list[tuple[str, str | None, str | None]] = []
    for place in range(COUNT):
        name = f"{dice.choice(firsts)} {dice.choice(lasts)} {dice.randrange(60)}".strip()
        if place % 3 == 0:
            name = f"王{dice.choice('小大明李')}{dice.randrange(9)}"
        company = dice.choice([None, "Acme Ltd", "Ltd Bolt", "Zoe Works", f"Rare{place % 3000} Ltd"])
        if name[:3] in ("Bob", "Zoe", "Zoë", "Li ") and dice.random() < 0.8:
            company = "Branch"
        email = dice.choice([None, f"{name[:3].strip().lower()}{place}@example.com", f"smith{place}@example.com"])
        rows.append((name, company, email))
    names, companies, emails = zip(*rows, strict=True)
    await database.pool.execute(
        "INSERT INTO customers (tenant_id, customer_id, name, company, email)"
        " SELECT $1, md5(place::text)::uuid, name, company, email FROM unnest($2::text[], $3::text[], $4::text[])"
        " WITH ORDINALITY AS p (name, company, email, place)",
        *(tenant_id, list(names), list(companies), list(emails)),
    )
    await database.pool.execute(
        "INSERT INTO customer_phones (tenant_id, customer_id, raw, e164, national)"
        " SELECT tenant_id, customer_id, n::text, '+44' || n, n::text FROM ("
        "  SELECT *, 2000000000 + row_number() OVER (ORDER BY customer_id) * 37 AS n FROM customers) c"
    )
    await database.pool.execute("ANALYZE customers")
    await database.pool.execute("ANALYZE customer_phones")


TEXTS = {
    "smith": "'smith':*",
    "SM": "'sm':*",
    "s": "",
    "z": "",
    "ltd": "'ltd':*",
    "zoe": "'zoe':*",
    "zoë": "'zoë':*",
    "works zoe": "'works':* & 'zoe':*",
    "rare17": "'rare17':*",
    "rare1700 ltd": "'rare1700':* & 'ltd':*",
    "lee ann": "'lee':* & 'ann':*",
    "ann lee": "'ann':* & 'lee':*",
    "王": "'王':*",
    "王小3": "'王小3':*",
    "smith1@": "'smith1@':*",
    "smith12": "'smith12':*",
    "branch": "'branch':*",
    "nobody": "'nobody':*",
}


async def _all_pages(store: CustomerStore, tenant_id: int, text: str, limit: int) -> list[UUID]:
    found: list[UUID] = []
    cursor = None
    while True:
        page = await store.page(tenant_id, text, cursor=cursor, limit=limit)
        found += [card.id for card in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.items) == limit


async def test_pages_of_a_search_are_what_all_customers_gone_through_give(
    database: Database, tenant_id: int, many: None
) -> None:
    store = CustomerStore(database, BRITISH)
    sizes = {}
    for text, query in TEXTS.items():
        expected = [row[0] for row in await database.pool.fetch(NAIVE, tenant_id, text, query)]
        sizes[text] = len(expected)
        assert await _all_pages(store, tenant_id, text, 500) == expected, text
        first = await store.page(tenant_id, text, limit=7)
        assert [card.id for card in first.items] == expected[:7], text
        assert (first.next_cursor is not None) == (len(expected) > 7), text
    # rare ones and such that are more than what is read at once
    assert sizes["rare1700 ltd"] < 10 < search.FEW < sizes["ltd"] < COUNT
    assert sizes["王"] > search.FEW
    assert sizes["nobody"] == 0


async def test_each_way_that_is_sure_finds_the_same_page(database: Database, tenant_id: int, many: None) -> None:
    gone: set[int] = set()
    for text in TEXTS:
        pages = []
        for place, way in enumerate(by_text(text, 51)):
            row = await database.pool.fetchrow(way.sql, tenant_id, *START, *way.values)
            assert row is not None
            if row["sure"]:
                pages.append(row["ids"])
                if len(pages) == 1:
                    gone.add(place)
        assert all(page == pages[0] for page in pages), text
    assert gone == {0, 1, 2, 3}, "each way is the first sure one for some text"


WAYS = {
    **{f"{text}, way {place}": way for text in TEXTS for place, way in enumerate(by_text(text, 51))},
    "everybody": everybody(51)[0],
    **{number: by_number(BRITISH.read(number), 51)[0] for number in ("020 0000 0037", "+44 20 0000 0037", "0000 0037")},
}


async def test_no_way_goes_through_all_customers(database: Database, tenant_id: int, many: None) -> None:
    async with database.pool.acquire() as connection:
        for plans in ("force_generic_plan", "force_custom_plan"):
            await connection.execute(f"SET plan_cache_mode = {plans}")
            for name, way in WAYS.items():
                explained = await connection.fetchval(
                    f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {way.sql}", tenant_id, *START, *way.values
                )
                [plan] = explained if isinstance(explained, list) else json.loads(explained)
                for node in _nodes(plan["Plan"]):
                    _check(node, f"{name}, {plans}: {node}")
        await connection.execute("RESET plan_cache_mode")


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(below for child in node.get("Plans", []) for below in _nodes(child))]


def _check(node: dict[str, Any], what: str) -> None:
    """A scan finds its place in an index, passes over next to nothing, and reads so many names at most."""
    if "Index Name" in node:
        assert "Index Cond" in node, what
        assert node.get("Rows Removed by Filter", 0) == 0, what
    assert node["Node Type"] != "Seq Scan", what
    if node.get("Index Name") == "ix_customers_name":
        assert node["Actual Rows"] <= search.STRETCH + 1, what
        # a place in the index that is far from the first row would be pages in vain
        assert node["Shared Hit Blocks"] + node["Shared Read Blocks"] <= node["Actual Rows"] * 1.1 + 10, what
