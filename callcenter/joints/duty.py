"""What agents do: their pages, calls and queues brought to the state machine, and what it says brought to everybody.

Asterisk has the last word: a pause is asked for, and true when a queue tells of it. Times are this machine's clock.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from callcenter.ami import actions
from callcenter.changes import CallChange
from callcenter.db.away import until_done
from callcenter.desk.intervals import StateRow
from callcenter.errors import AmiError, Conflict
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.seating import Seating
from callcenter.joints.shifts import Shifts
from callcenter.live.agents import WRAPUP, Activity, Agents, Stretch
from callcenter.live.board import Board, Member
from callcenter.pbx import Pbx
from screenpop.presence import Seat

TICK: Final = timedelta(seconds=1)
"""How often it is looked for what has no event of its own."""
ABSENT: Final = timedelta(minutes=1)
"""How long after a start pages may take to come back before their agents are offline."""
AWAY_PAUSE: Final = timedelta(seconds=2)
ANSWERING: Final = (Activity.READY, Activity.PAUSED, Activity.WRAPUP)

_log = structlog.get_logger("callcenter.duty")


class Duty:
    """The agents of one tenant. `run` is a task of the application; `show` is told how each looks to their pages."""

    def __init__(
        self,
        pbxs: Mapping[str, Pbx],
        seating: Seating,
        board: Board,
        words: DeskWords,
        shifts: Shifts,
        show: Callable[[Seat], None],
    ) -> None:
        self._pbxs = pbxs
        self._seating = seating
        self._board = board
        self._words = words
        self._shifts = shifts
        self._show = show
        self.agents = Agents(words.wrapup_of)
        self._own: dict[str, str] = {}
        """Pauses of agents who are a member of no queue."""
        self._present: set[str] = set()
        self._asking: set[str] = set()
        """Whose wrap-up is being told to Asterisk."""
        self._unasked: set[str] = set()
        """For whom that failed."""
        self._sooner = asyncio.Event()
        """Set where a wrap-up ends before the clocks are looked at next."""
        self._looks_at = datetime.max.replace(tzinfo=UTC)
        """When that is."""
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keep the agents' clocks until canceled."""
        rows = await until_done("agents' states", self._shifts.take_up, AWAY_PAUSE)
        for row in rows:
            if row.state == Activity.PAUSED:
                self._own[row.agent] = row.reason or ""
        self.agents.restore(_stretch(row) for row in rows)
        awaited = {row.agent for row in rows} - self._present
        over = datetime.now(UTC) + ABSENT
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                while True:
                    now = datetime.now(UTC)
                    if awaited and now > over:
                        for agent in awaited - self._present:
                            self._apply(self.agents.leave(agent, now))
                        awaited = set()
                    self._tick(now)
                    await self._rest()
            finally:
                self._group = None

    def present(self, tenant_id: int, agent: str, present: bool) -> None:
        """The agent's first page is open, or the last one is gone."""
        now = datetime.now(UTC)
        if present:
            self._present.add(agent)
            self._apply(self.agents.arrive(agent, now))
            self._settle(agent, now)
        else:
            self._present.discard(agent)
            self._apply(self.agents.leave(agent, now))

    def take(self, change: CallChange, arrived: datetime) -> None:
        """A call changed; the pages are told by what comes of it for the agents' states first."""
        self._apply(self.agents.take(change, arrived))

    def member_changed(self, pbx: str, device: str) -> None:
        """A queue said something of a device."""
        seat = self._seating.seats(pbx).get(device)
        if seat is not None and seat.agent is not None:
            self.seated(seat.agent)

    def seated(self, agent: str) -> None:
        """An agent's seat, name or queues may be different now."""
        now = datetime.now(UTC)
        self._apply(self.agents.pause(agent, self._pause_of(agent), now))
        self._settle(agent, now)
        self._tell(agent)
        self._ask(agent)

    async def pause(self, agent: str, reason: str) -> None:
        """Have no queue ring an agent, or make another reason of the pause.

        Raises:
            BadInput: there is no such reason. AmiError: the PBX cannot be asked, or refused.
        """
        self._words.check_reason(reason)
        self._own[agent] = reason
        if not self._members(agent):
            self.seated(agent)
        await self._say(agent, True, reason)

    async def ready(self, agent: str) -> None:
        """Have queues ring an agent again; ends a wrap-up too.

        Raises:
            AmiError: the PBX cannot be asked, or refused.
        """
        self._own.pop(agent, None)
        self._apply(self.agents.finish(agent, datetime.now(UTC)))
        if not self._members(agent):
            self.seated(agent)
        await self._say(agent, False, None)

    def extend(self, agent: str, by: timedelta) -> None:
        """Give an agent more time to wrap up.

        Raises:
            Conflict: there is nothing to wrap up, or it would take too long.
        """
        self._apply(self.agents.extend(agent, by, datetime.now(UTC)))

    def memberships(self, agent: str) -> dict[str, Member]:
        """Queue → what it knows the agent's phone as."""
        return self._members(agent)

    async def log_in(self, agent: str, queues: Mapping[str, int]) -> None:
        """Make an agent's phone a member of queues (name → penalty), paused where the agent pauses.

        Raises:
            Conflict: the agent sits nowhere. AmiError: the PBX cannot be asked, or refused.
        """
        seat = self._seating.seat_of(agent)
        if seat is None:
            raise Conflict("choose an extension first: there is no phone that a queue could ring")
        pbx = self._pbx(seat.pbx)
        pause = WRAPUP if self.agents.wrapup(agent) is not None else self.agents.paused(agent)
        settings = pbx.settings
        interface = settings.queue_member.format(interface=seat.interface, extension=seat.extension)
        for queue in queues.keys() - self._members(agent).keys():
            await pbx.client.action(
                actions.QueueAdd(
                    queue=queue,
                    interface=interface,
                    penalty=queues[queue],
                    paused=pause is not None,
                    member_name=self._seating.name_of(agent) or agent,
                    state_interface=seat.interface if seat.interface != interface else None,
                )
            )
            if pause:
                await pbx.client.action(actions.QueuePause(interface=interface, paused=True, queue=queue, reason=pause))

    async def log_out(self, agent: str) -> list[str]:
        """Take an agent's phone out of all queues but those that are fixed; returns the queues that it left.

        Raises:
            Conflict: all are fixed. AmiError: the PBX cannot be asked, or refused.
        """
        members = self._members(agent)
        leaving = {queue: one.interface for queue, one in members.items() if one.dynamic}
        if members and not leaving:
            raise Conflict("your phone is written into the PBX's queues and cannot leave them: pause instead")
        seat = self._seating.seat_of(agent)
        for queue, interface in leaving.items():
            assert seat is not None
            await self._pbx(seat.pbx).client.action(actions.QueueRemove(queue=queue, interface=interface))
        return list(leaving)

    def _apply(self, stretches: list[Stretch]) -> None:
        if not stretches:
            return
        self._shifts.put(_row(one) for one in stretches)
        for agent in dict.fromkeys(one.agent for one in stretches):
            self._tell(agent)
            self._ask(agent)
        due = self.agents.due
        if due is not None and due < self._looks_at:
            self._sooner.set()

    def _tick(self, now: datetime) -> None:
        self._apply(self.agents.tick(now))
        for agent in self.agents.unsettled:
            self._settle(agent, now)
        for agent in list(self._unasked):
            self._ask(agent)

    async def _rest(self) -> None:
        due, now = self.agents.due, datetime.now(UTC)
        pause = TICK if due is None else min(TICK, max(due - now, timedelta(0)))
        self._looks_at = now + pause
        self._sooner.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._sooner.wait()

    def _settle(self, agent: str, now: datetime) -> None:
        """Tell of an agent as soon as their PBX has said what goes on there."""
        if agent not in self.agents.unsettled:
            return
        seat = self._seating.seat_of(agent)
        pbxs = [self._pbxs[seat.pbx]] if seat is not None and seat.pbx in self._pbxs else list(self._pbxs.values())
        if all(pbx.counters.resyncs for pbx in pbxs) and self._group is not None:
            self.agents.pause(agent, self._pause_of(agent), now)
            self._apply(self.agents.settle(agent, now))

    def _pause_of(self, agent: str) -> str | None:
        seat = self._seating.seat_of(agent)
        if seat is not None and self._members(agent):
            pause = self._board.pause(seat.pbx, seat.interface)
            if pause != WRAPUP:
                # What Asterisk says is what holds when the phone leaves its queues, too.
                self._own.pop(agent, None)
                if pause is not None:
                    self._own[agent] = pause
            return pause
        return self._own.get(agent)

    def _members(self, agent: str) -> dict[str, Member]:
        seat = self._seating.seat_of(agent)
        if seat is None:
            return {}
        return {queue: member for (_, queue), member in self._board.memberships(seat.pbx, seat.interface)}

    def _tell(self, agent: str) -> None:
        """Say how an agent looks."""
        seat = self._seating.seat_of(agent)
        wrapup, pause, now = self.agents.wrapup(agent), self.agents.paused(agent), self.agents.now(agent)
        self._show(
            Seat(
                agent=agent,
                name=self._seating.name_of(agent),
                extension=seat.extension if seat is not None else None,
                interface=seat.interface if seat is not None else None,
                paused=wrapup is not None or pause is not None,
                reason=WRAPUP if wrapup is not None else pause or None,
                since=now.from_ if now is not None and now.activity in ANSWERING else None,
                until=wrapup[1] if wrapup is not None else None,
                call_id=wrapup[0] if wrapup is not None else None,
                budget_s=self._words.budget_of(pause) if wrapup is None and pause else None,
                logged_in=bool(self._members(agent)) if seat is not None else None,
            )
        )

    def _ask(self, agent: str) -> None:
        """Have Asterisk pause an agent who wraps up, and end that pause when the time is over."""
        group, seat = self._group, self._seating.seat_of(agent)
        self._unasked.discard(agent)
        if group is None or seat is None or agent in self._asking:
            return
        pbx = self._pbxs.get(seat.pbx)
        if pbx is None or not pbx.synced:
            return
        wraps = self.agents.wrapup(agent) is not None
        members = self._members(agent).values()
        if wraps:
            wanted = {one.interface for one in members if not one.paused}
        else:
            wanted = {one.interface for one in members if one.paused and one.pause_reason == WRAPUP}
        if wanted:
            self._asking.add(agent)
            group.create_task(self._pause_all(agent, pbx, wanted, wraps), name=f"wrap-up of {agent}")

    async def _pause_all(self, agent: str, pbx: Pbx, interfaces: set[str], paused: bool) -> None:
        try:
            for interface in sorted(interfaces):
                reason = WRAPUP if paused else None
                await pbx.client.action(actions.QueuePause(interface=interface, paused=paused, reason=reason))
        except AmiError as problem:
            _log.warning("wrapup_not_told", agent=agent, pbx=pbx.settings.id, reason=str(problem))
            self._unasked.add(agent)
        finally:
            self._asking.discard(agent)

    async def _say(self, agent: str, paused: bool, reason: str | None) -> None:
        seat = self._seating.seat_of(agent)
        if seat is None:
            return
        for interface in sorted({one.interface for one in self._members(agent).values()}):
            action = actions.QueuePause(interface=interface, paused=paused, reason=reason)
            await self._pbx(seat.pbx).client.action(action)

    def _pbx(self, pbx_id: str) -> Pbx:
        pbx = self._pbxs.get(pbx_id)
        if pbx is None:
            raise Conflict(f"PBX {pbx_id!r} is not configured any more: choose your extension again")
        return pbx


def _row(stretch: Stretch) -> StateRow:
    return StateRow(
        agent=stretch.agent,
        state=stretch.activity.value,
        from_=stretch.from_,
        to=stretch.to,
        reason=stretch.reason,
        until=stretch.until,
        call_id=stretch.call_id,
    )


def _stretch(row: StateRow) -> Stretch:
    return Stretch(
        agent=row.agent,
        activity=Activity(row.state),
        from_=row.from_,
        reason=row.reason,
        until=row.until,
        call_id=row.call_id,
    )
