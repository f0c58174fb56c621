"""The page of reconciliations: an admin has the log compared with what Asterisk wrote, and sees what came of it."""

import csv
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from callcenter.accounts.roles import Role
from callcenter.calllog.store import store
from callcenter.db.engine import connect
from callcenter.model import HangupBy, Source
from tests.pages.house import ADMIN, LONG_MS, House, add_person, open_house
from tests.replay import backfilled
from tests.traces import REPLAY

SUPERVISOR = "sue"
CASES = ("hold-and-resume", "queue-timeout")
RECORDED = "2026-11-23T00:00"
"""The day on which the cases were recorded, as the field of the page has it."""
CLOCK = "UTC"


@pytest.fixture
def cel(tmp_path: Path) -> Path:
    """What Asterisk wrote of some recorded cases."""
    path = tmp_path / "cel.csv"
    path.write_text("".join((REPLAY / case / "cel.csv").read_text("utf-8") for case in CASES), "utf-8")
    return path


@pytest.fixture
async def house(page_is_built: None, database_url: str, cel: Path) -> AsyncIterator[House]:
    """The whole service, which knows where its PBX writes."""
    expect.set_options(timeout=LONG_MS)
    async with open_house(database_url, cel=str(cel)) as house:
        await add_person(database_url, SUPERVISOR, "Sue Supervisor", Role.SUPERVISOR)
        yield house


async def compare(page: Page, since: str = RECORDED, *, dry_run: bool = False) -> None:
    """Have the calls since a time compared."""
    await page.get_by_role("button", name="Compare now").click()
    await page.get_by_label("Calls that ended since").fill(since)
    if dry_run:
        await page.get_by_label("Only compare, change nothing").check()
    await page.get_by_role("button", name="Start").click()


def linkedids(cel: Path) -> set[str]:
    """Those of the calls that Asterisk wrote."""
    return {re.escape(row[3]) for row in csv.reader(cel.read_text("utf-8").splitlines())}


async def test_calls_that_are_missing_are_told_added_and_then_the_same(house: House, cel: Path) -> None:
    page = await house.window(SUPERVISOR, timezone_id=CLOCK)
    await page.get_by_role("link", name="Reconciliation").click()
    await expect(
        page.get_by_text(
            "Nothing was compared yet. It happens by itself after each interruption, and each night at 03:30."
        )
    ).to_be_visible()

    await compare(page, dry_run=True)
    await expect(page.get_by_role("heading", name="PBX 2 calls, service 0: these differ")).to_be_visible()
    await expect(page.get_by_role("heading", name="2 would be added.")).to_be_visible()
    await page.locator(".item button").first.click()
    await expect(page.get_by_text("This call is not in the log.")).to_be_visible()

    await compare(page)
    await expect(page.get_by_role("heading", name="2 were missing, and are added")).to_be_visible()
    await page.locator(".item button").first.click()
    await expect(page.locator(".item .call code")).to_have_text(re.compile("|".join(linkedids(cel))))

    await compare(page)
    await expect(page.get_by_role("heading", name="PBX 2 calls, service 2: all are the same")).to_be_visible()
    await expect(page.locator(".line")).to_have_count(3)


async def test_what_cannot_be_read_or_started_is_said(house: House, cel: Path) -> None:
    page = await house.window(ADMIN, timezone_id=CLOCK)
    await page.get_by_role("link", name="Reconciliation").click()
    await compare(page, "2099-01-01T00:00")
    await expect(page.get_by_text("Choose a time in the past.")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await compare(page, "1999-01-01T00:00")
    await expect(page.get_by_text("at most ten years ago")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()

    os.remove(cel)
    await compare(page)
    await expect(page.get_by_text("This did not come to its end: there is no file")).to_be_visible()
    await expect(page.get_by_text("Not finished")).to_be_visible()


async def test_it_is_not_for_agents(house: House) -> None:
    agent = await house.window()
    await expect(agent.get_by_role("link", name="Customers")).to_be_visible()
    await expect(agent.get_by_role("link", name="Reconciliation")).to_have_count(0)
    await agent.goto(f"{house.url}/reconciliations")
    await expect(agent).to_have_url(f"{house.url}/")


async def test_each_kind_of_difference_is_shown_with_its_call(house: House, database_url: str, cel: Path) -> None:
    """The log has a call that was followed live and says something else, one in part, and one that nobody wrote."""
    (partial,) = backfilled.rebuilt(backfilled.rows(CASES[0]), None)
    (followed,) = backfilled.rebuilt(backfilled.rows(CASES[1]), None)
    (unwritten,) = backfilled.rebuilt(backfilled.rows("inbound-direct-busy"), None)
    known = [
        replace(followed, source=Source.LIVE, complete=True, hangup_by=HangupBy.CALLEE),
        replace(partial, source=Source.RESYNC, complete=False, connections=()),
        replace(unwritten, source=Source.LIVE, complete=True),
    ]
    database = await connect(database_url, pool_size=1)
    try:
        async with database.unit(await database.ensure_tenant("default")) as unit:
            await store(unit, known, {})
    finally:
        await database.close()

    page = await house.window(SUPERVISOR, timezone_id=CLOCK)
    await page.get_by_role("link", name="Reconciliation").click()
    await compare(page)
    await expect(page.get_by_role("heading", name="PBX 2 calls, service 3: these differ")).to_be_visible()
    for heading, call, fields in (
        ("1 say something else", followed, ["hangup_by"]),
        ("1 were known in part", partial, ["hangup_by", "connections"]),
        ("1 the PBX wrote nothing of", unwritten, []),
    ):
        group = page.locator(".group").filter(has=page.get_by_role("heading", name=heading))
        await expect(group.locator(".id")).to_have_text([str(call.call_id)])
        await expect(group.locator(".fields code")).to_have_text(fields)
        await group.locator(".item button").click()
        await expect(group.locator(".item .call code")).to_have_text(", ".join(call.linkedids))

    chinese = await house.window(SUPERVISOR, "zh-TW", timezone_id=CLOCK)
    await chinese.get_by_role("link", name="核對").click()
    await chinese.locator(".list .line").click()
    await expect(chinese.get_by_role("heading", name="PBX 2 通，系統 3 通：以下有差異")).to_be_visible()
    await expect(chinese.locator(".group")).to_have_count(3)


async def test_an_empty_page_claims_no_night_where_there_is_none(
    page_is_built: None, database_url: str, cel: Path
) -> None:
    async with open_house(database_url, cel=str(cel), reconcile_at="") as house:
        page = await house.window(ADMIN)
        await page.get_by_role("link", name="Reconciliation").click()
        await expect(page.get_by_text("but not each night")).to_be_visible()
