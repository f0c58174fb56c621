"""A stand-in for the part of the service that steers queues: it notes who ordered what."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from callcenter.accounts.roles import Principal
from callcenter.errors import NotFound
from callcenter.web.schemas.floor import MemberChange, NewMember, QueueLimits, SpyMode, SpyState, SpyView


@dataclass
class Orders:
    """Obeys `callcenter.web.services.Steering`; nobody waits, and no call goes on, where the id is zero."""

    given: list[tuple[str, str]] = field(default_factory=list)

    async def to_front(self, by: Principal, call_id: UUID) -> None:
        self._note(by, "to_front", call_id)

    async def move(self, by: Principal, call_id: UUID, queue: str | None, agent: str | None) -> None:
        self._note(by, f"move to {queue or agent}", call_id)

    async def pause(self, by: Principal, agent: str, paused: bool, reason: str | None) -> None:
        self._note(by, f"pause {agent}" if paused else f"unpause {agent}")

    async def log_out(self, by: Principal, agent: str) -> None:
        self._note(by, f"log out {agent}")

    async def add_member(self, by: Principal, new: NewMember) -> None:
        self._note(by, f"add {new.agent} to {new.queue}")

    async def change_member(self, by: Principal, change: MemberChange) -> None:
        self._note(by, f"change {change.interface} in {change.queue}")

    async def remove_member(self, by: Principal, pbx: str, queue: str, interface: str) -> None:
        self._note(by, f"remove {interface} from {queue}")

    async def set_queue_limits(self, by: Principal, wanted: QueueLimits) -> None:
        self._note(by, f"limits of {wanted.queue}")

    async def spy(self, by: Principal, call_id: UUID, agent: str, mode: SpyMode) -> SpyView:
        self._note(by, f"{mode.value} {agent}", call_id)
        return _view(call_id, agent, mode)

    async def take_over(self, by: Principal, call_id: UUID, agent: str) -> None:
        self._note(by, f"take over from {agent}", call_id)

    async def change_spying(self, by: Principal, spy_id: str, mode: SpyMode) -> SpyView:
        self._note(by, mode.value)
        return _view(UUID(int=1), "li", mode)

    async def stop_spying(self, by: Principal, spy_id: str) -> None:
        self._note(by, "stop")

    def spies(self, by: Principal) -> Sequence[SpyView]:
        return [_view(UUID(int=1), "li", SpyMode.LISTEN)]

    def _note(self, by: Principal, order: str, call_id: UUID | None = None) -> None:
        if call_id is not None and call_id.int == 0:
            raise NotFound("the call is over")
        self.given.append((by.actor, order))


def _view(call_id: UUID, agent: str, mode: SpyMode) -> SpyView:
    return SpyView(spy_id=f"ccspy-{'0' * 32}", call_id=call_id, agent=agent, mode=mode, state=SpyState.RINGING)
