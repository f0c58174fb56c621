"""AMI events per second and core: framing, parsing and tracking, against stock panoramisk on the same bytes.
 `python -m bench.events [--seconds 60] [--rate 50]`: (a) simulated calls, of which the service uses nearly
every event; (b) the recorded traces of a real Asterisk with all its events, as an unfiltered AMI user gets
them. Reads are of 64 KiB. Budget (design): decode + parse + track at least 5 times what stock panoramisk does
that dispatches nine event names. Then the cost of an event while 10, 1 000 and 10 000 calls are in progress;
budget: it grows by 20 % at most.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import panoramisk
from panoramisk.ami_protocol import AMIProtocol

from callcenter.ami import parse, wire
from callcenter.simulator.flows import inbound
from callcenter.simulator.load import VirtualPbx, big_company, load
from callcenter.simulator.people import Answers, Caller, Manners
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker

REPLAY = Path(__file__).parents[1] / "tests" / "replay"
READ = 64 * 1024
ROUNDS = 3
NINE = (
    "Newchannel",
    "Newstate",
    "Hangup",
    "DialBegin",
    "DialEnd",
    "BridgeEnter",
    "BridgeLeave",
    "AgentCalled",
    "AgentConnect",
)
ARRIVED = datetime(2026, 1, 1, tzinfo=UTC)

Work = Callable[[list[bytes]], int]


def framing(reads: list[bytes]) -> int:
    """Only split at empty lines: the limit."""
    count = 0
    rest = b""
    for data in reads:
        blocks = (rest + data).split(b"\r\n\r\n")
        rest = blocks.pop()
        count += len(blocks)
    return count


def decoding(reads: list[bytes]) -> int:
    """`wire.Decoder` alone."""
    decoder = wire.Decoder()
    return sum(len(decoder.feed(data)) for data in reads)


def parsing(reads: list[bytes]) -> int:
    """Decoder and parser."""
    decoder = wire.Decoder()
    count = 0
    for data in reads:
        for block in decoder.feed(data):
            parse.event(block, ARRIVED)
            count += 1
    return count


def tracking(reads: list[bytes]) -> int:
    """Decoder, parser and tracker: all that stands between the socket and a change."""
    decoder = wire.Decoder()
    tracker = Tracker(Directory())
    count = 0
    for data in reads:
        for block in decoder.feed(data):
            event = parse.event(block, ARRIVED)
            if event is not None:
                tracker.apply(event)
            count += 1
    return count


def stock(names: tuple[str, ...]) -> Work:
    """Return stock panoramisk that dispatches these events to a callback that does nothing."""

    def work(reads: list[bytes]) -> int:
        count = 0

        def callback(manager: Any, event: Any) -> None:
            nonlocal count
            count += 1

        manager = panoramisk.Manager()
        for name in names:
            manager.register_event(name, callback)
        protocol = AMIProtocol()
        protocol.connection_made(None)
        protocol.factory = manager
        protocol.encoding = "utf8"
        protocol.responses = {}
        for data in reads:
            protocol.data_received(data)
        return framing(reads)

    return work


def cut(data: bytes) -> list[bytes]:
    """Cut a stream into reads."""
    return [data[at : at + READ] for at in range(0, len(data), READ)]


def rate(work: Work, reads: list[bytes]) -> float:
    """Return events per second, the best of a few rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        # The processor's time, so that others on the machine do not count.
        start = time.process_time()
        count = work(reads)
        best = max(best, count / (time.process_time() - start))
    return best


def compare(title: str, reads: list[bytes]) -> None:
    """Print what each way does of one stream."""
    naive = rate(stock(NINE), reads)
    print(f"\n{title}: {framing(reads):,} events, {sum(map(len, reads)):,} bytes")
    rows: list[tuple[str, Work]] = [
        ("stock panoramisk, nine names", stock(NINE)),
        ("stock panoramisk, *", stock(("*",))),
        ("split only (limit)", framing),
        ("decode", decoding),
        ("decode + parse", parsing),
        ("decode + parse + track", tracking),
    ]
    for name, work in rows:
        found = rate(work, reads)
        print(f"  {name:32} {found:12,.0f}/s   {found / naive:6.1f} x")


def growth() -> None:
    """Print the cost of an event of one call while others are in progress."""
    print("\ncost of an event by calls in progress")
    base = 0.0
    for calls in (10, 1000, 10_000):
        virtual = VirtualPbx(big_company(agents=9000))
        tracker = Tracker(Directory())
        forever = Manners(callee=lambda extension, attempt: Answers(1), talk=1e9)
        dids = [did for did, to in virtual.pbx.company.numbers.items() if to in virtual.pbx.company.phones]
        for number in range(calls):
            virtual.schedule.place(inbound(virtual.pbx, Caller(f"0770{number:07}"), dids[number % len(dids)], forever))
        virtual.run(virtual.time + 5)
        for block in wire.Decoder().feed(virtual.take()):
            event = parse.event(block, ARRIVED)
            if event is not None:
                tracker.apply(event)
        short = Manners(callee=lambda extension, attempt: Answers(1), talk=5)
        for number in range(2000):
            virtual.schedule.place(inbound(virtual.pbx, Caller(f"0780{number:07}"), dids[-1], short), number * 0.01)
        virtual.run(virtual.time + timedelta(minutes=2).total_seconds())
        events = [event for block in wire.Decoder().feed(virtual.take()) if (event := parse.event(block, ARRIVED))]
        start = time.process_time()
        for event in events:
            tracker.apply(event)
        each = (time.process_time() - start) / len(events)
        base = base or each
        print(f"  {calls:6,} calls   {each * 1e6:6.2f} µs   {each / base:5.2f} x")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=50, help="calls per second")
    arguments = parser.parse_args()
    compare("simulated calls", cut(b"".join(load(arguments.rate, arguments.seconds))))
    recorded = b"".join(path.read_bytes() for path in sorted(REPLAY.glob("*/events.ami")))
    compare("recorded traces, unfiltered", cut(recorded * 8))
    growth()


if __name__ == "__main__":
    main()
