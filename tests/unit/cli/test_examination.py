"""`callcenter doctor`: what it makes of the events that came."""

from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from callcenter.cli.examination import clock_finding, shown, unused
from callcenter.cli.findings import Finding, Verdict
from tests import traces
from tests.testbed.ami import parse_blocks


def test_a_long_path_is_shown_whole_on_a_narrow_terminal() -> None:
    path = "/var/lib/callcenter/" + "a-long-name/" * 10 + "postgresql"
    paper = StringIO()
    Console(file=paper, width=80).print(shown([Finding("database", Verdict.GOOD, path)]))
    assert path in "".join(paper.getvalue().split())


def names(stream: str) -> set[str]:
    """The events of a call through a queue, as a real Asterisk sent them."""
    blocks = parse_blocks(traces.transcript("queue-ringall-three-members", stream))
    return {block["Event"] for block in blocks if "Event" in block}


def test_a_pbx_with_the_filters_of_the_sample_is_in_order() -> None:
    assert unused("pbx", names("filtered.ami")) == []


def test_a_pbx_without_filters_is_doubted_and_told_what_is_needless() -> None:
    (finding,) = unused("pbx", names("events.ami"))
    assert finding.verdict is Verdict.DOUBT
    assert "DeviceStateChange" in finding.what and "Newchannel" not in finding.what


@pytest.mark.parametrize(("behind", "said"), [(7.5, "7.5 s behind ours"), (-90, "90.0 s ahead of ours")])
def test_a_clock_that_is_off_is_told_with_its_direction(behind: float, said: str) -> None:
    finding = clock_finding("pbx", timedelta(seconds=behind))
    assert finding.verdict is Verdict.BAD and said in finding.what and "NTP" in finding.mend
    assert clock_finding("pbx", timedelta(seconds=0.4)).verdict is Verdict.GOOD
