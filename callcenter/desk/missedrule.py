"""Which missed calls still wait for somebody to call back: the rule that `missed.py` holds in SQL. Pure.

A call is missed that came from outside, is over, and that nobody answered. It is closed as soon as anybody reaches
the customer after it began, by a call in either direction with the same number or, where the customer is known, with
any number of theirs; or when somebody says so.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from callcenter.model import Call, CallStatus, Direction, PartyKind, Value

KINDS = frozenset(
    {CallStatus.ABANDONED, CallStatus.NO_ANSWER, CallStatus.BUSY, CallStatus.CANCELED, CallStatus.VOICEMAIL}
)
"""How a call ends that somebody has missed."""


class Missed(Value, frozen=True):
    """A number that waits for a call back: how often it called in vain, and the last time."""

    number: str
    calls: int
    last: UUID
    last_at: datetime


def is_missed(call: Call) -> bool:
    """Whether a call is one that somebody should return; who withholds their number cannot be called."""
    return (
        call.direction is Direction.INBOUND
        and call.status in KINDS
        and call.answered_at is None
        and call.ended_at is not None
        and call.caller.kind is PartyKind.EXTERNAL
        and call.caller.e164 is not None
    )


def open_missed(
    calls: Iterable[Call], customers: Mapping[UUID, UUID], settled: Mapping[str, datetime], since: datetime
) -> list[Missed]:
    """The missed calls since a time that wait for a call back, by number, the newest first.

    `customers` names the customer of a call, `settled` when somebody said of a number that it is settled.
    """
    every = list(calls)
    found: dict[str, list[Call]] = {}
    for call in every:
        number = call.caller.e164
        if number is None or not is_missed(call) or call.started_at < since:
            continue
        if number in settled and call.started_at < settled[number]:
            continue
        if not any(_reaches(other, call, customers) for other in every):
            found.setdefault(number, []).append(call)
    lists = [sorted(one, key=lambda call: (call.started_at, call.call_id), reverse=True) for one in found.values()]
    return sorted(
        (
            Missed(number=one[0].caller.e164 or "", calls=len(one), last=one[0].call_id, last_at=one[0].started_at)
            for one in lists
        ),
        key=lambda missed: (missed.last_at, missed.last),
        reverse=True,
    )


def _reaches(other: Call, call: Call, customers: Mapping[UUID, UUID]) -> bool:
    if other.answered_at is None or other.answered_at < call.started_at or other.direction is Direction.INTERNAL:
        return False
    customer = customers.get(call.call_id)
    if customer is not None and customers.get(other.call_id) == customer:
        return True
    return call.caller.e164 in (other.caller.e164, other.callee.e164)
