"""How a call looks to one agent: pure derivations from the call record."""

from msgspec.structs import replace

from callcenter.engagement import dialer_holds_on
from callcenter.model import Call, Direction, Offer, OfferResult, Party, PartyKind
from screenpop.messages import CallState, CallView, Candidate, Customer, Match, Person, Reason

FITS = {"exact": 0, "national": 1, "suffix": 2}
"""How a number fits, the best first."""
MAX_TEXT = 256
"""Characters of a name or number from outside that are passed on."""


def clip(text: str | None) -> str | None:
    """Bound a text that a caller chose."""
    return text if text is None or len(text) <= MAX_TEXT else text[:MAX_TEXT]


def person(party: Party) -> Person:
    """The part of a party that agents see."""
    return Person(number=clip(party.number), e164=clip(party.e164), name=clip(party.name))


def dialing_agent(call: Call) -> str | None:
    """The agent who placed the call, if one of ours did."""
    return None if call.direction is Direction.INBOUND else call.caller.agent


def customer_party(call: Call) -> Party | None:
    """The end of the call that may be a customer; None while unknown and on internal calls."""
    if call.direction is Direction.INBOUND:
        return call.caller
    if call.direction is Direction.OUTBOUND and call.callee.kind is PartyKind.EXTERNAL:
        return call.callee
    return None


def other_side(call: Call, agent: str) -> Party:
    """Whom the agent talks with."""
    if call.direction is Direction.INBOUND:
        return call.caller
    if call.direction is Direction.OUTBOUND or call.caller.agent == agent:
        return call.callee
    return call.caller


def for_agent(match: Match, agent: str) -> Match:
    """A match as an agent sees it: among customers whose number fits equally well, their own come first."""
    if not any(candidate.owner == agent for candidate in match.candidates):
        return match
    ordered = sorted(match.candidates, key=lambda one: (FITS.get(one.reason, len(FITS)), one.owner != agent))
    return replace(match, candidates=tuple(_marked(one) if one.owner == agent else one for one in ordered))


def _marked(candidate: Candidate) -> Candidate:
    first, *others = candidate.reasons or (candidate.reason,)
    return replace(candidate, reasons=(first, "your_customer", *others))


def trunk(call: Call) -> str | None:
    """Name of the endpoint (`PJSIP/provider-0000001a` → `provider`) through which the customer is reached."""
    party = customer_party(call)
    if party is None or not party.channel:
        return None
    name = party.channel.partition("/")[2] or party.channel
    return name.rpartition("-")[0] or name


def devices(call: Call, agent: str) -> list[str | None]:
    """The devices with which the agent talks, or holds, in this call now.

    A call between colleagues has one connection, that of who was called; its other end is the caller's phone.
    """
    going_on = [c for c in call.connections if c.to is None]
    own = [c.interface for c in going_on if c.agent == agent]
    if own or call.direction is not Direction.INTERNAL or call.caller.agent != agent:
        return own
    return [None] if going_on and dialer_holds_on(call, agent) else []


def state(call: Call, agent: str, rings: bool, dialed: bool) -> CallState:
    """What the call is to the agent now; `rings`: a device of theirs does."""
    if call.ended_at is not None:
        return "ended"
    if own := devices(call, agent):
        held = any(h.to is None and (h.interface is None or h.interface in own) for h in call.holds)
        return "held" if held else "talking"
    if rings:
        return "ringing"
    if not dialed:
        return "ended"
    return "queued" if any(visit.left_at is None for visit in call.queue_visits) else "ringing"


def queue(call: Call) -> str | None:
    """The queue that the caller is in, or was in last."""
    return call.queue_visits[-1].queue if call.queue_visits else None


def customer(match: Match | None) -> Customer | None:
    """The customer of a call, where there is no doubt."""
    if match is None or match.status != "one" or not match.candidates:
        return None
    return Customer(id=match.candidates[0].customer_id, name=match.candidates[0].name)


def view(call: Call, agent: str, now: CallState, match: Match | None) -> CallView:
    """The `call` message's content for one agent."""
    other = other_side(call, agent)
    return CallView(
        call_id=call.call_id,
        direction=call.direction.value,
        status=call.status.value,
        state=now,
        caller=person(call.caller),
        callee=person(call.callee),
        number=clip(other.number),
        name=clip(other.name),
        queue=queue(call),
        customer=customer(match),
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
    )


_REASONS: dict[OfferResult, Reason] = {
    OfferResult.ANSWERED: "ended",
    OfferResult.NO_ANSWER: "no_answer",
    OfferResult.BUSY: "busy",
    OfferResult.REJECTED: "rejected",
    OfferResult.UNAVAILABLE: "unavailable",
    OfferResult.ANSWERED_ELSEWHERE: "answered_elsewhere",
    OfferResult.CALLER_GAVE_UP: "caller_gave_up",
}


def withdrawal(offer: Offer) -> Reason:
    """Why a ring that was not answered takes its pop with it."""
    return _REASONS[offer.result] if offer.result is not None else "ended"
