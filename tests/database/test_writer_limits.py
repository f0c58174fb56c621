"""Calls that PostgreSQL cannot hold: left out with a line in the log, while all others are written."""

import random
from dataclasses import dataclass

import pytest

from callcenter.calllog.writer import CallLogWriter
from callcenter.db.engine import Database
from callcenter.model import Call, Offer, OfferResult, QueueExit, QueueVisit
from tests.database.test_writer import running, statuses
from tests.fixtures.calls import NOON, call_id, change, queue_call

LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))
"""Longer, even compressed, than an entry of an index may be."""


@dataclass(frozen=True)
class Odd:
    """A call that is odd in one way."""

    name: str
    call: Call


ODD = (
    Odd(
        "a queue's name",
        queue_call(1, queue_visits=(QueueVisit(queue=LONG, joined_at=NOON, left_at=NOON, exit=QueueExit.OTHER),)),
    ),
    Odd(
        "an agent's name",
        queue_call(
            1,
            offers=(Offer(interface="PJSIP/1", agent=LONG, rang_at=NOON, ended_at=NOON, result=OfferResult.NO_ANSWER),),
        ),
    ),
    Odd("a cause beyond any integer", queue_call(1, hangup_cause=2**40)),
)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
async def test_a_call_that_does_not_fit_is_left_out_and_the_others_are_written(
    database: Database, tenant_id: int, odd: Odd
) -> None:
    async with running(CallLogWriter(database, tenant_id)) as writer:
        writer.put(change(queue_call(0)))
        writer.put(change(odd.call))
        writer.put(change(queue_call(2)))
        await writer.flush()
        assert set(await statuses(database)) == {call_id(0), call_id(2)}
        assert writer.counters.refused == 1
