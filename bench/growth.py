"""What one more event costs while 10, 1 000 and 10 000 calls are in progress.

`python -m bench.growth`: the same short calls come and go beside those, and only their events are timed, by the
processor's clock. Budget: at 10 000 calls an event costs at most 1.2 × what it costs at 10.
"""

import argparse
import gc
import statistics
import time

from bench.events import ARRIVED
from bench.rows import Row, table
from callcenter.ami import parse, wire
from callcenter.events import Event
from callcenter.simulator.flows import inbound
from callcenter.simulator.load import VirtualPbx, big_company
from callcenter.simulator.people import Answers, Caller, Manners
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker

SIZES = (10, 1000, 10_000)
TURNS = 7
FOREVER = Manners(callee=lambda extension, attempt: Answers(1), talk=1e9)
SHORT = Manners(callee=lambda extension, attempt: Answers(1), talk=5)


class Floor:
    """A PBX and a tracker with so many calls in progress."""

    def __init__(self, calls: int) -> None:
        self.virtual = VirtualPbx(big_company(agents=9000))
        self.tracker = Tracker(Directory())
        numbers = self.virtual.pbx.company.numbers
        self.dids = [did for did, to in numbers.items() if to in self.virtual.pbx.company.phones]
        for number in range(calls):
            self._place(f"0770{number:07}", number, FOREVER, 0)
        self.virtual.run(self.virtual.time + 5)
        for event in self._events():
            self.tracker.apply(event)

    def turn(self, calls: int) -> float:
        """Microseconds of an event of so many short calls, which are over in the end."""
        for number in range(calls):
            self._place(f"0780{number:07}", -1, SHORT, number * 0.01)
        self.virtual.run(self.virtual.time + 60)
        events = self._events()
        gc.collect()
        start = time.process_time()
        for event in events:
            self.tracker.apply(event)
        return (time.process_time() - start) / len(events) * 1e6

    def _place(self, number: str, did: int, manners: Manners, after: float) -> None:
        did = did % len(self.dids)
        self.virtual.schedule.place(inbound(self.virtual.pbx, Caller(number), self.dids[did], manners), after)

    def _events(self) -> list[Event]:
        blocks = wire.Decoder().feed(self.virtual.take())
        return [event for block in blocks if (event := parse.event(block, ARRIVED)) is not None]


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    floors = {calls: Floor(calls) for calls in SIZES}
    found: dict[int, list[float]] = {calls: [] for calls in SIZES}
    for _ in range(TURNS):
        for calls, floor in floors.items():
            found[calls].append(floor.turn(300))
    first = found[SIZES[0]]
    return [
        Row(
            name=f"an event with {calls:,} calls in progress",
            value=statistics.median(costs),
            unit="µs",
            ratio=statistics.median(cost / base for cost, base in zip(costs, first, strict=True)),
            ratio_to=f"{SIZES[0]} calls",
            budget="" if calls == SIZES[0] else "≤ 1.2",
        )
        for calls, costs in found.items()
    ]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(table("Cost of an event as calls grow", run(True)))
