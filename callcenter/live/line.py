"""Who is about to get the callers of a queue, as far as Asterisk tells. Pure.

Asterisk rings the free members of the lowest penalty, in the order of the queue's strategy. That order is known for
some strategies; of the others (round robin, random, linear) Asterisk keeps the next one to itself.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from callcenter.live.board import Member

FREE: Final = frozenset({0, 1})
"""Device states that Asterisk rings: not in use, and unknown, which it takes for free."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Heirs(msgspec.Struct, frozen=True):
    """Whom a caller may get next. `sure`: all of them are rung; else one of them is, and nobody knows which."""

    members: tuple[Member, ...]
    sure: bool


NOBODY: Final = Heirs((), True)


def free(members: Iterable[Member]) -> list[Member]:
    """The members that can be rung now."""
    return [member for member in members if not member.paused and (member.status or 0) in FREE]


def heirs(strategy: str, members: Sequence[Member], callers: int) -> list[Heirs]:
    """Whom each of the first `callers` would get if nothing else happened; nobody for those who wait for a member."""
    able = free(members)
    if not able:
        return [NOBODY] * callers
    lowest = min(member.penalty for member in able)
    able = [member for member in able if member.penalty == lowest]
    if strategy == "ringall":
        found = [Heirs(tuple(able), True)]
    elif strategy == "leastrecent":
        found = [Heirs((member,), True) for member in sorted(able, key=lambda one: one.last_call or _NEVER)]
    elif strategy == "fewestcalls":
        found = [Heirs((member,), True) for member in sorted(able, key=lambda one: one.calls_taken)]
    else:
        found = [Heirs(tuple(able), len(able) == 1)] * len(able)
    return (found + [NOBODY] * callers)[:callers]
