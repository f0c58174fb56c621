"""Gives each change to everyone who wants it. One consumer that fails never keeps a change from the others."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from callcenter.changes import CallAnswered, CallChange, CallEnded, CallMerged, CallStarted, CallTransferred
from callcenter.model import Call

LINES_S: Final = 0.05
"""How much later than what they tell of the lines of the log are written: many at a time take a third of the time."""
LINES_AT_ONCE: Final = 16
"""Lines that are written in one piece; then whatever else waits has its turn."""
MOST_LINES: Final = 1000
"""Lines that may wait; beyond, they are written at once."""

Consumer = Callable[[CallChange, datetime], None]
"""Takes a change and the time at which its event was read; quick, and never waits."""

LOGGED = {
    CallStarted: "call_started",
    CallAnswered: "call_answered",
    CallTransferred: "call_transferred",
    CallMerged: "call_merged",
    CallEnded: "call_ended",
}
"""Changes that get a line in the log: enough to follow a call, without numbers and names."""


class FanOut:
    """The only place where changes part."""

    def __init__(self) -> None:
        self._consumers: list[tuple[str, Consumer]] = []
        self.ended: Counter[tuple[str, str]] = Counter()
        """(PBX, status) → calls that ended since the start."""
        self._untold: deque[tuple[str, Call, datetime]] = deque()
        self._log = structlog.get_logger("callcenter.calls")

    def add(self, name: str, consumer: Consumer) -> None:
        """Give changes to one more, after those who were added before."""
        self._consumers.append((name, consumer))

    def publish(self, change: CallChange, arrived: datetime) -> None:
        """Give a change to all consumers, in their order."""
        for name, consume in self._consumers:
            try:
                consume(change, arrived)
            except Exception:
                self._log.exception("consumer_failed", consumer=name, call_id=str(change.call_id))
        if isinstance(change, CallEnded):
            self.ended[change.call.pbx, change.call.status.value] += 1
        event = LOGGED.get(type(change))
        if event is not None:
            self._note(event, change.call)

    def tell(self) -> None:
        """Write the lines that wait."""
        self._tell(len(self._untold))

    def _note(self, event: str, call: Call) -> None:
        untold = self._untold
        if not untold:
            asyncio.get_running_loop().call_later(LINES_S, self._tell_some)
        untold.append((event, call, datetime.now(UTC)))
        if len(untold) >= MOST_LINES:
            self.tell()

    def _tell_some(self) -> None:
        self._tell(LINES_AT_ONCE)
        if self._untold:
            asyncio.get_running_loop().call_soon(self._tell_some)

    def _tell(self, most: int) -> None:
        for _ in range(min(most, len(self._untold))):
            event, call, at = self._untold.popleft()
            self._log.info(
                event,
                call_id=str(call.call_id),
                pbx=call.pbx,
                direction=call.direction.value,
                status=call.status.value,
                timestamp=f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
            )
