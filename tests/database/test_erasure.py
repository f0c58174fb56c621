"""A customer who is erased is found nowhere in the database, and the calls are still counted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import msgspec
import pytest

from callcenter.calllog import erasure as calls
from callcenter.calllog.annotations import set_customer, set_note, set_outcome
from callcenter.calllog.erasure import pattern_of
from callcenter.calllog.feed import NOW as NOW_ON
from callcenter.calllog.feed import read_changes
from callcenter.calllog.queries import CallFilter, get_call, list_calls
from callcenter.calllog.store import ENDED, store, store_merge
from callcenter.customers.draft import Draft, DraftPhone
from callcenter.customers.index import CustomerIndex
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.errors import NotFound
from callcenter.joints.erasure import Erasing
from callcenter.joints.numbers import Numbers
from callcenter.joints.recognition import Recognition
from callcenter.matching.number import Reader
from callcenter.matching.rank import MatchStatus
from callcenter.model import (
    Call,
    Connection,
    Direction,
    Hold,
    Offer,
    OfferResult,
    Party,
    PartyKind,
    Recording,
    Transfer,
    TransferKind,
)
from callcenter.settings import PbxSettings
from crm_bridge import outbox
from crm_bridge.outbox import CallOutbox
from tests.fixtures.calls import NOON, call_id, in_progress, queue_call
from tests.fixtures.locks import somebody_waits

READER = Reader("GB")
NUMBER = "+442071838750"
"""The caller of `queue_call`."""
MOBILE = "+447700900123"
SECRETS = ("71838750", "7700900123", "Zoë", "王", "Lovelace", "ada@example.com", "Ockham", "allergic", "piano")


@pytest.fixture
async def ada(database: Database, tenant_id: int) -> UUID:
    draft = Draft(
        name="Ada Lovelace",
        company="Ockham Park",
        email="ada@example.com",
        note="allergic to nuts",
        fields={"instrument": "piano"},
        phones=(DraftPhone(number="020 7183 8750"), DraftPhone(number=MOBILE)),
    )
    return (await CustomerStore(database, READER).create(tenant_id, draft)).id


@pytest.fixture
async def erasing(database: Database) -> AsyncIterator[Erasing]:
    yield Erasing(database, [CallOutbox()])


async def write(database: Database, tenant_id: int, *written: Call, customer: UUID | None = None) -> None:
    async with database.unit(tenant_id) as unit:
        links = {call.call_id: customer for call in written} if customer else {}
        await store(unit, written, links, CallOutbox())


async def dump(database: Database) -> str:
    """All rows of all tables as text."""
    tables = await database.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    out = BytesIO()
    async with database.pool.acquire() as connection:
        for row in tables:
            await connection.copy_from_query(f"SELECT t::text FROM {row['tablename']} t", output=out)
    return out.getvalue().decode()


async def record(database: Database, tenant_id: int, n: int) -> Any:
    async with database.unit(tenant_id) as unit:
        return await get_call(unit, call_id(n))


def telling_call(n: int) -> Call:
    """A call that has the number wherever a PBX may write it."""
    return queue_call(
        n,
        transfers=(Transfer(kind=TransferKind.BLIND, at=NOON, by="1001", to="00442071838750"),),
        recordings=(Recording(file="in-02071838750-1001.wav", started_at=NOON),),
        holds=(Hold(from_=NOON, to=NOON, interface="Local/02071838750@out"),),
        offers=(Offer(interface="SIP/442071838750", rang_at=NOON, agent="li", result=OfferResult.ANSWERED),),
        connections=(
            Connection(from_=NOON, to=NOON, agent="li", interface="PJSIP/1001", number="1001"),
            Connection(from_=NOON, to=NOON, interface="Local/902071838750@out", number="02071838750"),
        ),
    )


async def test_nothing_in_the_database_says_who_it_was(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    outbound = queue_call(
        2,
        direction=Direction.OUTBOUND,
        caller=Party(number="1001", name="Li", kind=PartyKind.AGENT, agent="li"),
        callee=Party(number="07700900123", e164=MOBILE, name="Ada Lovelace", channel="PJSIP/07700900123-1"),
    )
    await write(database, tenant_id, telling_call(1), outbound, customer=ada)
    # nobody's, but from the number; and one that was merged into it
    await write(database, tenant_id, queue_call(3), queue_call(4))
    async with database.unit(tenant_id) as unit:
        await store_merge(unit, call_id(4), call_id(3))
        await set_note(unit, call_id(1), "Ada is allergic", actor="li")
        await set_outcome(unit, call_id(1), "sold a piano", actor="li")
        await unit.execute(
            "UPDATE outbox SET payload = $2, last_error = $3 WHERE tenant_id = $1",
            *({"caller": NUMBER, "name": "Ada Lovelace"}, f"{NUMBER} is no number"),
        )
        await unit.execute("UPDATE calls SET tags = '{piano}' WHERE tenant_id = $1 AND call_id = $2", call_id(1))
    before = await dump(database)
    assert all(secret in before for secret in SECRETS)
    old = await record(database, tenant_id, 1)

    erased = await erasing.erase(tenant_id, ada, actor="admin")

    after = await dump(database)
    assert [secret for secret in SECRETS if secret in after] == []
    assert erased.calls == 4
    assert erased.recordings == ("in-02071838750-1001.wav",)
    new = await record(database, tenant_id, 1)
    token = new.caller.number
    assert token.startswith("erased-")
    assert (await record(database, tenant_id, 2)).callee.number == token
    assert (await record(database, tenant_id, 3)).caller.number == token
    same = ("direction", "status", "started_at", "answered_at", "ended_at", "wait_s", "talk_s", "hold_s", "duration_s")
    assert all(getattr(new, name) == getattr(old, name) for name in (*same, "callee", "queue_visits"))
    assert new.seq > old.seq and new.version == old.version + 1
    assert new.customer is None and new.notes == () and new.outcome is None
    assert [one.agent for one in new.connections] == ["li", None]
    # the mobile's call has an agent's number, which stays
    assert (await record(database, tenant_id, 2)).caller.number == "1001"


async def test_the_change_feed_gives_each_call_again_without_them(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    await write(database, tenant_id, queue_call(1), queue_call(2), queue_call(3, caller=Party(number="1009")))
    async with database.unit(tenant_id) as unit:
        cursor = (await read_changes(unit, NOW_ON, limit=10)).cursor
    await erasing.erase(tenant_id, ada, actor="admin")
    async with database.unit(tenant_id) as unit:
        items = (await read_changes(unit, cursor, limit=10)).items
    assert {item.call_id for item in items} == {call_id(1), call_id(2)}
    for item in items:
        assert item.call is not None
        assert item.call.version == 2 and item.call.caller.e164 is None and item.call.caller.name is None


async def test_the_audit_trail_says_that_it_was_done_and_not_to_whom(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    await write(database, tenant_id, queue_call(1), customer=ada)
    await erasing.erase(tenant_id, ada, actor="admin")
    rows = await database.pool.fetch("SELECT actor, action, subject_id, detail FROM audit ORDER BY audit_id")
    assert [(row["actor"], row["action"], row["detail"]) for row in rows] == [
        ("admin", "customer.erase", {}),
        ("admin", "customer.erased", {"calls": 1}),
    ]


async def test_done_again_it_changes_nothing(database: Database, tenant_id: int, ada: UUID, erasing: Erasing) -> None:
    await write(database, tenant_id, queue_call(1), customer=ada)
    first = await erasing.erase(tenant_id, ada, actor="admin")
    before = await dump(database)
    assert (await erasing.erase(tenant_id, ada, actor="admin")).calls == first.calls
    assert await dump(database) == before
    with pytest.raises(NotFound, match="there is no customer"):
        await erasing.erase(tenant_id, UUID(int=1), actor="admin")
    other = await database.ensure_tenant("other")
    with pytest.raises(NotFound, match="there is no customer"):
        await erasing.erase(other, ada, actor="admin")


async def test_an_interrupted_erasure_goes_on_with_the_same_token(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    await write(database, tenant_id, queue_call(1), customer=ada)
    async with database.unit(tenant_id) as unit:
        begun = await calls.begin(unit, ada, [NUMBER])
        await calls.blank_some(unit, ada, begun.token, [NUMBER])
    # the calls are not the customer's any more; one comes before the rest is done
    await write(database, tenant_id, queue_call(2), customer=ada)
    assert (await erasing.erase(tenant_id, ada, actor="admin")).calls >= 1
    assert {(await record(database, tenant_id, n)).caller.number for n in (1, 2)} == {begun.token}


async def test_a_call_that_goes_on_stays_erased_to_its_end(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    await write(database, tenant_id, in_progress(1), customer=ada)
    await erasing.erase(tenant_id, ada, actor="admin")
    # it is answered, and it ends: the tracker still has the number, and recognition the customer
    answered = msgspec.structs.replace(telling_call(1), ended_at=None)
    await write(database, tenant_id, answered, customer=ada)
    await write(database, tenant_id, telling_call(1), customer=ada)
    found = await record(database, tenant_id, 1)
    assert found.status == "answered" and found.ended_at is not None
    assert len(found.offers) == 1 and found.caller.number.startswith("erased-")
    # and a back-fill of it days later changes nothing
    await write(database, tenant_id, msgspec.structs.replace(telling_call(1), hangup_cause=17), customer=ada)
    assert await record(database, tenant_id, 1) == found
    after = await dump(database)
    assert [secret for secret in SECRETS if secret in after] == []


async def test_a_call_that_began_before_and_is_written_late_is_found(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    await erasing.erase(tenant_id, ada, actor="admin")
    later = queue_call(2, started_at=datetime.now(UTC) + timedelta(hours=1))
    await write(database, tenant_id, queue_call(1), later)
    assert (await record(database, tenant_id, 1)).caller.number.startswith("erased-")
    # whoever calls after it is somebody new
    assert (await record(database, tenant_id, 2)).caller.e164 == NUMBER

    # a day later not even a hash of the number is left
    async with database.unit(tenant_id) as unit:
        await calls.forget_numbers(unit, datetime.now(UTC))
        assert await unit.fetchval("SELECT cardinality(numbers) FROM erasures WHERE tenant_id = $1") == 3
        await calls.forget_numbers(unit, datetime.now(UTC) + calls.WATCHED + timedelta(minutes=1))
        row = await unit.fetchrow("SELECT salt, numbers FROM erasures WHERE tenant_id = $1")
    assert row is not None and (row["salt"], row["numbers"]) == (None, [])


async def test_an_erasure_and_a_correction_of_the_same_call_never_wait_for_each_other(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    """Who corrects has the feed's row, and wants the call that is about to be blanked."""
    await write(database, tenant_id, telling_call(1), customer=ada)
    corrected = msgspec.structs.replace(telling_call(1), hangup_cause=21)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        async with database.unit(tenant_id) as unit:
            await store(unit, [queue_call(2, caller=Party(number="1009"))], {})
            erased = group.create_task(erasing.erase(tenant_id, ada, actor="admin"), name="erase")
            await somebody_waits(database, unless=erased)
            await store(unit, [corrected], {corrected.call_id: ada})
    assert erased.result().calls == 1
    assert erased.result().recordings == ("in-02071838750-1001.wav",)
    after = await dump(database)
    assert [secret for secret in SECRETS if secret in after] == []
    assert (await record(database, tenant_id, 1)).hangup_cause == 21


async def test_others_are_left_alone(database: Database, tenant_id: int, ada: UUID, erasing: Erasing) -> None:
    """A number that two people share stays with the other one, and so do that one's calls."""
    husband = await CustomerStore(database, READER).create(
        tenant_id, Draft(name="William King", phones=(DraftPhone(number=NUMBER),))
    )
    await write(database, tenant_id, queue_call(1), customer=ada)
    await write(database, tenant_id, queue_call(2), customer=husband.id)
    await write(database, tenant_id, queue_call(3))
    mobile = Party(number="07700900123", e164=MOBILE)
    await write(database, tenant_id, queue_call(4, caller=mobile))
    await write(database, tenant_id, queue_call(5, caller=mobile))
    async with database.unit(tenant_id) as unit:
        await set_customer(unit, call_id(5), husband.id, actor="li")

    assert (await erasing.erase(tenant_id, ada, actor="admin")).calls == 2

    assert (await record(database, tenant_id, 1)).caller.number.startswith("erased-")
    for n in (2, 3):
        assert (await record(database, tenant_id, n)).caller.e164 == NUMBER
    assert (await record(database, tenant_id, 4)).caller.number.startswith("erased-")
    assert (await record(database, tenant_id, 5)).caller.e164 == MOBILE
    assert (await record(database, tenant_id, 5)).customer.id == husband.id


async def test_they_are_neither_found_nor_listed_any_more(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    await write(database, tenant_id, *(queue_call(n) for n in range(3)), customer=ada)
    await erasing.erase(tenant_id, ada, actor="admin")
    customers = CustomerStore(database, READER)
    assert (await customers.page(tenant_id, "lovelace")).items == []
    assert (await customers.page(tenant_id, number=NUMBER)).items == []
    assert (await CustomerIndex(database.pool).match(tenant_id, READER.read(NUMBER))).status is MatchStatus.NONE
    async with database.unit(tenant_id) as unit:
        assert (await list_calls(unit, CallFilter(number=NUMBER))).items == []
        assert (await list_calls(unit, CallFilter(customer=ada))).items == []
        assert len((await list_calls(unit, CallFilter(agent="li"))).items) == 3


async def test_a_service_notices_what_another_process_erased(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    index = CustomerIndex(database.pool)
    recognition = Recognition(index, Numbers([PbxSettings(region="GB")]), tenant_id, lambda call, customer, name: None)
    number = READER.read(NUMBER)
    assert (await index.match(tenant_id, number)).candidates
    running = Erasing(database, [], forget=recognition.forget)
    await running.notice(tenant_id)
    await erasing.erase(tenant_id, ada, actor="admin")
    await running.notice(tenant_id)

    # while PostgreSQL is away, who was found lately is found again: not any more
    await database.pool.close()
    found = await index.match(tenant_id, number)
    assert (found.status, found.candidates) == (MatchStatus.INCOMPLETE, ())


async def test_many_calls_are_gone_through_in_batches(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    for first in range(0, 1200, 300):
        await write(database, tenant_id, *(queue_call(n) for n in range(first, first + 300)), customer=ada)
    seen: list[int] = []
    assert (await erasing.erase(tenant_id, ada, actor="admin", progress=seen.append)).calls == 1200
    assert seen == [500, 1000, 1200]
    assert await database.pool.fetchval("SELECT count(*) FROM calls WHERE caller->>'number' LIKE 'erased-%'") == 1200


async def test_what_was_still_to_be_sent_is_sent_without_them(
    database: Database, tenant_id: int, ada: UUID, erasing: Erasing
) -> None:
    await write(database, tenant_id, queue_call(1), customer=ada)
    await erasing.erase(tenant_id, ada, actor="admin")
    async with database.unit(tenant_id) as unit:
        entries = await outbox.claim(unit, ENDED)
    assert [(entry.call_id, entry.payload) for entry in entries] == [(call_id(1), {})]


@pytest.mark.parametrize(
    ("numbers", "text", "expected"),
    [
        (["+442071838750", "02071838750"], "Local/9002071838750@out", "Local/X@out"),
        (["02071838750"], "+442071838750", "X"),
        (["+442071838750"], "1234", "1234"),
        (["erased-1234567890abcdef"], "1234567890", "1234567890"),
        (["1234", None], "Local/1234@out", "Local/1234@out"),
        ([], "Local/1234@out", "Local/1234@out"),
        (["+442071838750", "+447700900123"], "447700900123 and 442071838750", "X and X"),
        ([".*+(", "02071838750"], "a.*+(b", "a.*+(b"),
    ],
)
async def test_a_number_is_found_within_text_however_it_was_dialed(
    database: Database, numbers: list[str | None], text: str, expected: str
) -> None:
    found = await database.pool.fetchval("SELECT regexp_replace($1, $2, 'X', 'g')", text, pattern_of(numbers))
    assert found == expected
