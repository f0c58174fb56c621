"""A FreePBX's records, on a real MariaDB: read in whole seconds of its local time, and never written."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import aiomysql
import msgspec
import pytest

from callcenter.backfill.cel import COLUMNS, Cel
from callcenter.calllog.reconciling.mariadb import MariaCel
from callcenter.calllog.reconciling.run import Records, Run
from callcenter.db.engine import Database
from callcenter.errors import DatabaseError, SettingsError
from tests.database.mariadb_server import mariadb
from tests.database.test_reconciling import CASES, SINCE, UNTIL
from tests.replay import backfilled

ZONE = ZoneInfo("Asia/Shanghai")
SECOND = timedelta(seconds=1)


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    async with mariadb(tmp_path) as port:
        rows = sorted((row for case in CASES for row in backfilled.rows(case)), key=lambda row: row.at)
        await _insert(port, rows)
        yield port


async def _insert(port: int, rows: list[Cel]) -> None:
    connection = await aiomysql.connect(
        host="127.0.0.1", port=port, user="writer", password="secret", db="asteriskcdrdb", autocommit=True
    )
    others = ("cid_ani", "cid_rdnis", "cid_dnid", "amaflags", "accountcode", "peer", "userdeftype")
    marks = ", ".join(["%s"] * len(COLUMNS))
    sql = f"INSERT INTO cel ({', '.join((*COLUMNS, *others))}) VALUES ({marks}, '', '', '', 3, '', '', '')"
    async with connection.cursor() as cursor:
        await cursor.executemany(sql, [_columns(row) for row in rows])
    connection.close()


def _columns(row: Cel) -> tuple[str, ...]:
    at = row.at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
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
