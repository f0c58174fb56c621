"""How often somebody may try to log in: a bucket of attempts for each login and each address.

Attempts are taken before the password is looked at, so that many at once cannot pass, and are given back
when the password was right. Memory is bounded: the bucket that was used longest ago is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from callcenter.errors import TooMany


@dataclass(frozen=True, slots=True)
class Allowance:
    """`attempts` at once, and one more each time that `refill` has passed."""

    attempts: int
    refill: timedelta


LOGIN = Allowance(attempts=8, refill=timedelta(seconds=15))
"""For one login, from anywhere: 8 guesses, then 4 a minute; slow for a guesser, bearable for the owner."""
ADDRESS = Allowance(attempts=40, refill=timedelta(seconds=3))
"""For one address: an office behind one address may log in together in the morning."""


class Buckets:
    """Token buckets by key, at most `limit` of them; full buckets are not kept at all."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float], limit: int) -> None:
        """`clock` gives seconds that never go back."""
        self._allowance = allowance
        self._refill_s = allowance.refill.total_seconds()
        self._clock = clock
        self._limit = limit
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._buckets)

    def wait_s(self, key: str) -> float:
        """Seconds until `key` may try again; 0 when it may now."""
        return max(0.0, (1.0 - self._level(key)) * self._refill_s)

    def take(self, key: str) -> None:
        """Note one attempt of `key`."""
        self._store(key, self._level(key) - 1.0)

    def give_back(self, key: str) -> None:
        """Undo one `take` of `key`."""
        self._store(key, self._level(key) + 1.0)

    def _level(self, key: str) -> float:
        found = self._buckets.get(key)
        if found is None:
            return float(self._allowance.attempts)
        level, at = found
        return min(float(self._allowance.attempts), level + (self._clock() - at) / self._refill_s)

    def _store(self, key: str, level: float) -> None:
        if level >= self._allowance.attempts:
            self._buckets.pop(key, None)
            return
        self._buckets[key] = (max(0.0, level), self._clock())
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._limit:
            self._buckets.popitem(last=False)


class LoginThrottle:
    """Refuses log-ins that come too fast, by login and by address."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        login: Allowance = LOGIN,
        address: Allowance = ADDRESS,
        limit: int = 10_000,
    ) -> None:
        """`limit` bounds how many logins, and how many addresses, are remembered."""
        self._logins = Buckets(login, clock, limit)
        self._addresses = Buckets(address, clock, limit)

    def enter(self, login: str, address: str) -> None:
        """Note an attempt, before the password is looked at.

        Raises:
            TooMany: too many attempts; says when to try again.
        """
        wait_s = max(self._logins.wait_s(login), self._addresses.wait_s(address))
        if wait_s > 0:
            raise TooMany(
                f"too many attempts to log in: wait {max(1, round(wait_s))} seconds and try again",
                retry_after=timedelta(seconds=wait_s),
            )
        self._logins.take(login)
        self._addresses.take(address)

    def succeeded(self, login: str, address: str) -> None:
        """Give the attempt back: the password was right."""
        self._logins.give_back(login)
        self._addresses.give_back(address)
