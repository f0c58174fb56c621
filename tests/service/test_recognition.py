"""Whose call it is, looked up once per call on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from callcenter.changes import CallEnded, CallStarted
from callcenter.customers.draft import Draft, DraftPhone
from callcenter.customers.index import CustomerIndex
from callcenter.customers.store import CustomerStore
from callcenter.db.engine import Database
from callcenter.joints.numbers import Numbers
from callcenter.joints.recognition import Recognition
from callcenter.matching.rank import MatchStatus
from callcenter.model import Call, CallStatus, Direction, Party
from callcenter.settings import PbxSettings

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NUMBERS = Numbers([PbxSettings(region="GB", trunks=("trunk",))])


def call(number: str | None) -> Call:
    """An inbound call that has just begun."""
    return Call(
        call_id=uuid4(),
        tenant="default",
        pbx="pbx",
        linkedids=("1.1",),
        direction=Direction.INBOUND,
        caller=Party(number=number, channel="PJSIP/trunk-00000001"),
        callee=Party(),
        status=CallStatus.IN_PROGRESS,
        started_at=NOW,
    )


class Running:
    """A recognition at work, and what it said."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self.linked: list[tuple[Call, UUID]] = []
        self.told = asyncio.Event()
        self.recognition = Recognition(CustomerIndex(database.pool), NUMBERS, tenant_id, self.link)

    def link(self, call: Call, customer_id: UUID, name: str) -> None:
        """Take note of a link."""
        self.linked.append((call, customer_id))
        self.told.set()


@pytest.fixture
async def running(database: Database, tenant_id: int) -> AsyncIterator[Running]:
    """A recognition that runs for the time of the test."""
    one = Running(database, tenant_id)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(one.recognition.run())
        await asyncio.sleep(0)
        yield one
        task.cancel()


async def test_a_call_so_short_that_it_ends_before_the_answer_is_linked_as_it_ended(
    running: Running, database: Database, tenant_id: int
) -> None:
    store = CustomerStore(database, NUMBERS.reader())
    customer = await store.create(tenant_id, Draft(name="Zoë", phones=(DraftPhone(number="07700 900123"),)))
    begun = call("+447700900123")
    ended = replace(begun, status=CallStatus.BUSY, ended_at=NOW)
    running.recognition.publish(CallStarted(at=NOW, call=begun))
    running.recognition.publish(CallEnded(at=NOW, call=ended))
    async with asyncio.timeout(5):
        await running.told.wait()
    assert running.linked == [(ended, customer.id)]


async def test_who_asks_while_the_answer_is_on_its_way_gets_the_same_answer(
    running: Running, database: Database, tenant_id: int
) -> None:
    begun = call("07700 900999")
    running.recognition.publish(CallStarted(at=NOW, call=begun))
    first = running.recognition.match(tenant_id, "07700 900999", "pbx", "trunk")
    second = running.recognition.match(tenant_id, "07700 900999", "pbx", "trunk")
    one, two = await asyncio.gather(first, second)
    assert one is two
    assert one.status is MatchStatus.NONE
    assert running.linked == []


async def test_a_caller_without_a_number_is_not_looked_up(running: Running) -> None:
    running.recognition.publish(CallStarted(at=NOW, call=call(None)))
    await asyncio.sleep(0)
    assert running.linked == []
