"""The REST API on the real call log, customers, index and number reader, all on one PostgreSQL."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from callcenter.calllog.bell import Bell
from callcenter.calllog.store import store
from callcenter.customers.index import CustomerIndex
from callcenter.db.engine import Database
from callcenter.joints.calls import WebCallLog
from callcenter.joints.customers import WebCustomers
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.erasure import Erasing
from callcenter.joints.matching import WebMatcher
from callcenter.joints.numbers import Numbers
from callcenter.settings import PbxSettings
from crm_bridge.outbox import CallOutbox
from tests.contract.test_openapi import check_answer
from tests.fixtures.calls import call_id, in_progress, queue_call
from tests.service.web_client import Answer, Client
from tests.service.web_world import World, run_world

CALLS, CALL = "/api/v1/calls", "/api/v1/calls/{id}"
CUSTOMERS, CUSTOMER = "/api/v1/customers", "/api/v1/customers/{id}"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    words = DeskWords(database, await database.ensure_tenant("default"))
    await words.refresh()
    numbers = Numbers([PbxSettings(id="pbx", region="US")])
    parts: dict[str, Any] = {
        "numbers": numbers,
        "calls": WebCallLog(database, Bell(database), words.check_outcome),
        "customers": WebCustomers(database, numbers, Erasing(database, [CallOutbox()]), words),
        "matcher": WebMatcher(CustomerIndex(database.pool), numbers),
    }
    async with run_world(database, **parts) as running:
        yield running


async def ask(client: Client, method: str, path: str, place: str, body: object = None) -> Answer:
    """Send a request; its answer must be what the description of `path` tells."""
    answer = await client.send(method, place, body)
    check_answer(path, method, answer)
    return answer


async def put_calls(world: World, count: int) -> None:
    """Calls of a queue, and one that goes on."""
    async with world.database.unit(world.tenant_id) as unit:
        await store(unit, [queue_call(n) for n in range(count)], {})
        await store(unit, [in_progress(count)], {})


async def test_all_calls_come_in_pages_as_described(world: World) -> None:
    await put_calls(world, 7)
    async with world.logged_in("li") as client:
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await ask(client, "GET", CALLS, f"{CALLS}?limit=3{cursor}")).json
            seen += [item["call_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = "&cursor=" + quote(page["next_cursor"])
    assert sorted(seen) == sorted(str(call_id(n)) for n in range(8))


@pytest.mark.parametrize(
    "query",
    ["status=answered", "status=in_progress", "direction=inbound", "agent=li", "queue=sales", "number=%2B442071838750"],
)
async def test_filters_find_and_leave_out(world: World, query: str) -> None:
    await put_calls(world, 2)
    async with world.logged_in("li") as client:
        name, _, value = query.partition("=")
        found = (await ask(client, "GET", CALLS, f"{CALLS}?{query}")).json["items"]
        assert found
        for item in found:
            if name in ("status", "direction"):
                assert item[name] == value
        nothing = await ask(client, "GET", CALLS, f"{CALLS}?{query}&until=2001-01-01T00:00:00Z")
        assert nothing.json == {"items": [], "next_cursor": None}


async def test_what_people_add_stays_with_the_call(world: World) -> None:
    await put_calls(world, 1)
    place = f"{CALLS}/{call_id(0)}"
    async with world.logged_in("li") as li, world.logged_in("wang") as wang:
        ada = (await ask(li, "POST", CUSTOMERS, CUSTOMERS, {"name": "Ada Wong"})).json
        await ask(li, "PUT", f"{CALL}/note", f"{place}/note", {"text": "wants a refund"})
        await ask(wang, "PUT", f"{CALL}/note", f"{place}/note", {"text": "refund sent"})
        await ask(li, "PUT", f"{CALL}/outcome", f"{place}/outcome", {"outcome": "resolved"})
        await ask(li, "PUT", f"{CALL}/customer", f"{place}/customer", {"customer_id": ada["id"]})
        call = (await ask(wang, "GET", CALL, place)).json
        mine = (await ask(li, "GET", CALLS, f"{CALLS}?customer={ada['id']}")).json["items"]
        unknown = {"customer_id": str(call_id(99))}
        assert (await ask(li, "PUT", f"{CALL}/customer", f"{place}/customer", unknown)).status == 404
        assert (await ask(li, "GET", CALL, f"{CALLS}/{call_id(99)}")).status == 404
    assert {(note["by"], note["text"]) for note in call["notes"]} == {
        ("li", "wants a refund"),
        ("wang", "refund sent"),
    }
    assert (call["outcome"], call["customer"]) == ("resolved", {"id": ada["id"], "name": "Ada Wong"})
    assert [item["call_id"] for item in mine] == [str(call_id(0))]


async def test_a_customer_is_found_by_any_spelling_of_a_number(world: World) -> None:
    new = {
        "name": "Ada Wong",
        "company": "Umbrella",
        "tags": ["vip"],
        "fields": {"plan": "gold"},
        "phones": [{"number": "(212) 555-0123", "label": "mobile"}],
    }
    async with world.logged_in("li") as client:
        created = await ask(client, "POST", CUSTOMERS, CUSTOMERS, new)
        assert created.status == 201
        assert created.json["phones"] == [
            {"number": "(212) 555-0123", "e164": "+12125550123", "label": "mobile"},
        ]
        for spelling in ("+1 212 555 0123", "2125550123", "1-212-555-0123"):
            found = await ask(client, "GET", CUSTOMERS, f"{CUSTOMERS}?number={quote(spelling)}")
            assert [item["id"] for item in found.json["items"]] == [created.json["id"]]
            match = await ask(client, "GET", "/api/v1/match", f"/api/v1/match?number={quote(spelling)}")
            assert (match.json["status"], match.json["candidates"][0]["name"]) == ("one", "Ada Wong")
        assert (await ask(client, "GET", CUSTOMERS, f"{CUSTOMERS}?q=umbrel")).json["items"]
        nobody = await ask(client, "GET", "/api/v1/match", "/api/v1/match?number=2125559999")
        assert nobody.json["status"] == "none"


async def test_changes_of_a_customer_do_not_overwrite_each_other(world: World) -> None:
    async with world.logged_in("li") as client:
        created = (await ask(client, "POST", CUSTOMERS, CUSTOMERS, {"name": "Ada", "fields": {"age": 7}})).json
        place = f"{CUSTOMERS}/{created['id']}"
        change = {"version": created["version"], "company": "Umbrella", "phones": [{"number": "2125550123"}]}
        changed = await ask(client, "PATCH", CUSTOMER, place, change)
        assert (changed.json["company"], changed.json["name"]) == ("Umbrella", "Ada")
        assert (await ask(client, "PATCH", CUSTOMER, place, change)).status == 409
        wrong = {"version": changed.json["version"], "phones": [{"number": "my mother"}]}
        answer = await ask(client, "PATCH", CUSTOMER, place, wrong)
        assert (answer.status, "not a phone number" in answer.json["detail"]) == (400, True)
        assert (await ask(client, "GET", CUSTOMER, place)).json == changed.json


async def test_an_admin_erases_a_customer_and_nobody_else_may(world: World) -> None:
    place = f"{CUSTOMER}/erasure"
    await put_calls(world, 2)
    key = await world.key()
    async with world.logged_in("li") as li, world.logged_in("zhao") as boss, world.logged_in("admin") as admin:
        phones = [{"number": "+442071838750"}]
        ada = (await ask(li, "POST", CUSTOMERS, CUSTOMERS, {"name": "Ada Wong", "phones": phones})).json["id"]
        async with world.client(Authorization=f"Bearer {key}") as machine:
            for client in (li, boss, machine):
                assert (await ask(client, "POST", place, f"{CUSTOMERS}/{ada}/erasure")).status == 403
        done = {"customer_id": ada, "calls": 3, "recordings": []}
        for _ in range(2):
            assert (await ask(admin, "POST", place, f"{CUSTOMERS}/{ada}/erasure")).json == done
        assert (await ask(li, "GET", CUSTOMER, f"{CUSTOMERS}/{ada}")).status == 404
        calls = (await ask(li, "GET", CALLS, CALLS)).json["items"]
        assert len(calls) == 3 and len({call["caller"]["number"] for call in calls}) == 1
        stranger = "00000000-0000-4000-8000-000000000000"
        assert (await ask(admin, "POST", place, f"{CUSTOMERS}/{stranger}/erasure")).status == 404


@pytest.mark.parametrize("cursor", ["x", "abcdef.x", "abcdef012345.%00", "😀.😀"])
async def test_a_broken_cursor_is_refused_not_crashed_on(world: World, cursor: str) -> None:
    async with world.logged_in("li") as client:
        for path in (CALLS, CUSTOMERS):
            honest = (await client.send("GET", f"{path}?limit=1")).json
            assert honest["next_cursor"] is None
            assert (await ask(client, "GET", path, f"{path}?cursor={quote(cursor)}")).status == 400


async def test_a_forged_inner_cursor_is_refused_by_the_store(world: World) -> None:
    await put_calls(world, 3)
    async with world.logged_in("li") as client:
        for name in ("Ada", "Bob"):
            await client.send("POST", CUSTOMERS, {"name": name})
        for path in (CALLS, CUSTOMERS):
            honest = (await client.send("GET", f"{path}?limit=1")).json["next_cursor"]
            fingerprint = honest.partition(".")[0]
            for inner in ("AAAA", "-", "%", "x" * 500, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"):
                answer = await client.send("GET", f"{path}?cursor={quote(f'{fingerprint}.{inner}')}")
                assert answer.status in (200, 400), (path, inner, answer.text)


async def test_nobody_sees_another_tenant_s_data(world: World) -> None:
    other = await world.database.ensure_tenant("other")
    async with world.logged_in("li") as li:
        ada = uuid4()
        async with world.database.unit(other) as unit:
            await store(unit, [queue_call(0)], {})
            await unit.execute("INSERT INTO customers (tenant_id, customer_id, name) VALUES ($1, $2, 'Ada')", ada)
            await unit.execute(
                "INSERT INTO customer_phones (tenant_id, customer_id, position, raw, e164, national)"
                " VALUES ($1, $2, 0, '2125550123', '+12125550123', '2125550123')",
                ada,
            )
        assert (await li.send("GET", CALLS)).json["items"] == []
        assert (await li.send("GET", f"{CALLS}/{call_id(0)}")).status == 404
        assert (await li.send("GET", f"{CUSTOMERS}/{ada}")).status == 404
        assert (await li.send("GET", f"{CUSTOMERS}?number=2125550123")).json["items"] == []
        assert (await li.send("GET", "/api/v1/match?number=2125550123")).json["status"] == "none"
