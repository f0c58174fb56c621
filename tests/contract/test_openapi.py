"""The OpenAPI description is valid, complete, and true: real answers are what it says."""

import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from callcenter.accounts.roles import Permission
from callcenter.db.engine import Database
from callcenter.web.openapi import describe
from callcenter.web.routes import ROUTES
from tests.service.test_web_guard import BODIES, NAMES, QUERIES, call
from tests.service.web_client import Answer
from tests.service.web_world import PASSWORD, World, make_call, run_world

DESCRIPTION: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe(ROUTES, "1.2.3", "callcenter_session")))
SHOWN = [entry for entry in ROUTES if not entry.hidden]
LAST = {"change_password": 1, "be_ready": 1, "leave_seat": 2, "log_out": 3}
"""What must come after everything else."""
REGISTRY: "Registry[Any]" = Registry().with_resource("urn:api", DRAFT202012.create_resource(DESCRIPTION))


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


def check(schema: dict[str, Any], value: object) -> None:
    """Fail unless `value` is what the schema says; references are into the description."""
    text = msgspec.json.encode(schema).replace(b'"#/', b'"urn:api#/')
    Draft202012Validator(msgspec.json.decode(text), registry=REGISTRY).validate(value)


def check_answer(path: str, method: str, answer: Answer) -> None:
    """Fail unless the answer is one that the description tells of."""
    responses = DESCRIPTION["paths"][path][method.lower()]["responses"]
    declared = responses.get(str(answer.status), responses["default"])
    if "content" not in declared:
        assert answer.text == ""
        return
    media = answer.headers["Content-Type"].split(";")[0]
    content = declared["content"][media]
    check(content["schema"], answer.json if media.endswith(("/json", "+json")) else answer.text)


def test_the_description_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DESCRIPTION).validate()


def test_every_route_is_described_and_nothing_else() -> None:
    described = {(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert described == {(entry.path, entry.method.lower()) for entry in SHOWN}


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    text = msgspec.json.encode(DESCRIPTION).decode()
    references = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert references == set(DESCRIPTION["components"]["schemas"])


def test_everything_is_explained() -> None:
    for name, schema in DESCRIPTION["components"]["schemas"].items():
        assert schema.get("description") or "enum" in schema, name
    assert {entry.tag for entry in SHOWN} == {tag["name"] for tag in DESCRIPTION["tags"]}


def test_what_is_protected_says_how_to_be_known() -> None:
    for entry in SHOWN:
        operation = DESCRIPTION["paths"][entry.path][entry.method.lower()]
        protected = isinstance(entry.permission, Permission)
        assert bool(operation["security"]) is protected
        assert (f"`{entry.permission.value}`" in operation.get("description", "")) is protected


def test_what_comes_in_is_closed_and_what_goes_out_is_open() -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    assert schemas["LogIn"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["CallRecord"]


async def test_the_served_description_is_this_one(world: World) -> None:
    async with world.client() as client:
        served = (await client.send("GET", "/api/v1/openapi.json")).json
    assert {**served, "info": None} == {**DESCRIPTION, "info": None}


async def test_real_answers_are_what_is_described(world: World) -> None:
    async with world.logged_in("admin") as client:
        await client.send("PUT", "/api/v1/session/extension", BODIES["take_seat"])
        await client.send("POST", "/api/v1/customers", {"name": "Ada", "phones": [{"number": "5551234567"}]})
        [made] = world.book.items.values()
        # the walk asks for one id everywhere: the call's
        world.book.items[make_call(1).call_id] = made
        await world.busy_desk("admin", make_call(1).call_id)
        world.comparisons.known.add(make_call(1).call_id)
        async with world.logged_in("admin"), world.logged_in("admin"):
            listed = (await client.send("GET", "/api/v1/session/all")).json["items"]
        others = [one["session"] for one in listed if not one["own"]]
        names = {
            "end_own_session": {"{session}": others[0]},
            "end_session": {"{session}": others[1]},
            "revoke_key": {"{key}": (await world.key()).split("_")[1]},
        }
        await world.database.pool.execute(
            "INSERT INTO login_locks (tenant_id, subject, failures, last_at, locked_until)"
            " VALUES ($1, 'login:wang', 10, now(), now() + interval '1 hour')",
            world.tenant_id,
        )
        answered = set()
        for entry in sorted(SHOWN, key=lambda entry: LAST.get(entry.name, 0)):
            if entry.name == "change_password":
                change = {"current": PASSWORD, "new": "another correct horse"}
                answer = await client.send("PUT", entry.path, change)
            else:
                answer = await call(client, entry, names.get(entry.name, {}))
            assert answer.status == entry.status, (entry.name, answer.text)
            check_answer(entry.path, entry.method, answer)
            answered.add(entry.name)
    assert answered == {entry.name for entry in SHOWN}


async def test_real_refusals_are_what_is_described(world: World) -> None:
    async with world.client() as nobody:
        for entry in SHOWN:
            if entry.name == "log_in":
                continue
            answer = await call(nobody, entry, headers={"Via": "1.1 proxy"})
            if isinstance(entry.permission, Permission):
                assert answer.status == 401
            check_answer(entry.path, entry.method, answer)
    world.health.ok = False
    async with world.logged_in("admin") as client:
        answer = await client.send("GET", "/readyz")
        assert answer.status == 503
        check_answer("/readyz", "GET", answer)
        for entry in SHOWN:
            if entry.name in BODIES:
                path = entry.path.replace("{id}", str(make_call(1).call_id))
                for place, name in NAMES.items():
                    path = path.replace(place, name)
                wrong = await client.send(entry.method, path, {**BODIES[entry.name], "unknown": 1})
                assert wrong.status == 400
                check_answer(entry.path, entry.method, wrong)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_bodies_of_the_tests_are_what_is_described(name: str) -> None:
    [entry] = [entry for entry in SHOWN if entry.name == name]
    content = DESCRIPTION["paths"][entry.path][entry.method.lower()]["requestBody"]["content"]
    check(content["application/json"]["schema"], BODIES[name])
    with pytest.raises(Exception, match="Additional properties"):
        check(content["application/json"]["schema"], {**BODIES[name], "unknown": 1})


def test_queries_of_the_tests_name_declared_parameters() -> None:
    for name, query in QUERIES.items():
        [entry] = [entry for entry in SHOWN if entry.name == name]
        declared = {p["name"] for p in DESCRIPTION["paths"][entry.path][entry.method.lower()]["parameters"]}
        assert set(re.findall(r"[?&](\w+)=", query)) <= declared
