"""Files of customers, good and bad, brought into a real PostgreSQL."""

import asyncio
import csv
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callcenter.customers.card import Card
from callcenter.customers.draft import Change, Draft, DraftPhone
from callcenter.customers.importer import fresh
from callcenter.customers.importer.job import Summary, import_customers, preview
from callcenter.customers.importer.opened import Options
from callcenter.customers.importer.rows import MatchRule
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.errors import BadFile, BadInput, Conflict
from callcenter.matching.number import Reader

Import = Callable[..., Awaitable[Summary]]


@pytest.fixture
def store(database: Database) -> CustomerStore:
    return CustomerStore(database, Reader("GB"))


@pytest.fixture
def bring(database: Database, tenant_id: int, tmp_path: Path) -> Import:
    """Writes a file and imports it: `await bring("Name,Phone\\n…", match=…)`."""

    async def bring(content: str | bytes, name: str = "customers.csv", **options: object) -> Summary:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return await import_customers(database, tenant_id, file, "GB", Options(**options))  # type: ignore[arg-type]

    return bring


def counts(summary: Summary) -> tuple[int, int, int, int, int]:
    return (summary.added, summary.changed, summary.unchanged, summary.merged, summary.rejected)


def rejects(summary: Summary) -> list[list[str]]:
    assert summary.rejects is not None
    with summary.rejects.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


async def cards(store: CustomerStore, tenant_id: int) -> list[Card]:
    return list((await store.page(tenant_id, limit=500)).items)


FILE = """Name,Company,Email,Phone,Mobile,Tags,Notes,Shoe size
Li Wei,Acme,li@example.com,020 7946 0001,07700 900001,"vip, new",first,42
王小明,,wang@example.com,+44 20 7946 0002,,,,
<b>Bob</b>,"Robert'); DROP TABLE customers;--",,020 7946 0003;020 7946 0004,withheld,,=1+1,
"""


async def test_a_file_becomes_customers(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    summary = await bring(FILE, mapping=("fields.shoe=Shoe size",))
    assert counts(summary) == (3, 0, 0, 0, 0)
    assert (summary.encoding, summary.delimiter, summary.match) == ("utf-8", ",", MatchRule.NAME_AND_PHONE)
    assert summary.rejects is None
    bob, li, wang = await cards(store, tenant_id)
    assert (li.name, li.company, li.email, li.tags) == ("Li Wei", "Acme", "li@example.com", ("vip", "new"))
    assert (li.note, li.fields) == ("first", {"shoe": "42"})
    assert [(phone.e164, phone.label) for phone in li.phones] == [("+442079460001", None), ("+447700900001", "mobile")]
    assert (wang.name, wang.company, wang.note, wang.fields) == ("王小明", None, None, {})
    assert (bob.name, bob.company, bob.note) == ("<b>Bob</b>", "Robert'); DROP TABLE customers;--", "=1+1")
    assert [phone.e164 for phone in bob.phones] == ["+442079460003", "+442079460004"]


@pytest.mark.parametrize("match", [None, MatchRule.PHONE])
async def test_the_second_run_changes_nothing(
    bring: Import, store: CustomerStore, tenant_id: int, match: MatchRule | None
) -> None:
    await bring(FILE, match=match)
    before = await cards(store, tenant_id)
    assert counts(await bring(FILE, match=match)) == (0, 0, 3, 0, 0)
    assert await cards(store, tenant_id) == before


async def test_rows_with_and_without_numbers_are_known_again(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    text = "Name,Email,Phone\nA,a@x.com,\nA,b@x.com,\nB,,\nC,,7946 0001\nD,,1001\nA,,020 7946 0005\n"
    assert counts(await bring(text)) == (6, 0, 0, 0, 0)
    assert counts(await bring(text)) == (0, 0, 6, 0, 0)
    assert counts(await bring(text.lower().replace("name,email,phone", "Name,Email,Phone")))[:3] == (0, 6, 0)


async def test_what_changed_is_changed_and_what_is_empty_stays(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    await bring("ID,Name,Company,Phone,Tags\nR1,Li,Acme,020 7946 0001,vip\nR2,Wang,Bolt,,\n")
    summary = await bring("ID,Name,Company,Phone,Tags\nR1,Li Wei,,020 7946 0002,\nR2,Wang,Bolt,,\nR3,New,,,\n")
    assert summary.match is MatchRule.EXTERNAL_REF
    assert counts(summary) == (1, 1, 1, 0, 0)
    li = (await store.page(tenant_id, "li")).items[0]
    assert (li.name, li.company, li.tags, li.version) == ("Li Wei", "Acme", ("vip",), 2)
    assert [phone.e164 for phone in li.phones] == ["+442079460001", "+442079460002"]


async def test_a_new_number_alone_is_a_change(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    await bring("ID,Name,Phone\nR1,Li,020 7946 0001\n")
    assert counts(await bring("ID,Name,Phone\nR1,Li,020 7946 0009\n")) == (0, 1, 0, 0, 0)
    assert counts(await bring("ID,Name,Phone\nR1,Li,(020) 7946-0009\n")) == (0, 0, 1, 0, 0)
    [li] = await cards(store, tenant_id)
    assert ([phone.number for phone in li.phones], li.version) == (["020 7946 0001", "020 7946 0009"], 2)


async def test_rows_of_one_customer_are_merged_in_order(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    summary = await bring(
        "ID,Name,Company,Email,Phone\nR1,Li,Acme,,020 7946 0001\nR2,Wang,,,\n"
        "R1,Li Wei,,li@x.com,020 7946 0002\nR1,,Bolt,,+442079460001\n".replace("R1,,", "R1,Li Wei,")
    )
    assert counts(summary) == (2, 0, 0, 2, 0)
    li = (await store.page(tenant_id, "li")).items[0]
    assert (li.name, li.company, li.email, li.version) == ("Li Wei", "Bolt", "li@x.com", 1)
    assert [phone.e164 for phone in li.phones] == ["+442079460001", "+442079460002"]


async def test_rows_that_meet_in_a_known_customer_are_merged(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    phones = (DraftPhone("020 7946 0001"), DraftPhone("020 7946 0002"))
    await store.create(tenant_id, Draft(name="Li", phones=phones))
    text = "Name,Phone,Company\nLi,020 7946 0001,Acme\nLi,020 7946 0002,Bolt\n"
    assert counts(await bring(text)) == (0, 1, 0, 1, 0)
    assert counts(await bring(text)) == (0, 0, 1, 1, 0)
    assert [(card.name, card.company) for card in await cards(store, tenant_id)] == [("Li", "Bolt")]


async def test_a_shared_number_does_not_make_two_people_one(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    text = "Name,Phone\nLi,020 7946 0000\nWang,020 7946 0000\n"
    assert counts(await bring(text)) == (2, 0, 0, 0, 0)
    assert counts(await bring(text)) == (0, 0, 2, 0, 0)


async def test_matching_by_a_number_that_several_have_is_refused_by_row(bring: Import) -> None:
    await bring("Name,Phone\nLi,020 7946 0000\nWang,020 7946 0000\n")
    summary = await bring("Name,Phone\nZhao,020 7946 0000\nSun,020 7946 0001\n", match=MatchRule.PHONE)
    assert counts(summary) == (1, 0, 0, 0, 1)
    assert rejects(summary)[1][:2] == ["2", "several customers have this; give the rows an external_ref"]


@pytest.mark.parametrize(
    ("match", "added"), [(MatchRule.EMAIL, 1), (MatchRule.PHONE, 2), (MatchRule.NONE, 3), (MatchRule.NAME_AND_PHONE, 3)]
)
async def test_each_rule_has_its_own_idea_of_the_same_customer(bring: Import, match: MatchRule, added: int) -> None:
    text = "Name,Email,Phone\nLi,li@x.com,020 7946 0001\nLi Wei,LI@x.com,020 7946 0001\nLi,li@x.com,020 7946 0002\n"
    assert (await bring(text, match=match)).added == added


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,a@example.com", "name: it is empty"),
        ("Li", "1 cell, and the header has 5"),
        ("x" * 201 + ",", "name: 201 characters are too many, 200 are the most"),
        ("a\x00b,", "name: it holds control characters"),
        ("Li,,nobody", "email: 'nobody' is no e-mail address"),
        ("Li,,,hello", "phone: 'hello' is no phone number"),
        ("Li,,," + "1" * 500, "phone: 500 characters are no phone number"),
        ("Li,,,,,,,,", "9 cells"),
        ('Li,"Acme" Ltd', "text stands behind a closing quote"),
        ("Li,,,,boss", "owner: there is no agent 'boss'"),
        ("Li,,,," + ",x" * 2, "7 cells"),
    ],
)
async def test_a_bad_row_is_left_out_with_line_and_reason(
    bring: Import, store: CustomerStore, tenant_id: int, row: str, reason: str
) -> None:
    summary = await bring(f"Name,Company,Email,Phone,Boss\nA,\n{row}\nB,,,020 7946 0001\n", mapping=("owner=Boss",))
    if row == "Li,,,,,,,,":
        # spreadsheets write empty cells behind the last column
        assert counts(summary) == (3, 0, 0, 0, 0)
        return
    assert counts(summary) == (2, 0, 0, 0, 1)
    header, rejected = rejects(summary)
    assert header == ["line", "reason", "Name", "Company", "Email", "Phone", "Boss"]
    assert rejected[0] == "3"
    assert reason in rejected[1]
    assert [card.name for card in await cards(store, tenant_id)] == ["A", "B"]


async def test_rejected_rows_can_be_mended_and_imported(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    summary = await bring("姓名,电话\n王小明,hello\nLi,020 7946 0001\n")
    assert summary.rejects is not None
    mended = summary.rejects.read_bytes().replace(b"hello", b"020 7946 0002")
    assert counts(await bring(mended, "mended.csv")) == (1, 0, 0, 0, 0)
    assert [card.name for card in await cards(store, tenant_id)] == ["Li", "王小明"]
    assert (await bring("姓名,电话\n王小明,020 7946 0002\n")).rejects is None
    assert not summary.rejects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
async def test_chinese_files_in_all_encodings(
    bring: Import, store: CustomerStore, tenant_id: int, encoding: str
) -> None:
    await bring("姓名;公司;电话\n王小明;环球公司;020 7946 0001\n李娜;;020 7946 0002\n".encode(encoding))
    assert [(card.name, card.company) for card in await cards(store, tenant_id)] == [
        ("李娜", None),
        ("王小明", "环球公司"),
    ]


async def test_a_wrong_encoding_imports_nothing(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    text = "Name,Phone\n" + "Li,020 7946 0001\n" * 20_000 + "Zoë,1\n"
    with pytest.raises(BadFile, match=r"line 20002, byte offset \d+: byte 0xeb is not utf-8"):
        await bring(text.encode("cp1252"), encoding="utf-8")
    assert await cards(store, tenant_id) == []
    assert counts(await bring(text.encode("cp1252"))) == (2, 0, 0, 19_999, 0)


async def test_a_quote_that_never_closes_loses_one_row(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    summary = await bring('Name,Phone\nA,020 7946 0001\n"B,020 7946 0002\nC,020 7946 0003\nD,020 7946 0004\n')
    assert counts(summary) == (3, 0, 0, 0, 1)
    assert rejects(summary)[1][:2] == ["3", "a quote opens here and never closes"]
    assert [card.name for card in await cards(store, tenant_id)] == ["A", "C", "D"]


async def test_a_quote_that_swallows_a_long_file_imports_nothing(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    with pytest.raises(BadFile, match="line 3: a cell that begins here"):
        await bring('Name,Phone\nA,020 7946 0001\n"B,020 7946 0002\n' + "C,020 7946 0003\n" * 10_000)
    assert await cards(store, tenant_id) == []


async def test_10_mb_in_one_cell_lose_one_row(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    summary = await bring("Name,Note\nA,x\nB," + "y" * 10_000_000 + "\nC,z\n")
    assert counts(summary) == (2, 0, 0, 0, 1)
    assert rejects(summary)[1] == ["3", "a cell is longer than 65536 characters"]


def peak() -> int:
    """The most kilobytes that this process and one that it started have held."""
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


async def test_a_large_file_takes_no_more_memory_than_a_small_one(bring: Import) -> None:
    line = "Li {0},020 7946 {0:04},Some Company Ltd,somebody{0}@example.com\n"
    header = "Name,Phone,Company,Email\n"
    await bring(header + "".join(line.format(place) for place in range(6_000)))
    before = peak()
    content = header + "".join(line.format(place) for place in range(60_000))
    held = len(content) * 3
    await bring(content.encode())
    assert (peak() - before) * 1024 < held + 20_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "customers.csv is empty"),
        ("\n\n", "customers.csv is empty"),
        ("Foo,Bar\n1,2\n", "no column is the customer's name"),
        ('"Name,Phone\nLi,1\n', "where the headers should be"),
        (b"PK\x03\x04" + bytes(300), "not a text file"),
    ],
)
async def test_a_file_that_makes_no_sense_is_refused(bring: Import, content: str | bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        await bring(content)


async def test_wrong_options_are_refused(bring: Import, database: Database, tenant_id: int, tmp_path: Path) -> None:
    for options, said in (({"delimiter": ",,"}, "one character"), ({"encoding": "klingon"}, "no text encoding")):
        with pytest.raises(BadFile, match=said):
            await bring("Name\nLi\n", **options)
    with pytest.raises(BadInput, match="no region"):
        await import_customers(database, tenant_id, tmp_path / "customers.csv", "XX")


async def test_a_reference_of_another_customer_imports_nothing(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    await store.create(tenant_id, Draft(name="Li", external_ref="R1"))
    with pytest.raises(BadFile, match="--match external_ref"):
        await bring("ID,Name,Phone\nR1,Wang,020 7946 0001\n", match=MatchRule.PHONE)
    assert [card.name for card in await cards(store, tenant_id)] == ["Li"]


async def test_only_one_import_runs_at_a_time(bring: Import, database: Database, tenant_id: int) -> None:
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('customers import'), $1::int)", tenant_id)
        with pytest.raises(Conflict, match="another import"):
            await bring("Name\nLi\n")


async def test_an_import_that_is_canceled_leaves_nothing(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    text = "Name,Phone\n" + "".join(f"Li {place},020 7946 {place:04}\n" for place in range(9_000))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await bring(text)
    assert await cards(store, tenant_id) == []
    assert (await bring(text)).added == 9_000


async def test_tenants_do_not_meet(
    bring: Import, database: Database, store: CustomerStore, add_tenant: Callable[[str], Awaitable[int]], tenant_id: int
) -> None:
    other = await add_tenant("other")
    theirs = await store.create(other, Draft(name="Li", external_ref="R1", phones=(DraftPhone("020 7946 0001"),)))
    assert counts(await bring("ID,Name,Phone\nR1,Wang,020 7946 0001\n")) == (1, 0, 0, 0, 0)
    assert await store.get(other, theirs.id) == theirs


async def test_a_first_large_import_leaves_tables_as_they_were(
    bring: Import, database: Database, store: CustomerStore, tenant_id: int
) -> None:
    definitions = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ANY($1::regclass[]) ORDER BY 1"
    constraints = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = ANY($1::regclass[]) ORDER BY 1"
    )
    tables = ["customers", "customer_phones"]
    before = [await database.pool.fetch(query, tables) for query in (definitions, constraints)]
    rows = 20_010
    text = "ID,Name,Phone\n" + "".join(f"R{place},Li {place},07{place:09}\n" for place in range(rows))
    assert len(text) > fresh.WORTH_IT
    assert counts(await bring(text)) == (rows, 0, 0, 0, 0)
    assert [await database.pool.fetch(query, tables) for query in (definitions, constraints)] == before
    assert counts(await bring(text)) == (0, 0, rows, 0, 0)
    assert [card.name for card in (await store.page(tenant_id, "li 4711")).items] == ["Li 4711"]


async def test_an_import_does_not_take_a_person_s_change_back_silently(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    await bring("ID,Name,Company\nR1,Li,Acme\n")
    [card] = await cards(store, tenant_id)
    await store.change(tenant_id, card.id, Change(version=1, note="called back"))
    assert counts(await bring("ID,Name,Company\nR1,Li,Bolt\n")) == (0, 1, 0, 0, 0)
    [after] = await cards(store, tenant_id)
    assert (after.note, after.company, after.version) == ("called back", "Bolt", 3)


async def test_the_preview_says_what_would_become_of_each_row_and_changes_nothing(
    database: Database, bring: Import, store: CustomerStore, tenant_id: int, tmp_path: Path
) -> None:
    await bring("ID,Name,Phone\nR1,Li,020 7946 0001\nR2,Wang,020 7946 0002\n")
    file = tmp_path / "next.csv"
    file.write_text("ID,Name,Phone\nR1,Li,020 7946 0001\nR2,Wang Fang,\nR3,New,\nR3,New,020 7946 0003\nR4,Bad,x\n")
    before = await cards(store, tenant_id)
    found = await preview(database, tenant_id, file, "GB")
    assert [(outcome.line, outcome.result) for outcome in found.outcomes] == [
        (2, "unchanged"),
        (3, "changed"),
        (4, "added"),
        (5, "merged"),
        (6, "rejected"),
    ]
    assert found.outcomes[-1].reason == "phone: 'x' is no phone number"
    assert await cards(store, tenant_id) == before
    assert not (tmp_path / "next.csv.rejects.csv").exists()


async def test_first_and_last_names_are_put_together_as_each_language_does(
    bring: Import, store: CustomerStore, tenant_id: int
) -> None:
    await bring("First name,Last name,Company\nLi,Wei,\n小明,王,\n,Müller,\n,,Acme\n")
    assert [card.name for card in await cards(store, tenant_id)] == ["Acme", "Li Wei", "Müller", "王小明"]


async def test_old_line_ends_and_missing_last_line_end(bring: Import, store: CustomerStore, tenant_id: int) -> None:
    assert (await bring("Name,Phone\rLi,020 7946 0001\rWang,020 7946 0002")).added == 2
    assert (await bring("Name,Phone\r\nLi,020 7946 0001\r\nZhao,020 7946 0003")).added == 1
