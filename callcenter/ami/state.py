"""What is known about the connection to one PBX, as a frozen value."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Phase(StrEnum):
    """Where the connection stands."""

    CONNECTING = "connecting"
    LOGGED_IN = "logged_in"
    DOWN = "down"


class AmiState(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to one PBX.

    `logged_in` comes again, with `fully_booted` changed, when Asterisk finishes its start. After each change
    to `logged_in` events may have been missed: take a snapshot. `boot` names the run of Asterisk (its start
    as Asterisk tells it); where it differs from the last one, the PBX was started anew and old calls are
    gone.
    """

    pbx: str
    phase: Phase
    at: datetime
    reason: str = ""
    """Why it is down, for the person who can mend it."""
    permanent: bool = False
    """True where only a change of the configuration will help."""
    version: str = ""
    system_name: str = ""
    boot: str = ""
    booted_at: datetime | None = None
    """Start of Asterisk by our own clock; None where it did not say its uptime."""
    fully_booted: bool = False
    filtered: bool = False
    """True where Asterisk sends us only the events that are used."""
    missing_rights: tuple[str, ...] = ()
    """Rights that this AMI user lacks and that some function needs, for example `originate`."""
