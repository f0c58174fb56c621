"""Finds the customers that a number may belong to, while the telephone rings.

An exact number is the usual case and takes one round trip, which brings everything that the pop card shows.
Only where it finds nobody, a second statement looks for the national digits and for the last digits. Both
weaker fits are guesses, and are made only where one side does not name its country for certain: a number
that says +1 is never taken for one that says +44.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from callcenter.db.engine import Pool
from callcenter.matching.number import PhoneNumber
from callcenter.matching.rank import Found, Match, MatchReason, is_worth_asking, rank

DEADLINE = timedelta(milliseconds=500)
"""How long a look-up may take; then the answer is `incomplete`, and the telephone still rings."""

MOST_FOUND = 100
"""Phones that one look-up reads; more customers than that sharing a number are not told apart anyway."""

EXACT = f"""
SELECT c.customer_id, c.name, c.company, c.email, p.raw, p.label, p.position, c.tags, c.owner, c.last_call_at
FROM (
  SELECT customer_id, raw, label, position FROM customer_phones
  WHERE tenant_id = $1 AND e164 = $2 LIMIT {MOST_FOUND}
) p
JOIN customers c ON c.tenant_id = $1 AND c.customer_id = p.customer_id
"""
"""$1 tenant, $2 the number as E.164."""

GUESS = f"""
SELECT c.customer_id, c.name, c.company, c.email, p.raw, p.label, p.position, c.tags, c.owner, c.last_call_at,
  p.fit
FROM (
  (SELECT customer_id, raw, label, position, 'national' AS fit FROM customer_phones
   WHERE tenant_id = $1 AND national = $2 AND (NOT $4::boolean OR e164 IS NULL) LIMIT {MOST_FOUND})
  UNION ALL
  (SELECT customer_id, raw, label, position, 'suffix' FROM customer_phones
   WHERE tenant_id = $1 AND suffix = $3 AND national <> $2 AND (NOT $4::boolean OR e164 IS NULL)
     AND (right(national, length($2)) = $2 OR right($2, length(national)) = national) LIMIT {MOST_FOUND})
) p
JOIN customers c ON c.tenant_id = $1 AND c.customer_id = p.customer_id
"""
"""$1 tenant, $2 national digits, $3 their last digits, $4 whether the number names its country."""

_UNREACHABLE = (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
# The last is what asyncpg raises where a connection breaks in the middle of a statement.

_log = structlog.get_logger("callcenter.customers")


class CustomerIndex:
    """Looks numbers up in the customers' table. Safe to use from many tasks."""

    def __init__(self, pool: Pool, deadline: timedelta = DEADLINE) -> None:
        self._pool = pool
        self._deadline_s = deadline.total_seconds()
        self._was_reached = True

    async def match(self, tenant_id: int, number: PhoneNumber, agent: str | None = None) -> Match:
        """Return who `number` may belong to, the likeliest first; with `agent`, their own before others.

        Never raises because of the database: an answer that does not come within the deadline is
        `incomplete`, which is not the same as nobody.
        """
        if not is_worth_asking(number):
            return rank(number, (), now=datetime.now(UTC))
        try:
            found = await self._find(tenant_id, number)
        except _UNREACHABLE as problem:
            self._note_reached(False, problem)
            return rank(number, (), now=datetime.now(UTC), complete=False)
        self._note_reached(True)
        return rank(number, found, now=datetime.now(UTC), agent=agent)

    async def _find(self, tenant_id: int, number: PhoneNumber) -> list[Found]:
        rows: list[asyncpg.Record] = []
        # both limits: asyncpg gives a connection back only after it has told the server to stop
        async with (
            asyncio.timeout(self._deadline_s),
            self._pool.acquire(timeout=self._deadline_s) as connection,
        ):
            if number.e164 is not None:
                rows = await connection.fetch(EXACT, tenant_id, number.e164)
                if rows:
                    return list(_exact(rows))
            if number.national is not None:
                rows = await connection.fetch(GUESS, tenant_id, number.national, number.suffix, number.international)
        return list(_guessed(rows))

    def _note_reached(self, reached: bool, problem: BaseException | None = None) -> None:
        """Say once that look-ups fail, and once that they work again."""
        if reached is self._was_reached:
            return
        self._was_reached = reached
        if reached:
            _log.info("customers_back")
        else:
            _log.warning("customers_away", reason=type(problem).__name__)


def _exact(rows: Iterable[asyncpg.Record]) -> Iterable[Found]:
    return (_found(row, MatchReason.EXACT) for row in rows)


def _guessed(rows: Iterable[asyncpg.Record]) -> Iterable[Found]:
    return (_found(row, MatchReason(row[10])) for row in rows)


def _found(row: asyncpg.Record, fit: MatchReason) -> Found:
    return Found(row[0], row[1], row[2], row[3], row[4], row[5], row[6], tuple(row[7]), row[8], row[9], fit)
