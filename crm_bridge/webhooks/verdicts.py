"""What follows from an attempt: delivered, to be tried again, or given up. Pure."""

from datetime import timedelta
from enum import Enum
from typing import Final

import msgspec

from crm_bridge.webhooks.values import Answer, Failure

LONGEST_WAIT: Final = timedelta(hours=1)
"""The longest that a receiver's `Retry-After` is obeyed."""

AGAIN: Final = frozenset({401, 403, 404, 405, 408, 423, 425, 429})
"""Statuses that a receiver gives while it is being set up, repaired or busy, although they say that we are wrong."""
BUSY: Final = frozenset({429, 503})
GONE: Final = 410


class Fate(Enum):
    """What becomes of the delivery."""

    DELIVERED = "delivered"
    AGAIN = "again"
    DEAD = "dead"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`target_down`: nothing else can be delivered there either. `pause`: the receiver wants no more of it."""

    fate: Fate
    target_down: bool = False
    pause: bool = False
    after: timedelta | None = None
    reason: str | None = None


def judge(answer: Answer) -> Verdict:
    """What follows from `answer`."""
    status = answer.status
    if status is None:
        if answer.failure is Failure.NOT_ALLOWED:
            return Verdict(fate=Fate.DEAD, reason=answer.error)
        return Verdict(fate=Fate.AGAIN, target_down=True, reason=answer.error)
    if 200 <= status < 300:
        return Verdict(fate=Fate.DELIVERED)
    if 300 <= status < 400:
        return Verdict(fate=Fate.DEAD, reason=f"answered {status}: redirects are not followed; change the URL")
    if status == GONE:
        return Verdict(fate=Fate.DEAD, pause=True, reason="answered 410: the receiver wants no more")
    if status in AGAIN or status >= 500:
        after = min(answer.retry_after, LONGEST_WAIT) if answer.retry_after is not None else None
        down = status in BUSY or status in (502, 504)
        return Verdict(fate=Fate.AGAIN, target_down=down, after=after, reason=f"answered {status}")
    return Verdict(fate=Fate.DEAD, reason=f"answered {status}: the receiver does not accept this event")
