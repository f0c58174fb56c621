"""Who may use which route, forged requests, and what every answer carries: a walk over the whole table."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPMethod
from types import MappingProxyType
from typing import Any

import pytest

from callcenter.accounts.roles import PERMISSIONS, Permission, Role
from callcenter.db.engine import Database
from callcenter.web.endpoint import Open, Route
from callcenter.web.routes import ROUTES
from tests.service.web_client import Answer, Client
from tests.service.web_world import PASSWORD, World, make_call, run_world

ID = str(make_call(1).call_id)
SPY = f"ccspy-{'0' * 32}"
BODIES: dict[str, dict[str, Any]] = {
    "move_caller": {"queue": "support"},
    "pause_agent": {"agent": "li", "paused": True},
    "log_agent_out": {"agent": "li"},
    "add_member": {"pbx": "pbx", "queue": "support", "agent": "li"},
    "change_member": {"pbx": "pbx", "queue": "support", "interface": "PJSIP/1001", "penalty": 1},
    "set_limits": {"pbx": "pbx", "queue": "support", "most_waiting": 5},
    "spy": {"agent": "li", "mode": "whisper"},
    "take_over": {"agent": "li"},
    "change_spying": {"spy_id": SPY, "mode": "barge"},
    "start_reconciliation": {"pbx": "pbx", "since": "2026-03-04T09:00:00Z"},
    "change_password": {"current": "not the password", "new": "another correct horse"},
    "create_user": {"login": "new.person", "name": "New", "role": "agent"},
    "change_user": {"name": "Wang"},
    "create_key": {"name": "CRM", "scopes": ["calls:read"]},
    "unlock": {"login": "wang"},
    "log_in": {"login": "admin", "password": PASSWORD},
    "choose_language": {"language": "en"},
    "take_seat": {"pbx": "pbx", "extension": "1001"},
    "create_customer": {"name": "Ada"},
    "change_customer": {"version": 1, "name": "Ada"},
    "dial": {"number": "+1 555 123 4567"},
    "open_phone": {},
    "transfer": {"number": "+1 555 123 4567"},
    "write_note": {"text": "called back"},
    "choose_customer": {"customer_id": None},
    "choose_outcome": {"outcome": "sold"},
    "create_webhook": {"name": "CRM", "url": "https://crm.example.com/calls", "kinds": ["call.ended"]},
    "change_webhook": {"name": "CRM"},
    "rotate_webhook_secret": {},
    "replay_deliveries": {},
    "put_pause_reason": {"names": {"en": "Lunch"}, "budget_s": 1800},
    "put_outcome": {"names": {"en": "Sold"}, "kind": "success"},
    "put_customer_field": {"names": {"en": "Contract"}, "kind": "choice", "choices": ["yearly", "monthly"]},
    "change_desk_settings": {"wrapup_s": 20, "wrapup_queues": {"sales": 40}},
    "assign_agent_queues": {"items": [{"pbx": "pbx", "queue": "sales", "penalty": 1}]},
    "settle_missed": {"number": "+1 555 123 4567"},
    "make_callback": {"number": "+1 555 123 4567", "due_at": "2026-03-05T09:00:00Z", "note": "in the morning"},
    "move_callback": {"due_at": "2026-03-06T09:00:00Z", "agent": "li"},
    "pause": {"reason": "break"},
    "extend_wrapup": {"seconds": 30},
    "log_into_own_queues": {"logged_in": False},
}
QUERIES = {
    "match_number": "?number=5551234567",
    "show_target": "?number=5551234567",
    "export_calls": "?format=ndjson",
    "remove_member": "?pbx=pbx&queue=support&interface=PJSIP/1001",
    "stop_spying": f"?spy_id={SPY}",
    "list_missed": "?days=7",
    "list_callbacks": "?agent=li",
    "find_anything": "?q=Ada",
    "show_report": "?since=2026-03-01&until=2026-04-01",
    "export_report": "?since=2026-03-01&until=2026-04-01",
}
NAMES = {
    "{login}": "wang",
    "{session}": "0" * 64,
    "{key}": "0" * 8,
    "{agent}": "li",
    "{kind}": "queues",
    "{code}": "lunch",
    "{file}": "docs.js",
}
"""Parts of paths that are no ids."""


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


async def call(client: Client, entry: Route, names: Mapping[str, str] = MappingProxyType({}), **options: Any) -> Answer:
    """Send the request of a route as a well-behaved client would; `names` are parts of the path."""
    path = entry.path.replace("{id}", ID).replace("{event}", ID).split("{path")[0]
    for place, name in {**NAMES, **names}.items():
        path = path.replace(place, name)
    body = BODIES.get(entry.name)
    return await client.send(entry.method, path + QUERIES.get(entry.name, ""), body, **options)


def protected() -> list[tuple[Route, Permission]]:
    return [(entry, entry.permission) for entry in ROUTES if isinstance(entry.permission, Permission)]


def test_the_table_is_sound() -> None:
    names = [entry.name for entry in ROUTES if not entry.hidden]
    assert len(set(names)) == len(names)
    assert len({(entry.method, entry.path) for entry in ROUTES}) == len(ROUTES)
    unprotected = {f"{entry.method} {entry.path}" for entry in ROUTES if entry.permission is Open.ANYONE}
    assert unprotected == {
        "POST /api/v1/session",
        "GET /api/v1/openapi.json",
        "GET /api/docs",
        "GET /api/docs/{file}",
        "GET /healthz",
        "GET /readyz",
        "GET /{path:(?!api/).*}",
    }


async def test_nobody_gets_nothing_but_what_is_open(world: World) -> None:
    for entry, _ in protected():
        async with world.client() as client:
            answer = await call(client, entry, headers={"X-Forwarded-For": "203.0.113.7"})
            assert answer.status == 401, entry.name
            assert answer.json["type"] == "/api/docs#problem-unauthenticated"


@pytest.mark.parametrize(("login", "role"), [("li", Role.AGENT), ("zhao", Role.SUPERVISOR), ("admin", Role.ADMIN)])
async def test_people_may_what_their_role_may(world: World, login: str, role: Role) -> None:
    for entry, permission in protected():
        if entry.name == "log_out":
            continue
        async with world.logged_in(login) as client:
            answer = await call(client, entry, headers={"X-Forwarded-For": "203.0.113.7"})
            allowed = permission in PERMISSIONS[role]
            assert (answer.status == 403) is not allowed, (entry.name, answer.text)
            assert answer.status < 500 and answer.status != 401, (entry.name, answer.text)


async def test_a_key_may_what_its_scopes_name(world: World) -> None:
    everything = await world.key()
    reader = await world.key("calls:read")
    for entry, permission in protected():
        for key, scopes in ((everything, PERMISSIONS[Role.INTEGRATION]), (reader, {Permission.CALLS_READ})):
            async with world.client(Authorization=f"Bearer {key}") as client:
                answer = await call(client, entry)
                assert (answer.status == 403) is (permission not in scopes), (entry.name, answer.text)
                assert answer.status < 500 and answer.status != 401, (entry.name, answer.text)


async def test_every_answer_is_protected(world: World) -> None:
    async with world.logged_in("admin") as client:
        for entry in ROUTES:
            answer = await call(client, entry)
            assert answer.headers["X-Content-Type-Options"] == "nosniff", entry.name
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert len(answer.headers["X-Request-ID"]) >= 8
            assert "aiohttp" not in answer.headers["Server"]
            assert "Cache-Control" in answer.headers
            if entry.name == "log_out":
                await client.send("POST", "/api/v1/session", {"login": "admin", "password": PASSWORD})


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Callcenter": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_forged_requests_change_nothing(world: World, headers: dict[str, str]) -> None:
    async with world.logged_in("admin") as client:
        for entry, _ in protected():
            if entry.method is not HTTPMethod.GET:
                answer = await call(client, entry, headers=headers)
                assert answer.status == 403, (entry.name, answer.text)
        assert (await client.send("GET", "/api/v1/session", headers=headers)).status == 200
    assert world.calls.by == []


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_site_cannot_log_somebody_in(world: World, headers: dict[str, str]) -> None:
    async with world.client() as client:
        credentials = {"login": "li", "password": PASSWORD}
        answer = await client.send("POST", "/api/v1/session", credentials, headers=headers)
        assert (answer.status, client.cookie) == (403, None)


async def test_our_own_pages_may(database: Database) -> None:
    async with run_world(database, origins=("http://localhost:5173",)) as world:
        async with world.client() as client:
            credentials = {"login": "li", "password": PASSWORD}
            for origin in (world.url, "http://localhost:5173"):
                answer = await client.send("POST", "/api/v1/session", credentials, headers={"Origin": origin})
                assert answer.status == 200


async def test_a_public_url_is_the_only_origin(database: Database) -> None:
    async with run_world(database, public_url="https://calls.example.com") as world, world.client() as client:
        credentials = {"login": "li", "password": PASSWORD}
        for origin, status in (("https://calls.example.com", 200), (world.url, 403)):
            answer = await client.send("POST", "/api/v1/session", credentials, headers={"Origin": origin})
            assert answer.status == status


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer nonsense", "Basic bGk6eA==", "Bearer cck_12345678_wrong"])
async def test_a_wrong_key_never_falls_back_to_the_cookie(world: World, value: str) -> None:
    async with world.logged_in("li") as client:
        answer = await client.send("GET", "/api/v1/session", headers={"Authorization": value})
        assert answer.status == 401


async def test_keys_end(world: World) -> None:
    key = await world.key("calls:read")
    async with world.client(Authorization=f"Bearer {key}") as client:
        assert (await client.send("GET", "/api/v1/calls")).status == 200
        [listed] = await world.access.keys.list(world.tenant_id)
        assert listed.used_at is not None
        await world.access.keys.revoke(world.tenant_id, listed.key_id, by="admin")
        assert (await client.send("GET", "/api/v1/calls")).status == 401
    stored = await world.database.pool.fetchval("SELECT k::text FROM api_keys k")
    assert key not in stored and key.split("_", 2)[2] not in stored


async def test_metrics_are_for_this_machine_or_a_permission(world: World) -> None:
    async with world.client() as client:
        assert (await client.send("GET", "/metrics")).status == 200
        for header in ("X-Forwarded-For", "Forwarded", "Via"):
            assert (await client.send("GET", "/metrics", headers={header: "127.0.0.1"})).status == 401


async def test_the_request_id_is_kept_if_it_is_harmless(world: World) -> None:
    async with world.client() as client:
        for given, kept in (("abcdef-123456", True), ("<script>", False), ("short", False), ("x" * 65, False)):
            answer = await client.send("GET", "/api/v1/session", headers={"X-Request-ID": given})
            assert (answer.headers["X-Request-ID"] == given) is kept
            assert answer.json["request_id"] == answer.headers["X-Request-ID"]


async def test_another_tenant_is_not_seen(world: World) -> None:
    other = await world.database.ensure_tenant("other")
    assert await world.people.list(other) == ()
    assert await world.access.keys.list(other) == ()
    async with world.logged_in("li"):
        assert await world.people.credentials(other, "li") is None
