"""The queues that somebody may see and steer: the one place that decides. Pure, so that the web layer may read it.

A supervisor is given all queues, or some. Admins and integrations see all of them, and so do agents, because the
history of a customer is worth little without the calls that colleagues had.

Narrowed are queues, calls (a customer's too), missed calls, reports, the floor, and what agents do. Two things are
everybody's: the names of colleagues, since calls are handed on to them, and callbacks, which are promises to a customer
that anybody may keep, and stand in no queue.
"""

from collections.abc import Iterable

from callcenter.callrecord import CallRecord
from callcenter.errors import Forbidden

Scope = frozenset[str] | None
"""The queues (`pbx/name`) that somebody is given; None: all."""


def key_of(pbx: str, queue: str) -> str:
    """How a queue is named in a scope."""
    return f"{pbx}/{queue}"


def covers(scope: Scope, pbx: str, queue: str) -> bool:
    """Whether a queue is among them."""
    return scope is None or key_of(pbx, queue) in scope


def check_queue(scope: Scope, pbx: str, queue: str) -> None:
    """Let a queue pass.

    Raises:
        Forbidden: it is none of theirs.
    """
    if not covers(scope, pbx, queue):
        raise Forbidden(f"the queue {queue[:80]!r} is not one of yours")


def check_name(scope: Scope, queue: str) -> None:
    """Let a queue pass that is named without its PBX.

    Raises:
        Forbidden: none of theirs has that name.
    """
    if scope is not None and all(key.partition("/")[2] != queue for key in scope):
        raise Forbidden(f"the queue {queue[:80]!r} is not one of yours")


def workers(scope: Scope, members: Iterable[tuple[str, str, str | None]]) -> frozenset[str] | None:
    """Whose doings may be seen, of the members (PBX, queue, agent) of all queues; None: everybody's."""
    if scope is None:
        return None
    return frozenset(agent for pbx, queue, agent in members if agent is not None and covers(scope, pbx, queue))


def shows(scope: Scope, call: CallRecord) -> bool:
    """Whether a call may be seen: one that was in no queue, or in one of theirs."""
    queues: Iterable[str] = (visit.queue for visit in call.queue_visits)
    return scope is None or not call.queue_visits or any(covers(scope, call.pbx, queue) for queue in queues)
