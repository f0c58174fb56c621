"""The names of the events that the service uses, and the filters that ask Asterisk for these only. Pure.
 An anchored regular expression of names is understood by every Asterisk from 10 on, and costs the PBX one
match per event. (From 22.1 on there are hashed filters by name as well; they would need a round trip for each
name, and an older Asterisk takes them for something else.) `Local/` channels are never filtered: without them
the two halves of a transfer or of a queue's member cannot be joined.
"""

USED = (
    "AgentCalled",
    "AgentComplete",
    "AgentConnect",
    "AgentDump",
    "AgentRingNoAnswer",
    "AttendedTransfer",
    "BlindTransfer",
    "BridgeDestroy",
    "BridgeEnter",
    "BridgeLeave",
    "BridgeMerge",
    "DialBegin",
    "DialEnd",
    "DialState",
    "FullyBooted",
    "Hangup",
    "HangupRequest",
    "Hold",
    "LocalBridge",
    "LocalOptimizationBegin",
    "LocalOptimizationEnd",
    "MixMonitorStart",
    "MixMonitorStop",
    "NewCallerid",
    "NewConnectedLine",
    "Newchannel",
    "Newstate",
    "OriginateResponse",
    "ParkedCall",
    "ParkedCallGiveUp",
    "ParkedCallSwap",
    "ParkedCallTimeOut",
    "Pickup",
    "QueueCallerAbandon",
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueMemberAdded",
    "QueueMemberPause",
    "QueueMemberPenalty",
    "QueueMemberRemoved",
    "QueueMemberStatus",
    "Reload",
    "Shutdown",
    "SoftHangupRequest",
    "UnParkedCall",
    "Unhold",
)
"""Wanted whatever they say."""

APPLICATIONS = (
    "Dial",
    "FollowMe",
    "Queue",
    "VoiceMail",
    "VoiceMailMain",
    "AgentRequest",
    "Background",
    "Read",
)
"""Dialplan applications of which `Newexten` is wanted; it comes for each line of the dialplan otherwise."""

VARIABLES = ("QUEUESTATUS", "VMSTATUS", "DIALSTATUS")
"""Channel variables of which `VarSet` is wanted; there are a few dozen for each call otherwise."""


def _filters(names: tuple[str, ...], longest: int = 900) -> tuple[str, ...]:
    """Return as few expressions as fit into lines that Asterisk can read.

    Asterisk matches them over the whole event without REG_NEWLINE, so `^` is the event's beginning and `.`
    takes line ends too; `[[:cntrl:]]` stands for the CR, which no header may carry.
    """
    found: list[str] = []
    group: list[str] = []
    for name in names:
        if len("|".join([*group, name])) > longest:
            found.append(_named(group))
            group = []
        group.append(name)
    found.append(_named(group))
    found.append(f"^Event: Newexten[[:cntrl:]].*Application: ({'|'.join(APPLICATIONS)})[[:cntrl:]]")
    found.append(f"^Event: VarSet[[:cntrl:]].*Variable: ({'|'.join(VARIABLES)})[[:cntrl:]]")
    return tuple(found)


def _named(names: list[str]) -> str:
    return f"^Event: ({'|'.join(names)})[[:cntrl:]]"


FILTERS = _filters(USED)
"""Expressions for the `Filter` action, each below the length of a header line."""
