"""How many requests of one principal run at a time, so that one script does not take the database from the pops."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from aiohttp import web

from callcenter.accounts.roles import Principal
from callcenter.errors import TooMany

AT_ONCE: Final = 8
"""Requests of one principal; those that may wait long, as for the change feed, are so many more."""
RETRY_AFTER: Final = timedelta(seconds=1)


class Turns:
    """Counts the requests in progress of each principal; memory is bounded by their number."""

    def __init__(self, most: int = AT_ONCE) -> None:
        self._most = most
        self._running: Counter[tuple[int, str, bool]] = Counter()

    @contextmanager
    def take(self, principal: Principal, *, long: bool) -> Iterator[None]:
        """One request, until the block ends; `long` ones are counted apart.

        Raises:
            TooMany: as many as may be are in progress.
        """
        key = principal.tenant_id, principal.actor, long
        if self._running[key] >= self._most:
            raise TooMany(
                f"{self._most} requests of yours are in progress: wait for their answers, then ask again",
                retry_after=RETRY_AFTER,
            )
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]


TURNS: Final = web.AppKey("turns", Turns)


def most_of(pool_size: int) -> int:
    """How many, so that of this many connections to the database some are left to the pops."""
    return max(1, min(AT_ONCE, pool_size - 2))
