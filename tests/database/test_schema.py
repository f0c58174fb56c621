"""The schema that migrations make is the one that the tables declare."""

import asyncio
from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

import callcenter.accounts.tables
import callcenter.calllog.reconciling.tables
import callcenter.calllog.tables
import callcenter.customers.tables
import callcenter.desk.tables
import callcenter.live.tables
import callcenter.reports.tables
import crm_bridge.tables
import crm_bridge.webhooks.tables
from callcenter.calllog.store import store, store_merge
from callcenter.customers.draft import Draft, DraftPhone
from callcenter.customers.store import CustomerStore
from callcenter.db import migrations
from callcenter.db.engine import Database, connect
from callcenter.db.schema import metadata
from callcenter.errors import DatabaseError
from callcenter.matching.number import Reader
from callcenter.model import Party, PartyKind
from tests.fixtures.calls import in_progress, queue_call

DECLARING = (
    callcenter.accounts.tables,
    callcenter.calllog.reconciling.tables,
    callcenter.calllog.tables,
    callcenter.live.tables,
    callcenter.reports.tables,
    callcenter.customers.tables,
    callcenter.desk.tables,
    crm_bridge.tables,
    crm_bridge.webhooks.tables,
)

CHECKS = """
    SELECT conrelid::regclass::text AS place, conname AS name, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
INDEXES = "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"


def _differences(connection: Connection) -> list[object]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        # alembic cannot read a COLLATE back; the next test compares these indexes in PostgreSQL's own words
        "include_object": lambda thing, name, kind, reflected, other: (
            name not in ("ix_customers_name", "ix_customers_email", "ix_customer_phones_backwards")
        ),
    }
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


async def test_migrations_make_what_the_tables_declare(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_checks_and_indexes_are_the_declared_ones_to_the_letter(database: Database, empty_url: str) -> None:
    """Alembic compares neither CHECKs nor what an index includes, so PostgreSQL's own words are compared."""
    declared = await connect(empty_url, pool_size=1)
    try:
        async with declared.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        for query in (CHECKS, INDEXES):
            found = {tuple(row) for row in await database.pool.fetch(query)}
            found -= {row for row in found if "alembic_version" in row[-1]}
            assert found == {tuple(row) for row in await declared.pool.fetch(query)}
    finally:
        await declared.close()


def test_every_key_begins_with_the_tenant() -> None:
    for table in metadata.sorted_tables:
        first = next(iter(table.primary_key.columns)).name
        assert first == ("id" if table.name == "tenants" else "tenant_id"), table.name


async def test_upgrading_again_changes_nothing(database: Database) -> None:
    before = await database.pool.fetchval("SELECT count(*) FROM pg_class")
    await migrations.upgrade(database)
    assert await migrations.current(database) == migrations.head()
    assert await database.pool.fetchval("SELECT count(*) FROM pg_class") == before


async def test_an_upgrade_learns_whose_the_calls_before_it_were(database: Database, tenant_id: int) -> None:
    other = queue_call(1, callee=Party(number="1003", kind=PartyKind.AGENT, agent="zoe"), offers=(), connections=())
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0), other, in_progress(2)], {})
        await store_merge(unit, in_progress(2).call_id, queue_call(0).call_id)
    whose = "SELECT * FROM call_agents ORDER BY call_id, agent"
    before = await database.pool.fetch(whose)
    assert {row["agent"] for row in before} == {"li", "zoe"}
    await database.pool.execute("DROP TABLE call_agents")

    # this step alone: the later ones have been taken and cannot be taken again
    for statement in import_module("callcenter.db.migrations.versions.0002_call_agents").STATEMENTS:
        await database.pool.execute(statement)

    assert await database.pool.fetch(whose) == before


async def test_an_upgrade_keeps_customers_findable_by_words_and_numbers(database: Database, tenant_id: int) -> None:
    indexes = await database.pool.fetch(INDEXES)
    for undo in (
        "DROP INDEX ix_customers_search, ix_customer_phones_backwards",
        "ALTER TABLE customers ADD COLUMN search tsvector"
        " GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || coalesce(company, ''))) STORED",
        "ALTER TABLE customer_phones ADD COLUMN suffix text CHECK (suffix ~ '^[0-9]+$')",
        "CREATE INDEX ix_customer_phones_national ON customer_phones (tenant_id, national)",
    ):
        await database.pool.execute(undo)
    store = CustomerStore(database, Reader("GB"))
    phones = (DraftPhone("020 7946 0101"), DraftPhone("7946 0102"))
    card = await store.create(tenant_id, Draft(name="Li", company="Bell Works", phones=phones))
    await database.pool.execute("UPDATE customer_phones SET suffix = right(national, 7)")

    for statement in import_module("callcenter.db.migrations.versions.0007_customer_indexes").STATEMENTS:
        await database.pool.execute(statement)

    assert await database.pool.fetch(INDEXES) == indexes
    for text in ("works", "+44 20 7946 0101", "020 7946 0101", "7946 0101", "7946 0102"):
        assert (await store.page(tenant_id, text)).items == [card], text


async def test_of_processes_that_upgrade_at_once_one_does_the_work(empty_url: str) -> None:
    opened = [await connect(empty_url, pool_size=1) for _ in range(3)]
    try:
        await asyncio.gather(*(migrations.upgrade(database) for database in opened))
        assert await migrations.current(opened[0]) == migrations.head()
    finally:
        for database in opened:
            await database.close()


async def test_an_empty_database_is_refused_with_the_command_to_run(empty_url: str) -> None:
    database = await connect(empty_url, pool_size=1)
    try:
        with pytest.raises(DatabaseError, match="is empty: run `callcenter db upgrade`"):
            await migrations.check(database)
        await migrations.upgrade(database)
        await migrations.check(database)
    finally:
        await database.close()


async def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    await database.pool.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match="newer version"):
        await migrations.check(database)
    with pytest.raises(DatabaseError, match="newer version"):
        await migrations.upgrade(database)


@pytest.mark.parametrize(("table", "key"), [("calls", "call_id"), ("customers", "customer_id")])
async def test_a_foreign_keys_check_finds_the_key_on_a_new_database(database: Database, table: str, key: str) -> None:
    """Without statistics PostgreSQL may take another index that begins with the tenant, and read all of it."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(
            f"PREPARE foreign_key (int, uuid) AS SELECT 1 FROM ONLY {table} WHERE tenant_id = $1 AND {key} = $2"
        )
        plan = await connection.fetch("EXPLAIN EXECUTE foreign_key (1, '00000000-0000-0000-0000-000000000000')")
        await connection.execute("DEALLOCATE foreign_key")
    assert f"using pk_{table}" in plan[0][0]
