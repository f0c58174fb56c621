"""Facts about one call, and the record that is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from msgspec.structs import replace

from callcenter.changes import CallChange
from callcenter.model import (
    Call,
    CallStatus,
    Connection,
    Direction,
    HangupBy,
    Hold,
    Offer,
    Party,
    PartyKind,
    QueueVisit,
    Source,
    Transfer,
)
from callcenter.tracking.directory import Directory
from callcenter.tracking.legs import Leg
from callcenter.tracking.parties import known_party

if TYPE_CHECKING:
    from callcenter.tracking.offers import Ring


class Emit(Protocol):
    """Says that something happened; details are the change's own fields."""

    def __call__(self, kind: type[CallChange], call: CallFacts, at: datetime, **details: Any) -> None: ...


class CallFacts:
    """What has been seen of a call that goes on. `record()` is the same as a frozen value."""

    __slots__ = (
        "_connections",
        "_holds",
        "_offers",
        "_record",
        "_transfers",
        "_visits",
        "abandon_told",
        "answered_at",
        "asked_queue",
        "call_id",
        "callee",
        "caller",
        "complete",
        "customer",
        "dial_status",
        "did",
        "direction",
        "directory",
        "ended_at",
        "entry",
        "handed_on_by",
        "hangup_by",
        "hangup_cause",
        "legs",
        "linkedids",
        "members",
        "open_talks",
        "picked_up_at",
        "reached_voicemail",
        "ringing_at",
        "rings",
        "source",
        "started_at",
        "status",
        "supervises",
    )

    def __init__(self, call_id: UUID, linkedid: str, directory: Directory, started_at: datetime) -> None:
        self.call_id = call_id
        self.directory = directory
        self.linkedids = [linkedid]
        self.started_at = started_at
        self.legs: dict[str, Leg] = {}
        self.entry: Leg | None = None
        """The leg that the call began with: the caller's, or on click-to-dial the agent's."""
        self.customer: Leg | None = None
        """The leg whose company makes a connection; `talk` chooses it."""
        self.direction: Direction | None = None
        """None until it is decided; a call is not told of before."""
        self.did: str | None = None
        self.caller = Party()
        self.callee = Party()
        self.ringing_at: datetime | None = None
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.status = CallStatus.IN_PROGRESS
        self.hangup_by: HangupBy | None = None
        self.hangup_cause: int | None = None
        self.dial_status: str | None = None
        """The last DialStatus of somebody other than a queue member."""
        self.picked_up_at: datetime | None = None
        """When a colleague last took the call from a phone that rang for it."""
        self.reached_voicemail = False
        self.handed_on_by: str | None = None
        """uniqueid of the leg that handed the call on last."""
        self.supervises = False
        """Somebody listens to another call: no call of the log, unless a customer is put through to them."""
        self.complete = True
        self.source = Source.LIVE
        self.rings: list[Ring] = []
        self.open_talks: dict[str, int] = {}
        """uniqueid of a leg that talks → index of its connection."""
        self.asked_queue: str | None = None
        """The queue whose application the caller was last sent to."""
        self.abandon_told = False
        """Asterisk said that the newest queue visit was abandoned."""
        self.members: set[str] = set()
        """Devices that rang as members of a queue."""
        self._offers: list[Offer] = []
        self._visits: list[QueueVisit] = []
        self._connections: list[Connection] = []
        self._holds: list[Hold] = []
        self._transfers: list[Transfer] = []
        self._record: Call | None = None

    def recall(self, known: Call) -> None:
        """Take over what an earlier run of the service knew of this call."""
        self.call_id = known.call_id
        self.linkedids = list(known.linkedids)
        self.started_at = known.started_at
        self.direction = known.direction
        self.did = known.did
        self.caller, self.callee = known_party(self.directory, known.caller), known_party(self.directory, known.callee)
        self.ringing_at, self.answered_at = known.ringing_at, known.answered_at
        self.reached_voicemail = known.callee.kind is PartyKind.VOICEMAIL
        self._offers, self._visits = list(known.offers), list(known.queue_visits)
        self._connections, self._holds = list(known.connections), list(known.holds)
        self._transfers = list(known.transfers)
        self.members = {offer.interface for offer in known.offers if offer.queue is not None}
        self.mark_resynced()

    def record(self) -> Call:
        """The call as it is now. The value is kept until a fact changes."""
        if self._record is None:
            self._record = Call(
                call_id=self.call_id,
                tenant=self.directory.tenant,
                pbx=self.directory.pbx,
                linkedids=tuple(self.linkedids),
                direction=self.direction or Direction.INTERNAL,
                caller=self.caller,
                callee=self.callee,
                status=self.status,
                started_at=self.started_at,
                did=self.did,
                ringing_at=self.ringing_at,
                answered_at=self.answered_at,
                ended_at=self.ended_at,
                queue_visits=tuple(self._visits),
                offers=tuple(self._offers),
                connections=tuple(self._connections),
                holds=tuple(self._holds),
                transfers=tuple(self._transfers),
                hangup_by=self.hangup_by,
                hangup_cause=self.hangup_cause,
                complete=self.complete,
                source=self.source,
            )
        return self._record

    def touch(self) -> None:
        """A fact was set: the record must be made anew."""
        self._record = None

    def release(self) -> None:
        """Let go of the legs, which refer back: the memory is then free at once, without the garbage collector."""
        self.entry = self.customer = None
        self.rings.clear()

    def mark_resynced(self) -> None:
        """Something of this call was not seen."""
        self.complete = False
        self.source = Source.RESYNC
        self.touch()

    def add_linkedid(self, linkedid: str) -> None:
        """The call goes by one more linkedid."""
        if linkedid not in self.linkedids:
            self.linkedids.append(linkedid)
            self.touch()

    @property
    def offers(self) -> list[Offer]:
        """All offers so far, those that have not rung included."""
        return self._offers

    def add_offer(self, offer: Offer) -> int:
        """Add an offer; the index names it from then on."""
        self._offers.append(offer)
        self.touch()
        return len(self._offers) - 1

    def change_offer(self, index: int, **facts: Any) -> Offer:
        """Set facts of an offer."""
        offer = self._offers[index] = replace(self._offers[index], **facts)
        self.touch()
        return offer

    @property
    def visits(self) -> list[QueueVisit]:
        """All queue visits so far."""
        return self._visits

    def add_visit(self, visit: QueueVisit) -> None:
        """The caller joined, or was refused by, a queue."""
        self._visits.append(visit)
        self.touch()

    def change_visit(self, **facts: Any) -> QueueVisit:
        """Set facts of the newest queue visit."""
        visit = self._visits[-1] = replace(self._visits[-1], **facts)
        self.touch()
        return visit

    @property
    def connections(self) -> list[Connection]:
        """All connections so far."""
        return self._connections

    def add_connection(self, connection: Connection) -> int:
        """Somebody began to talk; the index names the connection from then on."""
        self._connections.append(connection)
        self.touch()
        return len(self._connections) - 1

    def end_connection(self, index: int, at: datetime) -> Connection:
        """Somebody stopped talking."""
        connection = self._connections[index] = replace(self._connections[index], to=at)
        self.touch()
        return connection

    @property
    def holds(self) -> list[Hold]:
        """All holds so far."""
        return self._holds

    def cut_connection(self, interface: str | None, number: str | None, since: datetime) -> int | None:
        """The newest connection of a party, if it ended after `since`, or nobody saw yet whether it did."""
        for index in range(len(self._connections) - 1, -1, -1):
            one = self._connections[index]
            if one.interface == interface and one.number == number:
                is_open = one.to is None and index not in self.open_talks.values()
                return index if is_open or (one.to is not None and one.to >= since) else None
        return None

    def resume_connection(self, index: int) -> Connection:
        """Somebody goes on talking, who only changed the bridge."""
        connection = self._connections[index] = replace(self._connections[index], to=None)
        self.touch()
        return connection

    @property
    def transfers(self) -> list[Transfer]:
        """All transfers so far."""
        return self._transfers

    def add_transfer(self, transfer: Transfer, by: Leg | None) -> None:
        """Somebody handed the call over."""
        self._transfers.append(transfer)
        self.handed_on_by = by.uniqueid if by is not None else None
        self.touch()

    def drop_transfer(self) -> None:
        """Who handed the call on last has it still, or again, by the same channel: they had not handed it on."""
        self._transfers.pop()
        self.handed_on_by = None
        self.touch()

    def correct_transfer(self, transfer: Transfer) -> None:
        """Who handed the call over last, and how, became known."""
        self._transfers[-1] = transfer
        self.touch()

    def absorb(self, other: CallFacts) -> None:
        """Another call turned out to be part of this one.

        What rang and waited in it, and whom it reached, is part of this call's story. What was said in it was not
        said to this call's customer: its connections and holds are not.
        """
        for ring in other.rings:
            ring.index += len(self._offers)
        self._offers += other._offers
        self.rings += other.rings
        self._visits = sorted(self._visits + other._visits, key=lambda visit: visit.joined_at)
        self._transfers = sorted(self._transfers + other._transfers, key=lambda transfer: transfer.at)
        self.members |= other.members
        self.linkedids += [linkedid for linkedid in other.linkedids if linkedid not in self.linkedids]
        self.asked_queue = self.asked_queue or other.asked_queue
        self.abandon_told = self.abandon_told or other.abandon_told
        self.reached_voicemail = self.reached_voicemail or other.reached_voicemail
        self.complete = self.complete and other.complete
        self.touch()

    def add_hold(self, hold: Hold) -> None:
        """Somebody put the other side on hold."""
        self._holds.append(hold)
        self.touch()

    def end_hold(self, interface: str | None, at: datetime) -> Hold | None:
        """Somebody took the other side off hold; None if they had not put it there."""
        for index in range(len(self._holds) - 1, -1, -1):
            hold = self._holds[index]
            if hold.interface == interface and hold.to is None:
                self._holds[index] = ended = replace(hold, to=at)
                self.touch()
                return ended
        return None

    def caller_left(self) -> bool:
        """Whether the caller has hung up, or asked to."""
        entry = self.entry
        return entry is None or entry.uniqueid not in self.legs or entry.hangup_asked_at is not None
