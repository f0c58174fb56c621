"""A unit of work sees one tenant, and all or nothing of it is written."""

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import col

from callcenter.accounts.roles import Role
from callcenter.accounts.tables import Tenant, User
from callcenter.db.engine import Database


async def add_users(database: Database, tenant_id: int, *logins: str) -> None:
    async with database.unit(tenant_id) as unit:
        for login in logins:
            unit.add(User(tenant_id=tenant_id, login=login, role=Role.AGENT))


@pytest.fixture
async def other(database: Database, tenant_id: int) -> int:
    """A second tenant, with a user of the same login as the first's and one of its own."""
    second = await database.ensure_tenant("other")
    await add_users(database, tenant_id, "li", "mo")
    await add_users(database, second, "li", "zoe")
    return second


async def test_a_select_without_a_condition_gives_this_tenants_rows(
    database: Database, tenant_id: int, other: int
) -> None:
    async with database.unit(tenant_id) as unit:
        assert sorted(user.login for user in await unit.scalars(select(User))) == ["li", "mo"]
        second = aliased(User)
        pairs = await unit.execute(
            select(col(User.login), col(second.login)).join(second, col(User.login) != second.login)
        )
        assert {login for pair in pairs for login in pair} == {"li", "mo"}
        assert await unit.scalar(select(func.count()).select_from(User)) == 2
        assert [tenant.slug for tenant in await unit.scalars(select(Tenant))] == ["default"]
        assert await unit.get(User, "zoe") is None


async def test_update_and_delete_reach_this_tenants_rows_only(database: Database, tenant_id: int, other: int) -> None:
    async with database.unit(tenant_id) as unit:
        await unit.execute(update(User).values(name="changed"))
        await unit.execute(delete(User).where(col(User.login) == "li"))
    rows = await database.pool.fetch("SELECT tenant_id, login, name FROM users ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [(tenant_id, "mo", "changed"), (other, "li", ""), (other, "zoe", "")]


async def test_a_row_of_another_tenant_is_refused(database: Database, tenant_id: int, other: int) -> None:
    with pytest.raises(ValueError, match=f"of tenant {other} in a unit of work of tenant {tenant_id}"):
        async with database.unit(tenant_id) as unit:
            unit.add(User(tenant_id=other, login="eve", role=Role.ADMIN))


async def test_text_must_name_the_tenant(database: Database, tenant_id: int, other: int) -> None:
    async with database.unit(tenant_id) as unit:
        found = await unit.execute(text("SELECT login FROM users WHERE tenant_id = :tenant_id ORDER BY 1"))
        assert list(found.scalars()) == ["li", "mo"]
        with pytest.raises(ValueError, match=":tenant_id"):
            await unit.execute(text("SELECT login FROM users"))


async def test_an_error_takes_back_everything(database: Database, tenant_id: int) -> None:
    with pytest.raises(IntegrityError):
        async with database.unit(tenant_id) as unit:
            unit.add(User(tenant_id=tenant_id, login="li", role=Role.AGENT))
            await unit.flush()
            await unit.execute(
                text("INSERT INTO agents (tenant_id, agent_id, login) VALUES (:tenant_id, 'x', 'nobody')")
            )
    async with database.unit(tenant_id) as unit:
        assert await unit.get(User, "li") is None


async def test_native_sql_gets_the_tenant_first_and_json_as_values(database: Database, tenant_id: int) -> None:
    async with database.native(tenant_id) as unit:
        assert await unit.fetchval("SELECT $1::int") == tenant_id
        value = {"name": "王", "list": [1, None, "x"]}
        assert await unit.fetchval("SELECT $2::jsonb || jsonb_build_object('tenant', $1::int)", value) == {
            **value,
            "tenant": tenant_id,
        }
    with pytest.raises(ZeroDivisionError):
        async with database.native(tenant_id) as unit:
            await unit.execute("INSERT INTO users (tenant_id, login, role) VALUES ($1, 'li', 'agent')")
            raise ZeroDivisionError
    assert await database.pool.fetchval("SELECT count(*) FROM users") == 0


async def test_deleting_a_user_keeps_the_agent_and_frees_nothing_else(database: Database, tenant_id: int) -> None:
    await add_users(database, tenant_id, "li")
    await database.pool.execute("INSERT INTO agents (tenant_id, agent_id, login) VALUES ($1, 'li', 'li')", tenant_id)
    async with database.unit(tenant_id) as unit:
        user = await unit.get(User, "li", lock=True)
        assert user is not None
        await unit.delete(user)
    agent = await database.pool.fetchrow("SELECT tenant_id, agent_id, login FROM agents")
    assert agent is not None and tuple(agent) == (
        tenant_id,
        "li",
        None,
    )
