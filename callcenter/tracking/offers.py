"""Offers: a device of ours rings for a call. One call has any number of them; each ends once."""

from __future__ import annotations

from datetime import datetime

from callcenter import changes as ch
from callcenter.model import Offer, OfferResult
from callcenter.tracking.calls import CallFacts, Emit
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import agent_of
from callcenter.tracking.states import OFFER_MOVES, LegState, OfferState
from callcenter.tracking.talk import MOMENT

CAUSE_ANSWERED_ELSEWHERE = 26
BY_CAUSE = {
    17: OfferResult.BUSY,
    18: OfferResult.NO_ANSWER,
    19: OfferResult.NO_ANSWER,
    21: OfferResult.REJECTED,
}
"""Q.850 cause with which a device itself refuses → result; any other cause means that it could not be reached."""

UNAVAILABLE = frozenset({"CHANUNAVAIL", "CONGESTION", "INVALIDARGS"})
"""DialStatus of a device that could not be reached at all."""
REFUSED = UNAVAILABLE | {"BUSY"}
"""DialStatus whose meaning (busy, rejected, unavailable) the hang-up cause tells, a moment later."""

CANCELED = "CANCEL"
"""DialStatus of a device that was no longer rung: in a ring group it comes before the answer of another."""


class Ring:
    """The making of one offer: what is known before it may be shown."""

    __slots__ = ("dialed_at", "index", "leg", "offer", "refused_at", "state", "status", "through_local")

    def __init__(self, leg: Leg, offer: Offer, index: int, *, through_local: bool = False) -> None:
        self.leg = leg
        self.through_local = through_local
        """Whether a Local channel rings it, which is hung up as the ring time is over."""
        self.offer = offer
        self.index = index
        self.state = OfferState.DIALED
        self.dialed_at = offer.rang_at
        self.refused_at: datetime | None = None
        self.status = ""

    def move(self, then: OfferState) -> bool:
        """Go to a state, if the offer may. False: it may not, and stays where it is."""
        allowed = then in OFFER_MOVES[self.state]
        if allowed:
            self.state = then
        return allowed


def dialed(call: CallFacts, leg: Leg, queue: str | None, at: datetime, *, through_local: bool = False) -> None:
    """A device was dialed for this call; it does not ring yet."""
    offer = Offer(interface=leg.interface, agent=agent_of(call, leg, member=queue is not None), queue=queue, rang_at=at)
    leg.ring = Ring(leg, offer, call.add_offer(offer), through_local=through_local)
    call.rings.append(leg.ring)


def name_queue(call: CallFacts, ring: Ring, queue: str) -> None:
    """The queue that rings a device became known after it was dialed."""
    if ring.offer.queue is None:
        agent = agent_of(call, ring.leg, member=True)
        _put(call, ring, queue=queue, agent=agent)


def rang(call: CallFacts, ring: Ring, at: datetime, emit: Emit) -> None:
    """The device began to ring, unless it had already, or is no longer dialed."""
    if ring.move(OfferState.RINGING):
        _put(call, ring, rang_at=at)
        emit(ch.AgentRinging, call, at, offer=ring.offer)


def dial_ended(call: CallFacts, ring: Ring, status: str, at: datetime, emit: Emit) -> None:
    """The dial was answered or given up. Of two words about it the first counts."""
    if ring.state is OfferState.REFUSED:
        return
    if status in REFUSED or (status == CANCELED and not ring.leg.asked_cause and _why_canceled(call, ring) is None):
        if ring.move(OfferState.REFUSED):
            ring.refused_at = at
            ring.status = status
    elif status == "ANSWER":
        rang(call, ring, at, emit)
        _end(call, ring, OfferResult.ANSWERED, at, emit)
        beaten(call, at, emit, by=ring)
    elif ring.leg.asked_cause:
        # The phone hung up, and Asterisk calls a declined call NOANSWER.
        _end(call, ring, BY_CAUSE.get(ring.leg.asked_cause, OfferResult.UNAVAILABLE), at, emit)
    else:
        _end(call, ring, _why_canceled(call, ring) or OfferResult.NO_ANSWER, at, emit)


def leg_gone(call: CallFacts, ring: Ring, cause: int, at: datetime, emit: Emit) -> None:
    """The device's channel is gone: what was refused gets its reason, what was open ends."""
    if cause == CAUSE_ANSWERED_ELSEWHERE:
        result = OfferResult.ANSWERED_ELSEWHERE
    elif ring.status in REFUSED:
        unsaid = OfferResult.BUSY if ring.status == "BUSY" else OfferResult.UNAVAILABLE
        result = BY_CAUSE.get(cause, unsaid)
    else:
        # A caller who is taken out of the ringing, by a panel say, is not there to be answered.
        taken_away = ring.status == CANCELED and not ring.through_local
        unsaid = OfferResult.CALLER_GAVE_UP if taken_away else OfferResult.NO_ANSWER
        result = _why_canceled(call, ring) or unsaid
    _end(call, ring, result, ring.refused_at or at, emit)


def taken(call: CallFacts, leg: Leg, at: datetime, emit: Emit) -> None:
    """A colleague took the call that rings at a device; what else rings for it stops in a moment."""
    call.picked_up_at = at
    if leg.ring is not None:
        _end(call, leg.ring, OfferResult.ANSWERED_ELSEWHERE, at, emit)


def beaten(call: CallFacts, at: datetime, emit: Emit, *, by: Ring | None = None) -> None:
    """Somebody answered: what rang beside them and was given up a moment before was answered elsewhere.

    `by` is None where somebody took the call over whom nobody rang.
    """
    for other in call.rings:
        offer = other.offer
        if offer.result is not OfferResult.NO_ANSWER or offer.ended_at is None or other.leg.asked_cause is not None:
            continue
        beside = by is None or (offer.queue == by.offer.queue and offer.ended_at >= by.dialed_at)
        if beside and offer.ended_at >= at - MOMENT:
            _put(call, other, result=OfferResult.ANSWERED_ELSEWHERE)
            emit(ch.CallUpdated, call, at)


def _why_canceled(call: CallFacts, ring: Ring) -> OfferResult | None:
    """Why a device that could have answered was no longer rung; None where nothing in the call tells."""
    if call.picked_up_at is not None and call.picked_up_at >= ring.dialed_at:
        return OfferResult.ANSWERED_ELSEWHERE
    if any(_won(other, ring) for other in call.rings):
        return OfferResult.ANSWERED_ELSEWHERE
    if call.caller_left():
        return OfferResult.CALLER_GAVE_UP
    return None


def _won(other: Ring, ring: Ring) -> bool:
    """Whether a device answered that rang beside this one. A Dial gives up the others before it tells who answered."""
    if other is ring or other.offer.queue != ring.offer.queue:
        return False
    if other.state is OfferState.ENDED:
        ended = other.offer.ended_at
        return other.offer.result is OfferResult.ANSWERED and ended is not None and ended >= ring.dialed_at
    return other.leg.state is LegState.UP


def _end(call: CallFacts, ring: Ring, result: OfferResult, at: datetime, emit: Emit) -> None:
    if ring.move(OfferState.ENDED):
        _put(call, ring, ended_at=at, result=result)
        emit(ch.OfferEnded, call, at, offer=ring.offer)


def _put(call: CallFacts, ring: Ring, **facts: object) -> None:
    ring.offer = call.change_offer(ring.index, **facts)
