"""`callcenter doctor`: what it makes of the events that came."""

from datetime import timedelta

import pytest

from callcenter.cli.examination import clock_finding, unused
from callcenter.cli.findings import Verdict
from tests import traces
from tests.testbed.ami import parse_blocks


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
