"""The event filters of the sample ``manager.conf``, held against what a real Asterisk sent through them."""

import re
from pathlib import Path

import pytest

from asterisk_conf import SAMPLES
from tests.testbed.ami import Block, parse_blocks

REPLAY = Path(__file__).parents[2] / "replay"
CASES = sorted(path.name for path in REPLAY.iterdir() if (path / "filtered.ami").exists())

LINE = re.compile(
    r"^eventfilter\(name\((?P<name>\w+)\)(?:,header\((?P<header>\w+)\),method\(exact\))?\) =(?: (?P<value>\w+))?$"
)


def filters() -> list[tuple[str, str | None, str | None]]:
    lines = (SAMPLES / "manager.conf").read_text(encoding="utf-8").splitlines()
    found = [LINE.match(line) for line in lines if line.startswith("eventfilter")]
    return [(match["name"], match["header"], match["value"]) for match in found if match is not None]


def passes(event: Block) -> bool:
    return any(
        event["Event"] == name and (header is None or event.get(header) == value) for name, header, value in filters()
    )


def events(path: Path) -> list[Block]:
    # FullyBooted is the answer to the log-in, a connection's own, and comes whatever the filters say.
    return [block for block in parse_blocks(path.read_bytes()) if "Event" in block and block["Event"] != "FullyBooted"]


def test_every_filter_line_is_understood() -> None:
    lines = (SAMPLES / "manager.conf").read_text(encoding="utf-8").splitlines()

    assert len(filters()) == sum(line.startswith("eventfilter") for line in lines)


def test_local_channels_are_never_filtered_out() -> None:
    assert [name for name, header, _ in filters() if header == "Channel"] == []


@pytest.mark.parametrize("case", CASES)
def test_asterisk_sent_exactly_what_the_filters_name(case: str) -> None:
    everything = events(REPLAY / case / "events.ami")
    filtered = events(REPLAY / case / "filtered.ami")

    assert filtered == [event for event in everything if passes(event)]


def test_the_filters_spare_most_of_the_stream() -> None:
    everything, filtered = (
        sum((REPLAY / case / name).stat().st_size for case in CASES) for name in ("events.ami", "filtered.ami")
    )

    assert filtered < everything / 2
