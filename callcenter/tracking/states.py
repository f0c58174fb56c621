"""The allowed moves of a leg and of an offer: `Leg.move` and `Ring.move` look here, and nothing else changes a state.

A move that is not in a table changes nothing. A leg's is reported as an anomaly; an offer's is passed over, because
Asterisk says twice that a dial ended. docs/architecture.md draws the tables; a test compares the drawing with them.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class LegState(Enum):
    """What Asterisk says of a channel, reduced to what matters. `GONE` is ours: it was hung up."""

    DOWN = "down"
    RING = "ring"
    RINGING = "ringing"
    UP = "up"
    GONE = "gone"


class OfferState(Enum):
    """An offer is dialed, may ring, and ends once. `REFUSED` waits for the hang-up cause, which tells why."""

    DIALED = "dialed"
    RINGING = "ringing"
    REFUSED = "refused"
    ENDED = "ended"


LEG_MOVES: Final[Mapping[LegState, frozenset[LegState]]] = {
    LegState.DOWN: frozenset({LegState.RING, LegState.RINGING, LegState.UP, LegState.GONE}),
    LegState.RING: frozenset({LegState.RINGING, LegState.UP, LegState.GONE}),
    LegState.RINGING: frozenset({LegState.RING, LegState.UP, LegState.GONE}),
    LegState.UP: frozenset({LegState.GONE}),
    LegState.GONE: frozenset(),
}

OFFER_MOVES: Final[Mapping[OfferState, frozenset[OfferState]]] = {
    OfferState.DIALED: frozenset({OfferState.RINGING, OfferState.REFUSED, OfferState.ENDED}),
    OfferState.RINGING: frozenset({OfferState.REFUSED, OfferState.ENDED}),
    OfferState.REFUSED: frozenset({OfferState.ENDED}),
    OfferState.ENDED: frozenset(),
}

_FROM_ASTERISK: Final[Mapping[int, LegState]] = {
    0: LegState.DOWN,
    1: LegState.DOWN,
    2: LegState.DOWN,
    3: LegState.RING,
    4: LegState.RING,
    5: LegState.RINGING,
    6: LegState.UP,
    7: LegState.DOWN,
    8: LegState.RING,
    9: LegState.DOWN,
}
"""`ChannelState`, from ast_channel_state in asterisk/channelstate.h; busy (7) is told by DialEnd."""


def leg_state(channel_state: int) -> LegState:
    """The state that Asterisk's number stands for; an unknown number is taken as down."""
    return _FROM_ASTERISK.get(channel_state, LegState.DOWN)
