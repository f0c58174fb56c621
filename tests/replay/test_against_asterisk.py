"""The records that the traces give agree with what Asterisk wrote down of the same calls."""

from typing import Any

import pytest

from tests import traces
from tests.evidence import disagreements
from tests.replay import expectation
from tests.testbed.records import parse_cdr, parse_cel, parse_queue_log

ON_THE_WAY = (
    "ami-attended-transfer",
    "attended-transfer-answered",
    "attended-transfer-to-outside",
    "blonde-transfer",
    "parked-and-fetched",
    "pickup-directed",
    "pickup-from-queue",
    "pickup-group",
    "queue-then-attended-transfer",
)
"""Cases in which calls meet, which the tracker does not follow yet. One that begins to agree must leave this list."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            marks=[pytest.mark.xfail(strict=True, reason="two calls become one: not followed yet")]
            if case in ON_THE_WAY
            else [],
        )
        for case in traces.CASES
    ],
)
def test_the_records_agree_with_cel_cdr_and_queue_log(case: str) -> None:
    assert compared(case, expectation.of(case)["calls"]) == []


def compared(case: str, records: list[dict[str, Any]]) -> list[str]:
    """What the records and the files beside the trace tell differently."""
    folder = traces.REPLAY / case
    return disagreements(
        records,
        parse_cdr((folder / "cdr.csv").read_text("utf-8")),
        parse_cel((folder / "cel.csv").read_text("utf-8")),
        parse_queue_log((folder / "queue_log").read_text("utf-8")),
    )
