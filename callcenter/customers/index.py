"""Finds the customers that a number may belong to, while the telephone rings.

An exact number is the usual case and takes one round trip, which brings everything that the pop card shows.
Only where it finds nobody, a second statement looks for the national digits and for the last digits. Both
weaker fits are guesses, and are made only where one side does not name its country for certain: a number
that says +1 is never taken for one that says +44.

While PostgreSQL does not answer, who was found lately is found again: as an `incomplete` answer, since the customer may
be another one by now.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from msgspec.structs import replace

from callcenter.customers.remembered import Remembered
from callcenter.db.engine import Connection, Pool
from callcenter.matching.number import PhoneNumber
from callcenter.matching.rank import Found, Match, MatchReason, MatchStatus, is_worth_asking, rank

DEADLINE = timedelta(milliseconds=500)
"""How long a look-up may take; then the answer is `incomplete`, and the telephone still rings."""

REST_S = 1.0
"""After a look-up that got no answer, the next are answered from memory for so long: each would wait in vain."""

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

_BACKWARDS = 'reverse(national) COLLATE "C"'
"""What `ix_customer_phones_backwards` holds: numbers that end alike stand side by side. The colon below sorts behind
all digits."""

GUESS = f"""
SELECT c.customer_id, c.name, c.company, c.email, p.raw, p.label, p.position, c.tags, c.owner, c.last_call_at,
  p.fit
FROM (
  (SELECT customer_id, raw, label, position, 'national' AS fit FROM customer_phones
   WHERE tenant_id = $1 AND {_BACKWARDS} = reverse($2) AND (NOT $4::boolean OR e164 IS NULL) LIMIT {MOST_FOUND})
  UNION ALL
  (SELECT customer_id, raw, label, position, 'suffix' FROM customer_phones
   WHERE tenant_id = $1 AND {_BACKWARDS} >= reverse($3) AND {_BACKWARDS} < reverse($3) || ':' AND national <> $2
     AND (NOT $4::boolean OR e164 IS NULL)
     AND (right(national, length($2)) = $2 OR right($2, length(national)) = national) LIMIT {MOST_FOUND})
) p
CROSS JOIN LATERAL (SELECT * FROM customers WHERE tenant_id = $1 AND customer_id = p.customer_id LIMIT 1) c
"""
"""$1 tenant, $2 national digits, $3 their last digits, $4 whether the number names its country.

LATERAL, because PostgreSQL takes any range for large, and would read all customers to join them."""

Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]

_UNREACHABLE = (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
# The last is what asyncpg raises where a connection breaks in the middle of a statement.

_log = structlog.get_logger("callcenter.customers")


class CustomerIndex:
    """Looks numbers up in the customers' table. Safe to use from many tasks."""

    def __init__(self, pool: Pool, deadline: timedelta = DEADLINE) -> None:
        self._pool = pool
        self._deadline_s = deadline.total_seconds()
        self._was_reached = True
        self._remembered = Remembered()
        self._rests_until = 0.0
        self._is_ready = False
        self._room = 0
        """How many more connections may be kept at hand."""
        self._kept: list[tuple[PoolConnectionProxy[asyncpg.Record], Fetch]] = []

    async def match(self, tenant_id: int, number: PhoneNumber, agent: str | None = None) -> Match:
        """Return who `number` may belong to, the likeliest first; with `agent`, their own before others.

        Never raises because of the database: where an answer does not come within the deadline it is
        `incomplete`, which is not the same as nobody, and names who was found for this number lately.
        """
        if not is_worth_asking(number):
            return rank(number, (), now=datetime.now(UTC))
        clock = asyncio.get_running_loop().time
        if clock() < self._rests_until:
            return self._from_memory(tenant_id, number, agent, clock())
        try:
            found = await self._find(tenant_id, number)
        except _UNREACHABLE as problem:
            if isinstance(problem, TimeoutError):
                self._rests_until = clock() + REST_S
            self._note_reached(False, problem)
            return self._from_memory(tenant_id, number, agent, clock())
        self._note_reached(True)
        self._remembered.put(tenant_id, number, found, clock())
        return rank(number, found, now=datetime.now(UTC), agent=agent)

    def forget(self) -> None:
        """Forget who was found lately: a customer was erased."""
        self._remembered.forget()

    def _from_memory(self, tenant_id: int, number: PhoneNumber, agent: str | None, now: float) -> Match:
        found = self._remembered.get(tenant_id, number, now)
        return replace(rank(number, found, now=datetime.now(UTC), agent=agent), status=MatchStatus.INCOMPLETE)

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[None]:
        """Keep connections at hand for the time of the block, which saves a third of a look-up's time.

        At most a third of the pool, as they are needed; look-ups beyond use the pool, and so do all of them outside
        of the block.
        """
        self._is_ready = True
        self._room = self._pool.get_max_size() // 3
        try:
            yield
        finally:
            self._is_ready = False
            self._room = 0
            while self._kept:
                connection, _ = self._kept.pop()
                await self._pool.release(connection, timeout=self._deadline_s)

    async def _find(self, tenant_id: int, number: PhoneNumber) -> list[Found]:
        # asyncpg's own timers: it has one per statement anyway, and asyncio.timeout would be another
        ends = asyncio.get_running_loop().time() + self._deadline_s
        # The one given back last: its backend is the likeliest to be still in the processor's caches.
        kept = self._kept.pop() if self._kept else None
        connection = kept[0] if kept is not None else await self._pool.acquire(timeout=self._deadline_s)
        keeps = kept is not None or self._room > 0
        try:
            fetch: Fetch
            if kept is not None:
                fetch = kept[1]
            elif keeps:
                self._room -= 1
                # Before the question, never after it: the server times a statement from its preparation to its run,
                # and one that never runs would be canceled in the middle of whatever comes next.
                fetch = (await connection.prepare(EXACT, timeout=self._deadline_s)).fetch
            else:
                fetch = partial(connection.fetch, EXACT)
            found = await _ask(connection, fetch, tenant_id, number, ends)
        except BaseException:
            self._room += keeps and self._is_ready
            # the server may be frozen: do not wait longer for its word that it has stopped
            await self._pool.release(connection, timeout=self._deadline_s)
            raise
        if keeps and self._is_ready:
            self._kept.append((connection, fetch))
        else:
            await self._pool.release(connection)
        return found

    def _note_reached(self, reached: bool, problem: BaseException | None = None) -> None:
        """Say once that look-ups fail, and once that they work again."""
        if reached is self._was_reached:
            return
        self._was_reached = reached
        if reached:
            _log.info("customers_back")
        else:
            _log.warning("customers_away", reason=type(problem).__name__)


async def _ask(connection: Connection, fetch: Fetch, tenant_id: int, number: PhoneNumber, ends: float) -> list[Found]:
    """`fetch` runs `EXACT`, which may be prepared already; `ends` is when the loop's clock says stop."""
    clock = asyncio.get_running_loop().time
    if number.e164 is not None:
        rows = await fetch(tenant_id, number.e164, timeout=max(ends - clock(), 0.001))
        if rows:
            return [_found(row, MatchReason.EXACT) for row in rows]
    if number.national is None:
        return []
    keys = (number.national, number.suffix, number.international)
    rows = await connection.fetch(GUESS, tenant_id, *keys, timeout=max(ends - clock(), 0.001))
    return [_found(row, MatchReason(row[10])) for row in rows]


def _found(row: asyncpg.Record, fit: MatchReason) -> Found:
    return Found(row[0], row[1], row[2], row[3], row[4], row[5], row[6], tuple(row[7]), row[8], row[9], fit)
