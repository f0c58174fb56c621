"""Requests that are sent twice, and too many of them: through the running application and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest

from callcenter.accounts.idempotency import LARGEST
from callcenter.accounts.values import KeptAnswer
from callcenter.db.engine import Database
from callcenter.errors import Conflict
from tests.service.web_world import World, run_world

CUSTOMERS = "/api/v1/customers"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database) as running:
        yield running


async def test_the_same_request_is_done_once_and_answered_alike(world: World) -> None:
    key = {"Idempotency-Key": f'"{uuid4()}"'}
    async with world.logged_in("li") as li, world.logged_in("wang") as wang:
        first = await li.send("POST", CUSTOMERS, {"name": "Ada"}, headers=key)
        again = await li.send("POST", CUSTOMERS, {"name": "Ada"}, headers=key)
        assert (first.status, again.status, again.json) == (201, 201, first.json)
        assert again.headers["Location"] == first.headers["Location"]
        assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
        assert len(world.book.items) == 1
        other = await li.send("POST", CUSTOMERS, {"name": "Eve"}, headers=key)
        assert (other.status, other.json["type"]) == (422, "/api/docs#problem-key-reused")
        elsewhere = await li.send("POST", "/api/v1/calls", {"number": "+15551234567"}, headers=key)
        assert elsewhere.status == 422
        # the key of somebody else is another key
        assert (await wang.send("POST", CUSTOMERS, {"name": "Ada"}, headers=key)).status == 201
        assert len(world.book.items) == 2
        world.clock.now += timedelta(hours=24, seconds=1)
    async with world.logged_in("li") as li:
        assert (await li.send("POST", CUSTOMERS, {"name": "Eve"}, headers=key)).status == 201


async def test_of_many_at_once_one_is_done(world: World) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    async with world.logged_in("li") as li:
        answers = await asyncio.gather(*(li.send("POST", CUSTOMERS, {"name": "Ada"}, headers=key) for _ in range(5)))
        assert {answer.status for answer in answers} <= {201, 409}
        assert len(world.book.items) == 1


async def test_what_was_refused_may_be_sent_mended(world: World) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    async with world.logged_in("li") as li:
        assert (await li.send("POST", "/api/v1/calls", {"number": "+15551234567"}, headers=key)).status == 409
        await li.send("PUT", "/api/v1/session/extension", {"pbx": "pbx", "extension": "1001"})
        assert (await li.send("POST", "/api/v1/calls", {"number": "+15557654321"}, headers=key)).status == 202
        assert (await li.send("POST", "/api/v1/calls", {"number": "+15557654321"}, headers=key)).status == 202
        assert len(world.phones.dialed) == 1


async def test_what_was_cut_off_is_taken_for_gone_after_a_while(world: World) -> None:
    kept, key = world.idempotency, "k"
    assert await kept.begin(world.tenant_id, "li", key, b"d") is None
    with pytest.raises(Conflict):
        await kept.begin(world.tenant_id, "li", key, b"d")
    world.clock.now += timedelta(minutes=2, seconds=1)
    assert await kept.begin(world.tenant_id, "li", key, b"d") is None
    large = KeptAnswer(status=200, location=None, body=b"x" * (LARGEST + 1))
    await kept.finish(world.tenant_id, "li", key, large, secret=False)
    with pytest.raises(Conflict, match="done already"):
        await kept.begin(world.tenant_id, "li", key, b"d")
    world.clock.now += timedelta(days=2)
    await kept.prune(world.tenant_id)
    assert await world.database.pool.fetchval("SELECT count(*) FROM idempotency_keys") == 0


async def test_a_secret_is_kept_nowhere(world: World) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    async with world.logged_in("admin") as admin:
        made = await admin.send("POST", "/api/v1/users/li/password", headers=key)
        again = await admin.send("POST", "/api/v1/users/li/password", headers=key)
        assert (made.status, again.status) == (200, 409) and "shown once" in again.json["detail"]
        row = await world.database.pool.fetchval("SELECT k::text FROM idempotency_keys k")
        assert made.json["password"] not in row and made.json["password"].encode().hex() not in row


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "two words", "é"])
async def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    async with world.logged_in("li") as li:
        answer = await li.send("POST", CUSTOMERS, {"name": "Ada"}, headers={"Idempotency-Key": key})
        assert answer.status == 400 and "Idempotency-Key" in answer.json["detail"]
        assert world.book.items == {}


async def test_too_many_requests_are_refused_and_each_answer_tells_how_many_are_left(database: Database) -> None:
    async with run_world(database, people_rate=5) as world:
        async with world.logged_in("li") as li, world.logged_in("wang") as wang:
            for left in (4, 3, 2, 1, 0):
                answer = await li.send("GET", "/api/v1/session")
                assert answer.status == 200
                assert answer.headers["RateLimit-Policy"] == '"people";q=5;w=60'
                assert answer.headers["RateLimit"].startswith(f'"people";r={left};t=')
            refused = await li.send("GET", "/api/v1/session")
            assert (refused.status, refused.json["type"]) == (429, "/api/docs#problem-too-many")
            assert 1 <= int(refused.headers["Retry-After"]) <= 12
            assert refused.headers["RateLimit"].startswith('"people";r=0;')
            assert (await wang.send("GET", "/api/v1/session")).status == 200


async def test_every_refusal_is_a_problem(world: World) -> None:
    async with world.logged_in("li") as li:
        headers = {"Content-Type": "text/plain"}
        refusals = {
            404: await li.send("GET", "/api/v1/nothing"),
            405: await li.send("DELETE", "/api/v1/calls"),
            413: await li.send("POST", CUSTOMERS, data=BytesIO(b"x" * 1_100_000)),
            415: await li.send("POST", CUSTOMERS, {"name": "Ada"}, headers=headers),
        }
        for status, answer in refusals.items():
            assert answer.status == status
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json["status"] == status and answer.json["detail"] and answer.json["request_id"]
        assert "GET" in refusals[405].headers["Allow"]
