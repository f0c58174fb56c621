"""What the doctor says: findings, each with its mend."""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How a check went."""

    GOOD = "ok"
    DOUBT = "?"
    BAD = "!"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; `mend` says what to do about it."""

    subject: str
    verdict: Verdict
    what: str
    mend: str = ""
