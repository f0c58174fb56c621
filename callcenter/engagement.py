"""Which agents have to do with a call, and how: derived from the call alone. Pure."""

from enum import StrEnum

from callcenter.model import Call, Direction, Offer, OfferResult


class Engagement(StrEnum):
    """What a call is to an agent. Who placed it is busy from the start."""

    RINGING = "ringing"
    BUSY = "busy"


def engagements(call: Call) -> dict[str, Engagement]:
    """Agent → what the call is to them now; empty once the call has ended."""
    if call.ended_at is not None:
        return {}
    found = {one.agent: Engagement.RINGING for one in call.offers if one.agent is not None and _rings(call, one)}
    found |= {one.agent: Engagement.BUSY for one in call.connections if one.to is None and one.agent is not None}
    dialer = None if call.direction is Direction.INBOUND else call.caller.agent
    if dialer is not None and dialer_holds_on(call, dialer):
        found[dialer] = Engagement.BUSY
    return found


def queue_taken(call: Call, agent: str) -> str | None:
    """The queue from which the agent took this call, the last one where there are several."""
    for offer in reversed(call.offers):
        if offer.agent == agent and offer.result is OfferResult.ANSWERED:
            return offer.queue
    return None


def dialer_holds_on(call: Call, dialer: str) -> bool:
    """Whether who placed the call is still in it."""
    if call.direction is not Direction.INTERNAL:
        own = [one for one in call.connections if one.agent == dialer]
        return not own or any(one.to is None for one in own)
    # A call between colleagues has one connection, that of who was called: it goes on where the dialer hands it on.
    device = (call.caller.channel or "").rpartition("-")[0]
    handed_on = min((one.at for one in call.transfers if one.by == device), default=None)
    going_on = [one for one in call.connections if one.to is None]
    if handed_on is not None:
        return any(one.from_ < handed_on for one in going_on)
    return bool(going_on) or not call.connections


def _rings(call: Call, offer: Offer) -> bool:
    """Who has picked up and is not through yet still counts as ringing."""
    if offer.ended_at is None:
        return True
    through = any(one.agent == offer.agent and one.from_ >= offer.rang_at for one in call.connections)
    return offer.result is OfferResult.ANSWERED and not through
