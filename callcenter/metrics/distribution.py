"""Waits and talks in fixed buckets, which add up over any period, and what can be said from them."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate
from typing import Final

import msgspec

EDGES_S: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 2_400)
"""Upper ends of the buckets in seconds, each part of its bucket; the last bucket has no upper end."""

BUCKETS: Final = len(EDGES_S) + 1


class Percentile(msgspec.Struct, frozen=True):
    """A percentile lies within the bucket that holds it: above `over_s`, and up to `up_to_s` (None: no end)."""

    over_s: float
    up_to_s: float | None


def bucket_of(span: timedelta) -> int:
    """The bucket of a duration."""
    return next((n for n, edge in enumerate(EDGES_S) if span <= timedelta(seconds=edge)), len(EDGES_S))


def within(counts: Sequence[int], seconds: int) -> int:
    """How many took at most so long. `seconds` is one of the edges: nothing between them is known.

    Raises:
        ValueError: it is no edge.
    """
    return sum(counts[: EDGES_S.index(seconds) + 1])


def percentile(counts: Sequence[int], share: float) -> Percentile | None:
    """The bucket in which a share (0 to 1) of all is reached; None where there is nothing."""
    total = sum(counts)
    if not total:
        return None
    reached = list(accumulate(counts))
    n = next(n for n, count in enumerate(counts) if count and reached[n] >= share * total)
    return Percentile(EDGES_S[n - 1] if n else 0, EDGES_S[n] if n < len(EDGES_S) else None)
