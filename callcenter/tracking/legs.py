"""Facts about one channel, as far as events have told them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.tracking.directory import Side
from callcenter.tracking.states import LEG_MOVES, LegState

if TYPE_CHECKING:
    from callcenter.tracking.calls import CallFacts
    from callcenter.tracking.offers import Ring


class Leg:
    """One channel. It belongs to one call and stands in at most one bridge."""

    __slots__ = (
        "asked_cause",
        "bridge",
        "call",
        "channel",
        "conference",
        "dialed",
        "exten",
        "exten_now",
        "half",
        "hangup_asked_at",
        "held_since",
        "holding",
        "interface",
        "linkedid",
        "name",
        "number",
        "originated",
        "queue",
        "ring",
        "shown",
        "side",
        "state",
        "uniqueid",
    )

    def __init__(
        self,
        *,
        uniqueid: str,
        linkedid: str,
        channel: str,
        interface: str,
        side: Side,
        state: LegState,
        number: str | None,
        name: str | None,
        exten: str | None,
        call: CallFacts,
    ) -> None:
        self.uniqueid = uniqueid
        self.linkedid = linkedid
        self.channel = channel
        self.interface = interface
        self.side = side
        self.state = state
        self.number = number
        self.name = name
        self.exten = exten
        """What the leg dialed."""
        self.exten_now = exten
        """The extension of the dialplan that it was last seen at."""
        self.call = call
        self.bridge: str | None = None
        self.holding = False
        """Whether the bridge is one in which channels wait, not talk."""
        self.conference: Mapping[str, Leg] = {}
        """Everybody in the conference that it stands in, by uniqueid, of whatever call."""
        self.half: Leg | None = None
        """The other half of a Local channel."""
        self.shown: str | None = None
        """The number that it shows as its other side's."""
        self.dialed: str | None = None
        """What was dialed to reach this leg, where it was dialed."""
        self.originated = False
        """Asterisk itself dialed this leg: it is the caller of a click-to-dial, not somebody who is offered a call."""
        self.queue: str | None = None
        """The queue that rings this leg."""
        self.ring: Ring | None = None
        self.held_since: datetime | None = None
        self.hangup_asked_at: datetime | None = None
        self.asked_cause: int | None = None
        """The Q.850 cause that the far side gave when it asked to hang up."""

    def move(self, then: LegState) -> bool:
        """Go to a state, if the leg may. False: it may not, and stays where it is."""
        allowed = then in LEG_MOVES[self.state]
        if allowed:
            self.state = then
        return allowed

    @property
    def is_real(self) -> bool:
        """Whether a person or the outside world is at its end; a Local channel is plumbing."""
        return self.side is not Side.LOCAL
