"""People and their sessions as admins handle them, through the running application and a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from callcenter.accounts.trail import prune
from callcenter.db.engine import Database
from callcenter.errors import Unauthenticated
from tests.service.web_client import Client
from tests.service.web_world import PASSWORD, World, make_call, run_world
from tests.unit.accounts.test_scope import visit

SESSION, USERS = "/api/v1/session", "/api/v1/users"
GOOD = "marmalade on tuesdays"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


async def log_in(client: Client, login: str, password: str, address: str = "203.0.113.7") -> Any:
    credentials = {"login": login, "password": password}
    return await client.send("POST", SESSION, credentials, headers={"X-Forwarded-For": address})


async def actions(world: World) -> list[str]:
    rows = await world.database.pool.fetch("SELECT action FROM audit WHERE actor <> 'test' ORDER BY audit_id")
    return [row["action"] for row in rows]


async def test_a_new_person_chooses_a_password_before_anything_else(world: World) -> None:
    async with world.logged_in("admin") as admin, world.client() as client:
        made = await admin.send("POST", USERS, {"login": "Chen.Yu", "name": "Chen Yu", "role": "agent"})
        assert (made.status, made.json["login"], made.headers["Location"]) == (201, "chen.yu", f"{USERS}/chen.yu")
        session = await log_in(client, "chen.yu", made.json["password"])
        assert session.json["user"]["must_change_password"] is True
        refused = await client.send("GET", "/api/v1/calls")
        assert refused.status == 403 and "password of your own" in refused.json["detail"]
        assert (await client.send("POST", "/api/v1/screenpop/ticket")).status == 403

        change = {"current": made.json["password"], "new": "password2026"}
        assert (await client.send("PUT", f"{SESSION}/password", change)).status == 400
        wrong = {"current": "something else", "new": GOOD}
        assert (await client.send("PUT", f"{SESSION}/password", wrong)).status == 400
        before = client.cookie
        done = await client.send("PUT", f"{SESSION}/password", {**change, "new": GOOD})
        assert (done.status, done.json["user"]["must_change_password"]) == (200, False)
        assert client.cookie != before
        assert (await client.send("GET", "/api/v1/calls")).status == 200
        assert (await log_in(client, "chen.yu", made.json["password"])).status == 401
        assert (await log_in(client, "chen.yu", GOOD)).status == 200
    assert await actions(world) == ["user.add", "user.password"]


async def test_a_password_for_one_log_in_is_good_for_three_days(world: World) -> None:
    async with world.logged_in("admin") as admin, world.client() as client:
        made = (await admin.send("POST", f"{USERS}/li/password")).json
        world.clock.now += timedelta(days=3)
        answer = await log_in(client, "li", made["password"])
        assert answer.status == 401 and "its time is over" in answer.json["detail"]


async def test_a_reset_shuts_out_whoever_had_the_password(world: World) -> None:
    async with world.logged_in("admin") as admin, world.logged_in("li") as li:
        assert (await admin.send("POST", f"{USERS}/li/password")).status == 200
        assert (await li.send("GET", SESSION)).status == 401
        assert (await log_in(li, "li", PASSWORD)).status == 401
        assert (await admin.send("POST", f"{USERS}/nobody/password")).status == 404


async def test_a_role_counts_at_once_and_is_noted(world: World) -> None:
    async with world.logged_in("admin") as admin, world.logged_in("li") as li:
        assert (await li.send("GET", "/api/v1/agents")).status == 403
        changed = await admin.send("PATCH", f"{USERS}/li", {"role": "supervisor", "name": "Li Na"})
        assert (changed.json["role"], changed.json["name"]) == ("supervisor", "Li Na")
        assert (await li.send("GET", "/api/v1/agents")).status == 200
        assert (await admin.send("PATCH", f"{USERS}/li", {"disabled": True})).json["disabled"] is True
        assert (await li.send("GET", SESSION)).status == 401
        assert (await admin.send("PATCH", f"{USERS}/li", {"role": "integration"})).status == 400
    assert await actions(world) == ["user.name", "user.role", "user.disable"]


async def test_an_admin_cannot_shut_out_themselves(world: World) -> None:
    async with world.logged_in("admin") as admin:
        for change in ({"role": "agent"}, {"disabled": True}):
            assert (await admin.send("PATCH", f"{USERS}/admin", change)).status == 409
        assert (await admin.send("PATCH", f"{USERS}/admin", {"name": "The Admin"})).status == 200


async def test_the_last_admin_stays(world: World) -> None:
    async with world.logged_in("admin") as admin:
        await admin.send("PATCH", f"{USERS}/zhao", {"role": "admin"})
        async with world.logged_in("zhao") as zhao:
            assert (await zhao.send("PATCH", f"{USERS}/admin", {"disabled": True})).status == 200
            assert (await zhao.send("PATCH", f"{USERS}/zhao", {"disabled": True})).status == 409


async def test_guessing_locks_a_login_until_an_admin_unlocks_it(world: World) -> None:
    async with world.logged_in("admin") as admin, world.client() as client:
        for number in range(10):
            world.clock.now += timedelta(seconds=20)  # slower than the throttle
            assert (await log_in(client, "li", "wrong password", f"198.51.100.{number}")).status == 401
        world.clock.now += timedelta(seconds=60)
        locked = await log_in(client, "li", PASSWORD)
        assert locked.status == 429 and "unlock" in locked.json["detail"]
        assert 800 < int(locked.headers["Retry-After"]) <= 900
        [lock] = (await admin.send("GET", "/api/v1/locks")).json["items"]
        assert (lock["login"], lock["address"], lock["failures"]) == ("li", None, 10)
        assert (await admin.send("POST", "/api/v1/locks/release", {"login": "li"})).status == 204
        assert (await admin.send("POST", "/api/v1/locks/release", {"login": "li"})).status == 404
        assert (await admin.send("POST", "/api/v1/locks/release", {})).status == 400
        assert (await log_in(client, "li", PASSWORD)).status == 200
    assert await actions(world) == ["login.lock", "login.unlock"]


async def test_a_lock_survives_a_restart_and_opens_by_itself(database: Database) -> None:
    async with run_world(database) as world, world.client() as client:
        for _ in range(10):
            world.clock.now += timedelta(seconds=20)
            await log_in(client, "nobody", "wrong password")
        now = world.clock.now
    await database.pool.execute("DELETE FROM users; DELETE FROM agents; DELETE FROM extensions")
    async with run_world(database) as world, world.client() as client:
        world.clock.now = now + timedelta(minutes=5)
        assert (await log_in(client, "nobody", "x")).status == 429
        world.clock.now = now + timedelta(minutes=15)
        assert (await log_in(client, "nobody", "x")).status == 401


async def test_an_address_is_locked_for_all_logins_but_not_for_who_works_there(world: World) -> None:
    async with world.client() as client:
        assert (await log_in(client, "li", PASSWORD)).status == 200
        for number in range(100):
            world.clock.now += timedelta(seconds=16)
            assert (await log_in(client, f"nobody{number}", "wrong password")).status == 401
        assert (await log_in(client, "wang", PASSWORD)).status == 429
        assert (await log_in(client, "wang", PASSWORD, "203.0.113.8")).status == 200
        assert (await log_in(client, "li", PASSWORD)).status == 200


async def test_a_supervisor_sees_the_queues_that_were_given(world: World) -> None:
    hidden = make_call(3, queue_visits=(visit("support"),))
    world.calls.records[hidden.call_id] = hidden
    async with world.logged_in("admin") as admin, world.logged_in("zhao") as zhao:
        assert [one["name"] for one in (await zhao.send("GET", "/api/v1/queues")).json["items"]] == ["support"]
        given = {"every_queue": False, "queues": [{"pbx": "pbx", "queue": "sales"}]}
        assert (await admin.send("PATCH", f"{USERS}/zhao", given)).json["queues"] == given["queues"]
        assert (await zhao.send("GET", "/api/v1/queues")).json["items"] == []
        agents = {one["agent"]: one for one in (await zhao.send("GET", "/api/v1/agents")).json["items"]}
        assert (agents["li"]["name"], agents["li"]["state"], agents["li"]["extension"]) == ("Li", None, None)
        assert agents["zhao"]["state"] is not None
        assert (await zhao.send("GET", "/api/v1/calls?queue=sales")).status == 200
        assert world.calls.asked[-1].within == frozenset({"pbx/sales"})
        refused = await zhao.send("GET", "/api/v1/calls?queue=support")
        assert refused.status == 403 and "not one of yours" in refused.json["detail"]
        call = f"/api/v1/calls/{hidden.call_id}"
        assert (await zhao.send("GET", call)).status == 404
        assert (await zhao.send("PUT", f"{call}/note", {"text": "mine"})).status == 404
        assert (await zhao.send("POST", f"{call}/hangup")).status == 404
        assert (await admin.send("GET", call)).status == 200
        news = (await zhao.send("GET", "/api/v1/calls/changes")).json["items"]
        assert str(hidden.call_id) not in {one["call_id"] for one in news}
        right = {"items": [{"pbx": "pbx", "queue": "support", "penalty": 0}]}
        assert (await zhao.send("PUT", "/api/v1/agents/li/queues", right)).status == 403
        assert (await admin.send("PUT", "/api/v1/agents/li/queues", right)).status == 200
        await admin.send("PATCH", f"{USERS}/zhao", {"every_queue": True})
        assert (await zhao.send("GET", call)).status == 200


async def test_reports_tell_a_supervisor_of_the_queues_that_were_given(world: World) -> None:
    month = "since=2026-03-01&until=2026-04-01"
    async with world.logged_in("admin") as admin, world.logged_in("zhao") as zhao:
        given = {"every_queue": False, "queues": [{"pbx": "pbx", "queue": "sales"}]}
        assert (await admin.send("PATCH", f"{USERS}/zhao", given)).status == 200
        paths = [
            f"{kind}{file}?{month}{queue}"
            for kind in ("queues", "days", "agents", "customers")
            for file in ("", "/export")
            for queue in ("", "&queue=sales", "&queue=support")
        ]
        asked = {path: (await zhao.send("GET", f"/api/v1/reports/{path}")).status for path in paths}
    own = {path for path in asked if path.startswith(("queues", "days")) and path.endswith("queue=sales")}
    assert {path for path, status in asked.items() if status == 200} == own
    assert {status for path, status in asked.items() if path not in own} == {403}


async def test_a_ticket_for_other_queues_is_void(world: World) -> None:
    async with world.logged_in("admin") as admin, world.logged_in("zhao") as zhao:
        ticket = (await zhao.send("POST", "/api/v1/screenpop/ticket")).json["ticket"]
        await admin.send("PATCH", f"{USERS}/zhao", {"every_queue": False})
        with pytest.raises(Unauthenticated):
            world.access.redeem(ticket)
        ticket = (await zhao.send("POST", "/api/v1/screenpop/ticket")).json["ticket"]
        assert world.access.redeem(ticket).queues == frozenset()


async def test_sessions_are_listed_and_ended(world: World) -> None:
    async with world.logged_in("li") as stolen, world.logged_in("li") as li, world.logged_in("admin") as admin:
        await admin.send("GET", SESSION)
        listed = (await li.send("GET", f"{SESSION}/all")).json["items"]
        assert [one["login"] for one in listed] == ["li", "li"]
        [other] = [one["session"] for one in listed if not one["own"]]
        [everybodys] = [one for one in (await admin.send("GET", "/api/v1/sessions")).json["items"] if one["own"]]
        assert everybodys["login"] == "admin"
        assert (await li.send("DELETE", f"{SESSION}/all/{everybodys['session']}")).status == 404
        assert (await li.send("DELETE", f"{SESSION}/all/nonsense")).status == 404
        assert (await li.send("DELETE", f"{SESSION}/all/{other}")).status == 204
        assert (await stolen.send("GET", SESSION)).status == 401
        assert (await li.send("GET", SESSION)).status == 200
        [own] = (await li.send("GET", f"{SESSION}/all")).json["items"]
        ticket = (await li.send("POST", "/api/v1/screenpop/ticket")).json["ticket"]
        world.told.open.append(world.access.redeem(ticket))
        assert (await admin.send("DELETE", f"/api/v1/sessions/{own['session']}")).status == 204
        assert world.told.ended == [(world.tenant_id, "li", own["session"])]
        assert (await li.send("GET", SESSION)).status == 401
    assert await actions(world) == ["session.end", "session.end"]


async def test_keys_are_made_shown_once_and_revoked(world: World) -> None:
    async with world.logged_in("admin") as admin:
        until = (world.clock.now + timedelta(days=1)).isoformat()
        new = {"name": "CRM", "scopes": ["calls:read"], "expires_at": until}
        made = (await admin.send("POST", "/api/v1/keys", new)).json
        assert made["key"].startswith(f"cck_{made['key_id']}_")
        async with world.client(Authorization=f"Bearer {made['key']}") as crm:
            assert (await crm.send("GET", "/api/v1/calls")).status == 200
            assert (await crm.send("GET", "/api/v1/keys")).status == 403
            world.clock.now += timedelta(days=1)
            assert (await crm.send("GET", "/api/v1/calls")).status == 401
    async with world.logged_in("admin") as admin:
        listed = (await admin.send("GET", "/api/v1/keys")).json
        assert [one["key_id"] for one in listed["items"]] == [made["key_id"]]
        assert made["key"] not in str(listed) and "calls:read" in listed["scopes"]
        assert (await admin.send("DELETE", f"/api/v1/keys/{made['key_id']}")).status == 204
        assert (await admin.send("DELETE", f"/api/v1/keys/{made['key_id']}")).status == 404
        for wrong in ({"scopes": ["session"]}, {"expires_at": "2020-01-01T00:00:00Z"}):
            assert (await admin.send("POST", "/api/v1/keys", {**new, "expires_at": None, **wrong})).status == 400


async def test_the_trail_is_read_in_pages_and_by_filters(world: World) -> None:
    async with world.logged_in("admin") as admin:
        for login in ("li", "wang", "zhao"):
            await admin.send("PATCH", f"{USERS}/{login}", {"name": f"{login} the second"})
        first = (await admin.send("GET", "/api/v1/audit?actor=admin&limit=2")).json
        assert [one["subject_id"] for one in first["items"]] == ["zhao", "wang"]
        rest = (await admin.send("GET", f"/api/v1/audit?actor=admin&limit=2&cursor={first['next_cursor']}")).json
        assert [one["subject_id"] for one in rest["items"]] == ["li"] and rest["next_cursor"] is None
        added = (await admin.send("GET", "/api/v1/audit?action=user.add&subject_id=li")).json["items"]
        assert [(one["actor"], one["action"], one["detail"]) for one in added] == [
            ("test", "user.add", {"role": "agent"})
        ]
        assert (await admin.send("GET", "/api/v1/audit?until=2020-01-01T00:00:00Z")).json["items"] == []


async def test_who_saw_a_card_is_noted_in_a_batch(world: World) -> None:
    async with world.logged_in("admin") as admin, world.logged_in("li") as li:
        card = (await admin.send("POST", "/api/v1/customers", {"name": "Ada"})).json["id"]
        for _ in range(3):
            headers = {"X-Forwarded-For": "203.0.113.7"}
            assert (await li.send("GET", f"/api/v1/customers/{card}", headers=headers)).status == 200
        await admin.send("GET", f"/api/v1/customers/{card}")
        assert (await admin.send("GET", "/api/v1/audit?action=customer.see")).json["items"] == []
        await world.sightings.flush()
        seen = (await admin.send("GET", f"/api/v1/audit?action=customer.see&subject_id={card}")).json["items"]
        assert {(one["actor"], one["address"]) for one in seen} == {("li", "203.0.113.7"), ("admin", "127.0.0.1")}
        assert len(seen) == 2
        world.clock.now += timedelta(minutes=10)
        await li.send("GET", f"/api/v1/customers/{card}")
        await world.sightings.flush()
        assert len((await admin.send("GET", "/api/v1/audit?action=customer.see&actor=li")).json["items"]) == 2
        assert await prune(world.database, world.tenant_id, world.clock.now) == 4 + 2
        left = (await admin.send("GET", "/api/v1/audit")).json["items"]
        assert [one["action"] for one in left] == ["customer.see"]
