"""Customers' cards in a real PostgreSQL."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from callcenter.customers.draft import Change, Draft, DraftPhone
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.matching.number import Reader


@pytest.fixture
def store(database: Database) -> CustomerStore:
    return CustomerStore(database, Reader("GB"))


FULL = Draft(
    name="王小明 <b>Bob</b> Robert'); DROP TABLE customers;--",
    company="=cmd()|' /C calc'!A0",
    email="bob@example.com",
    language="zh-CN",
    address="1 Street\nLondon",
    tags=("vip", 'a "b" \\ {c}, d'),
    fields={"size": "42", "城市": "<script>"},
    phones=(DraftPhone("020 7946 0123", "work"), DraftPhone("07700 900123"), DraftPhone("1001")),
    note="<i>x</i>\n\t;",
    external_ref="R1",
)


async def test_what_was_created_is_read_back_as_it_was_typed(store: CustomerStore, tenant_id: int) -> None:
    card = await store.create(tenant_id, FULL)
    assert card == await store.get(tenant_id, card.id)
    for field in ("name", "company", "email", "language", "address", "tags", "fields", "note", "external_ref", "owner"):
        assert getattr(card, field) == getattr(FULL, field)
    assert [(phone.number, phone.e164, phone.label) for phone in card.phones] == [
        ("020 7946 0123", "+442079460123", "work"),
        ("07700 900123", "+447700900123", None),
        ("1001", None, None),
    ]
    assert card.version == 1
    assert card.created_at == card.updated_at
    assert card.id.version == 7


async def test_a_change_touches_what_it_names_and_nothing_else(store: CustomerStore, tenant_id: int) -> None:
    card = await store.create(tenant_id, FULL)
    changed = await store.change(
        tenant_id, card.id, Change(version=1, name="New", company=None, tags=(), fields={"a": "b"})
    )
    assert (changed.name, changed.company, changed.tags, changed.fields) == ("New", None, (), {"a": "b"})
    assert (changed.email, changed.note, changed.phones) == (card.email, card.note, card.phones)
    assert (changed.version, changed.created_at) == (2, card.created_at)
    assert changed.updated_at > card.updated_at


async def test_phones_are_replaced_as_a_whole(store: CustomerStore, tenant_id: int) -> None:
    card = await store.create(tenant_id, FULL)
    changed = await store.change(tenant_id, card.id, Change(version=1, phones=(DraftPhone("01632 960000"),)))
    assert [phone.number for phone in changed.phones] == ["01632 960000"]
    assert (await store.change(tenant_id, card.id, Change(version=2, phones=()))).phones == ()


async def test_who_comes_second_is_told_and_overwrites_nothing(store: CustomerStore, tenant_id: int) -> None:
    card = await store.create(tenant_id, FULL)
    await store.change(tenant_id, card.id, Change(version=1, name="First"))
    with pytest.raises(Conflict, match="at version 2 and this change is based on version 1"):
        await store.change(tenant_id, card.id, Change(version=1, name="Second", phones=()))
    kept = await store.get(tenant_id, card.id)
    assert (kept.name, len(kept.phones)) == ("First", 3)


async def test_what_is_not_there_is_not_found(
    store: CustomerStore, tenant_id: int, add_tenant: Callable[[str], Awaitable[int]]
) -> None:
    other = await add_tenant("other")
    card = await store.create(other, Draft(name="Theirs"))
    for missing in (card.id, UUID(int=1)):
        with pytest.raises(NotFound):
            await store.get(tenant_id, missing)
        with pytest.raises(NotFound):
            await store.change(tenant_id, missing, Change(version=1, name="x"))
    assert (await store.get(other, card.id)).name == "Theirs"


async def test_an_owner_must_be_an_agent(store: CustomerStore, tenant_id: int) -> None:
    with pytest.raises(BadInput, match="there is no agent 'nobody'"):
        await store.create(tenant_id, Draft(name="x", owner="nobody"))
    card = await store.create(tenant_id, Draft(name="x"))
    with pytest.raises(BadInput, match="there is no agent 'nobody'"):
        await store.change(tenant_id, card.id, Change(version=1, owner="nobody"))


async def test_an_external_reference_names_one_customer(store: CustomerStore, tenant_id: int) -> None:
    await store.create(tenant_id, Draft(name="x", external_ref="R1"))
    with pytest.raises(Conflict, match="external_ref"):
        await store.create(tenant_id, Draft(name="y", external_ref="R1"))


@pytest.fixture
async def people(store: CustomerStore, tenant_id: int) -> None:
    for draft in (
        Draft(name="Li Wei", company="Acme Widgets", email="li.wei@example.com", phones=(DraftPhone("020 7946 0001"),)),
        Draft(name="O'Brien, Zoë", company="Bolt & Co", phones=(DraftPhone("+1 212 555 0100"),)),
        Draft(name="王小明", company="环球公司", phones=(DraftPhone("07700 900003"), DraftPhone("7946 0001"))),
        Draft(name="<b>Bob</b>", note="x"),
        Draft(name="100% Pure_Name", company="Acme"),
    ):
        await store.create(tenant_id, draft)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("li", ["Li Wei"]),
        ("WEI", ["Li Wei"]),
        ("wei li", ["Li Wei"]),
        ("acme", ["100% Pure_Name", "Li Wei"]),
        ("acme wid", ["Li Wei"]),
        ("li.wei@example.com", ["Li Wei"]),
        ("li.wei", ["Li Wei"]),
        ("o'brien", ["O'Brien, Zoë"]),
        ("zoë", ["O'Brien, Zoë"]),
        ("王", ["王小明"]),
        ("王小", ["王小明"]),
        ("环球", ["王小明"]),
        ("l", ["Li Wei"]),
        ("100%", ["100% Pure_Name"]),
        ("%", []),
        ("_", []),
        ("<b>", ["<b>Bob</b>"]),
        ("nobody", []),
        ("');--", []),
        ("a & b | !c:*", []),
        ("\\", []),
        ("020 7946 0001", ["Li Wei"]),
        ("+442079460001", ["Li Wei"]),
        ("7946 0001", ["Li Wei", "王小明"]),
        ("212-555-0100", ["O'Brien, Zoë"]),
        ("0012125550100", ["O'Brien, Zoë"]),
    ],
)
async def test_search_by_text(store: CustomerStore, tenant_id: int, people: None, text: str, found: list[str]) -> None:
    assert [card.name for card in (await store.page(tenant_id, text)).items] == found


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("+44 20 7946 0001", ["Li Wei"]),
        ("(020) 7946-0001", ["Li Wei"]),
        ("07700900003", ["王小明"]),
        ("01632960999", []),
    ],
)
async def test_search_by_number_in_any_spelling(
    store: CustomerStore, tenant_id: int, people: None, number: str, found: list[str]
) -> None:
    assert [card.name for card in (await store.page(tenant_id, number=number)).items] == found


async def test_pages_follow_each_other_without_gap_or_double(
    store: CustomerStore, tenant_id: int, people: None
) -> None:
    for _ in range(3):
        await store.create(tenant_id, Draft(name="Li Wei"))
    everybody = (await store.page(tenant_id)).items
    seen: list[UUID] = []
    cursor = None
    while True:
        page = await store.page(tenant_id, cursor=cursor, limit=3)
        seen += [card.id for card in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [card.id for card in everybody]
    assert len(set(seen)) == 8


async def test_pages_of_a_search_follow_each_other(store: CustomerStore, tenant_id: int, people: None) -> None:
    first = await store.page(tenant_id, "acme", limit=1)
    second = await store.page(tenant_id, "acme", limit=1, cursor=first.next_cursor)
    assert [card.name for card in (*first.items, *second.items)] == ["100% Pure_Name", "Li Wei"]
    assert second.next_cursor is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": 501},
        {"cursor": "x"},
        {"cursor": "W10="},
        {"text": "x" * 101},
        {"text": "\0"},
        {"number": "x"},
    ],
)
async def test_a_senseless_request_is_refused(store: CustomerStore, tenant_id: int, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        await store.page(tenant_id, **wrong)  # type: ignore[arg-type]
