"""Customers who were found lately: few, not for ever, and forgotten when they are no longer found."""

from datetime import timedelta
from uuid import UUID

from callcenter.customers.remembered import MOST_EACH, Remembered
from callcenter.matching.number import NumberKind, PhoneNumber
from callcenter.matching.rank import Found, MatchReason


def number(n: int) -> PhoneNumber:
    return PhoneNumber(raw=str(n), kind=NumberKind.PUBLIC, region="GB", e164=f"+44{n}", national=str(n))


def found(n: int) -> Found:
    return Found(
        customer_id=UUID(int=n),
        name=f"Customer {n}",
        company=None,
        email=None,
        phone="",
        phone_label="",
        position=0,
        tags=(),
        owner=None,
        last_call_at=None,
        fit=MatchReason.EXACT,
    )


def test_the_numbers_that_did_not_call_for_longest_are_forgotten() -> None:
    book = Remembered(most=3)
    for n in (1, 2, 3, 1, 4):
        book.put(1, number(n), [found(n)], 0.0)
    assert len(book) == 3
    assert [bool(book.get(1, number(n), 0.0)) for n in (1, 2, 3, 4)] == [True, False, True, True]


def test_an_answer_is_not_shown_when_it_is_old_nor_to_another_tenant() -> None:
    book = Remembered(life=timedelta(seconds=10))
    book.put(1, number(1), [found(1)], 100.0)
    assert book.get(1, number(1), 110.0) == (found(1),)
    assert book.get(1, number(1), 110.1) == ()
    assert book.get(2, number(1), 100.0) == ()


def test_who_is_no_longer_found_is_forgotten_and_a_crowd_is_cut() -> None:
    book = Remembered()
    book.put(1, number(1), [found(n) for n in range(100)], 0.0)
    assert len(book.get(1, number(1), 0.0)) == MOST_EACH
    book.put(1, number(1), [], 0.0)
    assert len(book) == 0
