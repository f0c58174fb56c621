"""Schemathesis asks what the OpenAPI description allows, and much that it does not: nothing crashes or surprises.

Every answer must have a status, a type and a shape that are described. The seed is fixed and the number of requests is
bounded, so that each run is the same.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.db.engine import Database
from tests.service.web_world import World, run_world

SEED = 20260304
EXAMPLES = 4
"""Of each operation, besides those that try each bound of the description."""
DEADLINE_S = 100
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""Not `negative_data_rejection`: here an empty query parameter is one that was left out, which it does not know."""
APART = ("log_in", "log_out", "change_password", "list_changes")
"""Operations that would end the log-in of the test, or that wait for something to happen."""


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with run_world(database, people_rate=1_000_000) as running:
        yield running


async def test_nothing_is_found_by_asking_at_random(world: World, tmp_path: Path) -> None:
    async with world.logged_in("admin") as client:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{world.url}/api/v1/openapi.json"),
            *("--header", f"Cookie: callcenter_session={client.cookie}", "--header", "X-Callcenter: 1"),
            *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--seed", str(SEED)),
            *("--max-examples", str(EXAMPLES), "--generation-database", "none"),
            *("--suppress-health-check", "all", "--warnings", "off", "--no-color", "--workers", "1"),
            # the log-in is always sent, so that one without it is not what breaks a description
            *("--generation-with-security-parameters", "false"),
            *(part for name in APART for part in ("--exclude-operation-id", name)),
        ]
        run = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path
        )
        try:
            async with asyncio.timeout(DEADLINE_S):
                said, _ = await run.communicate()
        finally:
            if run.returncode is None:
                run.kill()
                await run.wait()
    assert run.returncode == 0, "\n".join(line[:300] for line in said.decode().splitlines()[-200:])
