"""Exports: the same calls as in the log, harmless in a spreadsheet, and nothing left behind when they end early."""

import asyncio
import csv
import io
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from callcenter.calllog import columns
from callcenter.calllog.annotations import set_note, set_outcome
from callcenter.calllog.export import BYTE_ORDER_MARK, Exports, Layout
from callcenter.calllog.queries import CallFilter, get_call, list_calls
from callcenter.calllog.store import store, store_merge
from callcenter.callrecord import CallRecord
from callcenter.db.engine import Database
from callcenter.errors import TooMany
from callcenter.model import Call, Party
from tests.fixtures.calls import NOON, any_calls, call_id, in_progress, queue_call

CUSTOMER = UUID("0198c000-0000-7000-8000-000000000001")
COPYING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database()"


async def exported(
    database: Database, tenant_id: int, layout: Layout, wanted: CallFilter | None = None, bom: bool = False
) -> str:
    pieces: list[bytes] = []

    async def write(piece: bytes) -> None:
        pieces.append(piece)

    wanted = wanted or CallFilter()
    rows = await Exports(database).run(tenant_id, wanted, layout, write, by="li", byte_order_mark=bom)
    assert rows == await Exports(database).count(tenant_id, wanted)
    return b"".join(pieces).decode()


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def put(database: Database, tenant_id: int, *calls: Call) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, {})


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(call=any_calls)
async def test_a_line_of_ndjson_is_the_record(database: Database, tenant_id: int, call: Call) -> None:
    await database.pool.execute("DELETE FROM calls")
    await put(database, tenant_id, call)
    text = await exported(database, tenant_id, Layout.NDJSON)
    # a line ends where the file says so, not at every character that Unicode takes for a line's end
    assert text.endswith("\n") and text.count("\n") == 1
    async with database.unit(tenant_id) as unit:
        assert msgspec.json.decode(text, type=CallRecord) == await get_call(unit, call.call_id)
        assert list(msgspec.json.decode(text)) == list(CallRecord.__struct_fields__)
        assert not {"agent"} & msgspec.json.decode(text)["caller"].keys()


async def test_csv_has_the_documented_columns_and_all_that_is_known(database: Database, tenant_id: int) -> None:
    await database.pool.execute(
        "INSERT INTO customers (tenant_id, customer_id, name) VALUES ($1, $2, '王 \"Ada\", Ltd')", tenant_id, CUSTOMER
    )
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0)], {call_id(0): CUSTOMER})
        await set_note(unit, call_id(0), "two\nlines", actor="li")
        await set_note(unit, call_id(0), "and mine", actor="mo")
        await set_outcome(unit, call_id(0), "sale", actor="li")
    [row] = read_csv(await exported(database, tenant_id, Layout.CSV))
    assert tuple(row) == columns.ORDER
    assert row == {
        **dict.fromkeys(columns.ORDER, ""),
        "call_id": str(call_id(0)),
        "pbx": "pbx",
        "direction": "inbound",
        "status": "answered",
        "started_at": "2026-03-02T12:00:00.000000Z",
        "answered_at": "2026-03-02T12:00:09.250000Z",
        "ended_at": "2026-03-02T12:01:09.500000Z",
        "caller_number": "02071838750",
        "caller_e164": "+442071838750",
        "caller_name": "Zoë 王",
        "callee_number": "1001",
        "callee_name": "Li",
        "did": "+442071830000",
        "queues": "sales",
        "offers": "2",
        "agents": "li",
        "transfers": "0",
        "wait_s": "8.25",
        "ring_s": "7.25",
        "talk_s": "50.125",
        "hold_s": "10.125",
        "duration_s": "69.5",
        "hangup_by": "caller",
        "hangup_cause": "16",
        "customer_id": str(CUSTOMER),
        "customer_name": '王 "Ada", Ltd',
        "outcome": "sale",
        "notes": "two\nlines\nand mine",
        "complete": "t",
        "source": "live",
        "version": "4",
        "seq": "4",
    }


CELLS = {
    "=1+1": "'=1+1",
    "+1+1": "'+1+1",
    "-2": "'-2",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r=1": "'\r=1",
    "\n=1": "'\n=1",
    "＝1+1": "'＝1+1",
    "＋1": "'＋1",
    "+442071838750": "+442071838750",
    "+44x": "'+44x",
    "+": "'+",
    "'=1": "'=1",
    "1=1": "1=1",
    "": "",
}
"""What somebody calls themselves, and how it stands in the file."""


async def test_no_text_is_a_formula(database: Database, tenant_id: int) -> None:
    for n, name in enumerate(CELLS):
        hostile = Party(number=name, e164=name, name=name)
        visits = tuple(msgspec.structs.replace(visit, queue=name) for visit in queue_call().queue_visits)
        talks = tuple(msgspec.structs.replace(talk, agent=name) for talk in queue_call().connections)
        call = queue_call(n, pbx=name, caller=hostile, callee=hostile, did=name, queue_visits=visits, connections=talks)
        async with database.unit(tenant_id) as unit:
            await store(unit, [call], {})
            await unit.execute(
                "UPDATE calls SET outcome = $2, campaign = $2, tags = ARRAY[$2],"
                " notes = jsonb_build_array(jsonb_build_object('by', 'li', 'at', '', 'text', $2::text))"
                " WHERE tenant_id = $1 AND call_id = $3",
                *(name, call_id(n)),
            )
    rows = read_csv(await exported(database, tenant_id, Layout.CSV))
    for row, cell in zip(rows, CELLS.values(), strict=True):
        for column in columns.TEXTS:
            assert column == "customer_name" or row[column] == cell, (column, cell)


async def test_no_separator_of_another_land_makes_a_new_cell(database: Database, tenant_id: int) -> None:
    """A spreadsheet that splits at semicolons or tabs must still see one quoted text."""
    await put(database, tenant_id, queue_call(caller=Party(number="1", name="Ada;=1+1")))
    text = await exported(database, tenant_id, Layout.CSV)
    assert ',"Ada;=1+1",' in text


async def test_the_oldest_is_first_and_filters_choose(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(n) for n in (3, 1, 2, 0)], {})
        await store(unit, [in_progress(9)], {})
        await store_merge(unit, call_id(9), call_id(0))

    async def found(**wanted: object) -> list[str]:
        text = await exported(database, tenant_id, Layout.CSV, CallFilter(**wanted))  # type: ignore[arg-type]
        return [row["call_id"] for row in read_csv(text)]

    assert await found() == [str(call_id(n)) for n in range(4)]
    assert await found(agent="li", since=NOON + timedelta(minutes=2)) == [str(call_id(n)) for n in (2, 3)]
    assert await found(queue="nowhere' OR true --") == []


async def test_an_excel_knows_that_it_is_utf_8(database: Database, tenant_id: int) -> None:
    text = await exported(database, tenant_id, Layout.CSV, bom=True)
    assert text.startswith(BYTE_ORDER_MARK.decode() + "call_id,pbx,")


async def test_an_export_is_noted_without_what_was_looked_for(database: Database, tenant_id: int) -> None:
    await exported(database, tenant_id, Layout.NDJSON, CallFilter(number="+442071838750"))
    row = await database.pool.fetchrow("SELECT actor, action, detail FROM audit")
    assert row is not None
    assert tuple(row) == ("li", "calls.export", {"format": "ndjson", "filters": ["number"]})


async def many(database: Database, tenant_id: int) -> None:
    """Enough calls that they fit into no buffer on the way."""
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(0)], {})
        await unit.execute(
            "INSERT INTO calls (tenant_id, call_id, pbx, linkedids, direction, status, caller, callee, started_at,"
            " digest, seq) SELECT $1, gen_random_uuid(), pbx, linkedids, direction, status, caller, callee, started_at,"
            " digest, seq + n FROM calls, generate_series(1, 30000) n WHERE tenant_id = $1"
        )


async def nobody_copies(database: Database) -> None:
    async with asyncio.timeout(20):
        while await database.pool.fetchval(COPYING):  # noqa: ASYNC110 — PostgreSQL tells nobody
            await asyncio.sleep(0.01)


async def test_a_reader_who_takes_nothing_is_cut_off(database: Database, tenant_id: int) -> None:
    await many(database, tenant_id)

    async def stuck(piece: bytes) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await Exports(database).run(
            tenant_id, CallFilter(), Layout.NDJSON, stuck, by="li", stall=timedelta(milliseconds=100)
        )
    await nobody_copies(database)


async def test_a_reader_who_goes_away_leaves_nothing_running(database: Database, tenant_id: int) -> None:
    await many(database, tenant_id)

    async def gone(piece: bytes) -> None:
        raise ConnectionResetError

    exports = Exports(database)
    for _ in range(4):
        with pytest.raises(ConnectionResetError):
            await exports.run(tenant_id, CallFilter(), Layout.CSV, gone, by="li")
    await nobody_copies(database)


async def test_only_a_few_run_at_a_time(database: Database, tenant_id: int) -> None:
    await many(database, tenant_id)
    exports, running, go_on = Exports(database, most=1), asyncio.Event(), asyncio.Event()

    async def slow(piece: bytes) -> None:
        running.set()
        await go_on.wait()

    async def export() -> int:
        return await exports.run(tenant_id, CallFilter(), Layout.CSV, slow, by="li")

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        first = group.create_task(export())
        await running.wait()
        with pytest.raises(TooMany, match="other exports"):
            await export()
        go_on.set()
    assert first.result() == 30_001


async def test_text_in_notes_and_campaign_are_filters(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, [queue_call(n) for n in range(3)], {})
        await set_note(unit, call_id(0), "Möchte ein ANGEBOT", actor="li")
        await set_note(unit, call_id(1), "要求报价 100%", actor="li")
        await unit.execute("UPDATE calls SET campaign = 'spring' WHERE tenant_id = $1 AND call_id = $2", call_id(2))

        async def found(**wanted: str) -> list[UUID]:
            return [item.call_id for item in (await list_calls(unit, CallFilter(**wanted))).items]  # type: ignore[arg-type]

        assert await found(text="angebot") == [call_id(0)]
        assert await found(text="MÖCHTE") == [call_id(0)]
        assert await found(text="报价") == [call_id(1)]
        assert await found(text="100%") == [call_id(1)]
        assert await found(text="li") == []
        assert await found(campaign="spring") == [call_id(2)]
        assert (await get_call(unit, call_id(2))).campaign == "spring"
        assert await found(campaign="autumn") == []
