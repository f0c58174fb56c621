"""How long to wait before the next attempt to connect. Pure: the randomness is handed in."""

from collections.abc import Callable, Iterator
from datetime import timedelta


def backoff(
    random: Callable[[], float],
    first: timedelta = timedelta(seconds=0.5),
    factor: float = 1.7,
    longest: timedelta = timedelta(seconds=30),
) -> Iterator[timedelta]:
    """Yield growing delays for ever, each between half and the whole of its step.

    `random` returns numbers from 0 up to 1. The jitter keeps a floor of services from knocking on a PBX that
    has just come back all at once; the first delay has it too.
    """
    step = first
    while True:
        yield step * (0.5 + 0.5 * random())
        step = min(longest, step * factor)
