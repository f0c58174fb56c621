"""The queues that somebody may see."""

import pytest

from callcenter.accounts.scope import check_queue, covers, key_of, shows, workers
from callcenter.callrecord import QueueVisitRecord
from callcenter.errors import Forbidden
from callcenter.model import QueueExit
from tests.service.web_world import NOW, make_call, stamp

SALES = frozenset({"pbx/sales"})


def visit(queue: str) -> QueueVisitRecord:
    return QueueVisitRecord(
        queue=queue, joined_at=stamp(NOW), left_at=None, exit=QueueExit.ANSWERED, wait_s=1.0, position=1
    )


def test_all_queues_are_covered_by_none() -> None:
    assert covers(None, "pbx", "sales")
    assert covers(SALES, "pbx", "sales")
    assert not covers(SALES, "other", "sales")
    assert not covers(frozenset(), "pbx", "sales")
    assert key_of("pbx", "sales") in SALES


def test_another_queue_is_refused_by_its_name() -> None:
    check_queue(SALES, "pbx", "sales")
    with pytest.raises(Forbidden, match="support"):
        check_queue(SALES, "pbx", "support")


def test_a_call_is_shown_that_was_in_no_queue_or_in_one_of_theirs() -> None:
    assert shows(SALES, make_call(1))
    assert shows(SALES, make_call(1, queue_visits=(visit("support"), visit("sales"))))
    assert not shows(SALES, make_call(1, queue_visits=(visit("support"),)))
    assert not shows(SALES, make_call(1, pbx="other", queue_visits=(visit("sales"),)))
    assert shows(None, make_call(1, queue_visits=(visit("support"),)))


def test_whose_doings_are_seen_goes_by_the_queues_they_work_in() -> None:
    members = [("pbx", "sales", "li"), ("pbx", "support", "mei"), ("pbx", "sales", None), ("other", "sales", "zhao")]
    assert workers(SALES, members) == frozenset({"li"})
    assert workers(frozenset(), members) == frozenset()
    assert workers(None, members) is None
