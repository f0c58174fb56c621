"""What the tracker says has happened: the only language between the tracker and the rest of the service.

Each change carries `at` (Asterisk's clock) and the whole `call` as it is after the change, so that no
consumer has to ask back. `type` is the change's name in JSON.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from callcenter.model import Call, Connection, Hold, Offer, QueueVisit, Transfer


class CallChange(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """Root of all changes of one call."""

    at: datetime
    call: Call

    @property
    def call_id(self) -> UUID:
        """The id of the call that changed."""
        return self.call.call_id


class CallStarted(CallChange, frozen=True, tag="call_started"):
    """A call came into being: its first channel was seen."""


class CallUpdated(CallChange, frozen=True, tag="call_updated"):
    """A party, name, number or linkedid became better known."""


class CallQueued(CallChange, frozen=True, tag="call_queued"):
    """The caller joined a queue."""

    visit: QueueVisit


class QueueLeft(CallChange, frozen=True, tag="queue_left"):
    """The caller left a queue, or was refused by it; `visit.exit` says how."""

    visit: QueueVisit


class AgentRinging(CallChange, frozen=True, tag="agent_ringing"):
    """A device of ours began to ring: an offer is open."""

    offer: Offer


class OfferEnded(CallChange, frozen=True, tag="offer_ended"):
    """A device of ours stopped ringing; `offer.result` says why."""

    offer: Offer


class CallAnswered(CallChange, frozen=True, tag="call_answered"):
    """Two people hear each other (again, after a transfer): a connection began."""

    connection: Connection


class ConnectionEnded(CallChange, frozen=True, tag="connection_ended"):
    """Somebody stopped talking in this call, which may go on with others."""

    connection: Connection


class CallHeld(CallChange, frozen=True, tag="call_held"):
    """A device put the other side on hold."""

    hold: Hold


class CallResumed(CallChange, frozen=True, tag="call_resumed"):
    """A device took the other side off hold."""

    hold: Hold


class CallTransferred(CallChange, frozen=True, tag="call_transferred"):
    """The call was handed to somebody else."""

    transfer: Transfer


class CallMerged(CallChange, frozen=True, tag="call_merged"):
    """`merged` was found to be the same call as `call` and no longer stands for itself."""

    merged: UUID


class CallEnded(CallChange, frozen=True, tag="call_ended"):
    """The last channel of the call is gone: the record is final but for corrections."""


class Anomaly(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="anomaly"):
    """An event that cannot be, given what is known: counted and logged, and nothing else changed."""

    at: datetime
    event: str
    reason: str
    channel: str | None = None
    call_id: UUID | None = None


Change = CallChange | Anomaly
"""What `Tracker.apply` returns a list of."""
