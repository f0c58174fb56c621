"""A unit of work knows its tenant, and all or nothing of it is written."""

import pytest

from callcenter.db.engine import Database

ADD = "INSERT INTO users (tenant_id, login, role) VALUES ($1, $2, 'agent')"


async def test_every_statement_gets_the_tenant_first_and_json_as_values(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        assert await unit.fetchval("SELECT $1::int") == tenant_id
        value = {"name": "王", "list": [1, None, "x"]}
        assert await unit.fetchval("SELECT $2::jsonb || jsonb_build_object('tenant', $1::int)", value) == {
            **value,
            "tenant": tenant_id,
        }


async def test_what_fails_leaves_nothing(database: Database, tenant_id: int) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.unit(tenant_id) as unit:
            await unit.execute(ADD, "li")
            raise ZeroDivisionError
    assert await database.pool.fetchval("SELECT count(*) FROM users") == 0


async def test_one_tenant_does_not_see_the_other(database: Database, tenant_id: int) -> None:
    other = await database.ensure_tenant("other")
    for tenant, logins in ((tenant_id, ("li", "mo")), (other, ("li", "zoe"))):
        async with database.unit(tenant) as unit:
            for login in logins:
                await unit.execute(ADD, login)
    async with database.unit(tenant_id) as unit:
        rows = await unit.fetch("SELECT login FROM users WHERE tenant_id = $1 ORDER BY login")
    assert [row["login"] for row in rows] == ["li", "mo"]


async def test_a_statement_that_forgets_the_tenant_does_not_run(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        with pytest.raises(Exception, match="expects 0 arguments"):
            await unit.fetch("SELECT login FROM users")


async def test_deleting_a_user_keeps_the_agent(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await unit.execute(ADD, "li")
        await unit.execute("INSERT INTO agents (tenant_id, agent_id, login) VALUES ($1, 'li', 'li')")
        await unit.execute("DELETE FROM users WHERE tenant_id = $1 AND login = 'li'")
    agent = await database.pool.fetchrow("SELECT tenant_id, agent_id, login FROM agents")
    assert agent is not None and tuple(agent) == (tenant_id, "li", None)
