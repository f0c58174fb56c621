"""`callcenter retention` and `callcenter erase`, run as a person runs them, and the work of each night."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.calllog.store import store
from callcenter.customers.draft import Draft, DraftPhone
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.joints.housekeeping import Housekeeping
from callcenter.matching.number import Reader
from callcenter.settings import RetentionRule, RetentionSettings
from crm_bridge.outbox import CallOutbox
from tests.fixtures.calls import queue_call

Command = Callable[..., Awaitable[tuple[int, str]]]

RULES = """
[[retention.rules]]
keep_days = 60
queue = ["sales"]
answered = true

[[retention.rules]]
keep_days = 90
"""


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> Command:
    """Runs `callcenter` with these arguments beside a configuration; gives its exit code and what it printed."""

    async def command(*arguments: str, rules: str = RULES, answer: bytes = b"") -> tuple[int, str]:
        (tmp_path / "callcenter.toml").write_text(rules, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from callcenter.cli.main import main; main()", *arguments),
            cwd=tmp_path,
            env={**os.environ, "CALLCENTER_DATABASE_URL": database_url, "COLUMNS": "200"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            printed, _ = await process.communicate(answer)
        assert process.returncode is not None
        return process.returncode, printed.decode()

    return command


async def write(database: Database, tenant_id: int, *ages: int) -> None:
    now = datetime.now(UTC)
    calls = [queue_call(n, started_at=now - timedelta(days=age)) for n, age in enumerate(ages)]
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {}, CallOutbox())


async def test_old_calls_are_shown_counted_and_deleted(command: Command, database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, 61, 100, 59)
    code, printed = await command("retention", "show")
    assert code == 0 and "answered by a person, in queue sales" in printed and "60 days" in printed

    code, printed = await command("retention", "run", "--dry-run")
    assert code == 0 and "in queue sales, older than 60 days: 2 calls would be deleted" in printed
    code, printed = await command("retention", "run", answer=b"n\n")
    assert code == 1 and "Delete 2 calls for good?" in printed
    assert await database.pool.fetchval("SELECT count(*) FROM calls") == 3
    code, printed = await command("retention", "run", "--yes")
    assert code == 0 and "2 calls are deleted" in printed
    assert await database.pool.fetchval("SELECT count(*) FROM calls") == 1
    assert await database.pool.fetchval("SELECT count(*) FROM outbox") == 1


async def test_without_rules_all_is_kept_and_wrong_ones_are_explained(command: Command) -> None:
    code, printed = await command("retention", "show", rules="")
    assert code == 0 and "all calls are kept for ever" in printed
    code, printed = await command("retention", "run", rules="")
    assert code == 1 and "write [[retention.rules]] into the configuration first" in printed
    code, printed = await command("retention", "show", rules="[[retention.rules]]\nkeep_days = 7")
    assert code == 1 and "keep_days is 7, and minimum_days is 30: keep the calls longer" in printed


async def test_a_customer_is_erased_at_the_command_line(command: Command, database: Database, tenant_id: int) -> None:
    phones = (DraftPhone(number="+442071838750"),)
    ada = await CustomerStore(database, Reader("GB")).create(tenant_id, Draft(name="Ada Lovelace", phones=phones))
    await write(database, tenant_id, 1, 2)

    code, printed = await command("erase", "customer", str(ada.id), answer=b"n\n")
    assert code == 1 and "Ada Lovelace, +442071838750" in printed
    assert await database.pool.fetchval("SELECT count(*) FROM customers") == 1
    for _ in range(2):
        code, printed = await command("erase", "customer", str(ada.id), "--yes")
        assert code == 0 and "erased: 2 calls say no longer who it was" in printed
    assert await database.pool.fetchval("SELECT count(*) FROM customers") == 0
    code, printed = await command("erase", "customer", "Ada", "--yes")
    assert code == 1 and "copy it from the address of their page" in printed


async def test_each_night_the_rules_are_applied(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, 100, 1)
    await database.pool.execute("UPDATE outbox SET state = 'done', done_at = now() - interval '40 days'")
    night = datetime.now(UTC)
    keeper = Housekeeping(database, tenant_id, RetentionSettings(rules=(RetentionRule(keep_days=90),)), [CallOutbox()])
    await keeper.clean(night)
    assert await database.pool.fetchval("SELECT count(*) FROM calls") == 1
    assert await database.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_the_night_comes_by_itself(database: Database, tenant_id: int) -> None:
    await write(database, tenant_id, 100, 1)
    rules = RetentionSettings(rules=(RetentionRule(keep_days=90),))
    almost = datetime.now(UTC).replace(hour=3, minute=29, second=59, microsecond=950_000)
    keeper = Housekeeping(database, tenant_id, rules, [CallOutbox()], clock=lambda: almost)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(keeper.run())
        done = "SELECT count(*) FROM audit WHERE action = 'retention.end'"
        while not await database.pool.fetchval(done):  # noqa: ASYNC110 — PostgreSQL tells nobody
            await asyncio.sleep(0.01)
        task.cancel()
    assert await database.pool.fetchval("SELECT count(*) FROM calls") == 1


@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-03-02T03:29:00+00:00", 1 / 60), ("2026-03-02T03:30:00+00:00", 24), ("2026-03-02T23:30:00+00:00", 4)],
)
async def test_a_night_comes_once_a_day(database: Database, tenant_id: int, now: str, hours: float) -> None:
    keeper = Housekeeping(database, tenant_id, RetentionSettings(), [], clock=lambda: datetime.fromisoformat(now))
    assert keeper.until_next() == timedelta(hours=hours)
