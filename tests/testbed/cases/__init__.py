"""The calls that are recorded as replay cases: each a function that makes them happen and says what came of them."""

from tests.testbed.cases import (  # noqa: F401 - they register their cases
    branch,
    conferences,
    destinations,
    detours,
    devices,
    features,
    internal,
    joins,
    members,
    outbound,
    panels,
    parking,
    queues,
    refers,
    reloads,
    supervision,
    transfers,
    trunk,
)
from tests.testbed.cases.registry import Case, all_cases

__all__ = ["Case", "all_cases"]
