"""Who is to be called, by whom and when; done by the first answered call with them, or by somebody's word."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from callcenter.db import audit
from callcenter.db.unit import Unit
from callcenter.errors import BadInput, NotFound
from callcenter.model import Value

LONGEST_NOTE: Final = 1_000
MOST: Final = 200


class Callback(Value, frozen=True):
    """Somebody who is to be called. `done_call_id` is the call by which it was done, where it was one."""

    id: UUID
    number: str
    customer_id: UUID | None
    customer: str | None
    agent: str | None
    due_at: datetime
    note: str
    call_id: UUID | None
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str | None
    done_call_id: UUID | None


async def make(
    unit: Unit,
    number: str,
    due_at: datetime,
    *,
    actor: str,
    agent: str | None = None,
    customer_id: UUID | None = None,
    call_id: UUID | None = None,
    note: str = "",
) -> Callback:
    """Note that somebody is to be called; `number` as it was understood.

    Raises:
        BadInput: the note is too long. NotFound: there is no such customer or agent.
    """
    note = note.replace("\x00", "").strip()
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"a callback's note has at most {LONGEST_NOTE} characters")
    if agent is not None and not await unit.fetchval(
        "SELECT 1 FROM agents WHERE tenant_id = $1 AND agent_id = $2", agent
    ):
        raise NotFound(f"there is no agent {agent[:64]!r}")
    callback_id = uuid4()
    try:
        await unit.execute(
            "INSERT INTO callbacks (tenant_id, callback_id, number, customer_id, agent, due_at, note, call_id,"
            " created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            *(callback_id, number, customer_id, agent, due_at, note, call_id, actor),
        )
    except asyncpg.ForeignKeyViolationError:
        raise NotFound(f"there is no customer {customer_id}") from None
    await _note(unit, callback_id, actor, "callback.make")
    return await get(unit, callback_id)


async def get(unit: Unit, callback_id: UUID) -> Callback:
    """One callback.

    Raises:
        NotFound: there is none.
    """
    row = await unit.fetchrow(f"{_SELECT} AND b.callback_id = $2", callback_id)
    if row is None:
        raise NotFound(f"there is no callback {callback_id}")
    return Callback(**row)


async def listed(
    unit: Unit, *, agent: str | None = None, customer_id: UUID | None = None, done: bool = False, limit: int = 50
) -> list[Callback]:
    """Callbacks that are open (or done), the first due first; of `agent`: theirs and those that anybody may take."""
    rows = await unit.fetch(
        f"SELECT * FROM ({_SELECT} AND ($2::text IS NULL OR b.agent IS NULL OR b.agent = $2)"
        " AND ($3::uuid IS NULL OR b.customer_id = $3) AND ($4 OR b.done_at IS NULL)) one"
        f" WHERE (one.done_at IS NOT NULL) = $4 ORDER BY one.due_at {'DESC' if done else 'ASC'}, one.id LIMIT $5",
        *(agent, customer_id, done, min(limit, MOST)),
    )
    return [Callback(**row) for row in rows]


async def finish(unit: Unit, callback_id: UUID, *, actor: str) -> Callback:
    """Say that it is done without a call; what is done already stays as it is.

    Raises:
        NotFound: there is none.
    """
    await unit.execute(
        "UPDATE callbacks SET done_at = now(), done_by = $3"
        " WHERE tenant_id = $1 AND callback_id = $2 AND done_at IS NULL",
        *(callback_id, actor),
    )
    await _note(unit, callback_id, actor, "callback.done")
    return await get(unit, callback_id)


async def move(unit: Unit, callback_id: UUID, due_at: datetime, agent: str | None, *, actor: str) -> Callback:
    """Have it done at another time, or by somebody else.

    Raises:
        NotFound: there is no such open callback.
    """
    tag = await unit.execute(
        "UPDATE callbacks SET due_at = $3, agent = $4 WHERE tenant_id = $1 AND callback_id = $2 AND done_at IS NULL",
        *(callback_id, due_at, agent),
    )
    if tag == "UPDATE 0":
        raise NotFound(f"there is no open callback {callback_id}")
    await _note(unit, callback_id, actor, "callback.move")
    return await get(unit, callback_id)


async def forget(unit: Unit, numbers: Collection[str]) -> None:
    """Delete what is noted of these numbers, whose owner is erased; what names the customer goes with the customer."""
    await unit.execute("DELETE FROM callbacks WHERE tenant_id = $1 AND number = ANY($2::text[])", list(numbers))
    await unit.execute("DELETE FROM missed_settled WHERE tenant_id = $1 AND number = ANY($2::text[])", list(numbers))


async def _note(unit: Unit, callback_id: UUID, actor: str, action: str) -> None:
    await audit.note(unit, actor=actor, action=action, subject_type="callback", subject_id=str(callback_id))


# The call by which it was done is looked for in three indexes: by either end's number, and by customer.
_SELECT = """
    SELECT b.callback_id AS id, b.number, b.customer_id, k.name AS customer, b.agent, b.due_at, b.note, b.call_id,
        b.created_at, b.created_by, coalesce(b.done_at, r.answered_at) AS done_at,
        coalesce(b.done_by, r.agent) AS done_by, CASE WHEN b.done_at IS NULL THEN r.call_id END AS done_call_id
    FROM callbacks b
    LEFT JOIN customers k ON k.tenant_id = $1 AND k.customer_id = b.customer_id
    LEFT JOIN LATERAL (
        SELECT c.call_id, c.answered_at, (
            SELECT t.agent FROM connections t WHERE t.tenant_id = $1 AND t.call_id = c.call_id AND t.agent IS NOT NULL
            ORDER BY t.n LIMIT 1) AS agent
        FROM calls c
        WHERE c.tenant_id = $1 AND c.answered_at > b.created_at AND c.direction <> 'internal'
            AND c.merged_into IS NULL AND c.call_id IS DISTINCT FROM b.call_id
            AND (c.caller_e164 = b.number OR c.callee_e164 = b.number OR c.customer_id = b.customer_id)
        ORDER BY c.answered_at LIMIT 1
    ) r ON b.done_at IS NULL
    WHERE b.tenant_id = $1
"""
