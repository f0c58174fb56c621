"""Attempts to log in: counted by login and by address, in bounded memory, by an injected clock."""

from datetime import timedelta

import pytest

from callcenter.accounts.throttle import LATELY, Allowance, Buckets, LoginThrottle, origin_of
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
        gate.succeeded(gate.enter("li", "10.0.0.1"))


def test_a_guesser_who_has_a_whole_network_is_one_address(ticker: Ticker) -> None:
    gate = throttle(ticker)
    for number in range(5):
        gate.enter(f"user{number}", f"2001:db8:0:1::{number:x}")
    with pytest.raises(TooMany):
        gate.enter("another", "2001:db8:0:1:ffff:ffff:ffff:ffff")
    gate.enter("another", "2001:db8:0:2::1")


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_what_is_counted_as_one_address(address: str, origin: str) -> None:
    assert origin_of(address) == origin


def guess(gate: LoginThrottle, login: str, address: str) -> None:
    """Until it is refused."""
    with pytest.raises(TooMany):
        for _ in range(100):
            gate.enter(login, address)


def test_strangers_do_not_shut_out_who_logged_in_lately(ticker: Ticker) -> None:
    gate = throttle(ticker)
    gate.succeeded(gate.enter("li", "10.0.0.1"))
    # from elsewhere, with the same login; and from the same address, with others
    guess(gate, "li", "203.0.113.7")
    for login in ("wang", "zhao"):
        guess(gate, login, "10.0.0.1")
    gate.succeeded(gate.enter("li", "10.0.0.1"))
    # at another desk they are no more than a stranger
    with pytest.raises(TooMany):
        gate.enter("li", "10.0.0.2")


def test_who_logged_in_lately_has_no_more_attempts_than_others(ticker: Ticker) -> None:
    gate = throttle(ticker)
    gate.succeeded(gate.enter("li", "10.0.0.1"))
    for _ in range(3):
        gate.enter("li", "10.0.0.1")
    with pytest.raises(TooMany, match="wait 10 seconds"):
        gate.enter("li", "10.0.0.1")
    # and took none from the others: neither from the address nor, elsewhere, from the login
    gate.enter("wang", "10.0.0.1")
    gate.enter("li", "10.0.0.2")


def test_an_address_is_forgotten_after_a_while_and_when_there_are_too_many(ticker: Ticker) -> None:
    gate = throttle(ticker, limit=2)
    for login in ("li", "wang", "zhao"):
        gate.succeeded(gate.enter(login, "10.0.0.1"))
    for login in ("li", "wang"):
        guess(gate, login, f"203.0.113.{login}")
    with pytest.raises(TooMany):
        gate.enter("li", "10.0.0.1")
    gate.enter("wang", "10.0.0.1")
    ticker.now += LATELY.total_seconds()
    guess(gate, "wang", "203.0.113.9")
    with pytest.raises(TooMany):
        gate.enter("wang", "10.0.0.1")


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
