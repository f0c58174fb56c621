"""A match as an agent sees it."""

from uuid import UUID

from screenpop.messages import Candidate, Match
from screenpop.views import for_agent


def candidate(number: int, reason: str, owner: str | None) -> Candidate:
    """A candidate whose number fits so, and whose agent is this one."""
    reasons = (reason, "recent")
    return Candidate(customer_id=UUID(int=number), name=f"c{number}", reason=reason, reasons=reasons, owner=owner)


def test_the_own_customer_comes_first_among_equal_fits_and_says_why() -> None:
    others = (candidate(1, "exact", None), candidate(2, "exact", "li"), candidate(3, "national", "li"))
    seen = for_agent(Match(status="several", candidates=others), "li")
    assert [one.customer_id.int for one in seen.candidates] == [2, 1, 3]
    assert [one.reasons for one in seen.candidates] == [
        ("exact", "your_customer", "recent"),
        ("exact", "recent"),
        ("national", "your_customer", "recent"),
    ]


def test_a_weaker_fit_is_never_lifted_above_a_stronger_one() -> None:
    others = (candidate(1, "exact", None), candidate(2, "suffix", "li"))
    seen = for_agent(Match(status="several", candidates=others), "li")
    assert [one.customer_id.int for one in seen.candidates] == [1, 2]


def test_for_others_nothing_changes() -> None:
    match = Match(status="one", candidates=(candidate(1, "exact", "li"),))
    assert for_agent(match, "mo") is match
