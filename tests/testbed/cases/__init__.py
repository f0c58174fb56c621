"""The calls that are recorded as replay cases: each a function that makes them happen and says what came of them."""

# The modules register their cases.
from tests.testbed.cases import (  # noqa: F401
    destinations,
    detours,
    features,
    internal,
    outbound,
    panels,
    queues,
    supervision,
    transfers,
    trunk,
)
from tests.testbed.cases.registry import Case, all_cases

__all__ = ["Case", "all_cases"]
