"""Whose number it is, asked of a real PostgreSQL."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from callcenter.customers.draft import Change, Draft, DraftPhone
from callcenter.customers.index import EXACT, GUESS, CustomerIndex
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database, connect
from callcenter.matching.number import Reader
from callcenter.matching.rank import MatchReason, MatchStatus

BRITISH = Reader("GB")
GERMAN = Reader("DE")
AMERICAN = Reader("US")


@pytest.fixture
def index(database: Database) -> CustomerIndex:
    return CustomerIndex(database.pool, deadline=timedelta(seconds=5))


@pytest.fixture
def add(database: Database, tenant_id: int) -> Callable[..., Awaitable[None]]:
    async def add(
        name: str, *numbers: str, reader: Reader = BRITISH, tenant: int | None = None, **other: object
    ) -> None:
        phones = tuple(DraftPhone(number, f"label {place}") for place, number in enumerate(numbers))
        await CustomerStore(database, reader).create(tenant or tenant_id, Draft(name=name, phones=phones, **other))  # type: ignore[arg-type]

    return add


Add = Callable[..., Awaitable[None]]


async def names(index: CustomerIndex, tenant_id: int, text: str, reader: Reader = BRITISH) -> list[str]:
    return [one.name for one in (await index.match(tenant_id, reader.read(text))).candidates]


async def test_an_exact_number_brings_all_that_the_card_shows(
    index: CustomerIndex, add: Add, database: Database, tenant_id: int
) -> None:
    await add("王小明", "01632 960001", "020 7946 0101", company="Acme", email="li@example.com", tags=("vip",))
    called = datetime.now(UTC) - timedelta(days=3, hours=1)
    await database.pool.execute("UPDATE customers SET last_call_at = $1", called)
    match = await index.match(tenant_id, BRITISH.read("+442079460101"))
    assert match.status is MatchStatus.ONE
    [one] = match.candidates
    assert (one.name, one.company, one.email, one.tags) == ("王小明", "Acme", "li@example.com", ("vip",))
    assert (one.phone, one.phone_label, one.last_call_at) == ("020 7946 0101", "label 1", called)
    assert one.reason is MatchReason.EXACT
    assert [(reason.code, reason.days) for reason in one.reasons][1] == (MatchReason.RECENT, 3)


async def test_nobody_is_nobody(index: CustomerIndex, tenant_id: int) -> None:
    assert (await index.match(tenant_id, BRITISH.read("020 7946 0101"))).status is MatchStatus.NONE


async def test_extensions_and_withheld_numbers_are_nobody_even_if_somebody_has_them(
    index: CustomerIndex, add: Add, tenant_id: int
) -> None:
    await add("Colleague", "1001")
    for text in ("1001", "anonymous", "", "nonsense"):
        assert (await index.match(tenant_id, BRITISH.read(text))).status is MatchStatus.NONE


async def test_a_shared_number_brings_all_and_your_customer_first(
    index: CustomerIndex, add: Add, database: Database, tenant_id: int
) -> None:
    await database.pool.execute("INSERT INTO agents (tenant_id, agent_id, name) VALUES ($1, 'li', 'Li')", tenant_id)
    await add("A", "020 7946 0100")
    await add("B", "020 7946 0100", owner="li")
    number = BRITISH.read("+442079460100")
    assert [one.name for one in (await index.match(tenant_id, number)).candidates] == ["A", "B"]
    match = await index.match(tenant_id, number, agent="li")
    assert match.status is MatchStatus.SEVERAL
    assert [one.name for one in match.candidates] == ["B", "A"]


async def test_a_number_without_area_code_is_found_by_its_end(index: CustomerIndex, add: Add, tenant_id: int) -> None:
    await add("London", "020 7946 0123")
    await add("Elsewhere", "0113 946 0123")
    match = await index.match(tenant_id, BRITISH.read("7946 0123"))
    assert [(one.name, one.reason) for one in match.candidates] == [("London", MatchReason.SUFFIX)]


async def test_a_customer_stored_without_area_code_is_found_by_a_whole_number(
    index: CustomerIndex, add: Add, tenant_id: int
) -> None:
    await add("London", "7946 0123")
    assert await names(index, tenant_id, "+442079460123") == ["London"]
    assert await names(index, tenant_id, "+442079460124") == []


async def test_two_pbxs_of_different_regions_find_the_same_customer(
    index: CustomerIndex, add: Add, tenant_id: int
) -> None:
    await add("London", "+44 20 7946 0123")
    for reader, text in ((BRITISH, "02079460123"), (GERMAN, "00442079460123"), (AMERICAN, "011442079460123")):
        match = await index.match(tenant_id, reader.read(text))
        assert [(one.name, one.reason) for one in match.candidates] == [("London", MatchReason.EXACT)]


async def test_a_national_number_of_another_region_is_a_guess(index: CustomerIndex, add: Add, tenant_id: int) -> None:
    await add("London", "020 7946 0123")
    match = await index.match(tenant_id, GERMAN.read("02079460123"))
    assert [(one.name, one.reason) for one in match.candidates] == [("London", MatchReason.NATIONAL)]


async def test_a_number_that_names_its_country_is_never_taken_for_another_country(
    index: CustomerIndex, add: Add, tenant_id: int
) -> None:
    await add("London", "020 7946 0123")
    assert await names(index, tenant_id, "+1 207 946 0123") == []


async def test_tenants_do_not_see_each_other(
    index: CustomerIndex, add: Add, tenant_id: int, add_tenant: Callable[[str], Awaitable[int]]
) -> None:
    other = await add_tenant("other")
    await add("Mine", "020 7946 0123")
    await add("Theirs", "020 7946 0123", tenant=other)
    assert await names(index, tenant_id, "020 7946 0123") == ["Mine"]
    assert await names(index, other, "020 7946 0123") == ["Theirs"]
    assert await names(index, other, "7946 0123") == ["Theirs"]


async def test_a_changed_number_is_found_at_once_and_the_old_one_not(
    index: CustomerIndex, database: Database, tenant_id: int
) -> None:
    store = CustomerStore(database, BRITISH)
    card = await store.create(tenant_id, Draft(name="Li", phones=(DraftPhone("020 7946 0123"),)))
    await store.change(tenant_id, card.id, Change(version=1, phones=(DraftPhone("07700 900123"),)))
    assert await names(index, tenant_id, "020 7946 0123") == []
    assert await names(index, tenant_id, "07700 900123") == ["Li"]


@pytest.fixture
async def many(database: Database, tenant_id: int) -> None:
    """20 000 customers, so that a sequential scan would be noticed by the planner too."""
    await database.pool.execute(
        "INSERT INTO customers (tenant_id, customer_id, name)"
        " SELECT $1, gen_random_uuid(), 'Customer ' || n FROM generate_series(1, 20000) n",
        tenant_id,
    )
    await database.pool.execute(
        "INSERT INTO customer_phones (tenant_id, customer_id, raw, e164, national)"
        " SELECT tenant_id, customer_id, n::text, '+44' || n, n::text FROM ("
        "  SELECT *, 2000000000 + row_number() OVER () * 37 AS n FROM customers) c"
    )
    await database.pool.execute("ANALYZE customers")
    await database.pool.execute("ANALYZE customer_phones")


@pytest.mark.parametrize("plans", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("statement", [EXACT, GUESS])
async def test_no_look_up_reads_a_whole_table(
    database: Database, tenant_id: int, many: None, statement: str, plans: str
) -> None:
    values = f"{tenant_id}, '+442000000037'" if statement == EXACT else f"{tenant_id}, '2000000037', '0000037', false"
    types = "int, text" if statement == EXACT else "int, text, text, boolean"
    async with database.pool.acquire() as connection:
        await connection.execute(f"SET plan_cache_mode = {plans}")
        await connection.execute(f"PREPARE look_up ({types}) AS {statement}")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE look_up ({values})"))
        await connection.execute("DEALLOCATE look_up")
        await connection.execute("RESET plan_cache_mode")
    assert "Seq Scan" not in plan
    # whole numbers and those that end so, each found at its place in the index
    sought = [line for line in plan.splitlines() if "Index Cond: " in line and "reverse(" in line]
    assert "ix_customer_phones_e164" in plan or len(sought) == plan.count("ix_customer_phones_backwards") == 2


@pytest.fixture
async def frozen(database: Database) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Stops the servers of all pooled connections, as a machine under too much load would."""
    stopped: list[int] = []

    async def freeze() -> None:
        async with database.pool.acquire() as connection:
            stopped.append(await connection.fetchval("SELECT pg_backend_pid()"))
        for process in stopped:
            os.kill(process, signal.SIGSTOP)

    yield freeze
    for process in stopped:
        os.kill(process, signal.SIGCONT)


@pytest.mark.skipif("CALLCENTER_TEST_DATABASE_URL" in os.environ, reason="the server's processes are not ours to stop")
async def test_a_look_up_ends_at_its_deadline_and_says_that_it_could_not_ask(
    database: Database, tenant_id: int, frozen: Callable[[], Awaitable[None]]
) -> None:
    index = CustomerIndex(database.pool, deadline=timedelta(milliseconds=200))
    number = BRITISH.read("020 7946 0123")
    assert (await index.match(tenant_id, number)).status is MatchStatus.NONE
    await frozen()
    async with asyncio.timeout(3):
        assert (await index.match(tenant_id, number)).status is MatchStatus.INCOMPLETE


@pytest.mark.skipif("CALLCENTER_TEST_DATABASE_URL" in os.environ, reason="the server's processes are not ours to stop")
async def test_who_was_found_lately_is_found_without_the_database_and_marked(
    database: Database, add: Add, tenant_id: int, frozen: Callable[[], Awaitable[None]]
) -> None:
    await add("Li", "020 7946 0123")
    index = CustomerIndex(database.pool, deadline=timedelta(milliseconds=200))
    number, other = BRITISH.read("020 7946 0123"), BRITISH.read("020 7946 0124")
    known = await index.match(tenant_id, number)
    await index.match(tenant_id, other)
    await frozen()
    async with asyncio.timeout(3):
        found = await index.match(tenant_id, number)
        assert (found.status, found.candidates) == (MatchStatus.INCOMPLETE, known.candidates)
        begun = asyncio.get_running_loop().time()
        nobody = [await index.match(tenant_id, other) for _ in range(50)]
        # one look-up waited in vain, and the others are not made to
        assert asyncio.get_running_loop().time() - begun < 0.2
        assert {(one.status, one.candidates) for one in nobody} == {(MatchStatus.INCOMPLETE, ())}
        assert (await index.match(tenant_id + 1, number)).candidates == ()


async def test_a_database_that_is_gone_is_could_not_ask(database: Database, tenant_id: int) -> None:
    index = CustomerIndex(database.pool)
    await database.pool.close()
    assert (await index.match(tenant_id, BRITISH.read("020 7946 0123"))).status is MatchStatus.INCOMPLETE


async def test_look_ups_work_again_after_the_servers_end(
    database: Database, index: CustomerIndex, add: Add, tenant_id: int, database_url: str
) -> None:
    await add("Li", "020 7946 0123")
    admin = await asyncpg.connect(database_url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()
    # each broken connection may cost one look-up, and none of them may cost more
    answers = [await names(index, tenant_id, "020 7946 0123") for _ in range(database.pool.get_max_size() + 1)]
    assert answers[-1] == ["Li"]


async def test_kept_connections_give_the_same_answers_and_are_given_back(
    database: Database, index: CustomerIndex, add: Add, tenant_id: int, database_url: str
) -> None:
    await add("Li", "020 7946 0123")
    async with index.ready():
        at_once = await asyncio.gather(*(names(index, tenant_id, "020 7946 0123") for _ in range(20)))
        assert at_once == [["Li"]] * 20
        assert 0 < database.pool.get_size() - database.pool.get_idle_size() <= database.pool.get_max_size() // 3
        admin = await asyncpg.connect(database_url)
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await admin.close()
        answers = [await names(index, tenant_id, "020 7946 0123") for _ in range(database.pool.get_max_size() + 1)]
        assert answers[-1] == ["Li"]
    assert database.pool.get_size() == database.pool.get_idle_size()


async def test_a_small_pool_is_left_to_others(add: Add, tenant_id: int, database_url: str) -> None:
    await add("Li", "020 7946 0123")
    database = await connect(database_url, pool_size=2)
    try:
        index = CustomerIndex(database.pool)
        async with index.ready():
            assert await names(index, tenant_id, "020 7946 0123") == ["Li"]
            assert database.pool.get_size() == database.pool.get_idle_size()
    finally:
        await database.close()


async def test_a_kept_connection_leaves_nothing_for_the_servers_statement_timeout(
    database: Database, index: CustomerIndex, add: Add, tenant_id: int
) -> None:
    """What is prepared and not run is canceled after `statement_timeout`, and takes the next message with it."""
    await add("Li", "020 7946 0123")
    async with index.ready():
        assert await names(index, tenant_id, "020 7946 0123") == ["Li"]
        states = await database.pool.fetch(
            "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND application_name = 'callcenter' AND query LIKE '%customer_phones%'"
        )
        assert [row["state"] for row in states] == ["idle"]
