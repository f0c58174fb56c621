"""In which order customers are offered, and why."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from callcenter.matching.number import Reader
from callcenter.matching.rank import (
    MOST_CANDIDATES,
    Found,
    MatchReason,
    MatchStatus,
    Reason,
    is_worth_asking,
    rank,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = Reader("GB").read("+442079460123")


def found(place: int, fit: MatchReason = MatchReason.EXACT, **other: object) -> Found:
    one = Found(
        customer_id=UUID(int=place),
        name=f"Customer {place}",
        company=None,
        email=None,
        phone="020 7946 0123",
        phone_label="",
        position=1,
        tags=(),
        owner=None,
        last_call_at=None,
        fit=fit,
    )
    return msgspec.structs.replace(one, **other)


def order(match: object) -> list[int]:
    return [candidate.customer_id.int for candidate in match.candidates]  # type: ignore[attr-defined]


def test_nobody_one_and_several_are_different_answers() -> None:
    assert rank(NUMBER, [], now=NOW).status is MatchStatus.NONE
    assert rank(NUMBER, [found(1)], now=NOW).status is MatchStatus.ONE
    assert rank(NUMBER, [found(1), found(2)], now=NOW).status is MatchStatus.SEVERAL


def test_nobody_found_and_could_not_ask_are_different_answers() -> None:
    assert rank(NUMBER, [], now=NOW, complete=False).status is MatchStatus.INCOMPLETE
    assert rank(NUMBER, [found(1)], now=NOW, complete=False).status is MatchStatus.ONE


def test_an_ignored_number_has_no_candidates() -> None:
    number = Reader("GB", ignore=("+4420*",)).read("+442079460123")
    match = rank(number, [found(1)], now=NOW)
    assert (match.status, match.candidates) == (MatchStatus.IGNORED, ())
    assert not is_worth_asking(number)


@pytest.mark.parametrize("text", ["1001", "anonymous", "nonsense", None])
def test_only_public_numbers_are_worth_asking_for(text: str | None) -> None:
    assert not is_worth_asking(Reader("GB").read(text))


def test_a_better_fit_beats_all_other_reasons_together() -> None:
    loved = {"owner": "li", "last_call_at": NOW - timedelta(days=1), "position": 0}
    match = rank(
        NUMBER,
        [found(1, MatchReason.SUFFIX, **loved), found(2, MatchReason.NATIONAL, **loved), found(3)],
        now=NOW,
        agent="li",
    )
    assert order(match) == [3, 2, 1]
    match = rank(NUMBER, [found(1, MatchReason.SUFFIX, **loved), found(2, MatchReason.NATIONAL)], now=NOW, agent="li")
    assert order(match) == [2, 1]


def test_your_customer_then_the_recent_call_then_the_primary_phone() -> None:
    rows = [
        found(1),
        found(2, position=0),
        found(3, last_call_at=NOW - timedelta(days=3)),
        found(4, owner="li"),
    ]
    assert order(rank(NUMBER, rows, now=NOW, agent="li")) == [4, 3, 2, 1]
    assert order(rank(NUMBER, rows, now=NOW, agent="wang")) == [3, 2, 1, 4]


def test_the_reasons_are_codes_with_what_a_sentence_needs() -> None:
    rows = [found(1, owner="li", last_call_at=NOW - timedelta(days=3), position=0), found(2)]
    first = rank(NUMBER, rows, now=NOW, agent="li").candidates[0]
    assert first.reason is MatchReason.EXACT
    assert first.reasons == (
        Reason(code=MatchReason.EXACT),
        Reason(code=MatchReason.YOUR_CUSTOMER),
        Reason(code=MatchReason.RECENT, days=3),
        Reason(code=MatchReason.PRIMARY_PHONE),
        Reason(code=MatchReason.SHARED_NUMBER, count=2),
    )


def test_a_call_long_ago_is_no_reason_and_one_in_the_future_is_today() -> None:
    old, skewed = found(1, last_call_at=NOW - timedelta(days=31)), found(2, last_call_at=NOW + timedelta(seconds=9))
    match = rank(NUMBER, [old, skewed], now=NOW)
    assert order(match) == [2, 1]
    assert Reason(code=MatchReason.RECENT, days=0) in match.candidates[0].reasons


def test_a_customer_found_by_two_phones_counts_once_by_the_better() -> None:
    rows = [found(1, MatchReason.SUFFIX, position=0), found(1, MatchReason.NATIONAL, phone="0123")]
    match = rank(NUMBER, rows, now=NOW)
    assert match.status is MatchStatus.ONE
    assert (match.candidates[0].reason, match.candidates[0].phone) == (MatchReason.NATIONAL, "0123")


def test_equal_candidates_keep_one_order_whatever_order_they_came_in() -> None:
    rows = [found(place, name="same") for place in (3, 1, 2)]
    assert order(rank(NUMBER, rows, now=NOW)) == order(rank(NUMBER, rows[::-1], now=NOW)) == [1, 2, 3]


def test_a_switchboard_shared_by_many_is_cut_and_says_so() -> None:
    match = rank(NUMBER, [found(place) for place in range(MOST_CANDIDATES + 5)], now=NOW)
    assert len(match.candidates) == MOST_CANDIDATES
    assert match.more
    assert match.candidates[0].reasons[-1].count == MOST_CANDIDATES + 5
