"""The live board, as the web shows it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from callcenter.accounts.values import Extension
from callcenter.live import board as live
from callcenter.web.schemas.people import AgentState, Queue, QueueMember
from screenpop.messages import AgentState as Presence

Seats = Callable[[str], Mapping[str, Extension]]
"""The extensions of a PBX by interface."""


class WebBoard:
    """`callcenter.web.services.Board` on the live board and the agents' presence."""

    def __init__(self, board: live.Board, presence: Callable[[], Mapping[str, Presence]], seats: Seats) -> None:
        self._board = board
        self._presence = presence
        self._seats = seats

    def agent_states(self, tenant_id: int) -> Mapping[str, tuple[AgentState, datetime | None]]:
        """What each agent does since when."""
        return {agent: (AgentState(now.state), now.since) for agent, now in self._presence().items()}

    def queues(self, tenant_id: int) -> Sequence[Queue]:
        """All queues in order."""
        now = datetime.now(UTC)
        return [
            Queue(
                pbx=queue.pbx,
                name=queue.name,
                waiting=len(queue.waiting),
                longest_wait_s=max(((now - one.since).total_seconds() for one in queue.waiting), default=None),
                members=tuple(self._member(queue.pbx, member) for member in queue.members),
            )
            for queue in self._board.queues()
        ]

    def _member(self, pbx: str, member: live.Member) -> QueueMember:
        seat = self._seats(pbx).get(member.device)
        return QueueMember(
            interface=member.device,
            name=member.name,
            agent=seat.agent if seat is not None else None,
            state=member_state(member),
            paused=member.paused,
        )


def member_state(member: live.Member) -> AgentState:
    """What a member does, by the state of its device and its pause."""
    if member.status is not None and member.status not in live.REACHABLE:
        return AgentState.OFFLINE
    if member.status in live.RINGING:
        return AgentState.RINGING
    if member.status in live.IN_USE:
        return AgentState.BUSY
    return AgentState.PAUSED if member.paused else AgentState.READY
