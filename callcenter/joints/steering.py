"""What supervisors do to queues and agents: asked of Asterisk, within the queues they are given, and always noted.

The note is written before anything is done: what cannot be noted is not done.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from callcenter.accounts.roles import Principal
from callcenter.accounts.scope import check_queue, covers
from callcenter.accounts.values import Extension
from callcenter.ami import actions
from callcenter.db.audit import note
from callcenter.db.engine import Database
from callcenter.errors import AmiActionFailed, BadInput, Conflict, Forbidden, NotFound
from callcenter.joints.floorwatch import FloorWatch
from callcenter.joints.seating import Seating
from callcenter.joints.spying import Spying
from callcenter.live.alerts import Limits
from callcenter.live.board import Board, Member, QueueKey
from callcenter.metrics.service_level import Goal
from callcenter.model import Call
from callcenter.pbx import Pbx
from callcenter.web.schemas.floor import MemberChange, NewMember, QueueLimits, SpyMode, SpyView

Unseat = Callable[[str], Awaitable[None]]


class Steering:
    """`callcenter.web.services.Steering`."""

    def __init__(
        self,
        database: Database,
        pbxs: Mapping[str, Pbx],
        board: Board,
        seating: Seating,
        watch: FloorWatch,
        unseat: Unseat,
    ) -> None:
        self._database = database
        self._pbxs = pbxs
        self._board = board
        self._seating = seating
        self._watch = watch
        self._unseat = unseat
        self.spying = Spying(pbxs)

    async def to_front(self, by: Principal, call_id: UUID) -> None:
        """Let a caller be the next of their queue."""
        key = self._waits(by, call_id)
        pbx = self._pbx(key[0])
        await self._note(by, "caller.to_front", "call", call_id, {"queue": key[1]})
        listed = await pbx.list_queues(key[1])
        entry = next((one for one in listed.entries if pbx.tracker.call_of(one.uniqueid) == call_id), None)
        if entry is None:
            raise NotFound("the caller does not wait any more")
        highest = max(one.priority for one in listed.entries)
        if entry.position != 1:
            await pbx.client.action(
                actions.QueueChangePriorityCaller(queue=key[1], caller=entry.channel, priority=highest + 1)
            )
            # Asterisk tells nobody of the new order.
            await pbx.list_queues(key[1])

    async def move(self, by: Principal, call_id: UUID, queue: str | None, agent: str | None) -> None:
        """Send a caller who waits to another queue, or to an agent's phone."""
        key = self._waits(by, call_id)
        pbx = self._pbx(key[0])
        if queue is not None:
            target = (key[0], queue)
            if not self._board.knows(target) or target == key:
                raise NotFound(f"there is no other queue {queue!r} at {key[0]}")
            self._check(by, target)
            context, exten = pbx.settings.queue_context, queue
        else:
            seat = self._seat(agent or "")
            if seat.pbx != key[0]:
                raise Conflict(f"the phone of {agent} is at another PBX")
            context, exten = pbx.settings.dial_context, seat.extension
        channel = pbx.tracker.customer_channel(call_id)
        if channel is None:
            raise NotFound("the caller is gone")
        await self._note(by, "caller.move", "call", call_id, {"from": key[1], "queue": queue, "agent": agent})
        # A caller who is sent where the dialplan has nothing would be cut off.
        known = await pbx.client.action(actions.Getvar(variable=f"DIALPLAN_EXISTS({context},{exten},1)"))
        if known.fields.get("Value") != "1":
            raise Conflict(f"the dialplan has no {exten} in {context}: see queue_context in the settings of the PBX")
        await pbx.client.action(actions.Redirect(channel=channel, context=context, exten=exten))

    async def pause(self, by: Principal, agent: str, paused: bool, reason: str | None) -> None:
        """Pause an agent in all queues, or end the pause."""
        seat = self._seat(agent)
        self._check_agent(by, seat)
        await self._note(by, "agent.pause" if paused else "agent.unpause", "agent", agent, {"reason": reason})
        for interface in {member.interface for _, member in self._places(seat)}:
            action = actions.QueuePause(interface=interface, paused=paused, reason=reason)
            await self._pbx(seat.pbx).client.action(action)

    async def log_out(self, by: Principal, agent: str) -> None:
        """Take an agent out of all queues, or pause them where they are members by configuration, and unseat them."""
        seat = self._seat(agent)
        self._check_agent(by, seat)
        await self._note(by, "agent.log_out", "agent", agent, {"extension": seat.extension})
        client = self._pbx(seat.pbx).client
        for (_, queue), member in self._board.memberships(seat.pbx, seat.interface):
            if member.dynamic:
                await client.action(actions.QueueRemove(queue=queue, interface=member.interface))
            else:
                action = actions.QueuePause(interface=member.interface, paused=True, queue=queue, reason="logged out")
                await client.action(action)
        await self._unseat(agent)

    async def add_member(self, by: Principal, new: NewMember) -> None:
        """Make an agent's phone a member of a queue."""
        key = (new.pbx, new.queue)
        self._check(by, key)
        if not self._board.knows(key):
            raise NotFound(f"there is no queue {new.queue!r} at {new.pbx}")
        seat = self._seat(new.agent)
        if seat.pbx != new.pbx:
            raise Conflict(f"the phone of {new.agent} is at another PBX")
        await self._note(by, "queue.add_member", "queue", "/".join(key), {"agent": new.agent, "penalty": new.penalty})
        try:
            await self._pbx(new.pbx).client.action(
                actions.QueueAdd(
                    queue=new.queue,
                    interface=seat.interface,
                    penalty=new.penalty,
                    member_name=self._seating.names.get(new.agent),
                    state_interface=seat.interface,
                )
            )
        except AmiActionFailed as problem:
            if "Already there" in str(problem):
                raise Conflict(f"{new.agent} is in this queue already") from None
            raise

    async def change_member(self, by: Principal, change: MemberChange) -> None:
        """Change the penalty of a member, or pause it in this queue alone."""
        key, member = self._member(by, change.pbx, change.queue, change.interface)
        detail = {"interface": change.interface, "penalty": change.penalty, "paused": change.paused}
        await self._note(by, "queue.change_member", "queue", "/".join(key), detail)
        client = self._pbx(key[0]).client
        if change.penalty is not None and change.penalty != member.penalty:
            await client.action(actions.QueuePenalty(queue=key[1], interface=member.interface, penalty=change.penalty))
        if change.paused is not None and change.paused != member.paused:
            await client.action(
                actions.QueuePause(interface=member.interface, paused=change.paused, queue=key[1], reason=change.reason)
            )

    async def remove_member(self, by: Principal, pbx: str, queue: str, interface: str) -> None:
        """Take a member out of a queue."""
        key, member = self._member(by, pbx, queue, interface)
        if not member.dynamic:
            raise Conflict(
                f"{member.name or interface} is a member by Asterisk's configuration: pause them here, or take them "
                "out of queues.conf"
            )
        await self._note(by, "queue.remove_member", "queue", "/".join(key), {"interface": interface})
        await self._pbx(pbx).client.action(actions.QueueRemove(queue=queue, interface=member.interface))

    async def set_queue_limits(self, by: Principal, wanted: QueueLimits) -> None:
        """Say what a queue is measured by, and when to be told."""
        key = (wanted.pbx, wanted.queue)
        longest = None if wanted.longest_wait_s is None else timedelta(seconds=wanted.longest_wait_s)
        limits = Limits(
            goal=Goal(threshold=timedelta(seconds=wanted.threshold_s), short=timedelta(seconds=wanted.short_s)),
            formula=wanted.formula,
            most_waiting=wanted.most_waiting,
            longest_wait=longest,
            least_level=wanted.least_level,
            least_ready=wanted.least_ready,
        )
        self._check(by, key)
        if not self._board.knows(key) and key not in self._watch.limits():
            raise NotFound(f"there is no queue {key[1]!r} at {key[0]}")
        await self._watch.set_limits(key, limits, by.actor)

    async def spy(self, by: Principal, call_id: UUID, agent: str, mode: SpyMode) -> SpyView:
        """Have the supervisor's phone rung, to listen to an agent's call."""
        call, seat, spied = self._spied(by, call_id, agent)
        await self._note(by, f"call.{mode.value}", "call", call_id, {"agent": agent, "extension": seat.extension})
        return await self.spying.begin(call.pbx, seat, spied, by.actor, call_id, agent, mode)

    async def change_spying(self, by: Principal, spy_id: str, mode: SpyMode) -> SpyView:
        """Listen, whisper or talk to both from now on."""
        known = self.spying.own(by.actor, spy_id)
        await self._note(by, f"call.{mode.value}", "call", known.call_id, {"agent": known.agent})
        return await self.spying.change(spy_id, mode)

    async def stop_spying(self, by: Principal, spy_id: str) -> None:
        """Hang up the supervisor's phone."""
        self.spying.own(by.actor, spy_id)
        await self.spying.stop(spy_id)

    async def take_over(self, by: Principal, call_id: UUID, agent: str) -> None:
        """Put the customer through to the supervisor; the agent is out of the call."""
        call, seat, spied = self._spied(by, call_id, agent)
        pbx = self._pbx(call.pbx)
        if pbx.tracker.customer_channel(call_id) is None:
            raise Conflict("this call has no other side that can be taken over")
        await self._note(by, "call.take_over", "call", call_id, {"agent": agent, "extension": seat.extension})
        channel = await self.spying.up(call.pbx, seat, spied, by.actor, call_id, agent)
        customer = pbx.tracker.customer_channel(call_id)
        if customer is None:
            raise Conflict("the call is over")
        await pbx.client.action(actions.Bridge(channel=customer, other=channel))

    def spies(self, by: Principal) -> list[SpyView]:
        """To whom the supervisor listens."""
        return self.spying.of(by.actor)

    def _spied(self, by: Principal, call_id: UUID, agent: str) -> tuple[Call, Extension, str]:
        """The call, the supervisor's seat, and the channel of the agent in the call."""
        call = self._board.call(call_id)
        if call is None:
            raise NotFound("the call is over")
        device = next((c.interface for c in call.connections if c.to is None and c.agent == agent), None)
        if device is None and call.caller.agent == agent:
            found = self._seating.seat_of(agent)
            device = found.interface if found is not None else None
        channel = self._pbx(call.pbx).tracker.channels(call_id).get(device or "")
        if channel is None or device is None:
            raise Conflict(f"{agent} does not talk in this call")
        if call.queue_visits:
            self._check(by, (call.pbx, call.queue_visits[-1].queue))
        else:
            self._check_agent(by, self._seat(agent))
        seat = self._seating.seat_of(by.agent or "")
        if seat is None:
            raise Conflict("choose an extension first: there is no phone to listen with")
        if seat.pbx != call.pbx:
            raise Conflict("your phone is at another PBX")
        if seat.interface == device:
            raise Conflict("this is your own call")
        return call, seat, channel

    def _waits(self, by: Principal, call_id: UUID) -> QueueKey:
        key = self._board.waits_in(call_id)
        if key is None:
            raise NotFound("the caller does not wait any more")
        self._check(by, key)
        return key

    def _member(self, by: Principal, pbx: str, queue: str, interface: str) -> tuple[QueueKey, Member]:
        key = (pbx, queue)
        self._check(by, key)
        for member in self._board.queue(key).members:
            if interface in (member.interface, member.device):
                return key, member
        raise NotFound(f"{interface[:80]} is not in the queue {queue[:80]!r}")

    def _places(self, seat: Extension) -> list[tuple[QueueKey, Member]]:
        places = self._board.memberships(seat.pbx, seat.interface)
        if not places:
            raise Conflict(f"extension {seat.extension} is in no queue")
        return places

    def _check(self, by: Principal, key: QueueKey) -> None:
        check_queue(by.queues, *key)

    def _check_agent(self, by: Principal, seat: Extension) -> None:
        places = self._board.memberships(seat.pbx, seat.interface)
        if by.queues is not None and not any(covers(by.queues, *key) for key, _ in places):
            raise Forbidden(f"{seat.agent} works in none of your queues")

    def _seat(self, agent: str) -> Extension:
        seat = self._seating.seat_of(agent)
        if seat is None:
            raise Conflict(f"{agent[:64]} sits at no phone")
        return seat

    def _pbx(self, pbx_id: str) -> Pbx:
        pbx = self._pbxs.get(pbx_id)
        if pbx is None:
            raise BadInput(f"there is no PBX {pbx_id[:40]!r}")
        return pbx

    async def _note(
        self, by: Principal, action: str, subject: str, subject_id: UUID | str, detail: Mapping[str, Any]
    ) -> None:
        async with self._database.unit(by.tenant_id) as unit:
            await note(
                unit,
                actor=by.actor,
                action=action,
                subject_type=subject,
                subject_id=str(subject_id),
                detail={name: value for name, value in detail.items() if value is not None},
            )
