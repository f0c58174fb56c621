"""The change feed, exports, filters and ETags over REST, on the real call log."""

import asyncio
import csv
import io
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import pytest

from callcenter.calllog import columns
from callcenter.calllog.annotations import set_note
from callcenter.calllog.bell import Bell
from callcenter.calllog.store import store
from callcenter.db.engine import Database
from callcenter.joints.calls import WebCallLog
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.numbers import Numbers
from callcenter.settings import PbxSettings
from tests.contract.test_openapi import check_answer
from tests.fixtures.calls import call_id, queue_call
from tests.service.web_client import Answer, Client
from tests.service.web_world import World, run_world

CALLS, CHANGES, EXPORT = "/api/v1/calls", "/api/v1/calls/changes", "/api/v1/calls/export"
COPYING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database()"


@pytest.fixture
def bell(database: Database) -> Bell:
    return Bell(database)


@pytest.fixture
async def world(database: Database, bell: Bell) -> AsyncIterator[World]:
    words = DeskWords(database, await database.ensure_tenant("default"))
    await words.refresh()
    parts: dict[str, Any] = {
        "numbers": Numbers([PbxSettings(id="pbx", region="GB")]),
        "calls": WebCallLog(database, bell, words.check_outcome),
    }
    async with run_world(database, **parts) as running:
        yield running


async def put(world: World, *numbers: int) -> None:
    async with world.database.unit(world.tenant_id) as unit:
        await store(unit, [queue_call(n) for n in numbers], {})


async def changes(client: Client, query: str = "") -> Any:
    answer = await client.send("GET", f"{CHANGES}?{query}")
    assert answer.status == 200, answer.text
    check_answer(CHANGES, "GET", answer)
    return answer.json


async def test_a_machine_follows_the_log_with_its_key(world: World) -> None:
    await put(world, 0, 1, 2)
    async with world.client(Authorization=f"Bearer {await world.key('calls:read')}") as client:
        first = await changes(client, "limit=2")
        assert ([item["seq"] for item in first["items"]], first["more"]) == ([1, 2], True)
        second = await changes(client, f"limit=2&after={first['cursor']}")
        assert ([item["call_id"] for item in second["items"]], second["more"]) == ([str(call_id(2))], False)
        assert second["items"][0]["call"] == (await client.send("GET", f"{CALLS}/{call_id(2)}")).json
        nothing = await changes(client, f"after={second['cursor']}")
        assert (nothing["items"], nothing["more"]) == ([], False)
        async with world.database.unit(world.tenant_id) as unit:
            await set_note(unit, call_id(0), "corrected", actor="li")
        [item] = (await changes(client, f"after={second['cursor']}"))["items"]
        assert (item["call_id"], item["call"]["version"], item["seq"]) == (str(call_id(0)), 2, 4)


@pytest.mark.parametrize("listening", [True, False])
async def test_who_waits_is_answered_when_a_call_changes(world: World, bell: Bell, listening: bool) -> None:
    """With the notification, and without it by looking again."""
    async with world.logged_in("li") as client, asyncio.timeout(30), asyncio.TaskGroup() as group:
        ear = group.create_task(bell.run()) if listening else None
        waiting = group.create_task(changes(client, "after=now&wait=25"))
        while not bell.waiting:  # noqa: ASYNC110 — a request on its way tells nobody
            await asyncio.sleep(0.01)
        await put(world, 0)
        [item] = (await waiting)["items"]
        assert item["call_id"] == str(call_id(0))
        if ear is not None:
            ear.cancel()


async def test_who_waits_in_vain_gets_the_cursor_back_and_a_stop_lets_them_go(world: World, bell: Bell) -> None:
    async with world.logged_in("li") as client, asyncio.timeout(20), asyncio.TaskGroup() as group:
        page = await changes(client, "after=now&wait=0.05")
        assert page["items"] == []
        waiting = group.create_task(changes(client, f"after={page['cursor']}&wait=30"))
        while not bell.waiting:  # noqa: ASYNC110 — a request on its way tells nobody
            await asyncio.sleep(0.01)
        bell.close()
        assert (await waiting)["items"] == []


WRONG = (
    (f"{CHANGES}?after=nonsense", "no cursor of the change feed"),
    (f"{CHANGES}?wait=31", "wait: "),
    (f"{CHANGES}?limit=1000", "the largest allowed number is 200"),
    (EXPORT, "`format` is missing"),
    (f"{EXPORT}?format=xls", "'xls' is not one of the allowed words"),
    (f"{EXPORT}?format=ndjson&bom=true", "only a csv begins with a byte order mark"),
    (f"{EXPORT}?format=csv&limit=5", "there is no field `limit` here"),
    (f"{EXPORT}?format=csv&since=2026-03-05T00:00:00Z&until=2026-03-04T00:00:00Z", "must be before"),
    (f"{EXPORT}?format=csv&number=mother", "is not a phone number"),
    (f"{CALLS}?text={'x' * 201}", "at most 200 characters"),
    (f"{CALLS}?customer=7", "this is not a uuid"),
    (f"{CALLS}?since=yesterday", "write the time as in"),
)
"""Requests, and a part of what is answered."""


async def test_what_is_wrong_is_said(world: World) -> None:
    async with world.logged_in("admin") as client:
        for path, says in WRONG:
            answer = await client.send("GET", path)
            assert (answer.status, says in answer.json["detail"].lower()) == (400, True), answer.text


async def test_every_filter_works_in_any_spelling_and_together(world: World) -> None:
    await put(world, 0, 1)
    async with world.database.unit(world.tenant_id) as unit:
        await set_note(unit, call_id(1), "wants a Quote", actor="li")
    async with world.logged_in("li") as client:

        async def found(query: str) -> list[str]:
            return [item["call_id"] for item in (await client.send("GET", f"{CALLS}?{query}")).json["items"]]

        for spelling in ("020 7183 8750", "+44 (0)20 7183-8750", "00442071838750", "tel:+44-20-7183-8750"):
            query = f"number={quote(spelling)}&text=quote&agent=li&queue=sales&status=answered&direction=inbound"
            assert await found(query) == [str(call_id(1))]
        assert await found("text=quote&queue=support") == []
        assert await found("campaign=spring") == []


async def test_an_answer_that_is_known_is_not_sent_again(world: World) -> None:
    await put(world, 0)
    async with world.logged_in("li") as client:
        for place in (f"{CALLS}/{call_id(0)}", f"{CALLS}?limit=5"):
            first = await client.send("GET", place)
            tag = first.headers["ETag"]
            for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
                again = await client.send("GET", place, headers={"If-None-Match": known})
                assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag), known
            assert (await client.send("GET", place, headers={"If-None-Match": '"other"'})).text == first.text
        one = f"{CALLS}/{call_id(0)}"
        before = (await client.send("GET", one)).headers["ETag"]
        await client.send("PUT", f"{one}/note", {"text": "new"})
        after = await client.send("GET", one, headers={"If-None-Match": before})
        assert (after.status, after.json["version"]) == (200, 2)
        assert after.headers["ETag"] != before


async def test_files_have_all_calls(world: World) -> None:
    await put(world, *range(5))
    async with world.client(Authorization=f"Bearer {await world.key('calls:export')}") as client:
        table = await client.send("GET", f"{EXPORT}?format=csv&bom=true")
        lines = await client.send("GET", f"{EXPORT}?format=ndjson&queue=sales")
        head = await client.send("HEAD", f"{EXPORT}?format=csv")
        nothing = await client.send("GET", f"{EXPORT}?format=ndjson&queue=none")
    check_answer(EXPORT, "GET", table)
    check_answer(EXPORT, "GET", lines)
    assert table.text.startswith("\ufeffcall_id")
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"), newline="")))
    wanted = [str(call_id(n)) for n in range(5)]
    assert ([row["call_id"] for row in rows], tuple(rows[0])) == (wanted, columns.ORDER)
    assert [msgspec.json.decode(line)["call_id"] for line in lines.text.splitlines()] == wanted
    assert 'attachment; filename="calls-' in table.headers["Content-Disposition"]
    assert (head.status, head.text, nothing.status, nothing.text) == (200, "", 200, "")


async def test_an_agent_takes_no_file_away(world: World) -> None:
    async with world.logged_in("li") as client:
        assert (await client.send("GET", f"{EXPORT}?format=csv")).status == 403


async def test_a_client_who_goes_away_ends_the_export(world: World) -> None:
    await put(world, 0)
    await world.database.pool.execute(
        "INSERT INTO calls (tenant_id, call_id, pbx, linkedids, direction, status, caller, callee, started_at,"
        " digest, seq) SELECT tenant_id, gen_random_uuid(), pbx, linkedids, direction, status, caller, callee,"
        " started_at, digest, seq + n FROM calls, generate_series(1, 50000) n"
    )
    key = await world.key("calls:export")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as client:
        for _ in range(4):
            answer = await client.get(f"{world.url}{EXPORT}?format=ndjson")
            assert answer.status == 200
            await answer.content.readexactly(10)
            assert await world.database.pool.fetchval(COPYING) == 1
            answer.close()
            async with asyncio.timeout(20):
                while await world.database.pool.fetchval(COPYING):  # noqa: ASYNC110 — PostgreSQL tells nobody
                    await asyncio.sleep(0.01)


async def test_a_file_that_ends_early_is_seen_to_be_incomplete(world: World) -> None:
    """The database goes away in the middle: the client gets an error, not a short file."""
    await put(world, 0)
    await world.database.pool.execute(
        "INSERT INTO calls (tenant_id, call_id, pbx, linkedids, direction, status, caller, callee, started_at,"
        " digest, seq) SELECT tenant_id, gen_random_uuid(), pbx, linkedids, direction, status, caller, callee,"
        " started_at, digest, seq + n FROM calls, generate_series(1, 50000) n"
    )
    key = await world.key("calls:export")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as client:
        answer = await client.get(f"{world.url}{EXPORT}?format=ndjson")
        await answer.content.readexactly(10)
        ended = await world.database.pool.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE query LIKE 'COPY%' AND datname = current_database()"
        )
        assert ended == 1
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def command(url: str, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from callcenter.cli.main import main; main()", "export", "calls", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"CALLCENTER_DATABASE_URL": url},
    )
    async with asyncio.timeout(60):
        said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def test_the_command_writes_the_same(world: World, database_url: str, tmp_path: Path) -> None:
    await put(world, *range(3))
    async with world.logged_in("admin") as client:
        served: list[Answer] = [await client.send("GET", f"{EXPORT}?format={kind}") for kind in ("csv", "ndjson")]
    for kind, answer in zip(("csv", "ndjson"), served, strict=True):
        file = tmp_path / f"calls.{kind}"
        code, said, complained = await command(database_url, str(file), "--since", "2026-01-01", "--queue", "sales")
        assert (code, said, "3 calls" in complained) == (0, "", True), complained
        assert file.read_text() == answer.text
    code, _, complained = await command(database_url, str(file))
    assert (code, "is there already" in complained) == (1, True)
    code, said, complained = await command(database_url, "-", "--format", "ndjson", "--status", "happy")
    assert (code, said, "a filter cannot be read" in complained) == (1, "", True)
    code, said, _ = await command(database_url, "-", "--format", "csv", "--since", "2030-01-01T00:00:00+08:00")
    assert (code, said.count("\n")) == (0, 1)
    assert sorted(os.listdir(tmp_path)) == ["calls.csv", "calls.ndjson"]
