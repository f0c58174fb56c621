"""Which neighbors in a stream of AMI events may come the other way round. The one place that says so.

Each channel's thread in Asterisk tells of itself, and the stream is what their race made of it: two events of one
thread never change places, those of two threads may, where the one is not the cause of the other. What the recorded
traces show of it is in docs/asterisk-facts.md, "Order and time".
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from callcenter import events as ev

_NAMED: Final = (
    *("uniqueid", "dest_uniqueid", "one_uniqueid", "two_uniqueid", "target_uniqueid"),
    *("transferer_uniqueid", "first_uniqueid", "second_uniqueid"),
)
_ATTEMPT: Final = (ev.AgentCalled, ev.DialBegin, ev.DialState, ev.Newstate)
_OWN_NEWS: Final = (
    *(ev.Newstate, ev.DialState, ev.Newexten, ev.Newchannel, ev.NewCallerid, ev.NewConnectedLine),
    *(ev.Hold, ev.Unhold, ev.Hangup),
)
_BRIDGES: Final = (ev.BridgeEnter, ev.BridgeLeave)

NEAR: Final = timedelta(milliseconds=50)
"""A race is over soon: what came later than this came later."""

Rule = Callable[[ev.Event, ev.Event], bool]


def channels(event: ev.Event) -> frozenset[str]:
    """The channels that an event is about."""
    return frozenset(named for name in _NAMED if (named := getattr(event, name, None)))


def _apart(one: ev.Event, other: ev.Event) -> bool:
    return not channels(one) & channels(other)


def _one_attempt(one: ev.Event, other: ev.Event) -> bool:
    """The driver tells that a phone rings, who dials it tells that it is dialed, a queue that it is a member."""
    return isinstance(one, _ATTEMPT) and isinstance(other, _ATTEMPT) and _called(one) == _called(other)


def _called(event: ev.Event) -> str:
    return str(getattr(event, "dest_uniqueid", None) or getattr(event, "uniqueid", ""))


def _own_news(one: ev.Event, other: ev.Event) -> bool:
    """What a channel tells of itself alone waits for no other channel, but for the one that it was made for."""
    made_for = isinstance(one, ev.Newchannel) and isinstance(other, ev.Newchannel) and one.uniqueid == other.linkedid
    # Who is sent to another extension while they talk leaves the bridge for it, and the others then leave too.
    sent_away = {type(one), type(other)} == {ev.Newexten, ev.BridgeLeave}
    # A phone is up before the dials of the others are ended, which who dials tells, with their hang-ups, in its order.
    kinds = {type(one), type(other)}
    dialers = ev.DialEnd in kinds and bool(kinds & {ev.Hangup, ev.Newstate})
    if made_for or sent_away or dialers:
        return False
    return _apart(one, other) and (isinstance(one, _OWN_NEWS) or isinstance(other, _OWN_NEWS))


def _into_or_out_of_bridges(one: ev.Event, other: ev.Event) -> bool:
    """Who of two comes first, or goes first, is chance; who takes another's place comes after that one has gone."""
    if not (isinstance(one, _BRIDGES) and isinstance(other, _BRIDGES) and _apart(one, other)):
        return False
    if isinstance(one, ev.BridgeEnter) and isinstance(other, ev.BridgeEnter) and one.conference and other.conference:
        return False  # who was there first is what those in a conference know of each other
    return type(one) is type(other) or one.bridge != other.bridge


def _answered(one: ev.Event, other: ev.Event) -> bool:
    """The driver tells that a phone is up, who dialed it that it answered, Originate that it came about."""
    kinds = {type(one), type(other)}
    told = len(kinds) == 2 and kinds < {ev.DialEnd, ev.Newstate, ev.OriginateResponse}
    return told and not _apart(one, other)


RULES: Final[tuple[Rule, ...]] = (_one_attempt, _own_news, _into_or_out_of_bridges, _answered)


def may_swap(one: ev.Event, other: ev.Event) -> bool:
    """Whether Asterisk might have sent two events that follow each other the other way round."""
    if other.at - one.at > NEAR:
        return False
    member = isinstance(one, ev.QueueMemberState) or isinstance(other, ev.QueueMemberState)
    return not member and any(rule(one, other) for rule in RULES)
