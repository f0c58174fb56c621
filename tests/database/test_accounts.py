"""People, seats, sessions and keys in PostgreSQL: what must hold when several do it at once, and between tenants."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from callcenter.accounts.apikeys import ApiKeys
from callcenter.accounts.roles import Role
from callcenter.accounts.seats import SeatBook, Seats
from callcenter.accounts.sessions import Owner, Sessions
from callcenter.accounts.store import People, read_login
from callcenter.accounts.values import Extension
from callcenter.db.away import repeat
from callcenter.db.engine import Database
from callcenter.errors import BadInput, Conflict, NotFound, Unauthenticated
from tests.fixtures.database import run_as_admin


class Listener:
    """Notes what it is told, and wakes who waits for it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str | None]]] = []
        self.heard = asyncio.Event()

    def seats_changed(self, pbx: str, seats: Mapping[str, Extension]) -> None:
        self.told.append((pbx, {interface: seat.agent for interface, seat in seats.items()}))
        self.heard.set()


async def furnish(database: Database, tenant_id: int, *logins: str, seats: int = 2) -> Seats:
    """People, and extensions from 1001 on."""
    for login in logins:
        await People(database).add(tenant_id, login, login.title(), Role.AGENT, None, by="test")
    made = Seats(database)
    for number in range(1001, 1001 + seats):
        await made.add(tenant_id, "pbx", str(number), f"PJSIP/{number}")
    return made


@pytest.mark.parametrize("login", ["", " ", "-li", "li na", "li/na", "é", "x" * 65, "li\0"])
def test_what_cannot_be_a_login(login: str) -> None:
    with pytest.raises(BadInput, match="cannot be a login"):
        read_login(login)


async def test_one_seat_goes_to_one_of_many_who_want_it(database: Database, tenant_id: int) -> None:
    logins = [f"agent{number}" for number in range(8)]
    seats = await furnish(database, tenant_id, *logins)
    results = await asyncio.gather(
        *(seats.take(tenant_id, login, "pbx", "1001", by=login) for login in logins), return_exceptions=True
    )
    winners = [result for result in results if isinstance(result, Extension)]
    assert len(winners) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 7
    assert [seat.agent for seat in await seats.list(tenant_id)] == [winners[0].agent, None]


async def test_two_who_force_each_other_s_seat_do_not_wait_for_ever(database: Database, tenant_id: int) -> None:
    seats = await furnish(database, tenant_id, "li", "wang")
    for _ in range(5):
        await seats.take(tenant_id, "li", "pbx", "1001", by="li", force=True)
        await seats.take(tenant_id, "wang", "pbx", "1002", by="wang", force=True)
        async with asyncio.timeout(20):
            await asyncio.gather(
                seats.take(tenant_id, "li", "pbx", "1002", by="li", force=True),
                seats.take(tenant_id, "wang", "pbx", "1001", by="wang", force=True),
            )
        agents = [seat.agent for seat in await seats.list(tenant_id)]
        assert agents == ["wang", "li"]


async def test_an_extension_is_known_once_and_its_device_too(database: Database, tenant_id: int) -> None:
    seats = await furnish(database, tenant_id)
    assert (await seats.add(tenant_id, "pbx", "1001", "PJSIP/9999")).interface == "PJSIP/1001"
    with pytest.raises(Conflict, match="another extension"):
        await seats.add(tenant_id, "pbx", "7", "PJSIP/1001")
    assert (await seats.add(tenant_id, "branch", "1001", "PJSIP/1001")).pbx == "branch"


async def test_the_book_tells_only_what_changed_and_finds_what_others_changed(
    database: Database, tenant_id: int
) -> None:
    seats, listener = await furnish(database, tenant_id, "li"), Listener()
    await seats.add(tenant_id, "branch", "2001", "PJSIP/2001")
    book = SeatBook(seats, tenant_id, listener)
    await book.refresh()
    assert [pbx for pbx, _ in listener.told] == ["branch", "pbx"]
    await book.refresh()
    assert len(listener.told) == 2
    listener.heard.clear()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(repeat("seats", book.refresh, timedelta(milliseconds=10)), name="seats")
        await seats.take(tenant_id, "li", "pbx", "1002", by="li")
        async with asyncio.timeout(20):
            await listener.heard.wait()
        watch.cancel()
    assert listener.told[2:] == [("pbx", {"PJSIP/1001": None, "PJSIP/1002": "li"})]
    assert book.of("pbx")["PJSIP/1002"].agent == "li"
    assert book.of("nowhere") == {}


async def test_the_book_goes_on_after_the_database_was_away(
    database: Database, tenant_id: int, postgres_url: str
) -> None:
    seats, listener = await furnish(database, tenant_id), Listener()
    book = SeatBook(seats, tenant_id, listener)
    name = await database.pool.fetchval("SELECT current_database()")
    cut_off = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    await run_as_admin(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', cut_off)
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(repeat("seats", book.refresh, timedelta(milliseconds=10)), name="seats")
            async with asyncio.timeout(20):
                while not logs:  # noqa: ASYNC110 - a log line wakes nobody
                    await asyncio.sleep(0.01)
                await run_as_admin(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
                await listener.heard.wait()
            watch.cancel()
    assert [entry["event"] for entry in logs] == ["database_away", "database_back"]


async def test_tenants_have_their_own_people_seats_and_keys(database: Database, tenant_id: int) -> None:
    other = await database.ensure_tenant("other")
    seats = await furnish(database, tenant_id, "li")
    await furnish(database, other, "li", seats=1)
    await seats.take(other, "li", "pbx", "1001", by="li")
    assert [seat.agent for seat in await seats.list(tenant_id)] == [None, None]
    with pytest.raises(NotFound):
        await seats.take(other, "li", "pbx", "1002", by="li")
    keys = ApiKeys(database, lambda: datetime.now(UTC))
    key = await keys.create(other, "crm", ["calls:read"], None, by="li")
    assert (await keys.find(other, key)).tenant_id == other
    with pytest.raises(Unauthenticated):
        await keys.find(tenant_id, key)
    [listed] = await keys.list(other)
    with pytest.raises(NotFound):
        await keys.revoke(tenant_id, listed.key_id, by="li")
    people = People(database)
    await people.set_disabled(other, "li", True, by="test")
    assert [person.disabled for person in await people.list(tenant_id)] == [False]


async def test_sessions_of_tenants_do_not_end_each_other(database: Database, tenant_id: int) -> None:
    other = await database.ensure_tenant("other")
    await furnish(database, tenant_id, "li")
    await furnish(database, other, "li")
    sessions = Sessions(database, timedelta(hours=1), lambda: datetime.now(UTC))

    def owner(tenant: int) -> Owner:
        return Owner(tenant_id=tenant, login="li", name="Li", role=Role.AGENT, language=None)

    here = await sessions.open(owner(tenant_id), "127.0.0.1", None)
    there = await sessions.open(owner(other), "127.0.0.1", replaces=here.token)
    assert here.token and there.token and there.principal.session
    assert (await sessions.find(tenant_id, here.token)).principal.tenant_id == tenant_id
    await sessions.end(tenant_id, there.principal.session)
    with pytest.raises(Unauthenticated):
        await sessions.find(tenant_id, there.token)
    assert (await sessions.find(other, there.token)).principal.tenant_id == other
    await sessions.end(other, there.principal.session)
    with pytest.raises(Unauthenticated):
        await sessions.find(other, there.token)


async def test_a_key_that_ends_is_not_found(database: Database, tenant_id: int) -> None:
    now = datetime.now(UTC)
    times = [now]
    keys = ApiKeys(database, lambda: times[0])
    key = await keys.create(tenant_id, "crm", ["calls:read"], now + timedelta(days=1), by="li")
    times[0] = now + timedelta(hours=23)
    await keys.find(tenant_id, key)
    times[0] = now + timedelta(days=1)
    with pytest.raises(Unauthenticated, match="not valid"):
        await keys.find(tenant_id, key)


async def test_a_role_of_machines_cannot_log_in(database: Database, tenant_id: int) -> None:
    await database.pool.execute(
        "INSERT INTO users (tenant_id, login, role, password_hash) VALUES ($1, 'robot', 'integration', 'x')", tenant_id
    )
    people = People(database)
    assert await people.credentials(tenant_id, "robot") is None
    assert await people.list(tenant_id) == ()
