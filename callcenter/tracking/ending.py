"""How a call ended: its status, and who ended it. Looked at once, when the last channel is gone."""

from callcenter.model import CallStatus, Direction, HangupBy, OfferResult, PartyKind, QueueExit
from callcenter.tracking.calls import CallFacts
from callcenter.tracking.directory import Side
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import agent_of

REFUSALS = frozenset({17, 21})
"""Q.850 causes with which a person, or their phone, refuses a call: busy, rejected."""
_BY_CAUSE = {17: "BUSY", 18: "NOANSWER", 19: "NOANSWER", 21: "BUSY"}
_BY_DIAL_STATUS = {
    "BUSY": CallStatus.BUSY,
    "NOANSWER": CallStatus.NO_ANSWER,
    "CANCEL": CallStatus.CANCELED,
    "CONGESTION": CallStatus.FAILED,
    "CHANUNAVAIL": CallStatus.FAILED,
    "INVALIDARGS": CallStatus.FAILED,
}
"""DialStatus of the party that was called → status, where nobody answered."""


def dial_status(status: str, leg: Leg) -> str:
    """The DialStatus of an outside party, corrected by the cause it gave: a declined call comes as NOANSWER."""
    if leg.asked_cause:
        return _BY_CAUSE.get(leg.asked_cause, "CONGESTION")
    return status


def status(call: CallFacts) -> CallStatus:
    """What became of the call, from its facts."""
    if call.answered_at is not None:
        return CallStatus.ANSWERED
    if call.visits and call.visits[-1].exit is QueueExit.ABANDONED:
        return CallStatus.ABANDONED
    if call.reached_voicemail:
        return CallStatus.VOICEMAIL
    if call.entry is not None and call.entry.originated and call.dial_status is None:
        # The agent did not pick up their own phone: nobody was called.
        return CallStatus.CANCELED
    if call.hangup_by is HangupBy.CALLER or (call.hangup_by is HangupBy.AGENT and _agent_called(call)):
        return CallStatus.CANCELED
    if any(visit.exit is not None for visit in call.visits):
        return CallStatus.NO_ANSWER
    return _by_offers(call) or _BY_DIAL_STATUS.get(call.dial_status or "", CallStatus.FAILED)


def hangup_side(call: CallFacts, leg: Leg) -> HangupBy:
    """Who it is that hangs up when this leg does."""
    if leg.side is Side.DEVICE and agent_of(call, leg) is not None:
        return HangupBy.AGENT
    return HangupBy.CALLER if leg is call.entry else HangupBy.CALLEE


def unanswered_side(call: CallFacts) -> HangupBy:
    """Who ended a call that nobody asked to hang up: the callee who refused it, else the dialplan."""
    refused = [offer for offer in call.offers if offer.result in (OfferResult.BUSY, OfferResult.REJECTED)]
    if call.status is CallStatus.BUSY and not call.visits:
        if refused:
            return HangupBy.AGENT if refused[-1].agent else HangupBy.CALLEE
        if call.dial_status == "BUSY":
            return HangupBy.CALLEE
    return HangupBy.SYSTEM


def _agent_called(call: CallFacts) -> bool:
    return call.direction is not Direction.INBOUND and call.caller.kind is PartyKind.AGENT


def _by_offers(call: CallFacts) -> CallStatus | None:
    """The kindest result of the last devices that were rung: one that rang out says more than one that was busy."""
    results = {offer.result for offer in call.offers}
    if not results:
        return None
    if OfferResult.NO_ANSWER in results:
        return CallStatus.NO_ANSWER
    if results & {OfferResult.BUSY, OfferResult.REJECTED}:
        return CallStatus.BUSY
    if results == {OfferResult.UNAVAILABLE}:
        return CallStatus.FAILED
    return CallStatus.CANCELED
