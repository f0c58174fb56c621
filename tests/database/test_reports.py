"""Reports, from calls to numbers with their parts, and as files."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from callcenter.calllog.annotations import set_outcome
from callcenter.calllog.store import store
from callcenter.db.engine import Database
from callcenter.desk.intervals import StateRow, write
from callcenter.errors import BadInput
from callcenter.joints.reports import WebReports, midnight
from callcenter.metrics.service_level import Formula
from callcenter.model import Call
from callcenter.reports.reading import Kind, Wanted, lines
from callcenter.reports.rolling import catch_up
from callcenter.web.schemas.reports import Report, ReportKind, ReportQuery
from tests.database.test_rollups import made
from tests.fixtures.calls import NOON, call_id
from tests.service.web_world import run_world

DAY = date(2026, 3, 2)
QUERY = ReportQuery(since=DAY, until=DAY + timedelta(days=1))
KINDS = ("answered", "abandoned", "refused", "outbound", "missed", "open", "answered")


def calls() -> list[Call]:
    """Seven calls of all kinds in as many half hours; the last one was dialed to another number."""
    found = [made(n, kind, 30 * n) for n, kind in enumerate(KINDS)]
    return [*found[:-1], replace(found[-1], did="=HYPERLINK(1)")]


@pytest.fixture
async def filled(database: Database, tenant_id: int) -> Database:
    async with database.unit(tenant_id) as unit:
        await store(unit, calls(), {})
        await set_outcome(unit, call_id(0), "sold", actor="li")
        stretch = StateRow(agent="li", state="ready", from_=NOON, to=NOON + timedelta(hours=1))
        paused = StateRow(agent="li", state="paused", from_=NOON + timedelta(hours=1), to=NOON + timedelta(hours=3))
        await write(unit, [stretch], NOON)
        await write(unit, [paused], NOON)
    return database


async def told(database: Database, tenant_id: int, kind: ReportKind, **changes: Any) -> Report:
    return await WebReports(database).report(tenant_id, kind, replace(QUERY, **changes))


def values(report: Report, name: str) -> dict[str, float | None]:
    return {line.key: line.numbers[name].value for line in report.period.lines}


async def test_queues(filled: Database, tenant_id: int) -> None:
    report = await told(filled, tenant_id, ReportKind.QUEUES)
    numbers = report.period.lines[0].numbers
    assert report.period.lines[0].key == "sales"
    assert {name: numbers[name].value for name in ("offered", "answered", "abandoned", "refused")} == {
        "offered": 4.0,
        "answered": 2.0,
        "abandoned": 1.0,
        "refused": 1.0,
    }
    level = numbers["service_level"]
    assert (level.value, level.numerator, level.denominator) == (0.5, 2, 4)
    assert numbers["asa_s"].value == pytest.approx(8.25)
    assert numbers["aht_s"].value == pytest.approx(60.25)
    assert sum(report.period.lines[0].waits) == 2
    shown = await told(filled, tenant_id, ReportKind.QUEUES, formula=Formula.ANSWERED, threshold_s=5)
    assert shown.period.total.numbers["service_level"].numerator == 0
    assert shown.period.total.numbers["service_level"].denominator == 2
    assert (await told(filled, tenant_id, ReportKind.QUEUES, queue="support")).period.lines == ()


async def test_agents_with_their_occupancy(filled: Database, tenant_id: int) -> None:
    report = await told(filled, tenant_id, ReportKind.AGENTS)
    assert values(report, "answered") == {"li": 2.0}
    assert values(report, "missed") == {"li": 1.0}
    numbers = report.period.lines[0].numbers
    assert numbers["occupancy"].denominator == 3600
    assert numbers["occupancy"].numerator == numbers["connected_s"].value


async def test_times_are_told_in_the_zone(filled: Database, tenant_id: int) -> None:
    hours = await told(filled, tenant_id, ReportKind.HOURS)
    assert values(hours, "calls") == {"12": 2.0, "13": 2.0, "14": 1.0, "15": 1.0}
    shanghai = await told(filled, tenant_id, ReportKind.HOURS, zone="Asia/Shanghai")
    assert values(shanghai, "calls") == {"20": 2.0, "21": 2.0, "22": 1.0, "23": 1.0}
    nepal = await told(filled, tenant_id, ReportKind.DAYS, zone="Asia/Kathmandu")
    assert values(nepal, "inbound") == {"2026-03-02": 5.0}
    week = await told(filled, tenant_id, ReportKind.WEEK)
    assert values(week, "outbound") == {"1-12": 0.0, "1-13": 1.0, "1-14": 0.0, "1-15": 0.0}
    of_queue = await told(filled, tenant_id, ReportKind.HOURS, queue="sales")
    assert values(of_queue, "offered") == {"12": 2.0, "13": 0.0, "14": 1.0, "15": 1.0}


async def test_numbers_and_outcomes(filled: Database, tenant_id: int) -> None:
    numbers = await told(filled, tenant_id, ReportKind.NUMBERS)
    assert values(numbers, "calls") == {"+442071830000": 2.0, "=HYPERLINK(1)": 1.0}
    outcomes = await told(filled, tenant_id, ReportKind.OUTCOMES)
    assert values(outcomes, "calls") == {"sold": 1.0}


async def test_with_the_period_before(filled: Database, tenant_id: int) -> None:
    after = replace(QUERY, since=DAY + timedelta(days=1), until=DAY + timedelta(days=2), compare=True)
    report = await WebReports(filled).report(tenant_id, ReportKind.DAYS, after)
    assert report.period.lines == ()
    assert report.period.total.numbers["service_level"].value is None
    assert report.before is not None
    assert report.before.total.numbers["calls"].value == 6


@pytest.mark.parametrize("kind", Kind)
async def test_it_is_the_same_without_roll_ups(filled: Database, tenant_id: int, kind: Kind) -> None:
    await catch_up(filled, tenant_id)
    wanted = Wanted(since=midnight(DAY, "UTC"), until=midnight(DAY + timedelta(days=1), "UTC"), zone="Asia/Tokyo")
    async with filled.unit(tenant_id) as unit:
        assert await lines(unit, kind, wanted, rolled=True) == await lines(unit, kind, wanted, rolled=False)


def test_a_day_begins_where_the_zone_says() -> None:
    assert midnight(date(2026, 7, 1), "Europe/London") == datetime.fromisoformat("2026-06-30T23:00:00Z")
    for day, zone in ((DAY, "Mars/Olympus"), (DAY, "../etc/passwd"), (date(1, 1, 1), "Asia/Tokyo")):
        with pytest.raises(BadInput):
            midnight(day, zone)
    with pytest.raises(BadInput, match="quarters"):
        midnight(date(1890, 1, 1), "Europe/Amsterdam")


@pytest.mark.parametrize("days", [0, -1, 801])
async def test_a_period_that_is_none_is_refused(database: Database, tenant_id: int, days: int) -> None:
    with pytest.raises(BadInput, match="until"):
        await told(database, tenant_id, ReportKind.DAYS, until=DAY + timedelta(days=days))


async def test_over_http_and_as_a_file_that_runs_nothing(filled: Database) -> None:
    async with run_world(filled) as world, world.logged_in("li") as agent, world.logged_in("zhao") as supervisor:
        path = "/api/v1/reports/numbers"
        asked = "?since=2026-03-02&until=2026-03-03&zone=Europe/London&compare=true"
        assert (await agent.send("GET", path + asked)).status == 403
        answer = await supervisor.send("GET", path + asked)
        assert answer.status == 200
        assert answer.json["period"]["total"]["numbers"]["calls"] == {"value": 3, "numerator": 3, "denominator": None}
        assert (await supervisor.send("GET", "/api/v1/reports/nonsense" + asked)).status == 404
        assert (await supervisor.send("GET", path + asked + "&threshold_s=7")).status == 400
        answer = await supervisor.send("GET", f"{path}/export{asked}")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["key"] for row in rows] == ["+442071830000", "'=HYPERLINK(1)", "", ""]
        assert rows[0]["average_talk_s.denominator"] == "1"
