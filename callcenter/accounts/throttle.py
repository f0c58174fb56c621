"""How often somebody may try to log in: a bucket of attempts for each login and each address.

Attempts are taken before the password is looked at, so that many at once cannot pass, and are given back
when the password was right. Memory is bounded: the bucket that was used longest ago is forgotten first.

Whoever logged in lately from an address has a bucket of their own for it, so that strangers who guess, elsewhere or at
the same address, do not shut them out. An address is, of IPv6, the network that one customer of a provider has.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

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


LATELY: Final = timedelta(days=30)
"""So long after a log-in its address is known for that login."""
IPV6_PREFIX: Final = 64
"""Bits of the smallest network that a provider gives away; within it anybody may have each address (RFC 6177)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to log in that was let through: as `login`, from `origin`; `known` where they logged in lately."""

    login: str
    origin: str
    known: bool


class Buckets:
    """Token buckets by key, at most `limit` of them; full buckets are not kept at all."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float], limit: int) -> None:
        """`clock` gives seconds that never go back."""
        self._allowance = allowance
        self._refill_s = allowance.refill.total_seconds()
        self._clock = clock
        self._limit = limit
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._buckets)

    def wait_s(self, key: Hashable) -> float:
        """Seconds until `key` may try again; 0 when it may now."""
        return max(0.0, (1.0 - self._level(key)) * self._refill_s)

    def left(self, key: Hashable) -> float:
        """How many attempts `key` has left now."""
        return self._level(key)

    def take(self, key: Hashable) -> None:
        """Note one attempt of `key`."""
        self._store(key, self._level(key) - 1.0)

    def give_back(self, key: Hashable) -> None:
        """Undo one `take` of `key`."""
        self._store(key, self._level(key) + 1.0)

    def _level(self, key: Hashable) -> float:
        found = self._buckets.get(key)
        if found is None:
            return float(self._allowance.attempts)
        level, at = found
        return min(float(self._allowance.attempts), level + (self._clock() - at) / self._refill_s)

    def _store(self, key: Hashable, level: float) -> None:
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
        """`limit` bounds how many logins, how many addresses, and how many of both together are remembered."""
        self._clock = clock
        self._limit = limit
        self._logins = Buckets(login, clock, limit)
        self._addresses = Buckets(address, clock, limit)
        self._own = Buckets(login, clock, limit)
        self._lately: OrderedDict[tuple[str, str], float] = OrderedDict()
        """When each login was last right, by address; the longest ago first."""

    def enter(self, login: str, address: str) -> Attempt:
        """Note an attempt, before the password is looked at.

        Raises:
            TooMany: too many attempts; says when to try again.
        """
        attempt = Attempt(login, origin_of(address), self._knows(login, origin_of(address)))
        wait_s = max(buckets.wait_s(key) for buckets, key in self._of(attempt))
        if wait_s > 0:
            raise TooMany(
                f"too many attempts to log in: wait {max(1, round(wait_s))} seconds and try again",
                retry_after=timedelta(seconds=wait_s),
            )
        for buckets, key in self._of(attempt):
            buckets.take(key)
        return attempt

    def succeeded(self, attempt: Attempt) -> None:
        """Give the attempt back, and know the address from now on: the password was right."""
        for buckets, key in self._of(attempt):
            buckets.give_back(key)
        self._lately[attempt.login, attempt.origin] = self._clock()
        self._lately.move_to_end((attempt.login, attempt.origin))
        while len(self._lately) > self._limit:
            self._lately.popitem(last=False)

    def _knows(self, login: str, origin: str) -> bool:
        at = self._lately.get((login, origin))
        return at is not None and self._clock() - at < LATELY.total_seconds()

    def _of(self, attempt: Attempt) -> tuple[tuple[Buckets, Hashable], ...]:
        """The buckets that an attempt is taken from."""
        if attempt.known:
            return ((self._own, (attempt.login, attempt.origin)),)
        return ((self._logins, attempt.login), (self._addresses, attempt.origin))


def origin_of(address: str) -> str:
    """What is counted as one address: of IPv6 its /64, which one guesser has as a whole; what is none, as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, IPV6_PREFIX), strict=False))
