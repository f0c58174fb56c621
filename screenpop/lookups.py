"""Asks who calls, beside the path of everything else: a late answer delays only its own pop."""

import asyncio
import time
from datetime import UTC, datetime

import msgspec
import structlog

from screenpop.audience import Lookup
from screenpop.contracts import Matcher
from screenpop.floor import Floor
from screenpop.messages import Match
from screenpop.telemetry import Telemetry
from screenpop.timing import Timing

MAX_AT_ONCE = 512
"""Look-ups in progress; beyond, pops go out unmatched at once."""
MAX_CANDIDATES = 20

_log = structlog.get_logger("screenpop")


class Lookups:
    """Runs look-ups as tasks of a group, each with two deadlines.

    Args:
        matcher: answers them.
        telemetry: counts them.
        timing: when the waiting pops go out as `incomplete`, and when the answer is no longer waited for.
    """

    def __init__(self, matcher: Matcher, telemetry: Telemetry, timing: Timing) -> None:
        self._matcher = matcher
        self._telemetry = telemetry
        self._timing = timing
        self._running = 0

    def start(self, group: asyncio.TaskGroup | None, floor: Floor, lookup: Lookup) -> None:
        """Begin a look-up; without a group (the server stops) or with too many the pop goes out at once."""
        if group is None or self._running >= MAX_AT_ONCE:
            self._telemetry.lookups.labels("refused").inc()
            self._overdue(floor, lookup)
            return
        self._running += 1
        group.create_task(self._run(floor, lookup), name=f"screenpop look-up {lookup.call_id}")

    async def _run(self, floor: Floor, lookup: Lookup) -> None:
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._timing.patience_s, self._overdue, floor, lookup)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timing.lookup_s):
                match = await self._matcher.match(floor.tenant_id, lookup.number, lookup.pbx, lookup.trunk)
        except TimeoutError:
            outcome = "timeout"
        except Exception as problem:
            outcome = "failed"
            # The type only: the text of a database error may hold the number.
            _log.warning("lookup_failed", call_id=str(lookup.call_id), reason=type(problem).__name__)
        else:
            outcome = "late" if time.perf_counter() - started > self._timing.patience_s else "in time"
            if len(match.candidates) > MAX_CANDIDATES:
                match = msgspec.structs.replace(match, candidates=match.candidates[:MAX_CANDIDATES])
            self._answer(floor, lookup, match)
        finally:
            late.cancel()
            self._running -= 1
        if outcome in ("timeout", "failed"):
            self._overdue(floor, lookup)
        self._telemetry.lookups.labels(outcome).inc()

    def _answer(self, floor: Floor, lookup: Lookup, match: Match) -> None:
        now = datetime.now(UTC)
        floor.deliver(floor.audience.matched(lookup.call_id, lookup.number, match, now))

    def _overdue(self, floor: Floor, lookup: Lookup) -> None:
        floor.deliver(floor.audience.overdue(lookup.call_id, lookup.number, datetime.now(UTC)))
