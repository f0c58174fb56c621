"""Requests at the edges of what can be written: each is refused with a reason, or means what it says; none crashes."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from callcenter.calllog.bell import Bell
from callcenter.db.engine import Database
from callcenter.joints.calls import WebCallLog
from callcenter.joints.customers import WebCustomers
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.erasure import Erasing
from callcenter.joints.numbers import Numbers
from callcenter.settings import PbxSettings
from tests.service.web_world import World, run_world

CALLS, CUSTOMERS, TICKET = "/api/v1/calls", "/api/v1/customers", "/api/v1/screenpop/ticket"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    words = DeskWords(database, await database.ensure_tenant("default"))
    await words.refresh()
    numbers = Numbers([PbxSettings(id="pbx", region="US")])
    calls = WebCallLog(database, Bell(database), words.check_outcome)
    customers = WebCustomers(database, numbers, Erasing(database, []), words)
    async with run_world(database, numbers=numbers, calls=calls, customers=customers) as running:
        yield running


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
async def test_a_time_that_utc_does_not_have_is_refused(world: World, name: str, time: str) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("GET", f"{CALLS}?{name}={quote(time)}")
    assert (answer.status, answer.json["detail"]) == (
        400,
        "`since` and `until` must lie within the years 1 to 9999 in UTC.",
    )


@pytest.mark.parametrize("version", [2**31, 2**63 - 1, 10**30])
async def test_a_version_that_no_customer_can_have_is_refused(world: World, version: int) -> None:
    async with world.logged_in("li") as client:
        made = await client.send("POST", CUSTOMERS, {"name": "Ada"})
        answer = await client.send("PATCH", f"{CUSTOMERS}/{made.json['id']}", {"version": version, "name": "Eve"})
        assert answer.status == 400, answer.text
        assert (await client.send("GET", f"{CUSTOMERS}/{made.json['id']}")).json["name"] == "Ada"


@pytest.mark.parametrize("host", ["[::1", "evil.example;script-src *", "a b", "calls.example.com:x", "é.example"])
async def test_a_host_that_is_none_is_refused_before_it_gets_into_an_answer(world: World, host: str) -> None:
    async with world.logged_in("li") as client:
        for method, path in (("GET", "/"), ("GET", "/api/docs"), ("POST", TICKET)):
            answer = await client.send(method, path, headers={"Host": host})
            assert (answer.status, answer.json["detail"]) == (400, "The header Host is no name of a host.")
            assert "evil" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["calls.example.com", "calls_2.example.com:8443", "[::1]:8080", "127.0.0.1"])
async def test_a_host_that_is_one_is_taken(world: World, host: str) -> None:
    async with world.logged_in("li") as client:
        assert (await client.send("POST", TICKET, headers={"Host": host})).status == 201


@pytest.mark.parametrize(
    "text", ["1001,1002", '"Line 2" <1001>', "sip:1001@pbx2.example.com", "1001;ext=5", "١٠٠١", "10 01"]
)
async def test_what_is_dialed_is_the_number_that_was_read_and_not_every_digit_of_the_text(
    world: World, text: str
) -> None:
    async with world.logged_in("li") as client:
        await client.send("PUT", "/api/v1/session/extension", {"pbx": "pbx", "extension": "1002"})
        answer = await client.send("POST", CALLS, {"number": text})
        assert answer.status == 202, answer.text
    assert [number for *_, number in world.phones.dialed] == ["1001"]


async def test_a_zone_does_not_make_an_address_another_one_for_each_attempt(world: World) -> None:
    async with world.client() as client:
        statuses = [
            (
                await client.send(
                    "POST",
                    "/api/v1/session",
                    {"login": f"nobody{n}", "password": "a wrong password"},
                    headers={"X-Forwarded-For": f"fe80::1%zone{n}"},
                )
            ).status
            for n in range(45)
        ]
    assert statuses[0] == 401
    assert statuses[-1] == 429
