"""The agents' desk, as the web and the screen-pop need it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec

from callcenter.accounts.scope import Scope
from callcenter.db.engine import Database
from callcenter.desk import callbacks, lists, missed
from callcenter.desk import words as desk
from callcenter.errors import Conflict
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.duty import Duty
from callcenter.joints.seating import Seating
from callcenter.web.schemas import desk as schema
from screenpop.contracts import Identity

A = TypeVar("A", bound=msgspec.Struct)


class WebDesk:
    """`callcenter.web.desk_services.Desk` on the desk's tables."""

    def __init__(self, database: Database, words: DeskWords) -> None:
        self._database = database
        self._words = words

    async def pause_reasons(self, tenant_id: int) -> Sequence[schema.PauseReason]:
        """All in order."""
        async with self._database.unit(tenant_id) as unit:
            return [_as(schema.PauseReason, one) for one in await lists.listed(unit, desk.PauseReason)]

    async def put_pause_reason(
        self, tenant_id: int, code: str, draft: schema.PauseReasonDraft, by: str
    ) -> schema.PauseReason:
        """Add or change one."""
        word = desk.PauseReason(code=code, **msgspec.structs.asdict(draft))
        async with self._database.unit(tenant_id) as unit:
            await lists.put(unit, word, actor=by)
        await self._words.refresh()
        return _as(schema.PauseReason, word)

    async def outcomes(self, tenant_id: int) -> Sequence[schema.Outcome]:
        """All in order."""
        async with self._database.unit(tenant_id) as unit:
            return [_as(schema.Outcome, one) for one in await lists.listed(unit, desk.Outcome)]

    async def put_outcome(self, tenant_id: int, code: str, draft: schema.OutcomeDraft, by: str) -> schema.Outcome:
        """Add or change one."""
        kind = desk.OutcomeKind(draft.kind.value)
        word = desk.Outcome(code=code, **{**msgspec.structs.asdict(draft), "kind": kind})
        async with self._database.unit(tenant_id) as unit:
            await lists.put(unit, word, actor=by)
        await self._words.refresh()
        return _as(schema.Outcome, word)

    async def fields(self, tenant_id: int) -> Sequence[schema.FieldDefinition]:
        """All in order."""
        async with self._database.unit(tenant_id) as unit:
            return [_as(schema.FieldDefinition, one) for one in await lists.listed(unit, desk.FieldDefinition)]

    async def put_field(self, tenant_id: int, code: str, draft: schema.FieldDraft, by: str) -> schema.FieldDefinition:
        """Add or change one."""
        kind = desk.FieldKind(draft.kind.value)
        word = desk.FieldDefinition(code=code, **{**msgspec.structs.asdict(draft), "kind": kind})
        async with self._database.unit(tenant_id) as unit:
            await lists.put(unit, word, actor=by)
        await self._words.refresh()
        return _as(schema.FieldDefinition, word)

    async def settings(self, tenant_id: int) -> schema.DeskSettings:
        """How the desk works."""
        async with self._database.unit(tenant_id) as unit:
            return _as(schema.DeskSettings, await lists.settings(unit))

    async def configure(self, tenant_id: int, wanted: schema.DeskSettingsDraft, by: str) -> schema.DeskSettings:
        """Change that."""
        async with self._database.unit(tenant_id) as unit:
            stored = await lists.configure(unit, desk.DeskSettings(**msgspec.structs.asdict(wanted)), actor=by)
        await self._words.refresh()
        return _as(schema.DeskSettings, stored)

    async def queue_rights(self, tenant_id: int, agent: str) -> Sequence[schema.QueueRight]:
        """The queues that an agent may log in to."""
        async with self._database.unit(tenant_id) as unit:
            return [_as(schema.QueueRight, one) for one in await lists.queues_of(unit, agent)]

    async def assign_queues(
        self, tenant_id: int, agent: str, rights: Sequence[schema.QueueRight], by: str
    ) -> Sequence[schema.QueueRight]:
        """Say which those are."""
        wanted = [lists.QueueRight(**msgspec.structs.asdict(one)) for one in rights]
        async with self._database.unit(tenant_id) as unit:
            return [_as(schema.QueueRight, one) for one in await lists.assign(unit, agent, wanted, actor=by)]

    async def missed(
        self, tenant_id: int, since: datetime, agent: str | None, within: Scope, limit: int
    ) -> Sequence[schema.Missed]:
        """The numbers that wait for a call back."""
        async with self._database.unit(tenant_id) as unit:
            found = await missed.open_numbers(unit, since, agent=agent, within=within, limit=limit)
        return [_as(schema.Missed, one) for one in found]

    async def settle(self, tenant_id: int, number: str, by: str) -> None:
        """Say that a number needs none."""
        async with self._database.unit(tenant_id) as unit:
            await missed.settle(unit, number, actor=by)

    async def callbacks(
        self, tenant_id: int, agent: str | None, customer: UUID | None, *, done: bool, limit: int
    ) -> Sequence[schema.Callback]:
        """Callbacks, the first due first."""
        async with self._database.unit(tenant_id) as unit:
            found = await callbacks.listed(unit, agent=agent, customer_id=customer, done=done, limit=limit)
        return [_as(schema.Callback, one) for one in found]

    async def make_callback(self, tenant_id: int, new: schema.NewCallback, number: str, by: str) -> schema.Callback:
        """Add one."""
        async with self._database.unit(tenant_id) as unit:
            made = await callbacks.make(
                unit,
                number,
                new.due_at,
                actor=by,
                agent=new.agent,
                customer_id=new.customer_id,
                call_id=new.call_id,
                note=new.note,
            )
        return _as(schema.Callback, made)

    async def move_callback(
        self, tenant_id: int, callback_id: UUID, change: schema.CallbackChange, by: str
    ) -> schema.Callback:
        """Change an open one."""
        async with self._database.unit(tenant_id) as unit:
            moved = await callbacks.move(unit, callback_id, change.due_at, change.agent, actor=by)
        return _as(schema.Callback, moved)

    async def finish_callback(self, tenant_id: int, callback_id: UUID, by: str) -> schema.Callback:
        """Say that it is done."""
        async with self._database.unit(tenant_id) as unit:
            return _as(schema.Callback, await callbacks.finish(unit, callback_id, actor=by))


class WebDuty:
    """`callcenter.web.desk_services.Duty`, and the verbs of `screenpop.contracts.Duty`."""

    def __init__(self, database: Database, duty: Duty, seating: Seating) -> None:
        self._database = database
        self._duty = duty
        self._seating = seating

    def present(self, tenant_id: int, agent: str, present: bool) -> None:
        """The agent's first page is open, or the last one is gone."""
        self._duty.present(tenant_id, agent, present)

    def state(self, agent: str) -> schema.OwnState:
        """What an agent does now."""
        now = self._duty.agents.now(agent)
        if now is None:
            return schema.OwnState(state=None, since=None, reason=None, until=None, call_id=None)
        return schema.OwnState(
            state=schema.Activity(now.activity.value),
            since=now.from_,
            reason=now.reason,
            until=now.until,
            call_id=now.call_id,
        )

    async def pause_agent(self, agent: str, reason: str) -> None:
        """Have no queue ring the agent."""
        await self._duty.pause(agent, reason)

    async def make_ready(self, agent: str) -> None:
        """Have queues ring the agent again."""
        await self._duty.ready(agent)

    async def extend_wrapup(self, agent: str, by: timedelta) -> None:
        """Give the agent more time."""
        self._duty.extend(agent, by)

    async def own_queues(self, tenant_id: int, agent: str) -> Sequence[schema.OwnQueue]:
        """The agent's queues."""
        members = self._duty.memberships(agent)
        rights = await self._rights(tenant_id, agent)
        return [
            schema.OwnQueue(
                queue=queue,
                logged_in=queue in members,
                paused=queue in members and members[queue].paused,
                fixed=queue in members and not members[queue].dynamic,
            )
            for queue in sorted(members.keys() | rights.keys())
        ]

    async def log_into_own_queues(self, tenant_id: int, agent: str, logged_in: bool) -> None:
        """Log in to the agent's queues, or out of them.

        Raises:
            Conflict: the agent has no phone or no queue, or cannot leave. AmiError: the PBX refused.
        """
        rights = await self._rights(tenant_id, agent)
        if logged_in:
            if not rights and not self._duty.memberships(agent):
                raise Conflict("you have no queues yet: ask a supervisor to give you some")
            await self._duty.log_in(agent, rights)
            return
        left = await self._duty.log_out(agent)
        seat = self._seating.seat_of(agent)
        if left and not rights and seat is not None:
            # Who was put into queues at the PBX finds the way back to them.
            known = [lists.QueueRight(pbx=seat.pbx, queue=queue) for queue in left]
            async with self._database.unit(tenant_id) as unit:
                await lists.assign(unit, agent, known, actor=agent)

    async def pause(self, who: Identity, reason: str) -> None:
        """Have no queue ring the agent."""
        await self._duty.pause(who.agent, reason)

    async def ready(self, who: Identity) -> None:
        """Have queues ring the agent again."""
        await self._duty.ready(who.agent)

    async def extend(self, who: Identity, seconds: int) -> None:
        """Give the agent more time to wrap up."""
        self._duty.extend(who.agent, timedelta(seconds=seconds))

    async def log_into_queues(self, who: Identity, logged_in: bool) -> None:
        """Log in to the agent's queues, or out of them."""
        await self.log_into_own_queues(who.tenant_id, who.agent, logged_in)

    async def _rights(self, tenant_id: int, agent: str) -> dict[str, int]:
        seat = self._seating.seat_of(agent)
        async with self._database.unit(tenant_id) as unit:
            rights = await lists.queues_of(unit, agent)
        return {one.queue: one.penalty for one in rights if seat is not None and one.pbx == seat.pbx}


def _as(kind: type[A], value: msgspec.Struct) -> A:
    return msgspec.convert(value, kind, from_attributes=True)
