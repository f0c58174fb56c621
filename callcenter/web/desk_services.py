"""What the web layer needs of the agents' desk: Protocols, joined by the application as those of `services.py`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from callcenter.accounts.scope import Scope
from callcenter.web.schemas import desk as schema


class Desk(Protocol):
    """What agents choose from, and whom they have to call."""

    async def pause_reasons(self, tenant_id: int) -> Sequence[schema.PauseReason]:
        """All in order."""
        ...

    async def put_pause_reason(
        self, tenant_id: int, code: str, draft: schema.PauseReasonDraft, by: str
    ) -> schema.PauseReason:
        """Add or change one; raises `BadInput`, `Conflict` where there are too many. So do its like."""
        ...

    async def outcomes(self, tenant_id: int) -> Sequence[schema.Outcome]:
        """All in order."""
        ...

    async def put_outcome(self, tenant_id: int, code: str, draft: schema.OutcomeDraft, by: str) -> schema.Outcome:
        """Add or change one."""
        ...

    async def fields(self, tenant_id: int) -> Sequence[schema.FieldDefinition]:
        """All in order."""
        ...

    async def put_field(self, tenant_id: int, code: str, draft: schema.FieldDraft, by: str) -> schema.FieldDefinition:
        """Add or change one."""
        ...

    async def settings(self, tenant_id: int) -> schema.DeskSettings:
        """How the desk works."""
        ...

    async def configure(self, tenant_id: int, wanted: schema.DeskSettingsDraft, by: str) -> schema.DeskSettings:
        """Change that; raises `BadInput`."""
        ...

    async def queue_rights(self, tenant_id: int, agent: str) -> Sequence[schema.QueueRight]:
        """The queues that an agent may log in to."""
        ...

    async def assign_queues(
        self, tenant_id: int, agent: str, rights: Sequence[schema.QueueRight], by: str
    ) -> Sequence[schema.QueueRight]:
        """Say which those are; raises `Conflict` where there is no such agent."""
        ...

    async def missed(
        self, tenant_id: int, since: datetime, agent: str | None, within: Scope, limit: int
    ) -> Sequence[schema.Missed]:
        """The numbers that wait for a call back; of calls that were in no queue, or in one `within`."""
        ...

    async def settle(self, tenant_id: int, number: str, by: str) -> None:
        """Say that a number needs none."""
        ...

    async def callbacks(
        self, tenant_id: int, agent: str | None, customer: UUID | None, *, done: bool, limit: int
    ) -> Sequence[schema.Callback]:
        """Callbacks, the first due first."""
        ...

    async def make_callback(self, tenant_id: int, new: schema.NewCallback, number: str, by: str) -> schema.Callback:
        """Add one for the number as it was understood; raises `BadInput`, `NotFound` for agent and customer."""
        ...

    async def move_callback(
        self, tenant_id: int, callback_id: UUID, change: schema.CallbackChange, by: str
    ) -> schema.Callback:
        """Change an open one; raises `NotFound`."""
        ...

    async def finish_callback(self, tenant_id: int, callback_id: UUID, by: str) -> schema.Callback:
        """Say that it is done; raises `NotFound`."""
        ...


class Duty(Protocol):
    """What agents do. All raise `AmiError` where the PBX cannot be asked or refuses."""

    def state(self, agent: str) -> schema.OwnState:
        """What an agent does now."""
        ...

    async def pause_agent(self, agent: str, reason: str) -> None:
        """Have no queue ring the agent; raises `BadInput` for a reason that is none."""
        ...

    async def make_ready(self, agent: str) -> None:
        """Have queues ring the agent again, and end a wrap-up."""
        ...

    async def extend_wrapup(self, agent: str, by: timedelta) -> None:
        """Give the agent more time; raises `Conflict` where there is nothing to wrap up."""
        ...

    async def own_queues(self, tenant_id: int, agent: str) -> Sequence[schema.OwnQueue]:
        """The agent's queues, and whether they are logged in to them."""
        ...

    async def log_into_own_queues(self, tenant_id: int, agent: str, logged_in: bool) -> None:
        """Log in to them, or out; raises `Conflict` where there is no phone, or no queue."""
        ...
