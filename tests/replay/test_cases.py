"""Each recorded trace of a real Asterisk gives the calls that it is known to hold."""

import json

import pytest

from tests import traces
from tests.replay import expectation


@pytest.mark.parametrize("case", traces.CASES)
def test_case_gives_the_expected_changes_and_calls(case: str) -> None:
    expected = json.loads(expectation.path(case).read_text(encoding="utf-8"))
    assert expectation.of(case) == expected


@pytest.mark.parametrize("case", traces.CASES)
def test_the_filters_of_the_sample_configuration_hide_nothing_that_is_needed(case: str) -> None:
    assert expectation.of(case, "filtered.ami") == expectation.of(case)


def test_there_are_cases() -> None:
    assert len(traces.CASES) >= 45
