"""What follows from a receiver's answer."""

from datetime import timedelta

import pytest

from crm_bridge.webhooks.values import Answer, Failure
from crm_bridge.webhooks.verdicts import LONGEST_WAIT, Fate, judge

TOOK = timedelta(milliseconds=20)


@pytest.mark.parametrize(
    ("status", "fate", "down"),
    [
        *[(status, Fate.DELIVERED, False) for status in (200, 201, 202, 204, 299)],
        *[(status, Fate.DEAD, False) for status in (301, 302, 307, 308, 400, 409, 410, 413, 422)],
        *[(status, Fate.AGAIN, False) for status in (401, 403, 404, 408, 500, 501)],
        *[(status, Fate.AGAIN, True) for status in (429, 502, 503, 504)],
    ],
)
def test_a_status_decides(status: int, fate: Fate, down: bool) -> None:
    verdict = judge(Answer(took=TOOK, status=status))
    assert (verdict.fate, verdict.target_down) == (fate, down)
    assert (verdict.reason is None) is (fate is Fate.DELIVERED)


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.TIMEOUT, Failure.TLS, Failure.BROKEN])
def test_without_an_answer_it_is_tried_again_when_the_target_is_back(failure: Failure) -> None:
    verdict = judge(Answer(took=TOOK, failure=failure, error="no"))
    assert (verdict.fate, verdict.target_down, verdict.reason) == (Fate.AGAIN, True, "no")


def test_a_forbidden_target_is_not_tried_again() -> None:
    verdict = judge(Answer(took=TOOK, failure=Failure.NOT_ALLOWED, error="10.0.0.1 is not a public address"))
    assert (verdict.fate, verdict.target_down) == (Fate.DEAD, False)


def test_a_receiver_that_wants_no_more_is_left_alone() -> None:
    assert judge(Answer(took=TOOK, status=410)).pause


def test_a_receiver_that_names_a_time_is_obeyed_within_reason() -> None:
    assert judge(Answer(took=TOOK, status=429, retry_after=timedelta(seconds=90))).after == timedelta(seconds=90)
    assert judge(Answer(took=TOOK, status=503, retry_after=timedelta(days=90))).after == LONGEST_WAIT
