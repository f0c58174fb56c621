"""A FreePBX's records, on a real MariaDB: read in whole seconds of its local time, and never written."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import aiomysql
import msgspec
import pytest

from callcenter.backfill.cel import COLUMNS, Cel
from callcenter.backfill.report import Tally
from callcenter.calllog.reconciling.mariadb import MariaCel
from callcenter.calllog.reconciling.run import Records, Run
from callcenter.db.engine import Database
from callcenter.errors import DatabaseError, SettingsError
from tests.database.mariadb_server import mariadb
from tests.database.test_reconciling import CASES, SINCE, UNTIL
from tests.replay import backfilled

ZONE = ZoneInfo("Asia/Shanghai")
SECOND = timedelta(seconds=1)
STAMP = "%Y-%m-%d %H:%M:%S"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    async with mariadb(tmp_path) as port:
        rows = sorted((row for case in CASES for row in backfilled.rows(case)), key=lambda row: row.at)
        await _insert(port, rows)
        yield port


async def _run(port: int, sql: str, rows: Sequence[tuple[object, ...]] = ((),)) -> None:
    """Do as FreePBX, or its admin, does."""
    connection = await aiomysql.connect(
        host="127.0.0.1", port=port, user="writer", password="secret", db="asteriskcdrdb", autocommit=True
    )
    async with connection.cursor() as cursor:
        await cursor.executemany(sql, rows)
    connection.close()


async def _insert(port: int, rows: list[Cel]) -> None:
    others = ("cid_ani", "cid_rdnis", "cid_dnid", "amaflags", "accountcode", "peer", "userdeftype")
    marks = ", ".join(["%s"] * len(COLUMNS))
    sql = f"INSERT INTO cel ({', '.join((*COLUMNS, *others))}) VALUES ({marks}, '', '', '', 3, '', '', '')"
    await _run(port, sql, [_columns(row) for row in rows])


async def _write_cdr(port: int, calls: Sequence[tuple[datetime, str, str]]) -> None:
    """A row of `cdr` for each start, uniqueid and linkedid; each lasted ten seconds."""
    rows = [(at.astimezone(ZONE).strftime(STAMP), 10, uniqueid, linkedid) for at, uniqueid, linkedid in calls]
    await _run(port, "INSERT INTO cdr (calldate, duration, uniqueid, linkedid) VALUES (%s, %s, %s, %s)", rows)


def _columns(row: Cel) -> tuple[str, ...]:
    at = row.at.astimezone(ZONE).strftime(STAMP)
    extra = msgspec.json.encode(row.extra).decode() if row.extra else ""
    number, name = row.number or "", row.name or ""
    told = (row.channel, number, name, row.exten, row.context, row.app, row.data, extra)
    return (row.kind, at, row.uniqueid, row.linkedid, *told)


def url(port: int, user: str = "reader") -> str:
    return f"mysql://{user}:secret@127.0.0.1:{port}/asteriskcdrdb"


async def test_the_calls_of_a_freepbx_are_filled_in(database: Database, tenant_id: int, port: int) -> None:
    records = Records(pbx="pbx", cel=MariaCel(url(port), ZONE), queue_log=None, directory=backfilled.DIRECTORY)

    first = await Run(database, tenant_id, records, since=SINCE, until=UNTIL).run()
    again = await Run(database, tenant_id, records, since=SINCE, until=UNTIL).run()

    assert (first.pbx_calls, first.missing, first.bad_rows, first.failed) == (5, 5, 0, 0)
    assert (again.pbx_calls, again.service_calls, again.same) == (5, 5, 5)


async def test_the_column_that_issabel_names_otherwise_is_read(port: int) -> None:
    cel = MariaCel(url(port), ZONE)
    expected = [row async for some in cel.pages(SINCE, UNTIL, pytest.fail) for row in some]
    await _run(port, "ALTER TABLE cel CHANGE extra eventextra VARCHAR(512) NOT NULL")
    found = [row async for some in cel.pages(SINCE, UNTIL, pytest.fail) for row in some]
    assert any(row.extra for row in found)
    assert found == expected


async def test_calls_that_have_a_cdr_and_no_channel_event_are_told(
    database: Database, tenant_id: int, port: int
) -> None:
    """CEL was switched off in the evening; before it was on a call has one CDR or more."""
    newest = max(row.at for case in CASES for row in backfilled.rows(case)).replace(microsecond=0)
    later = newest + timedelta(hours=1)
    await _write_cdr(port, [(newest - SECOND * 30, "1.0", "1.0"), (newest - SECOND * 20, "1.1", "1.0")])
    assert (await _tally(database, tenant_id, port)).cdr_calls == 1
    assert not (await _tally(database, tenant_id, port)).cel_silent

    await _write_cdr(port, [(later, "2.0", "2.0"), (later, "3.0", ""), (UNTIL, "4.0", "4.0")])
    tally = await _tally(database, tenant_id, port)
    assert (tally.pbx_calls, tally.cdr_calls, tally.cel_silent, tally.cel_newest) == (5, 3, True, newest)


async def test_a_day_without_any_channel_event_is_no_day_without_calls(
    database: Database, tenant_id: int, port: int
) -> None:
    await _write_cdr(port, [(SINCE + timedelta(hours=hour), f"{hour}.0", f"{hour}.0") for hour in range(20)])
    for sql in ("DELETE FROM cel", "DROP TABLE cel"):
        await _run(port, sql)
        tally = await _tally(database, tenant_id, port)
        assert (tally.pbx_calls, tally.cdr_calls, tally.cel_silent, tally.cel_newest) == (0, 20, True, None)


async def test_a_user_who_may_not_read_cdr_compares_without(database: Database, tenant_id: int, port: int) -> None:
    await _write_cdr(port, [(SINCE + timedelta(hours=1), "1.0", "1.0")])
    tally = await _tally(database, tenant_id, port, "narrow")
    assert (tally.pbx_calls, tally.cdr_calls, tally.cel_silent) == (5, None, False)


async def _tally(database: Database, tenant_id: int, port: int, user: str = "reader") -> Tally:
    cel = MariaCel(url(port, user), ZONE)
    records = Records(pbx="pbx", cel=cel, queue_log=None, directory=backfilled.DIRECTORY)
    return await Run(database, tenant_id, records, since=SINCE, until=UNTIL, dry_run=True).run()


async def test_the_rows_from_a_time_on_are_found_without_an_index(port: int) -> None:
    rows = sorted((row for case in CASES for row in backfilled.rows(case)), key=lambda row: row.at)
    for page, since in product((7, 1000), (SINCE, rows[40].at.replace(microsecond=0), rows[-1].at + SECOND)):
        expected = [row.uniqueid for row in rows if row.at.replace(microsecond=0) >= since]
        cel = MariaCel(url(port), ZONE, page)
        found = [row async for some in cel.pages(since, UNTIL, pytest.fail) for row in some]
        assert [row.uniqueid for row in found] == expected


async def test_a_server_that_refuses_is_a_sentence_without_the_password(port: int) -> None:
    for wrong in (url(port, "nobody"), url(1), url(port).replace("asteriskcdrdb", "other")):
        with pytest.raises(DatabaseError, match="CDR database at 127") as told:
            async for _ in MariaCel(wrong, ZONE).pages(SINCE, UNTIL, pytest.fail):
                pass
        assert "secret" not in str(told.value)


@pytest.mark.parametrize("wrong", ["mysql://", "mysql://host/db", "mysql://u:p@host", "mysql://u:p@host:port/db"])
def test_a_place_that_cannot_be_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="cel"):
        MariaCel(wrong, ZONE)
