"""Gives each change to everyone who wants it. One consumer that fails never keeps a change from the others."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import structlog

from callcenter.changes import CallAnswered, CallChange, CallEnded, CallMerged, CallStarted, CallTransferred
from callcenter.model import Call

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
            # A line takes longer than all else here: what was begun above, such as a look-up, goes first.
            asyncio.get_running_loop().call_soon(self._tell, event, change.call)

    def _tell(self, event: str, call: Call) -> None:
        self._log.info(
            event,
            call_id=str(call.call_id),
            pbx=call.pbx,
            direction=call.direction.value,
            status=call.status.value,
        )
