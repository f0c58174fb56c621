"""What the log has otherwise than a call rebuilt from Asterisk's records, and which of the two is to be believed.

A call that was followed live and in full is never touched: it knows more than was written. What is incomplete, or was
rebuilt before from less, takes the rebuilt facts, and keeps of its own what those do not have.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from callcenter.callrecord import CallRecord
from callcenter.model import Call, CallStatus, Connection, Hold, Offer, Party, PartyKind, Source

TOLERANCE: Final = timedelta(seconds=1)
COARSE: Final = timedelta(seconds=2)
"""Where the records have whole seconds."""

ERASED: Final = "erased-"
"""How the word begins that stands for a customer who was erased; see docs/retention.md."""
_OF_PERSONS: Final = frozenset({"caller", "callee", "did", "offers", "transfers", "connections"})
"""Fields in which such a call may say less than Asterisk's records."""


def unlike(stored: CallRecord, told: Call) -> tuple[str, ...]:
    """The fields in which the two say something else: what one does not know is no difference."""
    fields = tuple(_unlike(stored, told))
    return tuple(name for name in fields if name not in _OF_PERSONS) if is_erased(stored) else fields


def is_erased(stored: CallRecord) -> bool:
    """Whether the customer of the call was erased: Asterisk's records still name them, and the log shall not again."""
    return any((end.number or "").startswith(ERASED) for end in (stored.caller, stored.callee))


def believes_rebuilt(stored: CallRecord, told: Call) -> bool:
    """Whether the rebuilt call knows more than the log."""
    if stored.status is CallStatus.IN_PROGRESS or stored.ended_at is None:
        return True
    if is_erased(stored) or (stored.complete and stored.source is not Source.BACKFILL):
        return False
    return told.complete or (not stored.complete and stored.source is Source.BACKFILL)


def filled(told: Call, stored: CallRecord, holds: tuple[Hold, ...]) -> Call:
    """The rebuilt call, with what only the log knows: who sat where, how people are called, who held whom."""
    agents: dict[str | None, str | None] = {one.interface: one.agent for one in stored.offers if one.agent is not None}
    agents |= {one.interface: one.agent for one in stored.connections if one.agent is not None}
    return replace(
        told,
        caller=_party(told.caller, stored, stored.caller.name, stored.caller.number, agents),
        callee=_party(told.callee, stored, stored.callee.name, stored.callee.number, agents),
        offers=tuple(_offer(one, agents) for one in told.offers),
        connections=tuple(_connection(one, agents) for one in told.connections),
        holds=told.holds or holds,
    )


def _party(
    party: Party, stored: CallRecord, name: str | None, number: str | None, agents: dict[str | None, str | None]
) -> Party:
    interface = (party.channel or "").rpartition("-")[0]
    agent = party.agent or agents.get(interface)
    kind = PartyKind.AGENT if agent is not None and party.kind is PartyKind.EXTENSION else party.kind
    known = name if number == party.number else None
    return replace(party, name=party.name or known, agent=agent, kind=kind)


def _offer(offer: Offer, agents: dict[str | None, str | None]) -> Offer:
    agent = agents.get(offer.interface)
    return offer if offer.agent is not None or agent is None else replace(offer, agent=agent)


def _connection(connection: Connection, agents: dict[str | None, str | None]) -> Connection:
    agent = agents.get(connection.interface)
    return connection if connection.agent is not None or agent is None else replace(connection, agent=agent)


def _unlike(stored: CallRecord, told: Call) -> Iterator[str]:
    if set(stored.linkedids) != set(told.linkedids):
        yield "linkedids"
    for name in ("direction", "status", "did", "hangup_by"):
        if getattr(stored, name) != getattr(told, name):
            yield name
    if stored.caller.number != told.caller.number:
        yield "caller"
    if stored.callee.number != told.callee.number:
        yield "callee"
    whole = told.started_at.microsecond == 0 and (told.ended_at is None or told.ended_at.microsecond == 0)
    tolerance = COARSE if whole else TOLERANCE
    for name in ("started_at", "answered_at", "ended_at"):
        if _apart(getattr(stored, name), getattr(told, name), tolerance):
            yield name
    if [(one.queue, one.exit) for one in stored.queue_visits] != [(one.queue, one.exit) for one in told.queue_visits]:
        yield "queue_visits"
    if sorted((one.interface, str(one.result)) for one in stored.offers) != sorted(
        (one.interface, str(one.result)) for one in told.offers
    ):
        yield "offers"
    if [(one.kind, one.to) for one in stored.transfers] != [(one.kind, one.to) for one in told.transfers]:
        yield "transfers"
    if _talk(stored) != [(one.interface, one.number) for one in told.connections] or any(
        _apart(one.from_, other.from_, tolerance) or _apart(one.to, other.to, tolerance)
        for one, other in zip(stored.connections, told.connections, strict=False)
    ):
        yield "connections"


def _talk(stored: CallRecord) -> list[tuple[str | None, str | None]]:
    return [(one.interface, one.number) for one in stored.connections]


def _apart(stamp: str | None, at: datetime | None, tolerance: timedelta) -> bool:
    if stamp is None or at is None:
        return (stamp is None) != (at is None)
    return abs(datetime.fromisoformat(stamp) - at) > tolerance
