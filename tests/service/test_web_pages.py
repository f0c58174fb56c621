"""The front end, the docs page, health and metrics."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.db.engine import Database
from tests.service.web_world import World, run_world

INDEX = "<!doctype html><title>desk</title>"
SCRIPT = "console.log('desk');" * 100


@pytest.fixture
def static(tmp_path: Path) -> Path:
    built = tmp_path / "static"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(INDEX)
    (built / "favicon.svg").write_text("<svg/>")
    (built / "sw.js").write_text(SCRIPT)
    (built / "manifest.webmanifest").write_text("{}")
    (built / "assets" / "index-Bx3kQ9_a.js").write_text(SCRIPT)
    (built / "assets" / "plain.js").write_text(SCRIPT)
    (tmp_path / "secret.txt").write_text("secret")
    return built


@pytest.fixture
async def world(database: Database, static: Path) -> AsyncIterator[World]:
    async with run_world(database, static=static) as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/index.html", "/calls", "/customers/123", "/assets/"])
async def test_pages_of_the_application_are_its_index(world: World, path: str) -> None:
    async with world.client() as client:
        answer = await client.send("GET", path)
        assert (answer.status, answer.text) == (200, INDEX)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "connect-src 'self' ws://127.0.0.1:8081;" in policy


async def test_hashed_files_are_kept_for_ever_and_others_asked_for(world: World) -> None:
    async with world.client() as client:
        hashed = await client.send("GET", "/assets/index-Bx3kQ9_a.js")
        plain = await client.send("GET", "/assets/plain.js")
    assert hashed.text == plain.text == SCRIPT
    assert "immutable" in hashed.headers["Cache-Control"]
    assert plain.headers["Cache-Control"] == "no-cache"
    assert hashed.headers["Content-Type"] == "text/javascript; charset=utf-8"


async def test_files_are_compressed_for_who_can_read_it(world: World) -> None:
    async with world.client() as client:
        zipped = await client.send("GET", "/assets/plain.js", headers={"Accept-Encoding": "gzip"})
        plain = await client.send("GET", "/assets/plain.js", headers={"Accept-Encoding": "identity"})
    assert int(zipped.headers["Content-Length"]) < 200 < int(plain.headers["Content-Length"])
    assert zipped.text == plain.text
    assert zipped.headers["Vary"] == "Accept-Encoding"


async def test_a_file_that_is_known_is_not_sent_again(world: World) -> None:
    async with world.client() as client:
        first = await client.send("GET", "/")
        again = await client.send("GET", "/", headers={"If-None-Match": first.headers["ETag"]})
        changed = await client.send("GET", "/", headers={"If-None-Match": '"other"'})
    assert (again.status, again.text, changed.status) == (304, "", 200)
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


async def test_the_worker_may_fetch_the_pages_files_and_nothing_else(world: World) -> None:
    async with world.client() as client:
        first = await client.send("GET", "/sw.js")
        again = await client.send("GET", "/sw.js", headers={"If-None-Match": first.headers["ETag"]})
        manifest = await client.send("GET", "/manifest.webmanifest")
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert first.headers["Cache-Control"] == "no-cache"
    assert (first.status, again.status) == (200, 304)
    for answer in (first, again):
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"
        )
    assert manifest.headers["Content-Type"] == "application/manifest+json"


@pytest.mark.parametrize(
    "path",
    ["/missing.js", "/assets/missing-12345678.js", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%5csecret.txt"],
)
async def test_nothing_else_is_served(world: World, path: str) -> None:
    async with world.client() as client:
        answer = await client.send("GET", path)
        assert answer.status == 404
        assert "secret" not in answer.text


async def test_without_a_front_end_the_api_is_served(database: Database) -> None:
    async with run_world(database) as world, world.client() as client:
        assert (await client.send("GET", "/")).status == 404
        assert (await client.send("GET", "/healthz")).status == 200


async def test_the_docs_page_needs_nothing_from_elsewhere(world: World) -> None:
    async with world.client() as client:
        for path in ("/api/docs", "/api/docs/docs.js", "/api/docs/docs.css"):
            answer = await client.send("GET", path)
            assert answer.status == 200
            assert "http" not in answer.text
        assert (await client.send("GET", "/api/docs/other.js")).status == 404


async def test_health_tells_which_part_is_ill(world: World) -> None:
    async with world.client() as client:
        assert (await client.send("GET", "/healthz")).json == {"status": "alive"}
        well = await client.send("GET", "/readyz")
        world.health.ok = False
        ill = await client.send("GET", "/readyz")
        assert (await client.send("GET", "/healthz")).status == 200
    assert (well.status, well.json["ready"]) == (200, True)
    assert (ill.status, ill.json) == (
        503,
        {"ready": False, "parts": [{"name": "pbx", "kind": "pbx", "ok": False, "state": "lost", "detail": None}]},
    )


async def test_metrics_are_read_when_asked_for(world: World) -> None:
    async with world.client() as client:
        answer = await client.send("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "callcenter_pops_total 3.0" in answer.text


async def test_head_is_answered_without_a_body(world: World) -> None:
    async with world.client() as client:
        answer = await client.send("HEAD", "/")
        assert (answer.status, answer.text) == (200, "")
