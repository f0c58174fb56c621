"""Channels, bridges and queue members as Asterisk's events show them. Pure; changed by `pbx` alone."""

from callcenter.simulator.company import QueuePlan

STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up", 7: "Busy"}

CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    21: "Call Rejected",
    26: "Answered elsewhere",
    34: "Circuit/channel congestion",
    127: "Interworking, unspecified",
}

Headers = list[tuple[str, str]]


class Channel:
    """A leg. `device` is its interface (`PJSIP/1001`), `owner` the flow that plays it."""

    __slots__ = (
        "application",
        "born",
        "bridge",
        "connected_name",
        "connected_number",
        "context",
        "data",
        "device",
        "exten",
        "linkedid",
        "name",
        "number",
        "owner",
        "priority",
        "shown_name",
        "state",
        "uniqueid",
        "variables",
    )

    def __init__(self, name: str, uniqueid: str, linkedid: str, born: float) -> None:
        self.name = name
        self.uniqueid = uniqueid
        self.linkedid = linkedid
        self.born = born
        self.device = name.rpartition("-")[0]
        self.state = 0
        self.number: str | None = None
        self.shown_name: str | None = None
        self.connected_number: str | None = None
        self.connected_name: str | None = None
        self.context = ""
        self.exten = ""
        self.priority = 1
        self.application = ""
        self.data = ""
        self.bridge: Bridge | None = None
        self.owner: object = None
        self.variables: dict[str, str] = {}

    def place(self, context: str, exten: str, priority: int) -> None:
        """Put it somewhere in the dialplan."""
        self.context, self.exten, self.priority = context, exten, priority

    def headers(self, prefix: str = "") -> Headers:
        """Return the headers that nearly every event has of a channel, in Asterisk's order."""
        return [
            (f"{prefix}Channel", self.name),
            (f"{prefix}ChannelState", str(self.state)),
            (f"{prefix}ChannelStateDesc", STATES[self.state]),
            (f"{prefix}CallerIDNum", self.number or "<unknown>"),
            (f"{prefix}CallerIDName", self.shown_name or "<unknown>"),
            (f"{prefix}ConnectedLineNum", self.connected_number or "<unknown>"),
            (f"{prefix}ConnectedLineName", self.connected_name or "<unknown>"),
            (f"{prefix}Language", "en"),
            (f"{prefix}AccountCode", ""),
            (f"{prefix}Context", self.context),
            (f"{prefix}Exten", self.exten),
            (f"{prefix}Priority", str(self.priority)),
            (f"{prefix}Uniqueid", self.uniqueid),
            (f"{prefix}Linkedid", self.linkedid),
        ]


class Bridge:
    """Two legs that hear each other."""

    __slots__ = ("channels", "technology", "uniqueid")

    def __init__(self, uniqueid: str) -> None:
        self.uniqueid = uniqueid
        self.technology = "simple_bridge"
        self.channels: list[Channel] = []

    def headers(self) -> Headers:
        """Return the headers of a bridge, in Asterisk's order."""
        return [
            ("BridgeUniqueid", self.uniqueid),
            ("BridgeType", "basic"),
            ("BridgeTechnology", self.technology),
            ("BridgeCreator", "<unknown>"),
            ("BridgeName", "<unknown>"),
            ("BridgeNumChannels", str(len(self.channels))),
            ("BridgeVideoSourceMode", "none"),
        ]


class Member:
    """A phone in a queue."""

    __slots__ = (
        "calls_taken",
        "extension",
        "in_call",
        "last_call",
        "last_pause",
        "login_at",
        "membership",
        "name",
        "paused",
        "penalty",
        "reason",
    )

    def __init__(self, extension: str, name: str, login_at: float, membership: str = "static") -> None:
        self.extension = extension
        self.name = name
        self.login_at = int(login_at)
        self.membership = membership
        self.penalty = 0
        self.calls_taken = 0
        self.last_call = 0
        self.last_pause = 0
        self.in_call = False
        self.paused = False
        self.reason = ""

    @property
    def interface(self) -> str:
        """The device that is rung."""
        return f"PJSIP/{self.extension}"

    def counters(self, status: int) -> Headers:
        """Return the headers that member events and `QueueStatus` share."""
        return [
            ("StateInterface", self.interface),
            ("Membership", self.membership),
            ("Penalty", str(self.penalty)),
            ("CallsTaken", str(self.calls_taken)),
            ("LastCall", str(self.last_call)),
            ("LastPause", str(self.last_pause)),
            ("LoginTime", str(self.login_at)),
            ("InCall", "1" if self.in_call else "0"),
            ("Status", str(status)),
            ("Paused", "1" if self.paused else "0"),
            ("PausedReason", self.reason),
        ]


class Queue:
    """A queue with its members and the callers who wait, first come first."""

    __slots__ = ("abandoned", "completed", "joined", "members", "plan", "waiting")

    def __init__(self, plan: QueuePlan) -> None:
        self.plan = plan
        self.members: list[Member] = []
        self.waiting: list[Channel] = []
        self.joined: dict[str, float] = {}
        """When each waiting channel joined, by uniqueid."""
        self.completed = 0
        self.abandoned = 0
