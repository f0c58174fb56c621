"""AMI events per second and core: framing, parsing and tracking, against stock panoramisk on the same bytes.

`python -m bench.events`: the recorded traces of a real Asterisk, again and again with other channels, times and calls:
with all their events, as a PBX sends them to who does not filter, and as it sends them to the service, which has it
send what is used alone; then simulated calls, of which nearly every event is used. Reads are of 64 KiB, time is the
processor's, and the ways take turns. Budget: decode, parse and track what a PBX sends at least 5 times as fast as
stock panoramisk does no more than dispatch nine event names.
"""

import argparse
import re
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import panoramisk
from panoramisk.ami_protocol import AMIProtocol

from bench.rows import Row, table
from callcenter.ami import parse, wire
from callcenter.simulator.load import load
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker

REPLAY = Path(__file__).parents[1] / "tests" / "replay"
READ = 64 * 1024
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
EPOCH = re.compile(rb"\b1[0-9]{9}\b")
APART = 1_000_000
"""Seconds between two copies of a trace, so that their channels have ids and times of their own."""

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
        def callback(manager: Any, event: Any) -> None: ...

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


BASE = "stock panoramisk, nine names"
LIMIT = "split at empty lines (limit)"
OURS = "decode + parse + track"
WAYS: dict[str, Work] = {
    BASE: stock(NINE),
    "stock panoramisk, *": stock(("*",)),
    LIMIT: framing,
    "decode": decoding,
    "decode + parse": parsing,
    OURS: tracking,
}


def cut(data: bytes) -> list[bytes]:
    """Cut a stream into reads."""
    return [data[at : at + READ] for at in range(0, len(data), READ)]


def recorded(stream: str, copies: int) -> bytes:
    """The recorded traces, so many times, each time with other ids and times."""
    once = b"".join(path.read_bytes() for path in sorted(REPLAY.glob(f"*/{stream}")))

    def copy(number: int) -> bytes:
        return EPOCH.sub(lambda found: b"%d" % (int(found[0]) + number * APART), once)

    return b"".join(copy(number) for number in range(copies))


def compare(title: str, data: bytes, rounds: int, budget: str) -> list[Row]:
    """Each way's events per second of processor time; the ratios are made within each round."""
    reads = cut(data)
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, work in WAYS.items():
            start = time.process_time()
            count = work(reads)
            found[name].append(count / (time.process_time() - start))
    return [
        Row(
            name=f"{title}: {name}",
            value=statistics.median(rates),
            unit="events/s",
            ratio=statistics.median(one / base for one, base in zip(rates, found[BASE], strict=True)),
            ratio_to=BASE,
            budget=budget if name == OURS else "",
        )
        for name, rates in found.items()
    ]


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    copies, rounds = (2, 3) if quick else (6, 5)
    return [
        *compare("as Asterisk sends", recorded("events.ami", copies), rounds, "≥ 5"),
        *compare("filtered by Asterisk", recorded("filtered.ami", copies), rounds, ""),
        *compare("simulated, all used", b"".join(load(50, copies * 5)), rounds, ""),
    ]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    print(table("Events per second and core", run(arguments.parse_args().quick)))
