"""The records that the traces give agree with what Asterisk wrote down of the same calls."""

from typing import Any

import pytest

from tests import traces
from tests.evidence import disagreements
from tests.replay import expectation
from tests.testbed.records import parse_cdr, parse_cel, parse_queue_log


@pytest.mark.parametrize("case", traces.CASES)
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
