"""Customers who were found lately, for the time in which PostgreSQL does not answer."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from callcenter.matching.number import PhoneNumber
from callcenter.matching.rank import Found

MOST: Final = 4096
"""Numbers that are remembered; the ones that did not call for the longest time go first."""
LIFE: Final = timedelta(hours=12)
"""After which an answer is too old to be shown."""
MOST_EACH: Final = 20
"""Customers of one number that are remembered."""

Key = tuple[int, str | None, str | None]


class Remembered:
    """The newest answers, by number. Times are those of the event loop, in seconds."""

    def __init__(self, most: int = MOST, life: timedelta = LIFE) -> None:
        self._most = most
        self._life_s = life.total_seconds()
        self._answers: OrderedDict[Key, tuple[float, tuple[Found, ...]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def put(self, tenant_id: int, number: PhoneNumber, found: Sequence[Found], now: float) -> None:
        """Remember who was found, or that it is nobody any more."""
        key = (tenant_id, number.e164, number.national)
        if not found:
            self._answers.pop(key, None)
            return
        self._answers[key] = (now, tuple(found[:MOST_EACH]))
        self._answers.move_to_end(key)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def forget(self) -> None:
        """Forget all answers: a customer was erased."""
        self._answers.clear()

    def get(self, tenant_id: int, number: PhoneNumber, now: float) -> tuple[Found, ...]:
        """Who was found for a number; nobody where it was not asked for, or too long ago."""
        at, found = self._answers.get((tenant_id, number.e164, number.national), (now, ()))
        return found if now - at <= self._life_s else ()
