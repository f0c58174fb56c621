"""What the live floor costs: 500 agents, 100 queues and 40 watchers, with changes of calls as a full house makes them.

One second of the floor is 25 calls that begin, wait, ring, talk and end (150 changes), 100 words of queues about their
members, and four beats: rows drawn where something happened, differences made, and handed to each watcher. It is timed
as CPU time and given as a share of a core. The naive way encodes the whole floor for each watcher at each beat. Both
are the server's own code on the same events; sockets are not among what is timed, `broadcast` measures those.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import msgspec

from bench.rows import Row
from callcenter.accounts.values import Extension
from callcenter.changes import AgentRinging, CallAnswered, CallChange, CallEnded, CallQueued, CallStarted, QueueLeft
from callcenter.events import QueueMemberState
from callcenter.joints.floorplan import FloorPlan
from callcenter.live.board import Board
from callcenter.live.day import Day
from callcenter.model import Call, CallStatus, Connection, Direction, Offer, OfferResult, Party, QueueExit, QueueVisit
from screenpop.messages import AgentState
from screenpop.picture import Picture, Rows
from screenpop.rows import TABLES

AGENTS, QUEUES, WATCHERS = 500, 100, 40
MEMBERSHIPS = 4
CALLS_PER_S, WORDS_PER_S, BEATS = 25, 100, 4
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_encoder = msgspec.json.Encoder()


class Seats:
    """Everybody sits at a phone."""

    def __init__(self) -> None:
        self._names = {f"agent{n}": f"Agent {n}" for n in range(AGENTS)}
        self._seats = {
            f"PJSIP/{n}": Extension(pbx="pbx", extension=str(n), interface=f"PJSIP/{n}", name=None, agent=f"agent{n}")
            for n in range(AGENTS)
        }

    @property
    def names(self) -> Mapping[str, str]:
        """All people."""
        return self._names

    def seats(self, pbx: str) -> Mapping[str, Extension]:
        """All of them."""
        return self._seats

    def seat_of(self, agent: str) -> Extension | None:
        """Where an agent sits."""
        return self._seats.get(f"PJSIP/{agent.removeprefix('agent')}")


class House:
    """A floor, and what happens on it."""

    def __init__(self) -> None:
        self.rows, self.board, self.day = Rows(), Board(), Day(NOON - timedelta(hours=12))
        self.states = {
            f"agent{n}": AgentState(
                agent=f"agent{n}", name=None, state="ready", extension=str(n), interface=f"PJSIP/{n}", since=NOON
            )
            for n in range(AGENTS)
        }
        self.plan = FloorPlan(self.rows, self.board, self.day, Seats(), lambda: self.states)
        for n in range(AGENTS):
            for m in range(MEMBERSHIPS):
                self.word(n, (n + 25 * m) % QUEUES)
        deque(self.plan.draw(), maxlen=0)
        self.picture = Picture(self.rows, None)
        self.rows.drain()

    def word(self, agent: int, queue: int, status: int = 1) -> None:
        """A queue says something of a member."""
        device = f"PJSIP/{agent}"
        self.board.member(
            "pbx", QueueMemberState(NOON, f"queue{queue}", device, device, None, False, None, status, False)
        )

    def take(self, change: CallChange) -> None:
        """A call changed."""
        self.board.take(change)
        self.day.take(change)
        self.plan.take(change)


def life(n: int) -> Iterator[CallChange]:
    """The changes of a call, in order; call `n` is of agent and queue `n`."""
    at = NOON + timedelta(seconds=n / CALLS_PER_S)
    agent, queue = n % AGENTS, f"queue{n % QUEUES}"
    call = Call(
        call_id=UUID(int=n),
        tenant="default",
        pbx="pbx",
        linkedids=(str(n),),
        direction=Direction.INBOUND,
        caller=Party(number=f"+44770090{n:04}"),
        callee=Party(),
        status=CallStatus.IN_PROGRESS,
        started_at=at,
    )
    yield CallStarted(at=at, call=call)
    visit = QueueVisit(queue=queue, joined_at=at)
    call = msgspec.structs.replace(call, queue_visits=(visit,))
    yield CallQueued(at=at, call=call, visit=visit)
    offer = Offer(interface=f"PJSIP/{agent}", agent=f"agent{agent}", queue=queue, rang_at=at)
    call = msgspec.structs.replace(call, offers=(offer,))
    yield AgentRinging(at=at, call=call, offer=offer)
    over = msgspec.structs.replace(offer, ended_at=at, result=OfferResult.ANSWERED)
    left = msgspec.structs.replace(visit, left_at=at, exit=QueueExit.ANSWERED)
    talk = Connection(from_=at, agent=f"agent{agent}", interface=f"PJSIP/{agent}")
    call = msgspec.structs.replace(call, offers=(over,), queue_visits=(left,), connections=(talk,), answered_at=at)
    yield QueueLeft(at=at, call=call, visit=left)
    yield CallAnswered(at=at, call=call, connection=talk)
    done = msgspec.structs.replace(talk, to=at + timedelta(minutes=3))
    call = msgspec.structs.replace(call, connections=(done,), status=CallStatus.ANSWERED, ended_at=done.to)
    yield CallEnded(at=at, call=call)


def differences(house: House) -> int:
    """A beat as the server does it; gives the bytes that one watcher gets."""
    deque(house.plan.draw(), maxlen=0)
    patch = house.picture.patch(house.rows.drain())
    return _write(_encoder.encode(patch))


def everything(house: House) -> int:
    """A beat that draws and sends the whole floor."""
    deque(house.plan.draw(), maxlen=0)
    house.rows.drain()
    sent = 0
    for _ in range(WATCHERS):
        sent = len(_encoder.encode({table: house.rows.tables[table] for table in TABLES}))
    return sent


def _write(body: bytes) -> int:
    outbox = [bytearray() for _ in range(WATCHERS)]
    for one in outbox:
        one += body
    return len(body)


def second(house: House, numbers: Iterator[int], beat: Callable[[House], int]) -> int:
    """One second of the floor; gives the bytes of its beats."""
    going = [life(next(numbers)) for _ in range(CALLS_PER_S)]
    changes = [change for one in going for change in one]
    portion = len(changes) // BEATS + 1
    sent = 0
    for place in range(BEATS):
        for change in changes[place * portion : (place + 1) * portion]:
            house.take(change)
        for word in range(WORDS_PER_S // BEATS):
            house.word((place * 61 + word * 7) % AGENTS, word % QUEUES, 1 + word % 2)
        sent += beat(house)
    return sent


def measured(beat: Callable[[House], int], seconds: int) -> tuple[float, float]:
    """CPU seconds and bytes per watcher of one second of the floor."""
    house, numbers = House(), count()
    second(house, numbers, beat)
    began, sent = time.process_time(), 0
    for _ in range(seconds):
        sent += second(house, numbers, beat)
    return (time.process_time() - began) / seconds, sent / seconds


def run(quick: bool, full: bool) -> list[Row]:
    """Measure both ways."""
    ours, ours_bytes = measured(differences, 120 if full else 40)
    naive, naive_bytes = measured(everything, 3)
    kilo, share = ours_bytes / 1024, ours * 100
    more_cpu, more_bytes = naive / ours, naive_bytes / ours_bytes
    return [
        Row(name="CPU of a second of the floor", value=share, unit="% of a core", budget="≤ 10"),
        Row(name="the whole at each beat", value=naive * 100, unit="% of a core", ratio=more_cpu, ratio_to="ours"),
        Row(name="to each watcher, per second", value=kilo, unit="KB"),
        Row(name="the whole at each beat", value=naive_bytes / 1024, unit="KB", ratio=more_bytes, ratio_to="ours"),
    ]
