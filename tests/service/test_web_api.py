"""Customers, calls, dialing, the board and errors, through the running application."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO

import pytest

from callcenter.db.engine import Database
from callcenter.errors import DatabaseError
from callcenter.model import CallStatus, Direction
from callcenter.web.services import CallFilter, Page
from tests.fixtures.database import run_as_admin
from tests.service.web_world import NOW, Calls, World, make_call, run_world

CALLS = "/api/v1/calls"
CUSTOMERS = "/api/v1/customers"
ONE = f"{CALLS}/{make_call(1).call_id}"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


async def test_pages_of_calls_hold_each_call_once_however_many_come_meanwhile(world: World) -> None:
    async with world.logged_in("li") as client:
        seen: list[int] = []
        cursor, late = "", 100
        while True:
            answer = await client.send("GET", f"{CALLS}?limit=3{cursor}")
            assert answer.status == 200
            seen += [item["seq"] for item in answer.json["items"]]
            newest = make_call(late)
            world.calls.records[newest.call_id] = newest
            late += 1
            if answer.json["next_cursor"] is None:
                break
            cursor = "&cursor=" + answer.json["next_cursor"]
        assert seen == list(range(9, -1, -1))


async def test_all_filters_arrive_as_they_are_meant(world: World) -> None:
    async with world.logged_in("li") as client:
        query = (
            f"customer={NOBODY}&agent=li&number=(555)%20123-4567&status=busy&direction=inbound&queue=support"
            "&since=2026-03-04T09:00:00Z&until=2026-03-04T18:30:00%2B08:00"
        )
        answer = await client.send("GET", f"{CALLS}?{query}")
        assert (answer.status, answer.json) == (200, {"items": [], "next_cursor": None})
    [asked] = world.calls.asked
    assert asked == CallFilter(
        customer=asked.customer,
        agent="li",
        number="+5551234567",
        status=CallStatus.BUSY,
        direction=Direction.INBOUND,
        queue="support",
        since=NOW,
        until=NOW + timedelta(hours=1, minutes=30),
    )
    assert str(asked.customer) == NOBODY


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("number=nobody", "Number: 'nobody' is not a phone number"),
        ("since=2026-03-05T00:00:00Z&until=2026-03-04T00:00:00Z", "must be before"),
        ("cursor=abc", "this is no cursor"),
        ("limit=0", "Limit: the smallest allowed number is 1"),
        ("color=red", "There is no field `color` here"),
    ],
)
async def test_wrong_filters_are_refused_in_plain_words(world: World, query: str, says: str) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("GET", f"{CALLS}?{query}")
        assert answer.status == 400
        assert says in answer.json["detail"]
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert world.calls.asked == []


async def test_internal_numbers_are_filters_too(world: World) -> None:
    async with world.logged_in("li") as client:
        await client.send("GET", f"{CALLS}?number=1001")
    assert world.calls.asked[0].number == "1001"


async def test_a_cursor_of_other_filters_is_refused(world: World) -> None:
    async with world.logged_in("li") as client:
        cursor = (await client.send("GET", f"{CALLS}?limit=2")).json["next_cursor"]
        answer = await client.send("GET", f"{CALLS}?status=busy&cursor={cursor}")
        assert (answer.status, answer.json["type"]) == (400, "/api/docs#problem-bad-input")


async def test_what_people_add_to_a_call_is_kept_with_who_did(world: World) -> None:
    key = await world.key("calls:write")
    async with world.logged_in("li") as client, world.client(Authorization=f"Bearer {key}") as machine:
        assert (await client.send("PUT", f"{ONE}/note", {"text": "Call back at 5\u00a0pm \u2603"})).status == 200
        assert (await client.send("PUT", f"{ONE}/outcome", {"outcome": "sold"})).status == 200
        assert (await machine.send("PUT", f"{ONE}/customer", {"customer_id": NOBODY})).status == 200
        call = (await client.send("GET", ONE)).json
    assert [(note["by"], note["text"]) for note in call["notes"]] == [("li", "Call back at 5\u00a0pm \u2603")]
    assert (call["outcome"], call["version"]) == ("sold", 4)
    assert call["customer"]["id"] == NOBODY
    [listed] = await world.access.keys.list(world.tenant_id)
    assert world.calls.by == ["li", "li", f"key:{listed.key_id}"]


@pytest.mark.parametrize("id_", [NOBODY, "7", "x" * 100, "..%2f..%2fetc"])
async def test_an_unknown_call_is_not_found(world: World, id_: str) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("GET", f"{CALLS}/{id_}")
        assert (answer.status, answer.json["title"]) == (404, "There is no such thing")


async def test_dialing_needs_a_seat_and_rings_it(world: World) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("POST", CALLS, {"number": "(555) 123-4567"})
        assert (answer.status, "choose your extension" in answer.json["detail"].lower()) == (409, True)
        await client.send("PUT", "/api/v1/session/extension", {"pbx": "pbx", "extension": "1001"})
        wrong = await client.send("POST", CALLS, {"number": "my mother"})
        assert (wrong.status, wrong.json["type"]) == (400, "/api/docs#problem-bad-number")
    async with world.logged_in("wang") as client:
        await client.send("PUT", "/api/v1/session/extension", {"pbx": "pbx", "extension": "1002"})
    assert world.phones.dialed == []


async def test_dialing_tells_what_to_follow(world: World) -> None:
    key = await world.key()
    async with world.logged_in("li") as client, world.client(Authorization=f"Bearer {key}") as machine:
        await client.send("PUT", "/api/v1/session/extension", {"pbx": "pbx", "extension": "1001"})
        answer = await client.send("POST", CALLS, {"number": "(555) 123-4567"})
        assert answer.status == 202
        assert set(answer.json) == {"call_id", "action_id", "pbx"}
        assert (await machine.send("POST", CALLS, {"number": "5551234567"})).status == 403
    assert world.phones.dialed == [("li", "PJSIP/1001", "+5551234567")]


async def test_a_pbx_that_is_away_is_said_without_its_address(world: World) -> None:
    world.phones.down = True
    async with world.logged_in("li") as client:
        await client.send("PUT", "/api/v1/session/extension", {"pbx": "pbx", "extension": "1001"})
        answer = await client.send("POST", CALLS, {"number": "5551234567"})
        assert (answer.status, answer.json["type"]) == (503, "/api/docs#problem-pbx-unavailable")
        assert "10.1.2.3" not in answer.text


async def test_hanging_up_one_s_own_call_or_any_as_a_supervisor(world: World) -> None:
    for login, status in (("li", 202), ("wang", 403), ("zhao", 202)):
        async with world.logged_in(login) as client:
            assert (await client.send("POST", f"{ONE}/hangup")).status == status
    assert world.phones.ended == [(make_call(1).call_id, "li"), (make_call(1).call_id, "zhao")]


async def test_a_customer_is_added_found_and_changed(world: World) -> None:
    async with world.logged_in("li") as client:
        new = {"name": "Ada Wong", "tags": ["vip"], "fields": {"plan": "gold"}, "phones": [{"number": "5551234567"}]}
        created = await client.send("POST", CUSTOMERS, new)
        assert created.status == 201
        place = created.headers["Location"]
        assert (await client.send("GET", place)).json == created.json
        changed = await client.send("PATCH", place, {"version": 1, "company": "Umbrella", "phones": []})
        assert (changed.json["company"], changed.json["phones"], changed.json["name"]) == ("Umbrella", [], "Ada Wong")
        emptied = await client.send("PATCH", place, {"version": 2, "company": None})
        assert emptied.json["company"] is None


async def test_two_people_who_change_one_customer_do_not_overwrite_each_other(world: World) -> None:
    async with world.logged_in("li") as li, world.logged_in("wang") as wang:
        place = (await li.send("POST", CUSTOMERS, {"name": "Ada"})).headers["Location"]
        assert (await li.send("PATCH", place, {"version": 1, "note": "a"})).status == 200
        late = await wang.send("PATCH", place, {"version": 1, "note": "b"})
        assert (late.status, late.json["type"]) == (409, "/api/docs#problem-conflict")
        assert (await wang.send("PATCH", place, {"note": "b"})).status == 400


async def test_customers_are_searched_by_text_or_number_in_pages(world: World) -> None:
    async with world.logged_in("li") as client:
        for name in ("Ada", "Bob", "Cy"):
            await client.send("POST", CUSTOMERS, {"name": name})
        first = (await client.send("GET", f"{CUSTOMERS}?q=x&limit=2")).json
        second = (await client.send("GET", f"{CUSTOMERS}?q=x&limit=2&cursor={first['next_cursor']}")).json
        assert [item["name"] for item in first["items"] + second["items"]] == ["Ada", "Bob", "Cy"]
        assert second["next_cursor"] is None
        await client.send("GET", f"{CUSTOMERS}?number=%2B1-555-123-4567")
        assert (await client.send("GET", f"{CUSTOMERS}?q=a&number=1")).status == 400
    assert world.book.asked[-1] == (None, "+15551234567")


async def test_whose_number_it_is(world: World) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("GET", "/api/v1/match?number=5551234567&pbx=pbx")
        assert answer.json == {"status": "none", "number": "5551234567", "candidates": []}
        assert (await client.send("GET", "/api/v1/match")).status == 400


async def test_agents_and_queues_at_this_moment(world: World) -> None:
    async with world.logged_in("li") as client:
        await client.send("PUT", "/api/v1/session/extension", {"pbx": "pbx", "extension": "1001"})
        queues = (await client.send("GET", "/api/v1/queues")).json["items"]
        assert [(queue["name"], queue["longest_wait_s"]) for queue in queues] == [("support", 2.5)]
    async with world.logged_in("zhao") as client:
        agents = {item["agent"]: item for item in (await client.send("GET", "/api/v1/agents")).json["items"]}
    assert agents["li"] == {
        "agent": "li",
        "name": "Li",
        "role": "agent",
        "state": "busy",
        "since": "2026-03-04T09:00:00Z",
        "pbx": "pbx",
        "extension": "1001",
        "interface": "PJSIP/1001",
    }
    assert agents["wang"]["state"] == "offline"
    assert set(agents) == {"admin", "li", "wang", "zhao"}


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    async with world.logged_in("li") as client:
        data = BytesIO(b'{"text":"' + b"x" * 1_100_000 + b'"}')
        headers = {"Content-Type": "application/json"}
        answer = await client.send("PUT", f"{ONE}/note", data=data, headers=headers)
        assert (answer.status, answer.json["type"]) == (413, "/api/docs#problem-too-large")


async def test_faults_are_listed_for_programs(world: World) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("POST", CUSTOMERS, {"name": "A", "phones": [{"number": "1", "labels": "x"}]})
        assert answer.status == 400
        assert answer.json["errors"] == [
            {"at": "$.phones[0]", "detail": "there is no field `labels` here"},
        ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("GET", "/api/", 404), ("DELETE", CALLS, 405), ("POST", "/", 405)],
)
async def test_unknown_addresses_and_methods_are_problems_too(
    world: World, method: str, path: str, status: int
) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send(method, path)
        assert (answer.status, answer.json["status"]) == (status, status)
        assert ("Allow" in answer.headers) is (status == 405)


class BrokenCalls(Calls):
    """A call log that fails as the test says."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    async def page(self, tenant_id: int, wanted: CallFilter, *, cursor: str | None, limit: int) -> Page[object]:  # type: ignore[override]
        if self.error is not None:
            raise self.error
        raise TimeoutError("from within")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (DatabaseError("cannot connect to db.internal as callcenter"), 503, "database-unavailable"),
        (RuntimeError("secret of +15551234567"), 500, "unexpected"),
        (None, 503, "database-unavailable"),
    ],
)
async def test_what_breaks_inside_is_told_without_details(
    database: Database, error: Exception | None, status: int, kind: str
) -> None:
    async with run_world(database, calls=BrokenCalls(error)) as world, world.logged_in("li") as client:
        answer = await client.send("GET", CALLS)
        assert (answer.status, answer.json["type"]) == (status, f"/api/docs#problem-{kind}")
        assert "internal" not in answer.json["detail"] and "secret" not in answer.text


class SlowCalls(Calls):
    """A call log that never answers."""

    async def get(self, tenant_id: int, call_id: object) -> object:  # type: ignore[override]
        await asyncio.Event().wait()
        return None


async def test_a_request_that_takes_too_long_is_given_up(database: Database) -> None:
    changes = {"calls": SlowCalls(), "deadline": timedelta(seconds=0.5)}
    async with run_world(database, **changes) as world, world.logged_in("li") as client:
        answer = await client.send("GET", ONE)
        assert (answer.status, answer.json["type"]) == (504, "/api/docs#problem-too-slow")


async def test_a_database_that_is_away_is_told_and_comes_back(world: World, postgres_url: str) -> None:
    name = await world.database.pool.fetchval("SELECT current_database()")
    cut_off = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    async with world.logged_in("li") as client:
        await run_as_admin(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', cut_off)
        answer = await client.send("GET", "/api/v1/session")
        assert (answer.status, answer.json["type"]) == (503, "/api/docs#problem-database-unavailable")
        assert answer.json["detail"] == "The database cannot be used at this moment. Try again in a minute."
        await run_as_admin(postgres_url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        assert (await client.send("GET", "/api/v1/session")).status == 200
