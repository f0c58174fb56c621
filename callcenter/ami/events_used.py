"""The names of the events that the service uses, and the filters that ask Asterisk for these only. Pure.

One anchored regular expression of names is understood by every Asterisk from 10 on, costs the PBX one match per
event, and decides by name alone. (From 22.1 on there are hashed filters by name as well; they would need a round
trip for each name, and an older Asterisk takes them for something else.) `Local/` channels are never filtered:
without them the two halves of a transfer or of a queue's member cannot be joined.
"""

USED = (
    "AgentCalled",
    "AgentComplete",
    "AgentConnect",
    "AgentDump",
    "AgentRingNoAnswer",
    "AttendedTransfer",
    "BlindTransfer",
    "BridgeCreate",
    "BridgeDestroy",
    "BridgeEnter",
    "BridgeLeave",
    "BridgeMerge",
    "ContactStatus",
    "DeviceStateChange",
    "DialBegin",
    "DialEnd",
    "DialState",
    "FullyBooted",
    "Hangup",
    "HangupRequest",
    "SoftHangupRequest",
    "Hold",
    "LocalBridge",
    "LocalOptimizationBegin",
    "LocalOptimizationEnd",
    "MixMonitorStart",
    "MixMonitorStop",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "NewCallerid",
    "NewConnectedLine",
    "NewExten",
    "Newchannel",
    "Newstate",
    "OriginateResponse",
    "ParkedCall",
    "ParkedCallGiveUp",
    "ParkedCallSwap",
    "ParkedCallTimeOut",
    "PeerStatus",
    "Pickup",
    "QueueCallerAbandon",
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueMemberAdded",
    "QueueMemberPause",
    "QueueMemberPenalty",
    "QueueMemberRemoved",
    "QueueMemberRinginuse",
    "QueueMemberStatus",
    "Reload",
    "Shutdown",
    "UnParkedCall",
    "Unhold",
    "UserEvent",
)
"""Sorted by meaning only where it helps; `tests/unit/ami/test_events_used.py` holds the limits."""


def _filters(names: tuple[str, ...], longest: int = 900) -> tuple[str, ...]:
    """Return as few expressions as fit into lines that Asterisk can read."""
    found: list[str] = []
    group: list[str] = []
    for name in (*names, ""):
        expression = f"^Event: ({'|'.join([*group, name])})"
        if group and (not name or len(expression) > longest):
            found.append(f"^Event: ({'|'.join(group)})\r?$")
            group = []
        group.append(name)
    return tuple(found)


FILTERS = _filters(USED)
"""Expressions for the `Filter` action, each below the length of a header line."""
