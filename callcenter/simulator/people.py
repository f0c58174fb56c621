"""What the people at both ends of a simulated call do. Pure values; all times are in seconds."""

from collections.abc import Callable

import msgspec


class Answers(msgspec.Struct, frozen=True):
    """Lets it ring `after` seconds, then answers."""

    after: float = 2.0


class Ignores(msgspec.Struct, frozen=True):
    """Lets it ring for as long as it rings."""


class Refuses(msgspec.Struct, frozen=True):
    """Refuses the call; at once (`after` 0) it does not even ring. `how`: a key of `REFUSALS`."""

    how: str = "busy"
    after: float = 0.0


Callee = Answers | Ignores | Refuses


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """How a refusal shows: Q.850 cause and SIP code of the leg, the dialplan's status, and what the caller
    gets.
    """

    cause: int
    sip: int
    dial_end: str
    dial_status: str
    caller_cause: int
    caller_sip: int
    reason: int
    """Of OriginateResponse."""


REFUSALS = {
    "busy": Refusal(cause=17, sip=486, dial_end="BUSY", dial_status="BUSY", caller_cause=17, caller_sip=486, reason=5),
    "rejected": Refusal(
        cause=21,
        sip=603,
        dial_end="NOANSWER",
        dial_status="CHANUNAVAIL",
        caller_cause=19,
        caller_sip=480,
        reason=0,
    ),
    "failed": Refusal(
        cause=34,
        sip=503,
        dial_end="CONGESTION",
        dial_status="CONGESTION",
        caller_cause=34,
        caller_sip=503,
        reason=8,
    ),
}


class Caller(msgspec.Struct, frozen=True):
    """Who calls from outside; no number is what an unknown caller shows."""

    number: str | None = None
    name: str | None = None


ANONYMOUS = Caller("anonymous", "Anonymous")
"""What Asterisk shows of a caller who withholds the number."""


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How a call goes.

    `callee(extension, attempt)` tells what a phone does when it rings the n-th time (from 0) in this call;
    `customer` is the outside party of an outbound call. The caller gives up after `patience`. Holds are
    `(after answer, for how long)`, made by the phone that was called.
    """

    callee: Callable[[str, int], Callee] = lambda extension, attempt: Answers()
    customer: Callee = Answers()
    patience: float | None = None
    talk: float = 30.0
    caller_ends: bool = True
    holds: tuple[tuple[float, float], ...] = ()


class Signal(msgspec.Struct, frozen=True):
    """Somebody outside the flow acts on a channel: `hangup`, or `redirect` to an extension."""

    kind: str
    channel: str
    exten: str = ""
