"""Plays flows: generators that say how long they wait and are told when something comes between. Pure.

The same schedule runs by the real clock (`server`) and by a virtual one (`load`, tests).
"""

import heapq
import itertools
from collections.abc import Callable, Generator

from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Signal

Flow = Generator[float, Signal | None, None]
"""Yields how many seconds to wait; is sent None when they are over, or the signal that came before."""


class Placed:
    """A flow that was given to the schedule. `done` is called when it has ended."""

    __slots__ = ("done", "due", "ended", "flow", "turn")

    def __init__(self, flow: Flow, done: Callable[[], None] | None) -> None:
        self.flow = flow
        self.done = done
        self.ended = False
        self.due = 0.0
        self.turn = 0


class Schedule:
    """Flows by the time at which they go on, by the clock of the PBX."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self._heap: list[tuple[float, int, int, Placed]] = []
        self._order = itertools.count()

    def place(self, flow: Flow, after: float = 0.0, done: Callable[[], None] | None = None) -> Placed:
        """Let a flow begin `after` seconds from now."""
        placed = Placed(flow, done)
        self._later(placed, self.pbx.now() + after)
        return placed

    @property
    def next_due(self) -> float | None:
        """When something goes on next, in seconds since 1970; None while nothing is to come."""
        while self._heap and self._heap[0][2] != self._heap[0][3].turn:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_due(self, most: int = 1000) -> int:
        """Let every flow go on whose time has come, `most` of them at once; return how many did."""
        steps = 0
        while steps < most:
            due = self.next_due
            if due is None or due > self.pbx.now():
                break
            placed = heapq.heappop(self._heap)[3]
            self._step(placed, None)
            steps += 1
        return steps

    def signal(self, signal: Signal) -> bool:
        """Tell the flow that plays a channel; False where no flow plays it."""
        channel = self.pbx.channels.get(signal.channel)
        if channel is None or not isinstance(channel.owner, Placed) or channel.owner.ended:
            return False
        self._step(channel.owner, signal)
        return True

    def _later(self, placed: Placed, due: float) -> None:
        placed.due = due
        placed.turn += 1
        heapq.heappush(self._heap, (due, next(self._order), placed.turn, placed))

    def _step(self, placed: Placed, signal: Signal | None) -> None:
        before, self.pbx.owner = self.pbx.owner, placed
        try:
            wait = next(placed.flow) if signal is None else placed.flow.send(signal)
        except StopIteration:
            placed.turn += 1
            placed.ended = True
            if placed.done is not None:
                placed.done()
        else:
            self._later(placed, self.pbx.now() + wait)
        finally:
            self.pbx.owner = before
