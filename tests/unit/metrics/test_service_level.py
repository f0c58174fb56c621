"""Service level: what each of the five formulas makes of the same callers, and that no share leaves 0 to 1."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.metrics.service_level import NOTHING, TERMS, Formula, Goal, Tally, count, level
from callcenter.model import QueueExit, QueueVisit

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
GOAL = Goal(threshold=timedelta(seconds=20), short=timedelta(seconds=5))


def visit(how: QueueExit | None, wait: float) -> QueueVisit:
    left = None if how is None else AT + timedelta(seconds=wait)
    return QueueVisit(queue="sales", joined_at=AT, left_at=left, exit=how)


def total(visits: list[QueueVisit]) -> Tally:
    return sum((count(one, GOAL) for one in visits), NOTHING)


MORNING = total(
    [visit(QueueExit.ANSWERED, wait) for wait in (3, 20, 21, 90)]
    + [visit(QueueExit.ABANDONED, wait) for wait in (2, 5, 15, 60)]
    + [visit(QueueExit.TIMEOUT, 120), visit(QueueExit.LEAVE_EMPTY, 10)]
    + [visit(QueueExit.JOIN_EMPTY, 0), visit(QueueExit.FULL, 0), visit(None, 0)]
)


def test_visits_are_counted_by_how_they_ended() -> None:
    assert MORNING == Tally(
        offered=10,
        answered=4,
        answered_in_time=2,
        abandoned=4,
        abandoned_in_time=3,
        short_abandons=2,
        refused=2,
    )


@pytest.mark.parametrize(
    ("formula", "numerator", "denominator"),
    [
        (Formula.OFFERED_LESS_SHORT, 2, 8),
        (Formula.OFFERED, 2, 10),
        (Formula.ANSWERED, 2, 4),
        (Formula.HANDLED_IN_TIME, 5, 8),
        (Formula.LATE_ABANDONS, 2, 5),
    ],
)
def test_each_formula_divides_what_it_says(formula: Formula, numerator: int, denominator: int) -> None:
    found = level(MORNING, formula)
    assert (found.numerator, found.denominator) == (numerator, denominator)
    assert found.share == numerator / denominator


def test_all_formulas_are_described() -> None:
    assert set(TERMS) == set(Formula)


def test_nobody_is_no_share() -> None:
    assert [level(NOTHING, formula).share for formula in Formula] == [None] * len(Formula)


def test_only_short_abandons_are_no_share() -> None:
    assert level(total([visit(QueueExit.ABANDONED, 1)])).share is None


VISITS = st.lists(
    st.builds(visit, st.sampled_from([None, *QueueExit]), st.floats(min_value=0, max_value=600)), max_size=40
)


@given(VISITS, st.sampled_from(Formula))
def test_a_share_is_between_none_and_all(visits: list[QueueVisit], formula: Formula) -> None:
    share = level(total(visits), formula).share
    assert share is None or 0 <= share <= 1


@given(VISITS, VISITS)
def test_what_is_taken_back_was_never_there(kept: list[QueueVisit], replaced: list[QueueVisit]) -> None:
    assert total(kept + replaced) - total(replaced) == total(kept)
