"""The short cuts of an import: straight into empty tables, and past rows that are the same as last time."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callcenter.customers.card import Card
from callcenter.customers.draft import Change
from callcenter.customers.importer import fresh
from callcenter.customers.importer.job import Summary, import_customers
from callcenter.customers.importer.opened import Options
from callcenter.customers.importer.rows import MatchRule
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.errors import BadFile
from callcenter.matching.number import Reader

HEADER = "ID,Name,Company,Email,Phone,Tags,Notes\n"


@pytest.fixture
def store(database: Database) -> CustomerStore:
    return CustomerStore(database, Reader("GB"))


@pytest.fixture
def bring(database: Database, tmp_path: Path) -> Callable[..., Awaitable[Summary]]:
    async def bring(tenant_id: int, rows: str, match: MatchRule | None = None) -> Summary:
        file = tmp_path / "customers.csv"
        file.write_text(HEADER + rows, encoding="utf-8")
        return await import_customers(database, tenant_id, file, "GB", Options(match=match))

    return bring


Bring = Callable[..., Awaitable[Summary]]


def counts(summary: Summary) -> tuple[int, int, int, int, int]:
    return (summary.added, summary.changed, summary.unchanged, summary.merged, summary.rejected)


def seen(card: Card) -> tuple[object, ...]:
    phones = tuple((phone.number, phone.e164) for phone in card.phones)
    return (card.name, card.company, card.email, card.tags, card.external_ref, card.version, phones)


TWINS = (
    "R1,Li,Acme,li@example.com,020 7946 0001,,{pad}\n"
    "R2,Wang,,wang@example.com,020 7946 0002;020 7946 0003,,{pad}\n"
    "R3,LI,Bolt,LI@example.com,020 7946 0001,vip,\n"
    "R4,Sun,Acme,,,,{pad}\n"
    "R5,sun,Acme,,,new,\n"
    'R6,Zhao \\ Co,,zhao@example.com,"020 7946 0006\n",,{pad}\n'
    "R2,Wang Fang,Zest,wang@example.com,020 7946 0009,,\n"
    "R7,,,,,,\n"
    'R8,Xu,,xu@example.com,7946 0001,"a, b",{pad}\n'
)


@pytest.mark.parametrize("match", [rule for rule in MatchRule if rule is not MatchRule.PHONE])
async def test_a_large_first_file_is_merged_like_a_small_one(
    bring: Bring,
    store: CustomerStore,
    add_tenant: Callable[[str], Awaitable[int]],
    tenant_id: int,
    match: MatchRule,
) -> None:
    rows = TWINS if match is not MatchRule.NONE else TWINS.replace("R2,Wang Fang", "R9,Wang Fang")
    if match not in (MatchRule.EXTERNAL_REF, MatchRule.NONE):
        rows = rows.replace("R2,Wang Fang", ",Wang Fang")
    others = "".join(f"X{place},Other {place},,o{place}@example.com,,,{{pad}}\n" for place in range(30))
    large = (rows + others).format(pad="x" * 19_000)
    assert len(large) > fresh.WORTH_IT
    straight = await bring(tenant_id, large, match)
    other = await add_tenant("other")
    staged = await bring(other, (rows + others).format(pad="x"), match)
    assert counts(straight) == counts(staged)
    assert straight.added > 30
    found, expected = [
        sorted((seen(card) for card in (await store.page(tenant, limit=500)).items), key=repr)
        for tenant in (tenant_id, other)
    ]
    assert found == expected


async def test_a_large_first_file_with_a_reference_twice_imports_nothing(
    bring: Bring, store: CustomerStore, tenant_id: int
) -> None:
    rows = "".join(f"R{place % 30},Li {place},,,,,{'x' * 19_000}\n" for place in range(31))
    with pytest.raises(BadFile, match="stands twice"):
        await bring(tenant_id, rows, MatchRule.NAME_AND_PHONE)
    assert not (await store.page(tenant_id)).items
    assert counts(await bring(tenant_id, rows)) == (30, 0, 0, 1, 0)


async def test_a_row_that_is_passed_over_still_gives_way_to_a_later_one(
    bring: Bring, store: CustomerStore, tenant_id: int
) -> None:
    first = "R1,Li,Acme,,020 7946 0001,,\n"
    await bring(tenant_id, first)
    assert counts(await bring(tenant_id, first)) == (0, 0, 1, 0, 0)
    assert counts(await bring(tenant_id, first + first)) == (0, 0, 1, 1, 0)
    assert counts(await bring(tenant_id, "R1,Li,Bolt,,,,\n" + first)) == (0, 0, 1, 1, 0)
    assert counts(await bring(tenant_id, first + "R1,Li,Bolt,,020 7946 0002,,\n")) == (0, 1, 0, 1, 0)
    [card] = (await store.page(tenant_id)).items
    assert (card.company, [phone.number for phone in card.phones]) == ("Bolt", ["020 7946 0001", "020 7946 0002"])


async def test_a_row_is_not_passed_over_where_a_person_changed_the_customer(
    bring: Bring, store: CustomerStore, tenant_id: int
) -> None:
    rows = "R1,Li,Acme,,,,\nR2,Wang,Zest,,,,\n"
    await bring(tenant_id, rows)
    [li, _] = (await store.page(tenant_id)).items
    await store.change(tenant_id, li.id, Change(version=1, company="Bolt"))
    assert counts(await bring(tenant_id, rows)) == (0, 1, 1, 0, 0)
    assert [card.company for card in (await store.page(tenant_id)).items] == ["Acme", "Zest"]
    assert counts(await bring(tenant_id, rows)) == (0, 0, 2, 0, 0)


async def test_a_row_is_not_passed_over_where_its_customer_is_gone(
    bring: Bring, database: Database, tenant_id: int
) -> None:
    rows = "R1,Li,Acme,,,,\nR2,Wang,Zest,,,,\n"
    await bring(tenant_id, rows)
    await database.pool.execute("DELETE FROM customers WHERE external_ref = 'R1'")
    assert counts(await bring(tenant_id, rows)) == (1, 0, 1, 0, 0)


async def test_numbers_are_read_again_for_another_region(
    bring: Bring, database: Database, tenant_id: int, tmp_path: Path
) -> None:
    rows = "R1,Li,,,0123 456789,,\n"
    await bring(tenant_id, rows)
    again = await import_customers(database, tenant_id, tmp_path / "customers.csv", "DE")
    assert counts(again) == (0, 1, 0, 0, 0)


async def test_after_a_large_first_file_postgresql_knows_what_the_tables_hold(
    bring: Bring, database: Database, tenant_id: int
) -> None:
    known = """
        SELECT DISTINCT starelid::regclass::text FROM pg_statistic
        WHERE starelid IN ('customers'::regclass, 'customer_phones'::regclass, 'ix_customers_search'::regclass)"""
    assert await database.pool.fetch(known) == []
    rows = "".join(f"X{place},Other {place},,,020 7946 {place:04},,{'x' * 19_000}\n" for place in range(30))
    assert len(rows) > fresh.WORTH_IT
    assert (await bring(tenant_id, rows)).added == 30
    assert {row[0] for row in await database.pool.fetch(known)} == {
        "customers",
        "customer_phones",
        "ix_customers_search",
    }
