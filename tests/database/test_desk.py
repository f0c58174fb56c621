"""The agents' desk in the database: lists, stretches, missed calls and callbacks."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from callcenter.calllog.annotations import set_wrapup
from callcenter.calllog.queries import get_call
from callcenter.calllog.store import store
from callcenter.customers.draft import Draft, DraftPhone
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.desk import callbacks, intervals, lists, missed
from callcenter.desk.fieldvalues import check_fields
from callcenter.desk.intervals import StateRow
from callcenter.desk.missedrule import open_missed
from callcenter.desk.words import DeskSettings, FieldDefinition, FieldKind, Outcome, OutcomeKind, PauseReason
from callcenter.errors import BadInput, NotFound
from callcenter.matching.number import Reader
from callcenter.model import Call, CallStatus, Direction, Party, PartyKind, QueueExit, QueueVisit

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA, BOB = "+442079460958", "+442079460917"
ADA_AT_HOME = "+442079460921"


def call(
    number: int, other: str | None, minute: float, *, outbound: bool = False, answered: bool = False, **more: object
) -> Call:
    """A call that began so many minutes after nine and took half of one."""
    at = NINE + timedelta(minutes=minute)
    outside = Party(number=other, e164=other)
    own = Party(number="1001", kind=PartyKind.AGENT, agent="li")
    made = Call(
        call_id=UUID(int=number),
        tenant="default",
        pbx="pbx",
        linkedids=(f"1.{number}",),
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        caller=own if outbound else outside,
        callee=outside if outbound else own,
        status=CallStatus.ANSWERED if answered else CallStatus.ABANDONED,
        started_at=at,
        answered_at=at + timedelta(seconds=5) if answered else None,
        ended_at=at + timedelta(seconds=30),
    )
    return replace(made, **more)


async def write(database: Database, tenant_id: int, calls: list[Call], customers: Mapping[UUID, UUID] = {}) -> None:
    async with database.unit(tenant_id) as unit:
        await store(unit, calls, customers)


async def waiting(database: Database, tenant_id: int, agent: str | None = None) -> list[tuple[str, int]]:
    async with database.unit(tenant_id) as unit:
        found = await missed.open_numbers(unit, NINE - timedelta(days=1), agent=agent)
    return [(one.number, one.calls) for one in found]


async def test_a_new_tenant_has_reasons_and_outcomes_which_an_admin_changes(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        await lists.begin(unit)
        lunch = next(one for one in await lists.listed(unit, PauseReason) if one.code == "lunch")
        assert (lunch.names["zh-CN"], lunch.budget_s, lunch.active) == ("用餐", 2700, True)
        await lists.put(unit, replace(lunch, active=False), actor="admin")
        # What an admin has changed is not undone by the next start.
        await lists.begin(unit)
        assert next(one for one in await lists.listed(unit, PauseReason) if one.code == "lunch").active is False
        kinds = {one.code: one.kind for one in await lists.listed(unit, Outcome)}
        assert kinds["callback"] is OutcomeKind.CALLBACK
        field = FieldDefinition(code="Contract", names={"en": "Contract"}, kind=FieldKind.CHOICE, choices=("A", "B"))
        await lists.put(unit, field, actor="admin")
        assert await lists.listed(unit, FieldDefinition) == [field]
        await lists.configure(unit, DeskSettings(wrapup_s=20, wrapup_queues={"sales": 40}), actor="admin")
        assert (await lists.settings(unit)).wrapup_queues == {"sales": 40}


@pytest.mark.parametrize(
    "wrong",
    [
        PauseReason(code="Lunch time", names={"en": "Lunch"}),
        PauseReason(code="wrapup", names={"en": "Mine"}),
        PauseReason(code="lunch", names={}),
        PauseReason(code="lunch", names={"fr": "Déjeuner"}),
        FieldDefinition(code="x", names={"en": "X"}, kind=FieldKind.CHOICE),
        FieldDefinition(code="x", names={"en": "X"}, kind=FieldKind.TEXT, choices=("A",)),
    ],
)
async def test_what_is_no_entry_is_refused(database: Database, tenant_id: int, wrong: Any) -> None:
    with pytest.raises(BadInput):
        async with database.unit(tenant_id) as unit:
            await lists.put(unit, wrong, actor="admin")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (FieldKind.NUMBER, "-3.5", "three"),
        (FieldKind.DATE, "2026-02-28", "2026-02-30"),
        (FieldKind.CHOICE, "yearly", "weekly"),
    ],
)
def test_a_field_holds_what_its_kind_says(kind: FieldKind, good: str, bad: str) -> None:
    choices = ("yearly",) if kind is FieldKind.CHOICE else ()
    definitions = [FieldDefinition(code="f", names={"en": "F"}, kind=kind, choices=choices)]
    check_fields(definitions, {"f": good, "other": "anything"})
    with pytest.raises(BadInput, match="f: "):
        check_fields(definitions, {"f": bad})
    check_fields(definitions, {"f": bad}, {"f": bad})


async def test_stretches_are_written_over_and_taken_up_again(database: Database, tenant_id: int) -> None:
    call_id = UUID(int=1)
    await write(database, tenant_id, [call(1, ADA, 0, answered=True)])
    ready = StateRow(agent="li", state="ready", from_=NINE)
    wrapup = StateRow(agent="li", state="wrapup", from_=NINE + timedelta(minutes=1), call_id=call_id)
    async with database.unit(tenant_id) as unit:
        await intervals.write(unit, [ready], NINE)
        await intervals.write(unit, [replace(ready, to=wrapup.from_), wrapup], wrapup.from_)
        assert await intervals.take_up(unit, wrapup.from_ + timedelta(seconds=30)) == [wrapup]
        assert await intervals.wrapped_up(unit, [call_id]) == {}
        await intervals.write(unit, [replace(wrapup, to=wrapup.from_ + timedelta(seconds=12.5))], NINE)
        assert await intervals.wrapped_up(unit, [call_id]) == {call_id: 12.5}
        assert await set_wrapup(unit, call_id, 12.5)
        version = (await get_call(unit, call_id)).version
        assert await set_wrapup(unit, call_id, 12.5)
        assert (await get_call(unit, call_id)).version == version
        assert (await get_call(unit, call_id)).wrapup_s == 12.5
        assert not await set_wrapup(unit, UUID(int=9), 1)


async def test_what_was_not_seen_is_not_made_up(database: Database, tenant_id: int) -> None:
    seen = NINE + timedelta(hours=9)
    async with database.unit(tenant_id) as unit:
        await intervals.write(unit, [StateRow(agent="li", state="ready", from_=NINE)], NINE)
        await intervals.seen(unit, ["li"], seen)
        assert await intervals.take_up(unit, NINE + timedelta(hours=24)) == []
        (only,) = await intervals.history(unit, "li", NINE, seen)
        assert only.to == seen


async def test_a_missed_call_is_closed_by_whoever_reaches_the_customer(database: Database, tenant_id: int) -> None:
    calls = [call(1, ADA, 0), call(2, ADA, 1), call(3, BOB, 2)]
    await write(database, tenant_id, calls)
    assert await waiting(database, tenant_id) == [(BOB, 1), (ADA, 2)]
    # A call that is not answered closes nothing, one that is does: whoever places it.
    await write(database, tenant_id, [call(4, ADA, 3, outbound=True)])
    assert (ADA, 2) in await waiting(database, tenant_id)
    await write(database, tenant_id, [call(5, ADA, 4, outbound=True, answered=True)])
    assert await waiting(database, tenant_id) == [(BOB, 1)]
    await write(database, tenant_id, [call(6, BOB, 5, answered=True)])
    assert await waiting(database, tenant_id) == []
    await write(database, tenant_id, [call(7, BOB, 6)])
    assert await waiting(database, tenant_id) == [(BOB, 1)]


async def test_who_is_given_some_queues_sees_what_was_missed_there(database: Database, tenant_id: int) -> None:
    left = NINE + timedelta(minutes=1)
    stays = [
        (QueueVisit(queue=name, joined_at=NINE, left_at=left, exit=QueueExit.ABANDONED),)
        for name in ("sales", "support")
    ]
    calls = [call(1, ADA, 0, queue_visits=stays[0]), call(2, ADA, 1, queue_visits=stays[1])]
    await write(database, tenant_id, [*calls, call(3, BOB, 2)])
    async with database.unit(tenant_id) as unit:
        found: dict[tuple[str, ...] | None, list[tuple[str, int, str | None]]] = {}
        scopes: list[tuple[str, ...] | None] = [
            None,
            ("pbx/sales",),
            ("pbx/sales", "pbx/support"),
            ("other/sales",),
            (),
        ]
        for within in scopes:
            open_ = await missed.open_numbers(unit, NINE - timedelta(days=1), within=within)
            found[within] = [(one.number, one.calls, one.queue) for one in open_]
    assert found[None] == found["pbx/sales", "pbx/support"] == [(BOB, 1, None), (ADA, 2, "support")]
    assert found[("pbx/sales",)] == [(BOB, 1, None), (ADA, 1, "sales")]
    assert found[("other/sales",)] == found[()] == [(BOB, 1, None)]


async def test_it_is_closed_at_any_number_of_the_customer_and_by_a_persons_word(
    database: Database, tenant_id: int
) -> None:
    book = CustomerStore(database, Reader(region="GB"))
    phones = (DraftPhone(number=ADA), DraftPhone(number=ADA_AT_HOME))
    ada = await book.create(tenant_id, Draft(name="Ada", phones=phones))
    await write(database, tenant_id, [call(1, ADA, 0), call(2, BOB, 1)], {UUID(int=1): ada.id})
    await write(database, tenant_id, [call(3, ADA_AT_HOME, 2, outbound=True, answered=True)], {UUID(int=3): ada.id})
    assert await waiting(database, tenant_id) == [(BOB, 1)]
    async with database.unit(tenant_id) as unit:
        await missed.settle(unit, BOB, actor="li")
    assert await waiting(database, tenant_id) == []


async def test_the_sql_is_the_rule(database: Database, tenant_id: int) -> None:
    """Calls of three numbers in each order that matters: PostgreSQL and the pure rule say the same."""
    calls = [
        call(n, (ADA, BOB, ADA_AT_HOME, None)[n % 4], n * 1.5, outbound=n % 5 == 0, answered=n % 7 == 0)
        for n in range(1, 60)
    ]
    customers: dict[UUID, UUID] = {}
    book = CustomerStore(database, Reader(region="GB"))
    ada = await book.create(tenant_id, Draft(name="Ada", phones=(DraftPhone(number=ADA),)))
    for one in calls:
        if ADA in (one.caller.e164, one.callee.e164):
            customers[one.call_id] = ada.id
    for end in (5, 12, 20, 33, 46, 59):
        await write(database, tenant_id, calls[:end], customers)
        since = NINE + timedelta(minutes=end / 3)
        expected = open_missed(calls[:end], customers, {}, since)
        async with database.unit(tenant_id) as unit:
            found = await missed.open_numbers(unit, since)
        told = [(one.number, one.calls, one.last_call_id, one.last_at) for one in found]
        assert told == [(one.number, one.calls, one.last, one.last_at) for one in expected]


async def test_a_callback_is_done_by_the_first_call_that_is_answered(database: Database, tenant_id: int) -> None:
    async with database.unit(tenant_id) as unit:
        made = await callbacks.make(unit, ADA, NINE, actor="li", note="the offer")
        assert [one.id for one in await callbacks.listed(unit)] == [made.id]
    now = (datetime.now(UTC) - NINE) / timedelta(minutes=1)
    await write(database, tenant_id, [call(1, ADA, now - 60, answered=True), call(2, ADA, now + 1, outbound=True)])
    async with database.unit(tenant_id) as unit:
        assert len(await callbacks.listed(unit)) == 1
    await write(database, tenant_id, [call(3, ADA, now + 2, outbound=True, answered=True)])
    async with database.unit(tenant_id) as unit:
        assert await callbacks.listed(unit) == []
        (done,) = await callbacks.listed(unit, done=True)
        assert done.done_call_id == UUID(int=3)
        other = await callbacks.make(unit, BOB, NINE, actor="li")
        assert (await callbacks.finish(unit, other.id, actor="mei")).done_by == "mei"
        with pytest.raises(NotFound):
            await callbacks.move(unit, other.id, NINE, None, actor="li")
        with pytest.raises(NotFound):
            await callbacks.make(unit, BOB, NINE, actor="li", agent="nobody")
