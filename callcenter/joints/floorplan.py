"""The floor for those who watch it: rows of queues, callers, members and agents, drawn anew where something happened.

What happens marks what it touches; a beat, a few times a second, draws that and no more.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

from callcenter import events as ev
from callcenter.accounts.values import Extension
from callcenter.changes import CallChange, CallMerged
from callcenter.joints.board import member_state
from callcenter.live import line
from callcenter.live.alerts import NO_LIMITS, Facts, Limits, Severity, Watchman
from callcenter.live.board import Board, QueueKey, QueueNow
from callcenter.live.day import Day
from callcenter.metrics.service_level import level
from callcenter.model import Call, Direction
from callcenter.tracking import ids
from callcenter.web.schemas.people import AgentState
from screenpop import views
from screenpop.messages import AgentState as Presence
from screenpop.messages import Customer
from screenpop.picture import Rows
from screenpop.rows import AgentRow, AlertRow, CallerRow, LevelRow, LimitsRow, MemberRow, QueueRow, WithWhom

DRAWN_AT_ONCE: Final = 10
"""Rows that are drawn in one piece, a quarter of a millisecond; then a telephone's pop has its turn."""
LARGEST_STAFF: Final = 20
"""Names that are given of those of whom one gets a caller."""


class People(Protocol):
    """Who there is, and who sits where: `Seating`."""

    @property
    def names(self) -> Mapping[str, str]:
        """Names by agent; another object when they change."""
        ...

    def seats(self, pbx: str) -> Mapping[str, Extension]:
        """The extensions of a PBX by interface."""
        ...

    def seat_of(self, agent: str) -> Extension | None:
        """Where an agent sits now."""
        ...


class FloorPlan:
    """Draws the floor of one tenant into `rows`."""

    def __init__(
        self,
        rows: Rows,
        board: Board,
        day: Day,
        seating: People,
        presence: Callable[[], Mapping[str, Presence]],
    ) -> None:
        self.limits: dict[QueueKey, Limits] = {}
        self.watchman = Watchman()
        self._rows = rows
        self._board = board
        self._day = day
        self._seating = seating
        self._presence = presence
        self._states: dict[str, Presence] = {}
        self._names: Mapping[str, str] = {}
        self._seats: dict[str, Extension | None] = {}
        self._with: dict[str, dict[UUID, WithWhom]] = {}
        self._involved: dict[UUID, frozenset[str]] = {}
        self._customers: dict[UUID, Customer] = {}
        self._spied: dict[str, tuple[str, str]] = {}
        """Channel that listens → the agent listened to, and the name of who listens."""
        self._agents: set[str] = set()
        """Agents to be drawn."""
        self._queues: set[QueueKey] = set()
        self._drawn: dict[QueueKey, tuple[set[str], set[str]]] = {}
        """Keys of the callers and members that are drawn of each queue."""

    def take(self, change: CallChange) -> None:
        """A call changed."""
        call = change.call
        if isinstance(change, CallMerged):
            self._involve(change.merged, {})
            self._customers.pop(change.merged, None)
        if call.ended_at is not None:
            self._customers.pop(call.call_id, None)
        self._involve(call.call_id, self._parts(call))

    def recognized(self, call: Call, customer: Customer) -> None:
        """It became known who the customer of a call is."""
        if call.ended_at is not None:
            return
        self._customers[call.call_id] = customer
        now = self._board.call(call.call_id) or call
        self._involve(now.call_id, self._parts(now))
        if now.queue_visits:
            self._queues.add((now.pbx, now.queue_visits[-1].queue))

    def spy(self, pbx: str, event: ev.SpyStarted | ev.SpyStopped) -> None:
        """Somebody begins, or ends, to listen to a call."""
        before = self._spied.pop(event.uniqueid, None)
        if before is not None:
            self._agents.add(before[0])
        if isinstance(event, ev.SpyStarted):
            seats = self._seating.seats(pbx)
            spied = seats.get(ids.interface(event.spied_channel))
            by = seats.get(ids.interface(event.channel))
            if spied is not None and spied.agent is not None:
                name = ids.resource(ids.interface(event.channel))
                if by is not None:
                    name = self._names.get(by.agent or "") or by.extension
                self._spied[event.uniqueid] = (spied.agent, name)
                self._agents.add(spied.agent)

    def redraw(self, queues: set[QueueKey]) -> None:
        """Draw these queues at the next beat."""
        self._queues |= queues

    def draw(self) -> Iterator[None]:
        """Draw what was touched since the last time; yields where something else may have its turn."""
        self._look_at_people()
        day_queues, day_agents = self._day.drain()
        queues = self._board.drain() | day_queues | self._queues
        agents = (self._agents | day_agents) & self._names.keys()
        self._queues, self._agents = set(), set()
        for key in queues:
            self._draw_queue(key)
            yield
        for place, agent in enumerate(agents, 1):
            self._rows.put("agents", agent, self._agent(agent))
            if not place % DRAWN_AT_ONCE:
                yield

    def facts(self, key: QueueKey) -> Facts:
        """What a queue is judged by."""
        queue = self._board.queue(key)
        states = [member_state(member) for member in queue.members]
        limits = self.limits.get(key, NO_LIMITS)
        return Facts(
            waiting=len(queue.waiting),
            oldest=min((one.since for one in queue.waiting), default=None),
            level=level(self._day.tally(key), limits.formula),
            ready=states.count(AgentState.READY),
            staffed=any(state is not AgentState.OFFLINE for state in states),
        )

    def _look_at_people(self) -> None:
        states, names = self._presence(), self._seating.names
        if names is not self._names:
            for agent in self._names.keys() - names.keys():
                self._rows.put("agents", agent, None)
            self._names = names
            self._agents |= names.keys()
        for agent, state in states.items():
            if self._states.get(agent) is state:
                continue
            self._states[agent] = state
            self._agents.add(agent)
            before, now = self._seats.get(agent), self._seating.seat_of(agent)
            if before != now:
                self._seats[agent] = now
                for seat in (before, now):
                    if seat is not None:
                        places = self._board.memberships(seat.pbx, seat.interface)
                        self._queues |= {key for key, _ in places}

    def _involve(self, call_id: UUID, parts: Mapping[str, WithWhom]) -> None:
        before = self._involved.pop(call_id, frozenset())
        for agent in before - parts.keys():
            self._with.get(agent, {}).pop(call_id, None)
        for agent, part in parts.items():
            self._with.setdefault(agent, {})[call_id] = part
        if parts:
            self._involved[call_id] = frozenset(parts)
        self._agents |= before | parts.keys()

    def _parts(self, call: Call) -> dict[str, WithWhom]:
        """The agents who are in a call now, and how."""
        if call.ended_at is not None:
            return {}
        parts: dict[str, WithWhom] = {}
        for offer in call.offers:
            if offer.agent is not None and offer.ended_at is None:
                parts[offer.agent] = self._part(call, offer.agent, "ringing", offer.rang_at, offer.queue)
        placed = views.dialing_agent(call)
        if placed is not None and not call.connections:
            parts[placed] = self._part(call, placed, "ringing", call.started_at, None)
        internal = call.direction is Direction.INTERNAL
        for one in call.connections:
            if one.to is not None:
                continue
            for agent in {one.agent, call.caller.agent if internal else None} - {None}:
                assert agent is not None
                held = views.state(call, agent, False, False) == "held"
                parts[agent] = self._part(call, agent, "held" if held else "talking", one.from_, views.queue(call))
        return parts

    def _part(
        self,
        call: Call,
        agent: str,
        state: Literal["ringing", "talking", "held"],
        since: datetime,
        queue: str | None,
    ) -> WithWhom:
        other = views.other_side(call, agent)
        return WithWhom(
            call_id=call.call_id,
            state=state,
            direction=call.direction.value,
            since=since,
            queue=queue,
            number=views.clip(other.number),
            name=views.clip(other.name),
            customer=self._customers.get(call.call_id),
        )

    def _agent(self, agent: str) -> AgentRow:
        state = self._states.get(agent)
        seat = self._seating.seat_of(agent)
        calls = sorted(self._with.get(agent, {}).values(), key=lambda one: (one.state == "ringing", one.since))
        today = self._day.agent(agent)
        reason = None
        if seat is not None and state is not None and state.state == "paused":
            places = self._board.memberships(seat.pbx, seat.interface)
            reason = next((member.pause_reason for _, member in places if member.pause_reason), None)
        return AgentRow(
            agent=agent,
            name=self._names.get(agent, agent),
            state=state.state if state is not None else "offline",
            since=state.since if state is not None else None,
            reason=views.clip(reason),
            extension=seat.extension if seat is not None else None,
            call=calls[0] if calls else None,
            answered=today.answered,
            dialed=today.dialed,
            missed=today.missed,
            connected_s=today.connected.total_seconds(),
            listeners=tuple(sorted(name for spied, name in self._spied.values() if spied == agent)),
        )

    def _draw_queue(self, key: QueueKey) -> None:
        name = "/".join(key)
        callers, members = self._drawn.get(key, (set(), set()))
        if not self._board.knows(key):
            self._rows.put("queues", name, None)
            now: tuple[set[str], set[str]] = set(), set()
        else:
            queue = self._board.queue(key)
            self._rows.put("queues", name, self._queue(key, queue))
            now = self._draw_callers(name, queue), self._draw_members(name, queue)
        for gone in callers - now[0]:
            self._rows.put("callers", gone, None)
        for gone in members - now[1]:
            self._rows.put("members", gone, None)
        self._drawn[key] = now

    def _draw_callers(self, name: str, queue: QueueNow) -> set[str]:
        heirs = line.heirs(queue.strategy, queue.members, len(queue.waiting))
        drawn = set()
        for place, (waiting, heir) in enumerate(zip(queue.waiting, heirs, strict=True), 1):
            call = self._board.call(waiting.call_id)
            if call is None:
                continue
            key = str(waiting.call_id)
            drawn.add(key)
            ringing = [one for one in call.offers if one.ended_at is None and one.queue == queue.name]
            row = CallerRow(
                queue=name,
                place=place,
                since=waiting.since,
                number=views.clip(call.caller.number),
                name=views.clip(call.caller.name),
                customer=self._customers.get(call.call_id),
                ringing=tuple(self._called(queue.pbx, one.interface, None) for one in ringing),
                next=tuple(self._called(queue.pbx, one.device, one.name) for one in heir.members[:LARGEST_STAFF]),
                sure=heir.sure,
            )
            self._rows.put("callers", key, row)
        return drawn

    def _draw_members(self, name: str, queue: QueueNow) -> set[str]:
        drawn = set()
        for member in queue.members:
            key = f"{name}/{member.interface}"
            drawn.add(key)
            seat = self._seating.seats(queue.pbx).get(member.device)
            row = MemberRow(
                queue=name,
                interface=member.interface,
                device=member.device,
                name=self._called(queue.pbx, member.device, member.name),
                agent=seat.agent if seat is not None else None,
                state=member_state(member).value,
                paused=member.paused,
                reason=views.clip(member.pause_reason),
                penalty=member.penalty,
                dynamic=member.dynamic,
            )
            self._rows.put("members", key, row)
        return drawn

    def _queue(self, key: QueueKey, queue: QueueNow) -> QueueRow:
        tally, limits = self._day.tally(key), self.limits.get(key, NO_LIMITS)
        found = level(tally, limits.formula)
        states = [member_state(member) for member in queue.members]
        return QueueRow(
            pbx=key[0],
            name=key[1],
            strategy=queue.strategy,
            waiting=len(queue.waiting),
            oldest=min((one.since for one in queue.waiting), default=None),
            offered=tally.offered,
            answered=tally.answered,
            abandoned=tally.abandoned,
            short_abandons=tally.short_abandons,
            refused=tally.refused,
            level=LevelRow(
                formula=limits.formula.value,
                threshold_s=limits.goal.threshold.total_seconds(),
                numerator=found.numerator,
                denominator=found.denominator,
            ),
            ready=states.count(AgentState.READY),
            ringing=states.count(AgentState.RINGING),
            busy=states.count(AgentState.BUSY),
            paused=states.count(AgentState.PAUSED),
            offline=states.count(AgentState.OFFLINE),
            limits=limits_row(limits),
            alerts=tuple(
                AlertRow(
                    kind=one.kind.value,
                    severity="over" if one.severity is Severity.OVER else "near",
                    value=round(one.value, 4),
                    limit=one.limit,
                )
                for one in self.watchman.standing(key)
            ),
        )

    def _called(self, pbx: str, device: str, name: str | None) -> str:
        """What people call a device: who sits there, as the queue calls it, or its number."""
        seat = self._seating.seats(pbx).get(device)
        own = self._names.get(seat.agent) if seat is not None and seat.agent is not None else None
        return own or name or (seat.extension if seat is not None else ids.resource(device) or device)


def limits_row(limits: Limits) -> LimitsRow:
    """The limits of a queue, as they are shown."""
    return LimitsRow(
        most_waiting=limits.most_waiting,
        longest_wait_s=limits.longest_wait.total_seconds() if limits.longest_wait is not None else None,
        least_level=limits.least_level,
        least_ready=limits.least_ready,
        short_s=limits.goal.short.total_seconds(),
    )
