"""What people add to a call: a note, an outcome, the right customer.

Each moves the call to the end of the change feed, raises its `version` once it has ended, and leaves a note in the
audit trail.
The facts of the call are the tracker's alone, and the tracker's writes leave these untouched.
"""

from uuid import UUID

from callcenter.calllog.queries import get_call
from callcenter.callrecord import CallRecord
from callcenter.db import audit
from callcenter.db.unit import Unit
from callcenter.errors import BadInput, NotFound

LONGEST_NOTE = 10_000
LONGEST_OUTCOME = 100


async def set_note(unit: Unit, call_id: UUID, text: str, *, actor: str) -> CallRecord:
    """Replace what `actor` wrote about the call; an empty text takes it away. Others' notes stay.

    Raises:
        NotFound: there is no such call.
        BadInput: the text is too long.
    """
    text = _clean(text, "a note", LONGEST_NOTE)
    await _change(unit, call_id, f"notes = {_OTHER_NOTES} || {_THIS_NOTE}", actor, text)
    # the text itself is the call's content and does not belong into the trail
    return await _done(unit, call_id, actor, "call.note", {"characters": len(text)})


async def set_outcome(unit: Unit, call_id: UUID, outcome: str | None, *, actor: str) -> CallRecord:
    """Say what the call came to; None or an empty text takes it back.

    Raises:
        NotFound: there is no such call.
        BadInput: the text is too long.
    """
    value = _clean(outcome or "", "an outcome", LONGEST_OUTCOME) or None
    await _change(unit, call_id, "outcome = $3", value)
    return await _done(unit, call_id, actor, "call.outcome", {"outcome": value})


async def set_customer(unit: Unit, call_id: UUID, customer_id: UUID | None, *, actor: str) -> CallRecord:
    """Say which customer the call was with; None takes it back.

    Raises:
        NotFound: there is no such call, or no such customer.
    """
    if customer_id is not None and not await unit.fetchval(_TOUCH_CUSTOMER, customer_id, call_id):
        raise NotFound(f"there is no customer {customer_id}")
    await _change(unit, call_id, "customer_id = $3", customer_id)
    return await _done(unit, call_id, actor, "call.customer", {"customer": str(customer_id) if customer_id else None})


async def set_wrapup(unit: Unit, call_id: UUID, seconds: float) -> bool:
    """Say how long all its agents wrapped a call up; the same again changes nothing. False: it is not there yet."""
    known = await unit.fetchrow("SELECT wrapup_s FROM calls WHERE tenant_id = $1 AND call_id = $2", call_id)
    if known is None:
        return False
    if known["wrapup_s"] != seconds:
        try:
            await _change(unit, call_id, "wrapup_s = $3", seconds)
        except NotFound:
            return True  # a part of another call by now, which has an agent and a wrap-up of its own
    return True


def _clean(text: str, what: str, longest: int) -> str:
    text = text.replace("\x00", "").strip()
    if len(text) > longest:
        raise BadInput(f"{what} has at most {longest} characters")
    return text


async def _change(unit: Unit, call_id: UUID, assignment: str, *values: object) -> None:
    # seq: see calllog/store.py
    tag = await unit.execute(
        f"""
        WITH feed AS (
            INSERT INTO call_feeds AS f (tenant_id, last_seq) VALUES ($1, 1)
            ON CONFLICT (tenant_id) DO UPDATE SET last_seq = f.last_seq + 1
            RETURNING last_seq
        )
        UPDATE calls c SET {assignment}, seq = feed.last_seq,
            version = c.version + (c.ended_at IS NOT NULL)::int
        FROM feed WHERE c.tenant_id = $1 AND c.call_id = $2 AND c.merged_into IS NULL
        """,
        *(call_id, *values),
    )
    if tag == "UPDATE 0":
        raise NotFound(f"there is no call {call_id}")


async def _done(unit: Unit, call_id: UUID, actor: str, action: str, detail: dict[str, object]) -> CallRecord:
    await audit.note(unit, actor=actor, action=action, subject_type="call", subject_id=str(call_id), detail=detail)
    return await get_call(unit, call_id)


_OTHER_NOTES = "jsonb_path_query_array(c.notes, '$[*] ? (@.by != $by)', jsonb_build_object('by', $3::text))"
_THIS_NOTE = """CASE WHEN $4 = '' THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_object(
    'by', $3::text, 'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'text', $4::text
)) END"""

_TOUCH_CUSTOMER = """
    UPDATE customers k SET last_call_at = greatest(
        k.last_call_at, (SELECT c.started_at FROM calls c WHERE c.tenant_id = $1 AND c.call_id = $3)
    )
    WHERE k.tenant_id = $1 AND k.customer_id = $2
    RETURNING 1
"""
