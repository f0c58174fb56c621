"""Alerts come before a limit is passed, once for each step, and go when things have been better for a while."""

from datetime import UTC, datetime, timedelta

from callcenter.live.alerts import CALM, Alert, Facts, Kind, Limits, Severity, Watchman, judge
from callcenter.metrics.service_level import Formula, Level

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALES = ("pbx", "sales")
LIMITS = Limits(most_waiting=4, longest_wait=timedelta(seconds=60), least_level=0.8, least_ready=2)


def facts(waiting: int = 0, waited: float = 0, level: tuple[int, int] = (0, 0), ready: int = 5) -> Facts:
    return Facts(
        waiting=waiting,
        oldest=NOON - timedelta(seconds=waited) if waiting else None,
        level=Level(Formula.OFFERED, *level),
        ready=ready,
        staffed=True,
    )


def severities(found: Facts) -> dict[Kind, str]:
    return {alert.kind: alert.severity.word for alert in judge(LIMITS, found, NOON) if alert.severity}


def test_near_comes_before_over() -> None:
    assert severities(facts()) == {}
    assert severities(facts(waiting=2)) == {}
    assert severities(facts(waiting=3)) == {Kind.WAITING: "near"}
    assert severities(facts(waiting=4)) == {Kind.WAITING: "near"}
    assert severities(facts(waiting=5)) == {Kind.WAITING: "over"}
    assert severities(facts(waiting=1, waited=44)) == {}
    assert severities(facts(waiting=1, waited=45)) == {Kind.LONGEST_WAIT: "near"}
    assert severities(facts(waiting=1, waited=61)) == {Kind.LONGEST_WAIT: "over"}
    assert severities(facts(level=(86, 100))) == {}
    assert severities(facts(level=(84, 100))) == {Kind.SERVICE_LEVEL: "near"}
    assert severities(facts(level=(79, 100))) == {Kind.SERVICE_LEVEL: "over"}
    assert severities(facts(ready=2)) == {Kind.READY: "near"}
    assert severities(facts(ready=1)) == {Kind.READY: "over"}


def test_an_empty_queue_at_night_is_no_news() -> None:
    night = Facts(waiting=0, oldest=None, level=Level(Formula.OFFERED, 0, 0), ready=0, staffed=False)
    assert severities(night) == {}


def step(watchman: Watchman, severity: Severity | None, seconds: float) -> list[str]:
    alerts = {} if severity is None else {Kind.WAITING: Alert(Kind.WAITING, severity, 3, 4)}
    return [turn.alert.severity.word for turn in watchman.look(SALES, alerts, NOON + timedelta(seconds=seconds))]


def test_a_step_up_is_told_at_once_and_once() -> None:
    watchman = Watchman()
    assert step(watchman, Severity.NONE, 0) == []
    assert step(watchman, Severity.NEAR, 1) == ["near"]
    assert step(watchman, Severity.NEAR, 2) == []
    assert step(watchman, Severity.OVER, 3) == ["over"]
    assert [one.severity for one in watchman.standing(SALES)] == [Severity.OVER]


def test_a_number_that_swings_around_its_limit_is_told_once() -> None:
    watchman = Watchman()
    told = [word for n in range(40) for word in step(watchman, Severity.OVER if n % 2 else Severity.NEAR, n)]
    assert told == ["near", "over"]


def test_it_passes_when_it_was_better_for_a_while() -> None:
    watchman = Watchman()
    step(watchman, Severity.OVER, 0)
    assert step(watchman, Severity.NONE, 1) == []
    assert step(watchman, Severity.NONE, 1 + CALM.total_seconds()) == ["clear"]
    assert (watchman.standing(SALES), watchman.queues()) == ([], [])


def test_a_limit_that_is_taken_away_takes_its_alert_along() -> None:
    watchman = Watchman()
    step(watchman, Severity.OVER, 0)
    assert step(watchman, None, 1) == ["clear"]
