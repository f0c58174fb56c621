"""Reconciliations over REST: who may see and start them, and what is refused."""

from uuid import uuid4

import pytest

from callcenter.db.engine import Database
from tests.service.web_world import NOW, run_world

PATH = "/api/v1/reconciliations"


async def test_a_supervisor_sees_what_came_of_them_and_has_one_done(database: Database) -> None:
    async with run_world(database) as world, world.logged_in("zhao") as client:
        found = (await client.send("GET", PATH)).json
        (one,) = found["items"]
        assert (found["pbxs"], found["current"], found["nightly_at"]) == (["pbx"], None, "03:30")
        assert one["reason"] == "nightly"
        assert (one["result"]["pbx_calls"], one["result"]["missing"]) == (7, 1)
        assert one["result"]["items"][0]["finding"] == "missing"

        answer = await client.send("POST", PATH, {"pbx": "pbx", "since": "2026-03-04T09:00:00Z", "dry_run": True})
        name = answer.json["reconciliation_id"]
        assert (answer.status, answer.json) == (202, {"reconciliation_id": name, "pbx": "pbx", "dry_run": True})
        assert world.comparisons.asked == [("pbx", NOW, None, True)]
        assert answer.headers["Location"] == f"{PATH}/{name}"
        assert (await client.send("GET", answer.headers["Location"])).json == one
        assert (await client.send("GET", f"{PATH}/{uuid4()}")).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"pbx": "other", "since": "2026-03-04T09:00:00Z"}, 404),
        ({"pbx": "pbx"}, 400),
        ({"pbx": "pbx", "since": "2026-03-04T09:00:00"}, 400),
        ({"pbx": "pbx", "since": "yesterday"}, 400),
        ({"pbx": "pbx", "since": "2026-03-04T09:00:00Z", "more": 1}, 400),
    ],
)
async def test_what_cannot_be_is_refused(database: Database, body: object, status: int) -> None:
    async with run_world(database) as world, world.logged_in("admin") as client:
        assert (await client.send("POST", PATH, body)).status == status
        assert world.comparisons.asked == []


async def test_it_is_not_for_agents(database: Database) -> None:
    async with run_world(database) as world, world.logged_in("li") as client:
        assert (await client.send("GET", PATH)).status == 403
        assert (await client.send("GET", f"{PATH}/{uuid4()}")).status == 403
        assert (await client.send("POST", PATH, {"pbx": "pbx", "since": "2026-03-04T09:00:00Z"})).status == 403
