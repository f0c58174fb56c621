"""Puts the customers that a number may belong to in order, and says why each is in the list.

Pure: the time is handed in. Reasons are codes with arguments, never sentences, so that each screen can say
them in its language.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from callcenter.matching.number import NumberKind, PhoneNumber
from callcenter.model import Value

MOST_CANDIDATES = 20
"""So many are worth showing; a shared switchboard number may belong to more."""

RECENT = timedelta(days=30)
"""A last call not older than this counts as a reason."""


class MatchStatus(StrEnum):
    """What a look-up came to. `incomplete`: not all could be asked, so that "nobody" would be a lie."""

    NONE = "none"
    ONE = "one"
    SEVERAL = "several"
    IGNORED = "ignored"
    INCOMPLETE = "incomplete"


class MatchReason(StrEnum):
    """Why a customer is a candidate; the first three say how the number fits, the best first."""

    EXACT = "exact"
    NATIONAL = "national"
    SUFFIX = "suffix"
    YOUR_CUSTOMER = "your_customer"
    RECENT = "recent"
    PRIMARY_PHONE = "primary_phone"
    SHARED_NUMBER = "shared_number"


_SCORES = {
    MatchReason.EXACT: 100,
    MatchReason.NATIONAL: 60,
    MatchReason.SUFFIX: 20,
    MatchReason.YOUR_CUSTOMER: 20,
    MatchReason.RECENT: 10,
    MatchReason.PRIMARY_PHONE: 5,
    MatchReason.SHARED_NUMBER: 0,
}
"""What each reason is worth. All other reasons together (35) never lift a weaker fit above a stronger one."""


class Reason(Value, frozen=True):
    """One reason. `days` goes with `recent`, `count` (how many share the number) with `shared_number`."""

    code: MatchReason
    days: int | None = None
    count: int | None = None


class Found(Value, frozen=True):
    """A customer as the index found it, before anything is weighed. `position` 0 is the first phone."""

    customer_id: UUID
    name: str
    company: str | None
    email: str | None
    phone: str
    phone_label: str
    position: int
    tags: tuple[str, ...]
    owner: str | None
    last_call_at: datetime | None
    fit: MatchReason


class Candidate(Value, frozen=True):
    """A customer that a number may belong to: what the pop card shows, and why.

    `reason` is how the number fits, `reasons` all that spoke for this customer, the weightiest first.
    """

    customer_id: UUID
    name: str
    company: str | None
    email: str | None
    phone: str
    phone_label: str
    tags: tuple[str, ...]
    owner: str | None
    last_call_at: datetime | None
    reason: MatchReason
    reasons: tuple[Reason, ...]
    score: int


class Match(Value, frozen=True):
    """The answer to "whose number is this?". `more` tells that there are candidates beyond those listed."""

    status: MatchStatus
    number: PhoneNumber
    candidates: tuple[Candidate, ...] = ()
    more: bool = False


def is_worth_asking(number: PhoneNumber) -> bool:
    """Tell whether a number can be a customer's at all."""
    return number.kind is NumberKind.PUBLIC and not number.ignored


def rank(
    number: PhoneNumber,
    found: Iterable[Found],
    *,
    now: datetime,
    agent: str | None = None,
    complete: bool = True,
) -> Match:
    """Weigh what was found for `number`, for `agent` where the answer is for one.

    A customer found by several phones counts once, by the best. With `complete` False and nobody found, the
    status is `incomplete`, since somebody might have been found; what was found is listed all the same.
    """
    if number.ignored:
        return Match(status=MatchStatus.IGNORED, number=number)
    best: dict[UUID, Found] = {}
    for one in found:
        other = best.get(one.customer_id)
        if other is None or (-_SCORES[one.fit], one.position) < (-_SCORES[other.fit], other.position):
            best[one.customer_id] = one
    shared = len(best)
    candidates = [_weigh(one, shared, now, agent) for one in best.values()]
    if shared > 1:
        candidates.sort(key=_order)
    return Match(
        status=_status(shared, complete),
        number=number,
        candidates=tuple(candidates[:MOST_CANDIDATES]),
        more=shared > MOST_CANDIDATES,
    )


def _weigh(one: Found, shared: int, now: datetime, agent: str | None) -> Candidate:
    reasons = [Reason(code=one.fit)]
    if agent is not None and one.owner == agent:
        reasons.append(Reason(code=MatchReason.YOUR_CUSTOMER))
    if one.last_call_at is not None and now - one.last_call_at <= RECENT:
        reasons.append(Reason(code=MatchReason.RECENT, days=max((now - one.last_call_at).days, 0)))
    if one.position == 0:
        reasons.append(Reason(code=MatchReason.PRIMARY_PHONE))
    if shared > 1:
        reasons.append(Reason(code=MatchReason.SHARED_NUMBER, count=shared))
    return Candidate(
        customer_id=one.customer_id,
        name=one.name,
        company=one.company,
        email=one.email,
        phone=one.phone,
        phone_label=one.phone_label,
        tags=one.tags,
        owner=one.owner,
        last_call_at=one.last_call_at,
        reason=one.fit,
        reasons=tuple(reasons),
        score=_score(reasons),
    )


def _score(reasons: Iterable[Reason]) -> int:
    score = 0
    for reason in reasons:
        score += _SCORES[reason.code]
    return score


def _order(candidate: Candidate) -> tuple[int, float, str, str]:
    """Best score first, then the latest call, then the name; the id makes the order the same each time."""
    last = candidate.last_call_at.timestamp() if candidate.last_call_at else 0.0
    return (-candidate.score, -last, candidate.name.casefold(), str(candidate.customer_id))


def _status(shared: int, complete: bool) -> MatchStatus:
    if shared == 0:
        return MatchStatus.NONE if complete else MatchStatus.INCOMPLETE
    return MatchStatus.ONE if shared == 1 else MatchStatus.SEVERAL
