"""Logging in and out, seats and tickets, through the running application and a real PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from callcenter.accounts.roles import Role
from callcenter.accounts.tickets import Grant
from callcenter.db.engine import Database
from callcenter.errors import Unauthenticated
from tests.service.web_world import CHEAP, PASSWORD, World, run_world

SESSION = "/api/v1/session"
SEAT = "/api/v1/session/extension"
FORWARDED = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7"}
TICKET = "/api/v1/screenpop/ticket"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


async def test_a_person_logs_in_is_known_and_logs_out(world: World) -> None:
    async with world.client() as client:
        answer = await client.send("POST", SESSION, {"login": " Li ", "password": PASSWORD})
        assert answer.status == 200
        assert answer.json["user"] == {
            "login": "li",
            "name": "Li",
            "role": "agent",
            "agent": "li",
            "language": None,
            "must_change_password": False,
        }
        assert answer.json["extension"] is None
        assert (await client.send("GET", SESSION)).json == answer.json
        token = client.cookie
        assert (await client.send("DELETE", SESSION)).status == 204
        assert client.cookie is None
        assert (await client.send("GET", SESSION)).status == 401
    async with world.client(Cookie=f"callcenter_session={token}") as thief:
        assert (await thief.send("GET", SESSION)).status == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    async with world.client() as client:
        answer = await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        attributes = {part.strip() for part in answer.headers["Set-Cookie"].split(";")[1:]}
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= attributes
        assert "Secure" not in attributes


async def test_the_cookie_is_secure_behind_https(database: Database) -> None:
    async with run_world(database, public_url="https://calls.example.com") as world, world.client() as client:
        answer = await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        cookie, *attributes = (part.strip() for part in answer.headers["Set-Cookie"].split(";"))
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        # what a browser asks of a cookie that is called so
        assert cookie.startswith("__Host-callcenter_session=")
        assert {"Secure", "Path=/"} <= set(attributes)
        assert not [one for one in attributes if one.lower().startswith("domain")]
        sent = {"Cookie": cookie}
        assert (await client.send("GET", SESSION, headers=sent)).status == 200
        description = (await client.send("GET", "/api/v1/openapi.json")).json
        assert description["components"]["securitySchemes"]["session"]["name"] == cookie.partition("=")[0]
        gone = await client.send("DELETE", SESSION, headers=sent)
        assert gone.headers["Set-Cookie"].startswith('__Host-callcenter_session=""')
        assert {"Secure", "Path=/"} <= {part.strip() for part in gone.headers["Set-Cookie"].split(";")}
        assert (await client.send("GET", SESSION, headers=sent)).status == 401


async def test_a_cookie_that_another_host_of_the_domain_can_plant_is_not_looked_at(database: Database) -> None:
    async with run_world(database, public_url="https://calls.example.com") as world, world.client() as client:
        answer = await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        _, _, token = answer.headers["Set-Cookie"].split(";")[0].partition("=")
        assert (await client.send("GET", SESSION, headers={"Cookie": f"callcenter_session={token}"})).status == 401


async def test_the_database_holds_no_token_and_no_password(world: World) -> None:
    async with world.logged_in("li") as client:
        token = client.cookie
        assert token
        rows = await world.database.pool.fetch("SELECT t::text FROM sessions t UNION SELECT u::text FROM users u")
        assert len(rows) == 5
        text = " ".join(row[0] for row in rows)
        assert token not in text
        assert token.encode().hex() not in text
        assert PASSWORD not in text


@pytest.mark.parametrize(("login", "password"), [("li", "wrong password"), ("nobody", PASSWORD), ("l'i;--", "x")])
async def test_wrong_log_ins_are_refused_alike(world: World, login: str, password: str) -> None:
    async with world.client() as client:
        answer = await client.send("POST", SESSION, {"login": login, "password": password})
        assert answer.status == 401
        assert answer.json["detail"] == "The login or the password is wrong."
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "Set-Cookie" not in answer.headers


async def test_guessing_is_slowed_down_and_the_owner_gets_in_later(world: World) -> None:
    async with world.client() as client:
        for _ in range(8):
            answer = await client.send("POST", SESSION, {"login": "li", "password": "wrong password"})
            assert answer.status == 401
        answer = await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 15
        assert "wait" in answer.json["detail"]
        assert (await client.send("POST", SESSION, {"login": "wang", "password": PASSWORD})).status == 200
        world.clock.now += timedelta(seconds=15)
        assert (await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})).status == 200


async def test_who_logged_in_before_gets_in_while_strangers_guess(world: World) -> None:
    async with world.client() as client:
        credentials = {"login": "li", "password": PASSWORD}
        at_work, at_home = ({"X-Forwarded-For": address} for address in ("203.0.113.7", "2001:db8::1"))
        assert (await client.send("POST", SESSION, credentials, headers=at_work)).status == 200
        wrong = {"login": "li", "password": "wrong password"}
        for number in range(9):
            stranger = {"X-Forwarded-For": f"2001:db8:1:{number}::1"}
            answer = await client.send("POST", SESSION, wrong, headers=stranger)
            assert answer.status == (401 if number < 8 else 429)
        assert (await client.send("POST", SESSION, credentials, headers=at_home)).status == 429
        assert (await client.send("POST", SESSION, credentials, headers=at_work)).status == 200


async def test_addresses_are_told_apart_behind_a_proxy(world: World) -> None:
    async with world.client() as client:
        for number in range(40):
            await client.send(
                "POST",
                SESSION,
                {"login": f"nobody{number}", "password": "wrong password"},
                headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"},
            )
        credentials = {"login": "li", "password": PASSWORD}
        guesser = await client.send("POST", SESSION, credentials, headers={"X-Forwarded-For": "203.0.113.7"})
        other = await client.send("POST", SESSION, credentials, headers={"X-Forwarded-For": "203.0.113.8"})
        assert (guesser.status, other.status) == (429, 200)


async def test_each_log_in_gives_a_new_token_and_ends_the_session_before(world: World) -> None:
    async with world.logged_in("li") as client:
        first = client.cookie
        await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        assert client.cookie != first
        async with world.client(Cookie=f"callcenter_session={first}") as thief:
            assert (await thief.send("GET", SESSION)).status == 401
        assert await world.database.pool.fetchval("SELECT count(*) FROM sessions") == 1


async def test_a_planted_cookie_does_not_become_a_session(world: World) -> None:
    async with world.client(Cookie="callcenter_session=planted-by-somebody") as victim:
        answer = await victim.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        assert answer.status == 200
        assert victim.cookie not in (None, "planted-by-somebody")
    async with world.client(Cookie="callcenter_session=planted-by-somebody") as planter:
        assert (await planter.send("GET", SESSION)).status == 401


async def test_a_session_ends_with_its_time(world: World) -> None:
    async with world.logged_in("li") as client:
        world.clock.now += timedelta(hours=12) - timedelta(seconds=1)
        assert (await client.send("GET", SESSION)).status == 200
        world.clock.now += timedelta(seconds=1)
        answer = await client.send("GET", SESSION)
        assert (answer.status, answer.json["detail"]) == (401, "The session is over: log in again.")


async def test_who_is_disabled_is_out_at_once(world: World) -> None:
    async with world.logged_in("li") as client:
        await client.send("PUT", SEAT, {"pbx": "pbx", "extension": "1001"})
        await world.people.set_disabled(world.tenant_id, "li", True, by="admin")
        assert (await client.send("GET", SESSION)).status == 401
        answer = await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        assert answer.status == 401
        assert await world.database.pool.fetchval("SELECT agent_id FROM extensions WHERE extension = '1001'") is None


async def test_a_new_password_ends_all_sessions(world: World) -> None:
    async with world.logged_in("li") as client:
        await world.people.set_password(world.tenant_id, "li", CHEAP.hash("another good password"), by="admin")
        assert (await client.send("GET", SESSION)).status == 401


async def test_an_outdated_hash_is_made_anew_at_log_in(world: World) -> None:
    old = type(CHEAP)(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    await world.people.set_password(world.tenant_id, "li", old, by="admin")
    async with world.logged_in("li"):
        stored = await world.database.pool.fetchval("SELECT password_hash FROM users WHERE login = 'li'")
        assert stored != old
        assert "m=8,t=1" in stored


async def test_sessions_of_one_person_are_bounded(world: World) -> None:
    for _ in range(22):
        world.clock.now += timedelta(minutes=1)
        async with world.logged_in("li"):
            pass
    assert await world.database.pool.fetchval("SELECT count(*) FROM sessions") == 20


async def test_the_language_is_kept(world: World) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("PATCH", SESSION, {"language": "zh-TW"})
        assert answer.json["user"]["language"] == "zh-TW"
        assert (await client.send("GET", SESSION)).json["user"]["language"] == "zh-TW"
        assert (await client.send("PATCH", SESSION, {"language": "<script>"})).status == 400


async def test_a_seat_is_taken_changed_and_left(world: World) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("PUT", SEAT, {"pbx": "pbx", "extension": "1001"})
        assert answer.json == {
            "pbx": "pbx",
            "extension": "1001",
            "interface": "PJSIP/1001",
            "name": None,
            "agent": "li",
        }
        assert (await client.send("PUT", SEAT, {"pbx": "pbx", "extension": "1002"})).status == 200
        listed = (await client.send("GET", "/api/v1/extensions")).json["items"]
        assert [(item["extension"], item["agent"]) for item in listed] == [
            ("1001", None),
            ("1002", "li"),
            ("1003", None),
        ]
        assert (await client.send("GET", SESSION)).json["extension"]["extension"] == "1002"
        assert (await client.send("DELETE", SEAT)).status == 204
        assert (await client.send("GET", SESSION)).json["extension"] is None
    free = {"PJSIP/1001": None, "PJSIP/1002": None, "PJSIP/1003": None}
    assert world.told.seats == [
        ("pbx", {**free, "PJSIP/1001": "li"}),
        ("pbx", {**free, "PJSIP/1002": "li"}),
        ("pbx", free),
    ]


async def test_a_taken_seat_is_refused_and_only_a_supervisor_forces(world: World) -> None:
    seat = {"pbx": "pbx", "extension": "1001"}
    async with world.logged_in("li") as li, world.logged_in("wang") as wang, world.logged_in("zhao") as zhao:
        await li.send("PUT", SEAT, seat)
        assert (await li.send("PUT", SEAT, seat)).status == 200
        refused = await wang.send("PUT", SEAT, seat)
        assert (refused.status, refused.json["detail"]) == (
            409,
            "Li sits at extension 1001: choose another one.",
        )
        assert (await wang.send("PUT", SEAT, {**seat, "force": True})).status == 403
        assert (await zhao.send("PUT", SEAT, seat)).status == 409
        assert (await zhao.send("PUT", SEAT, {**seat, "force": True}, headers=FORWARDED)).status == 200
        assert (await li.send("GET", SESSION)).json["extension"] is None
    noted = await world.database.pool.fetchrow(
        "SELECT actor, subject_id, detail, address FROM audit WHERE action = 'seat.force'"
    )
    assert noted is not None
    assert tuple(noted) == ("zhao", "pbx/1001", {"from": "li"}, "203.0.113.7")
    # the people of this world were added by no request
    assert await world.database.pool.fetchval("SELECT count(address) FROM audit WHERE action = 'user.add'") == 0


@pytest.mark.parametrize("seat", [{"pbx": "pbx", "extension": "9999"}, {"pbx": "other", "extension": "1001"}])
async def test_an_unknown_seat_is_not_found(world: World, seat: dict[str, str]) -> None:
    async with world.logged_in("li") as client:
        assert (await client.send("PUT", SEAT, seat)).status == 404


async def test_a_ticket_opens_the_screen_pop_once(world: World) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("POST", TICKET)
        assert answer.status == 201
        assert answer.json["url"] == "ws://127.0.0.1:8081/screenpop"
        granted = world.access.redeem(answer.json["ticket"])
        assert (granted.tenant_id, granted.agent) == (world.tenant_id, "li")
        with pytest.raises(Unauthenticated):
            world.access.redeem(answer.json["ticket"])


async def test_log_out_ends_tickets_and_tells_the_screen_pop(world: World) -> None:
    async with world.logged_in("li") as client:
        ticket = (await client.send("POST", TICKET)).json["ticket"]
        other = (await client.send("POST", TICKET)).json["ticket"]
        grant = world.access.redeem(other)
        await client.send("DELETE", SESSION)
        with pytest.raises(Unauthenticated):
            world.access.redeem(ticket)
    assert grant == Grant(tenant_id=world.tenant_id, agent="li", role=Role.AGENT, session=grant.session)
    assert world.told.ended == [(world.tenant_id, "li", grant.session)]


async def _disable(world: World) -> None:
    await world.people.set_disabled(world.tenant_id, "li", True, by="admin")


async def _new_password(world: World) -> None:
    await world.people.set_password(world.tenant_id, "li", CHEAP.hash("another good password"), by="admin")


async def _new_role(world: World) -> None:
    await world.database.pool.execute("UPDATE users SET role = 'supervisor' WHERE login = 'li'")


async def _time_passes(world: World) -> None:
    world.clock.now += timedelta(hours=12)


@pytest.mark.parametrize("end", [_disable, _new_password, _new_role, _time_passes])
async def test_what_is_open_for_a_session_ends_with_it(world: World, end: Callable[[World], Awaitable[None]]) -> None:
    async with world.logged_in("li") as client:
        await client.send("PUT", SEAT, {"pbx": "pbx", "extension": "1001"})
        opened, waiting = [(await client.send("POST", TICKET)).json["ticket"] for _ in range(2)]
        grant = world.access.redeem(opened)
        world.told.open.append(grant)
        await world.access.end_lapsed()
        assert world.told.ended == []

        await end(world)
        await world.access.end_lapsed()

        assert world.told.ended == [(world.tenant_id, "li", grant.session)]
        with pytest.raises(Unauthenticated):
            world.access.redeem(waiting)
    if end is _disable:
        assert world.told.seats[-1] == ("pbx", dict.fromkeys(("PJSIP/1001", "PJSIP/1002", "PJSIP/1003")))


async def test_the_screen_pop_is_found_behind_a_proxy(database: Database) -> None:
    changes = {"public_url": "https://calls.example.com", "screenpop_url": "wss://calls.example.com/screenpop"}
    async with run_world(database, **changes) as world, world.client() as client:
        answer = await client.send("POST", SESSION, {"login": "li", "password": PASSWORD})
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        ticket = await client.send("POST", TICKET, headers={"Cookie": cookie})
        assert ticket.json["url"] == "wss://calls.example.com/screenpop"
