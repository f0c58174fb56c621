"""Names of calls and channels.

A uniqueid is `[systemname-]epoch.seq`, and not a decimal: 1.2 is older than 1.11. Source: asterisk/channel.h.
"""

from typing import Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("5d2f7a0e-2f6c-5c0b-9a53-0f3a7f1c9f10")
"""Namespace of our call ids; it must never change, or a replay would name the same call anew."""
SPY: Final = "ccspy-"
"""How the ids of channels begin that we have listen to a call, so that they are known as such after a restart too."""


def call_id(pbx: str, uniqueid: str) -> UUID:
    """Our id of the call whose first channel has `uniqueid` on `pbx`: the same at each replay or back-fill."""
    return uuid5(NAMESPACE, f"{pbx}\x00{uniqueid}")


def interface(channel: str) -> str:
    """The device or Local address of a channel name, without the part that makes it unique.

    `PJSIP/1001-0000002a` → `PJSIP/1001`; `Local/200@from-queue-00000007;1` → `Local/200@from-queue`.
    """
    if channel.startswith("Local/"):
        channel = channel.rpartition(";")[0] or channel
    name, dash, suffix = channel.rpartition("-")
    return name if dash and suffix.isalnum() and "/" in name else channel


def resource(interface: str) -> str:
    """What follows the technology: `PJSIP/1001` → `1001`, `Local/200@from-queue` → `200`."""
    return interface.partition("/")[2].partition("@")[0]
