"""The time in which phones ring, and the time in which people talk: what both have in common for all flows.
Pure.
"""

from collections.abc import Generator

import msgspec

from callcenter.simulator.channels import Channel, Member
from callcenter.simulator.pbx import Pbx
from callcenter.simulator.people import Answers, Callee, Ignores, Manners, Refuses, Signal

_EPSILON = 1e-6


class Leg:
    """A phone that is being called, and what its owner will do."""

    __slots__ = ("began", "behavior", "channel", "member", "rings")

    def __init__(self, channel: Channel, behavior: Callee, began: float, member: Member | None = None) -> None:
        self.channel = channel
        self.behavior = behavior
        self.began = began
        self.member = member
        self.rings = not (isinstance(behavior, Refuses) and behavior.after == 0)

    @property
    def due(self) -> float | None:
        """When its owner acts."""
        return None if isinstance(self.behavior, Ignores) else self.began + self.behavior.after


class Outcome(msgspec.Struct, frozen=True):
    """What ended the ringing: `answered`, `refused` or `hung_up` (by AMI) a leg; `gave_up`, `cut` (by AMI)
    the caller; `time_out` nobody did anything.
    """

    kind: str
    leg: Leg | None = None


def ring(
    pbx: Pbx, legs: list[Leg], caller: Channel | None, until: float, gives_up_at: float | None
) -> Generator[float, Signal | None, Outcome]:
    """Wait until one of the phones does something, the caller gives up, or it is `until`."""
    while True:
        times = [(until, Outcome("time_out"))]
        if gives_up_at is not None:
            times.append((gives_up_at, Outcome("gave_up")))
        for leg in legs:
            if leg.due is not None:
                kind = "answered" if isinstance(leg.behavior, Answers) else "refused"
                times.append((leg.due, Outcome(kind, leg)))
        due, outcome = min(times, key=lambda item: item[0])
        wait = due - pbx.now()
        if wait <= _EPSILON:
            return outcome
        signal = yield wait
        if signal is not None and signal.kind == "hangup":
            if caller is not None and signal.channel == caller.name:
                return Outcome("cut")
            for leg in legs:
                if signal.channel == leg.channel.name:
                    return Outcome("hung_up", leg)


class End(msgspec.Struct, frozen=True):
    """How talking ended: `by` caller, callee or system; `exten` where the caller goes on to another
    extension.
    """

    by: str
    exten: str = ""


def talk(pbx: Pbx, caller: Channel, callee: Channel, manners: Manners) -> Generator[float, Signal | None, End]:
    """Bridge two channels and wait for the end of their talk, with its holds."""
    pbx.bridge(callee, caller)
    began = pbx.now()
    steps = [(began + after, True) for after, _ in manners.holds]
    steps += [(began + after + length, False) for after, length in manners.holds]
    steps.sort()
    held = False
    while True:
        due = steps[0][0] if steps else began + manners.talk
        wait = due - pbx.now()
        if wait > _EPSILON:
            signal = yield wait
            if signal is None:
                continue
            if signal.kind == "redirect" and signal.channel == caller.name:
                return End("system", signal.exten)
            return End("system")
        if not steps:
            return End("caller" if manners.caller_ends else "callee")
        held = steps.pop(0)[1]
        (pbx.holds if held else pbx.resumes)(callee, caller)
