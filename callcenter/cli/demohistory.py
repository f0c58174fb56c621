"""Weeks of made-up calls before the demo began, so that its call log and reports are not empty."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5

from callcenter.calllog.annotations import set_outcome
from callcenter.calllog.queries import list_calls
from callcenter.calllog.store import store
from callcenter.db.engine import Database
from callcenter.model import (
    Call,
    CallStatus,
    Connection,
    Direction,
    HangupBy,
    Offer,
    OfferResult,
    Party,
    PartyKind,
    QueueExit,
    QueueVisit,
)

WEEKS: Final = 4
QUEUES: Final = ("sales", "support")
AGENTS: Final = (("li", "1001"), ("amelia", "1002"), ("chen", "1003"))
DIDS: Final = ("02079460993", "02079460994")
OUTCOMES: Final = ("resolved", "resolved", "resolved", "sold", "callback", "not_interested", "complaint")
_BY_HOUR: Final = {8: 2, 9: 6, 10: 9, 11: 8, 12: 4, 13: 5, 14: 7, 15: 7, 16: 5, 17: 3}
_NAMES: Final = UUID("7d0f5f0e-3f1d-4c5e-9a55-6c0a3f6d2b10")
_AT_ONCE: Final = 200


async def add_history(
    database: Database, tenant_id: int, pbx: str, numbers: Sequence[tuple[UUID, str, str]], now: datetime
) -> None:
    """Add the calls of the weeks before `now`, unless the log has some; `numbers`: customers' ids, numbers, names."""
    async with database.unit(tenant_id) as unit:
        if not numbers or (await list_calls(unit, limit=1)).items:
            return
        made = list(history(pbx, numbers, now))
        for first in range(0, len(made), _AT_ONCE):
            batch = dict(made[first : first + _AT_ONCE])
            await store(unit, list(batch), {call.call_id: customer for call, customer in batch.items()})
        for n, (call, _) in enumerate(made):
            if call.status is CallStatus.ANSWERED and not n % 3:
                await set_outcome(unit, call.call_id, OUTCOMES[n % len(OUTCOMES)], actor="system")


def history(pbx: str, numbers: Sequence[tuple[UUID, str, str]], now: datetime) -> Iterator[tuple[Call, UUID]]:
    """The calls, the oldest first, each with its customer."""
    dice = random.Random(20)
    first = now.date() - timedelta(weeks=WEEKS)
    for day in range(WEEKS * 7):
        date = first + timedelta(days=day)
        share = 0.3 if date.weekday() > 4 else 1.0
        for hour, most in _BY_HOUR.items():
            begun = sorted(dice.uniform(0, 3600) for _ in range(round(most * share * dice.uniform(0.6, 1.3))))
            for seconds in begun:
                customer, number, name = dice.choice(numbers)
                at = datetime.combine(date, time(hour), UTC) + timedelta(seconds=round(seconds, 3))
                yield _call(dice, pbx, Party(number=number, e164=number, name=name), at), customer


def _call(dice: random.Random, pbx: str, outside: Party, at: datetime) -> Call:
    agent, extension = dice.choice(AGENTS)
    ours = Party(number=extension, channel=f"PJSIP/{extension}", kind=PartyKind.AGENT, agent=agent)
    inbound, answered = dice.random() < 0.8, dice.random() < 0.87
    queue = dice.choice(QUEUES)
    waited = timedelta(seconds=round(dice.expovariate(1 / (14 if answered else 35)) + 1, 3))
    talked = timedelta(seconds=round(dice.lognormvariate(5, 0.7), 3)) if answered else timedelta(0)
    took = at + waited
    left = QueueExit.ANSWERED if answered else QueueExit.ABANDONED
    result = OfferResult.ANSWERED if answered else dice.choice((OfferResult.NO_ANSWER, OfferResult.CALLER_GAVE_UP))
    failed = CallStatus.ABANDONED if inbound else dice.choice((CallStatus.NO_ANSWER, CallStatus.BUSY))
    return Call(
        call_id=uuid5(_NAMES, f"{pbx}/{at.isoformat()}"),
        tenant="default",
        pbx=pbx,
        linkedids=(f"{at.timestamp():.0f}.{dice.randrange(1, 9_999)}",),
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        caller=outside if inbound else ours,
        callee=(ours if answered else Party(number=queue, kind=PartyKind.EXTENSION)) if inbound else outside,
        did=DIDS[QUEUES.index(queue)] if inbound else None,
        status=CallStatus.ANSWERED if answered else failed,
        started_at=at,
        answered_at=took if answered else None,
        ended_at=took + talked,
        queue_visits=(QueueVisit(queue=queue, joined_at=at, left_at=took, exit=left, position=1),) if inbound else (),
        offers=(
            Offer(interface=f"PJSIP/{extension}", agent=agent, queue=queue, rang_at=at, ended_at=took, result=result),
        )
        if inbound
        else (),
        connections=(
            Connection(from_=took, to=took + talked, agent=agent, interface=f"PJSIP/{extension}", number=extension),
        )
        if answered
        else (),
        hangup_by=HangupBy.CALLER,
    )
