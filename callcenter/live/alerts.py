"""When a queue is about to be, or is, beyond what its supervisor set as limits. Pure: the time is handed in.

There are two steps: `near` is told while something can still be done about it, `over` when the limit is passed. A
step up is told at once. A step down counts when it has lasted for a moment, so that a number that swings around
its limit does not ring all the time.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from math import ceil
from typing import Final

import msgspec

from callcenter.metrics.service_level import Formula, Goal, Level

NEAR: Final = 0.75
"""The part of a limit from which on it is near."""
NEAR_LEVEL: Final = 0.05
"""How far above its limit the service level is near it."""
CALM: Final = timedelta(seconds=15)
"""How long something must be better before it is said to be."""


class Kind(StrEnum):
    """What a limit is about."""

    WAITING = "waiting"
    LONGEST_WAIT = "longest_wait"
    SERVICE_LEVEL = "service_level"
    READY = "ready"


class Severity(IntEnum):
    """How bad it is."""

    NONE = 0
    NEAR = 1
    OVER = 2

    @property
    def word(self) -> str:
        """As it is told."""
        return ("clear", "near", "over")[self]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervisor wants of a queue: how it is measured, and when to be told. None: no limit."""

    goal: Goal = Goal()
    formula: Formula = Formula.OFFERED_LESS_SHORT
    most_waiting: int | None = None
    longest_wait: timedelta | None = None
    least_level: float | None = None
    """Of 1."""
    least_ready: int | None = None


NO_LIMITS: Final = Limits()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a queue is judged by."""

    waiting: int
    oldest: datetime | None
    """Since when the caller waits who waits longest."""
    level: Level
    ready: int
    staffed: bool
    """Whether anybody works in the queue: without, nobody being ready is no news."""


class Alert(msgspec.Struct, frozen=True):
    """A limit of a queue is near or passed. `value` and `limit` are callers, seconds, a share of 1, or agents."""

    kind: Kind
    severity: Severity
    value: float
    limit: float


class Turn(msgspec.Struct, frozen=True):
    """An alert that became another one, or passed (`severity` none)."""

    queue: tuple[str, str]
    alert: Alert
    at: datetime


def judge(limits: Limits, facts: Facts, now: datetime) -> Iterator[Alert]:
    """One alert for each limit that there is, most of them of severity none."""
    if limits.most_waiting is not None:
        yield _most(Kind.WAITING, facts.waiting, limits.most_waiting)
    if limits.longest_wait is not None:
        waited = max((now - facts.oldest).total_seconds(), 0.0) if facts.oldest is not None else 0.0
        yield _most(Kind.LONGEST_WAIT, waited, limits.longest_wait.total_seconds())
    share = facts.level.share
    if limits.least_level is not None and share is not None:
        yield _least(Kind.SERVICE_LEVEL, share, limits.least_level, limits.least_level + NEAR_LEVEL)
    if limits.least_ready is not None:
        ready = facts.ready if facts.staffed or facts.waiting else limits.least_ready + 1
        yield _least(Kind.READY, ready, limits.least_ready, limits.least_ready + 1)


def _most(kind: Kind, value: float, limit: float) -> Alert:
    near = ceil(limit * NEAR) if kind is Kind.WAITING else limit * NEAR
    step = Severity.OVER if value > limit else Severity.NEAR if value >= near and value > 0 else Severity.NONE
    return Alert(kind, step, value, limit)


def _least(kind: Kind, value: float, limit: float, near: float) -> Alert:
    step = Severity.OVER if value < limit else Severity.NEAR if value < near else Severity.NONE
    return Alert(kind, step, value, limit)


class _Held(msgspec.Struct):
    """An alert as it was told, and since when it has been better."""

    alert: Alert
    better_since: datetime | None = None


class Watchman:
    """Keeps what was told of each queue."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], dict[Kind, _Held]] = {}

    def standing(self, queue: tuple[str, str]) -> list[Alert]:
        """What was told of a queue and has not passed."""
        return [held.alert for held in self._held.get(queue, {}).values()]

    def look(self, queue: tuple[str, str], alerts: Mapping[Kind, Alert], now: datetime) -> list[Turn]:
        """Compare what is with what was told; gives what is to be told now. A limit that is gone passes at once."""
        held = self._held.setdefault(queue, {})
        turns = []
        for kind in [kind for kind in held if kind not in alerts]:
            gone = held.pop(kind).alert
            turns.append(Turn(queue, msgspec.structs.replace(gone, severity=Severity.NONE), now))
        for kind, alert in alerts.items():
            before = held.get(kind)
            step = before.alert.severity if before is not None else Severity.NONE
            if alert.severity > step:
                held[kind] = _Held(alert)
                turns.append(Turn(queue, alert, now))
            elif before is not None and alert.severity < step:
                before.better_since = before.better_since or now
                if now - before.better_since >= CALM:
                    held[kind] = _Held(alert)
                    if alert.severity is Severity.NONE:
                        del held[kind]
                    turns.append(Turn(queue, alert, now))
            elif before is not None:
                before.better_since = None
        if not held:
            del self._held[queue]
        return turns

    def queues(self) -> list[tuple[str, str]]:
        """The queues of which something was told that has not passed."""
        return list(self._held)
