"""How long the parts of one call took, from the facts of its record.

Each duration is None where it cannot be known yet (the call goes on) and zero where there was none. The time with an
IVR or voicemail is none of these. Where intervals overlap (ring-all), the time is counted once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from callcenter.model import Call, Hold, Offer, QueueVisit, Source

Interval = tuple[datetime, datetime]
ZERO = timedelta(0)


class Durations(msgspec.Struct, frozen=True):
    """The durations of one call; all None while it is in progress."""

    wait: timedelta | None
    """Waiting in queues, and not held by an agent who waits there to hand the call on."""
    ring: timedelta | None
    """A device of ours, or on an outbound call the far end, was ringing."""
    talk: timedelta | None
    """Connected, less hold; where hold is not known, with it."""
    hold: timedelta | None
    """Connected, but one side was on hold. None where the call comes from a back-fill: Asterisk does not write it."""
    duration: timedelta | None
    """From the first channel to the last."""


NONE_YET = Durations(None, None, None, None, None)


def of(call: Call) -> Durations:
    """The durations of a call that has ended; `NONE_YET` before."""
    end = call.ended_at
    if end is None:
        return NONE_YET
    connected = [(c.from_, c.to or end) for c in call.connections]
    waited = [(visit.joined_at, max(visit.left_at or end, visit.joined_at)) for visit in call.queue_visits]
    unseen = call.source is Source.BACKFILL and bool(connected)
    held = overlap(_hold_intervals(call.holds, end), connected)
    return Durations(
        wait=covered(waited) - overlap(waited, connected),
        ring=_ring(call, end),
        talk=covered(connected) - (ZERO if unseen else held),
        hold=None if unseen else held,
        duration=max(end - call.started_at, ZERO),
    )


def wait_of(visit: QueueVisit, until: datetime | None) -> timedelta:
    """How long a caller waited in one queue; an open visit counts up to `until`."""
    end = visit.left_at or until
    return max(end - visit.joined_at, ZERO) if end else ZERO


def ring_of(offer: Offer, until: datetime | None) -> timedelta:
    """How long one device rang; an open offer counts up to `until`."""
    end = offer.ended_at or until
    return max(end - offer.rang_at, ZERO) if end else ZERO


def covered(intervals: Iterable[Interval]) -> timedelta:
    """The time that at least one of the intervals covers."""
    total = ZERO
    last: datetime | None = None
    for start, stop in sorted(intervals):
        begin = start if last is None else max(start, last)
        if stop > begin:
            total += stop - begin
            last = stop
    return total


def overlap(ours: Iterable[Interval], theirs: Iterable[Interval]) -> timedelta:
    """The time that is covered by both groups of intervals."""
    shared = [(max(a, c), min(b, d)) for a, b in ours for c, d in theirs if max(a, c) < min(b, d)]
    return covered(shared)


def _hold_intervals(holds: Iterable[Hold], end: datetime) -> list[Interval]:
    return [(hold.from_, hold.to or end) for hold in holds]


def _ring(call: Call, end: datetime) -> timedelta:
    if call.offers:
        return covered((offer.rang_at, offer.ended_at or end) for offer in call.offers)
    if call.ringing_at is None:
        return ZERO
    return max((call.answered_at or end) - call.ringing_at, ZERO)
