"""Asterisk writes its channel events into the service's PostgreSQL, as a user who may do nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from callcenter.backfill.cel import Cel
from callcenter.backfill.gathering import Gatherer
from callcenter.backfill.queuelog import parsed as parsed_line
from callcenter.backfill.rebuilding import calls
from callcenter.calllog import record as call_record
from callcenter.calllog.reconciling.postgres import PostgresCel
from callcenter.db.engine import Database
from callcenter.db.writers import make_cel_user
from tests.evidence import disagreements
from tests.replay import backfilled
from tests.testbed import Asterisk, Pbx
from tests.testbed.cases import all_cases
from tests.traces import NEVER

USER = "asterisk_cel_of_a_test"
PASSWORD = "for-the-test-alone"
CASES = ("queue-ringall-three-members", "attended-transfer-answered", "queue-timeout", "inbound-direct-rejected")


@pytest.fixture
async def port(postgres_url: str) -> AsyncIterator[int]:
    """A port on loopback that leads to the PostgreSQL of the tests, which listens on a socket alone."""
    socket = Path(make_url(postgres_url).query["host"]) / ".s.PGSQL.5432"  # type: ignore[arg-type]

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside = await asyncio.open_unix_connection(str(socket))
        with suppress(OSError):
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, inside[1]), name="to PostgreSQL")
                group.create_task(_copy(inside[0], writer), name="from PostgreSQL")

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _all_written(asterisk: Asterisk, database: Database) -> bool:
    """Whether each call of the cases has ended in Asterisk's file, and the table holds as many rows as the file."""
    rows = asterisk.cel()
    ended = {row.linkedid for row in rows if row.eventtype == "LINKEDID_END"}
    stored = await database.pool.fetchval("SELECT count(*) FROM asterisk.cel")
    return len(ended) >= len(CASES) and ended == {row.linkedid for row in rows} and bool(stored == len(rows))


async def test_rows_arrive_and_are_the_calls(asterisk_chroot: Path, database: Database, port: int) -> None:
    await make_cel_user(database, USER, PASSWORD)
    name = make_url(database.place).database
    values = {"cel_port": port, "cel_user": USER, "cel_password": PASSWORD, "cel_database": name}
    async with Pbx(asterisk_chroot, cel_to_postgresql=True, **values) as pbx, pbx.asterisk.observer() as ami:
        for case in CASES:
            await all_cases()[case].play(pbx, ami)
        # A stop unloads what writes to the database before what writes the file, so every call is to be in both before.
        async with asyncio.timeout(10):
            while not await _all_written(pbx.asterisk, database):  # noqa: ASYNC110 - Asterisk tells nobody
                await asyncio.sleep(0.05)
        await pbx.asterisk.stop()
        written = pbx.asterisk.cel()
        log = [line for text in pbx.asterisk.queue_log_text().splitlines() if (line := parsed_line(text))]
        evidence = pbx.asterisk.cdr(), written, pbx.asterisk.queue_log()
    gatherer = Gatherer()
    for line in log:
        gatherer.line(line)
    rows: list[Cel] = []
    bad: list[str] = []
    async for page in PostgresCel(database).pages(NEVER, NEVER.replace(year=2100), bad.append):
        rows += page
    assert bad == []
    assert sorted((row.kind, row.uniqueid, round(row.at.timestamp(), 3)) for row in rows) == sorted(
        (row.eventtype, row.uniqueid, round(row.eventtime, 3)) for row in written
    )
    groups = [group for row in rows for group in gatherer.row(row)]
    groups += gatherer.rest()
    found = [one for group in groups for one in calls(group, backfilled.DIRECTORY, with_queue_log=True)]
    records = [call_record.to_json(call_record.of(call)) for call in found]
    assert len(records) >= len(CASES)
    assert disagreements(records, *evidence) == []

    intruder = await asyncpg.connect(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}")
    try:
        for statement in ("SELECT * FROM asterisk.cel", "DELETE FROM asterisk.cel", "SELECT * FROM public.calls"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await intruder.execute(statement)
    finally:
        await intruder.close()
