"""How many requests of one principal are answered in a time: a bucket of tokens each, told in every answer.

The headers are those of draft-ietf-httpapi-ratelimit-headers: the policy, what is left, and when it is whole again.
"""

from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Final

from aiohttp import web

from callcenter.accounts.roles import Principal, Role
from callcenter.accounts.throttle import Allowance, Buckets
from callcenter.errors import TooMany

WINDOW: Final = timedelta(minutes=1)
MOST_REMEMBERED: Final = 10_000
PEOPLE: Final = 600
"""Requests of a person in a minute, and at once."""
KEYS: Final = 3_000
"""Requests of an API key in a minute, and at once."""


class Rates:
    """The buckets of all principals; memory is bounded by their number."""

    def __init__(self, people: int, keys: int, clock: Callable[[], float]) -> None:
        """`people` and `keys` are requests in a minute; `clock` gives seconds that never go back."""
        self._people = _Policy("people", people, clock)
        self._keys = _Policy("keys", keys, clock)

    def take(self, principal: Principal) -> tuple[dict[str, str], TooMany | None]:
        """Note a request: the headers of its answer, and the refusal where there were too many."""
        policy = self._keys if principal.role is Role.INTEGRATION else self._people
        return policy.take((principal.tenant_id, principal.actor))


class _Policy:
    def __init__(self, name: str, quota: int, clock: Callable[[], float]) -> None:
        self._quota = quota
        self._each_s = WINDOW.total_seconds() / quota
        self._buckets = Buckets(Allowance(quota, WINDOW / quota), clock, MOST_REMEMBERED)
        self._name = name

    def take(self, key: tuple[int, str]) -> tuple[dict[str, str], TooMany | None]:
        wait_s = self._buckets.wait_s(key)
        refused = None
        if wait_s > 0:
            refused = TooMany(
                f"more than {self._quota} requests in a minute: wait {ceil(wait_s)} seconds, then ask more slowly",
                retry_after=timedelta(seconds=wait_s),
            )
        else:
            self._buckets.take(key)
        left = self._buckets.left(key)
        whole_s = ceil((self._quota - left) * self._each_s)
        return {
            "RateLimit-Policy": f'"{self._name}";q={self._quota};w={WINDOW.total_seconds():.0f}',
            "RateLimit": f'"{self._name}";r={int(left)};t={whole_s}',
        }, refused


RATES: Final = web.AppKey("rates", Rates)
RATE_HEADERS: Final = web.RequestKey("rate_headers", dict[str, str])
