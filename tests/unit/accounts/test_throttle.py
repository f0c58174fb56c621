"""Attempts to log in: counted by login and by address, in bounded memory, by an injected clock."""

from datetime import timedelta

import pytest

from callcenter.accounts.throttle import Allowance, Buckets, LoginThrottle
from callcenter.errors import TooMany


class Ticker:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


def throttle(ticker: Ticker, *, login: int = 3, address: int = 5, limit: int = 100) -> LoginThrottle:
    refill = timedelta(seconds=10)
    return LoginThrottle(ticker, login=Allowance(login, refill), address=Allowance(address, refill), limit=limit)


def test_a_login_is_refused_after_its_attempts_and_again_allowed_after_a_while(ticker: Ticker) -> None:
    gate = throttle(ticker)
    for place in range(3):
        gate.enter("li", f"10.0.0.{place}")
    with pytest.raises(TooMany, match="wait 10 seconds") as refused:
        gate.enter("li", "10.0.0.9")
    assert refused.value.retry_after == timedelta(seconds=10)
    ticker.now += 10
    gate.enter("li", "10.0.0.9")
    with pytest.raises(TooMany):
        gate.enter("li", "10.0.0.9")


def test_an_address_is_refused_whatever_login_it_tries(ticker: Ticker) -> None:
    gate = throttle(ticker)
    for number in range(5):
        gate.enter(f"user{number}", "10.0.0.1")
    with pytest.raises(TooMany):
        gate.enter("another", "10.0.0.1")
    gate.enter("another", "10.0.0.2")


def test_a_refused_attempt_costs_nothing(ticker: Ticker) -> None:
    gate = throttle(ticker, login=1)
    gate.enter("li", "10.0.0.1")
    for _ in range(50):
        with pytest.raises(TooMany):
            gate.enter("li", "10.0.0.1")
    ticker.now += 10
    gate.enter("li", "10.0.0.1")


def test_right_passwords_use_nothing_up(ticker: Ticker) -> None:
    gate = throttle(ticker)
    for _ in range(50):
        gate.enter("li", "10.0.0.1")
        gate.succeeded("li", "10.0.0.1")


def test_memory_is_bounded_and_the_oldest_goes_first(ticker: Ticker) -> None:
    buckets = Buckets(Allowance(2, timedelta(seconds=10)), ticker, limit=3)
    for key in "abcd":
        buckets.take(key)
    assert len(buckets) == 3
    buckets.take("a")
    assert buckets.wait_s("a") == 0  # forgotten, so that it began anew
    buckets.take("d")
    assert buckets.wait_s("d") == 10


def test_full_buckets_are_not_kept(ticker: Ticker) -> None:
    buckets = Buckets(Allowance(2, timedelta(seconds=10)), ticker, limit=3)
    buckets.take("a")
    buckets.give_back("a")
    assert len(buckets) == 0
