"""Callers stand in the order in which Asterisk has them; queues come and go; members are known by their penalty."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.changes import CallQueued, QueueLeft
from callcenter.events import QueueEntry, QueueList, QueueMemberState, QueueSetting
from callcenter.live.board import Board
from callcenter.model import Call, CallStatus, Direction, Party, QueueExit, QueueVisit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALES = ("pbx", "sales")


def waiting(number: int, position: int | None, **visit: Any) -> Call:
    joined = NOON + timedelta(seconds=number)
    return Call(
        call_id=UUID(int=number),
        tenant="default",
        pbx="pbx",
        linkedids=(str(number),),
        direction=Direction.INBOUND,
        caller=Party(number=str(number)),
        callee=Party(),
        status=CallStatus.IN_PROGRESS,
        started_at=joined,
        queue_visits=(QueueVisit(queue="sales", joined_at=joined, position=position, **visit),),
    )


def join(board: Board, number: int, position: int | None) -> None:
    call = waiting(number, position)
    board.take(CallQueued(at=NOON, call=call, visit=call.queue_visits[0]))


def order(board: Board) -> list[int]:
    return [one.call_id.int for one in board.queue(SALES).waiting]


def listed(*numbers: int, queue: str = "sales", members: tuple[QueueMemberState, ...] = ()) -> QueueList:
    entries = tuple(
        QueueEntry(queue=queue, uniqueid=str(number), channel=f"PJSIP/trunk-{number}", position=place, priority=0)
        for place, number in enumerate(numbers, 1)
    )
    setting = QueueSetting(name=queue, strategy="ringall")
    return QueueList(at=NOON, queues=(setting,), entries=entries, members=members)


def call_of(uniqueid: str) -> UUID | None:
    return UUID(int=int(uniqueid))


def test_who_comes_with_a_priority_stands_where_asterisk_says() -> None:
    board = Board()
    for number, position in ((1, 1), (2, 2), (3, 1), (4, None)):
        join(board, number, position)
    assert order(board) == [3, 1, 2, 4]


def test_a_list_puts_callers_in_order_and_leaves_later_ones_at_the_end() -> None:
    board = Board()
    for number in (1, 2, 3):
        join(board, number, number)
    board.drain()
    board.learn("pbx", listed(2, 1), call_of, whole=False)
    assert order(board) == [2, 1, 3]
    assert board.drain() == {SALES}


def test_a_queue_that_is_gone_on_asterisk_is_gone_but_for_its_callers() -> None:
    member = QueueMemberState(NOON, "sales", "PJSIP/1001", None, "Li", False, None, 1, False, 3)
    board = Board()
    board.learn("pbx", listed(members=(member,)), call_of, whole=True)
    assert board.queue(SALES).members[0].penalty == 3
    join(board, 1, 1)
    assert board.learn("pbx", listed(queue="support"), call_of, whole=True) == {"PJSIP/1001"}
    assert board.knows(SALES) and not board.queue(SALES).members
    call = waiting(1, 1, left_at=NOON, exit=QueueExit.ABANDONED)
    board.take(QueueLeft(at=NOON, call=call, visit=call.queue_visits[0]))
    assert [queue.name for queue in board.queues()] == ["support"]
    assert not board.knows(SALES)


def test_a_list_of_one_queue_says_nothing_of_the_others() -> None:
    board = Board()
    board.learn("pbx", listed(), call_of, whole=True)
    board.learn("pbx", listed(queue="support"), call_of, whole=False)
    assert {queue.name for queue in board.queues()} == {"sales", "support"}
