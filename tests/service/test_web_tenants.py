"""Two companies on one database, each with a process of its own: what opens one door opens nothing at the other."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from callcenter.accounts.access import Access
from callcenter.accounts.passwords import Passwords
from callcenter.accounts.roles import Role
from callcenter.db.engine import Database
from tests.service.web_world import CHEAP, PASSWORD, World, run_world

PLACES = (
    "/api/v1/calls",
    "/api/v1/customers",
    "/api/v1/queues",
    "/api/v1/agents",
    "/api/v1/reconciliations",
    "/metrics",
)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


@pytest.fixture
async def neighbor(world: World) -> AsyncIterator[Access]:
    """The accounts of another company, as its own process has them."""
    tenant_id = await world.database.ensure_tenant("neighbor")
    await world.people.add(tenant_id, "boss", "Boss", Role.ADMIN, CHEAP.hash(PASSWORD), by="test")
    access = Access(
        world.database,
        tenant_id,
        session_life=timedelta(hours=1),
        ticket_life=timedelta(seconds=30),
        seats_changed=world.told,
        session_ended=world.told,
        passwords=Passwords(CHEAP),
    )
    try:
        yield access
    finally:
        access.close()


async def test_another_company_s_session_opens_nothing_here(world: World, neighbor: Access) -> None:
    session = await neighbor.log_in("boss", PASSWORD, "192.0.2.1", None)
    assert session.token is not None
    assert (await neighbor.session(session.token)).login == "boss"
    cookie = {"Cookie": f"callcenter_session={session.token}"}
    async with world.client(**cookie) as client:
        answers = [(await client.send("GET", place)).status for place in PLACES]
        assert answers == [401] * len(PLACES)
        asked = {"pbx": "pbx", "since": "2026-03-04T09:00:00Z"}
        assert (await client.send("POST", "/api/v1/reconciliations", asked)).status == 401
        assert (await client.send("POST", f"/api/v1/calls/{next(iter(world.calls.records))}/hangup")).status == 401
        assert (await client.send("POST", "/api/v1/screenpop/ticket")).status == 401
    assert world.phones.ended == []


async def test_another_company_s_key_opens_nothing_here(world: World, neighbor: Access) -> None:
    tenant_id = await world.database.ensure_tenant("neighbor")
    key = await neighbor.keys.create(tenant_id, "crm", ["queues:read", "metrics:read"], None, by="boss")
    assert (await neighbor.api_key(key)).tenant_id == tenant_id
    async with world.client(Authorization=f"Bearer {key}") as client:
        answers = [(await client.send("GET", place)).status for place in PLACES]
    assert answers == [401] * len(PLACES)
