"""Queue visits: a caller joins, waits, and leaves in one of seven ways.

`QueueCallerLeave` does not say why. That is told before it (abandon, answer) or after it by the variable QUEUESTATUS,
so a visit may be left for a moment without its exit.
"""

from datetime import datetime
from typing import Final

from callcenter import changes as ch
from callcenter.model import OfferResult, QueueExit, QueueVisit
from callcenter.tracking.calls import CallFacts, Emit

EXITS: Final = {
    "TIMEOUT": QueueExit.TIMEOUT,
    "FULL": QueueExit.FULL,
    "JOINEMPTY": QueueExit.JOIN_EMPTY,
    "JOINUNAVAIL": QueueExit.JOIN_EMPTY,
    "LEAVEEMPTY": QueueExit.LEAVE_EMPTY,
    "LEAVEUNAVAIL": QueueExit.LEAVE_EMPTY,
    "CONTINUE": QueueExit.OTHER,
    "WITHDRAW": QueueExit.OTHER,
}
"""QUEUESTATUS → exit. Source: Queue() in asterisk/apps/app_queue.c."""


def waits(call: CallFacts) -> bool:
    """Whether the caller waits in a queue now."""
    return bool(call.visits) and call.visits[-1].left_at is None


def joined(call: CallFacts, queue: str, position: int | None, at: datetime, emit: Emit) -> bool:
    """The caller joined a queue. False: they wait in it already. One they waited in before they left unheard."""
    if waits(call):
        if call.visits[-1].queue == queue:
            return False
        call.change_visit(left_at=at)
    settle(call, QueueExit.OTHER, at, emit)
    visit = QueueVisit(queue=queue, joined_at=at, position=position)
    call.add_visit(visit)
    call.asked_queue = None
    call.abandon_told = False
    emit(ch.CallQueued, call, at, visit=visit)
    return True


def abandoned(call: CallFacts, queue: str) -> bool:
    """Asterisk calls the visit abandoned, which it also does where the queue's time is up. False: nobody waits there.

    So only a caller who has hung up has abandoned; else QUEUESTATUS tells, after the leave event.
    """
    if not waits(call) or call.visits[-1].queue != queue:
        return False
    call.abandon_told = True
    if call.caller_left():
        call.change_visit(exit=QueueExit.ABANDONED)
    return True


def left(call: CallFacts, queue: str, at: datetime, emit: Emit) -> bool:
    """The caller no longer waits. False: they did not wait there."""
    if not call.visits or call.visits[-1].queue != queue:
        return False
    if not waits(call):
        return call.visits[-1].exit is QueueExit.ANSWERED  # who talks has left already
    visit = call.change_visit(left_at=at)
    if visit.exit is None and _was_answered(call, visit):
        visit = call.change_visit(exit=QueueExit.ANSWERED)
    if visit.exit is not None:
        emit(ch.QueueLeft, call, at, visit=visit)
    return True


def status_set(call: CallFacts, status: str | None, at: datetime, emit: Emit) -> None:
    """QUEUESTATUS was set: it tells how the caller left, or that the queue refused them."""
    how = EXITS.get(status or "")
    if how is None:
        return
    if call.asked_queue is not None and how in (QueueExit.JOIN_EMPTY, QueueExit.FULL):
        refused = QueueVisit(queue=call.asked_queue, joined_at=at, left_at=at, exit=how)
        call.asked_queue = None
        call.add_visit(refused)
        emit(ch.QueueLeft, call, at, visit=refused)
    else:
        settle(call, how, at, emit)


def connected(call: CallFacts, queue: str, at: datetime, emit: Emit) -> None:
    """A member took the caller; where the leave event was not seen as an answer, it is one now."""
    if call.visits and call.visits[-1].queue == queue and call.visits[-1].exit is None:
        if call.visits[-1].left_at is None:
            call.change_visit(left_at=at)
        settle(call, QueueExit.ANSWERED, at, emit)


def settle(call: CallFacts, how: QueueExit, at: datetime, emit: Emit) -> None:
    """Give the newest visit its exit, if it was left and has none."""
    if call.visits and call.visits[-1].exit is None and call.visits[-1].left_at is not None:
        emit(ch.QueueLeft, call, at, visit=call.change_visit(exit=how))


def moved_on(call: CallFacts, at: datetime, emit: Emit) -> None:
    """The caller runs the dialplan: who does has not hung up, whatever Asterisk says of the queue they were in."""
    settle(call, QueueExit.OTHER, at, emit)


def close(call: CallFacts, at: datetime, emit: Emit) -> None:
    """The call ends: a visit that is still open was abandoned, one without an exit left otherwise."""
    if not call.visits or (call.visits[-1].exit is not None and call.visits[-1].left_at is not None):
        return
    visit = call.visits[-1]
    gave_up = visit.left_at is None or call.abandon_told
    how = visit.exit or (QueueExit.ABANDONED if gave_up else QueueExit.OTHER)
    emit(ch.QueueLeft, call, at, visit=call.change_visit(left_at=visit.left_at or at, exit=how))


def _was_answered(call: CallFacts, visit: QueueVisit) -> bool:
    return any(
        offer.queue == visit.queue and offer.result is OfferResult.ANSWERED and offer.rang_at >= visit.joined_at
        for offer in call.offers
    )
