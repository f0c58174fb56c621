"""How long the client waits."""

from datetime import timedelta
from itertools import islice

from callcenter.ami.backoff import backoff


def test_it_grows_to_its_limit() -> None:
    delays = [delay.total_seconds() for delay in islice(backoff(lambda: 1.0), 20)]
    assert delays == sorted(delays)
    assert delays[0] == 0.5
    assert delays[-1] == 30


def test_each_delay_lies_between_half_and_the_whole_of_its_step() -> None:
    shortest = list(islice(backoff(lambda: 0.0, first=timedelta(seconds=4)), 5))
    longest = list(islice(backoff(lambda: 1.0, first=timedelta(seconds=4)), 5))
    assert [2 * delay for delay in shortest] == longest
