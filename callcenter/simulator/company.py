"""The company whose PBX is simulated: its phones, numbers and queues, as in the samples of `asterisk_conf`.
Pure.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Strategy(StrEnum):
    """How a queue chooses whom to ring."""

    RINGALL = "ringall"
    LINEAR = "linear"
    LEASTRECENT = "leastrecent"


class QueuePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A queue. Times are in seconds; `answers` is false where the caller hears ringing until an agent
    answers.
    """

    name: str
    strategy: Strategy
    members: tuple[str, ...]
    """Extensions."""
    answers: bool = True
    ring_s: float = 15
    retry_s: float = 3
    wait_s: float = 120


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """Phones (extension → name), numbers (DID → extension or queue) and queues. Times are in seconds."""

    phones: Mapping[str, str]
    numbers: Mapping[str, str]
    queues: tuple[QueuePlan, ...]
    main_number: str
    trunk: str = "trunk"
    country_code: str = "44"
    extension_ring_s: float = 25
    trunk_ring_s: float = 45

    def national(self, number: str) -> str:
        """Return a number as it is dialed in the country: `+442079460991` is `02079460991`."""
        prefix = f"+{self.country_code}"
        return "0" + number.removeprefix(prefix) if number.startswith(prefix) else number


SAMPLE = Company(
    phones={
        "1001": "Amelia Hart",
        "1002": "Ben Okafor",
        "1003": "Chloe Singh",
        "1004": "Daniel Reyes",
        "1005": "Ewa Nowak",
        "1006": "Farah Aziz",
        "1007": "George Li",
        "1008": "Hannah Moore",
    },
    numbers={
        "02079460991": "1001",
        "02079460992": "1002",
        "02079460993": "sales",
        "02079460994": "support",
        "02079460995": "service",
        "02079460996": "billing",
    },
    queues=(
        QueuePlan(name="sales", strategy=Strategy.RINGALL, members=("1001", "1002", "1003")),
        QueuePlan(name="support", strategy=Strategy.LINEAR, members=("1004", "1005")),
        QueuePlan(name="service", strategy=Strategy.LEASTRECENT, members=("1006", "1007"), answers=False),
        QueuePlan(name="billing", strategy=Strategy.RINGALL, members=("1008",)),
    ),
    main_number="02079460990",
)
"""The company of `asterisk_conf`'s samples; its numbers are those that the regulator keeps free for fiction.
"""
