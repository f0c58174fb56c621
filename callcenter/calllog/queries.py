"""Reads the call log: one call, and pages of calls, newest first.

PostgreSQL puts the record together as JSON in one statement, and `CallRecord` takes it; the test
`tests/database/test_store.py` holds that it is the same record as `calllog.record.of` makes.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from callcenter.callrecord import CallRecord
from callcenter.db.unit import Unit
from callcenter.errors import BadInput, NotFound
from callcenter.model import CallStatus, Direction, QueueExit

LONGEST_PAGE = 500


class CallFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls to list; what is None does not matter."""

    customer: UUID | None = None
    agent: str | None = None
    """Calls that this agent was offered, or took part in; not those that another took first."""
    number: str | None = None
    """E.164 (`+…`) of either end, or else an end's number as Asterisk gave it."""
    status: CallStatus | None = None
    direction: Direction | None = None
    queue: str | None = None
    exit: QueueExit | None = None
    """How the stay in `queue`, or in any queue where none is given, ended."""
    did: str | None = None
    """The number that was dialed to reach us, as the PBX gave it."""
    outcome: str | None = None
    campaign: str | None = None
    text: str | None = None
    """What one of the notes contains, in capitals or not."""
    within: frozenset[str] | None = None
    """Those that were in no queue, or in one of these (`pbx/name`)."""
    since: datetime | None = None
    """Started at this time or later."""
    until: datetime | None = None
    """Started before this time."""


EVERYTHING = CallFilter()


class Page(msgspec.Struct, frozen=True):
    """A page of calls; `next_cursor` asks for the one after it, None where there is none."""

    items: list[CallRecord]
    next_cursor: str | None


async def get_call(unit: Unit, call_id: UUID) -> CallRecord:
    """One call; for one that was merged into another, that other.

    Raises:
        NotFound: there is none.
    """
    text = await unit.fetchval(f"{RECORD} WHERE c.tenant_id = $1 AND c.call_id = ({_SURVIVOR})", call_id)
    if text is None:
        raise NotFound(f"there is no call {call_id}")
    return msgspec.json.decode(text, type=CallRecord)


async def list_calls(
    unit: Unit, wanted: CallFilter = EVERYTHING, *, limit: int = 50, cursor: str | None = None
) -> Page:
    """A page of calls, newest first. Calls that begin while one is paging do not shift the pages.

    Raises:
        BadInput: `cursor` did not come from a page before, or `limit` is no number from 1 to 500.
    """
    if not 1 <= limit <= LONGEST_PAGE:
        raise BadInput(f"limit must be from 1 to {LONGEST_PAGE}")
    order, place = walked(wanted)
    conditions, arguments = conditions_of(wanted, place)
    if cursor is not None:
        arguments += _read_cursor(cursor)
        conditions.append(f"({place}.started_at, {place}.call_id) < (${len(arguments)}, ${len(arguments) + 1})")
    arguments.append(limit + 1)
    # The page is chosen first, so that records are only made of its rows; they are found again by where they stand,
    # which is in memory by then, because the key of each call would be another page of a large index.
    sql = f"""
        {RECORD}
        JOIN (
            SELECT c.ctid AS place FROM {order}
            WHERE c.tenant_id = $1 AND c.merged_into IS NULL {"".join(f" AND {one}" for one in conditions)}
            ORDER BY {place}.started_at DESC, {place}.call_id DESC LIMIT ${len(arguments) + 1}
        ) page ON page.place = c.ctid
        WHERE c.tenant_id = $1
        ORDER BY c.started_at DESC, c.call_id DESC
    """
    rows = await unit.fetch(sql, *arguments)
    items = [msgspec.json.decode(row["record"], type=CallRecord) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next_cursor=_write_cursor(items[-1]) if more else None)


def walked(wanted: CallFilter) -> tuple[str, str]:
    """SQL of the tables in which the calls are walked, and the name of the one that has the time.

    An agent's calls are walked in the index of that agent, all others in the one of all calls.
    """
    return (_BY_AGENT, "a") if wanted.agent is not None else ("calls c", "c")


def conditions_of(wanted: CallFilter, place: str) -> tuple[list[str], list[object]]:
    """SQL for the filter, and what its placeholders (from $2 on) stand for; `place` has the time that is walked."""
    conditions: list[str] = []
    arguments: list[object] = []

    def add(value: object, sql: str) -> None:
        if value is not None:
            arguments.append(value)
            conditions.append(sql.format(f"${len(arguments) + 1}"))

    add(wanted.customer, "c.customer_id = {0}")
    add(wanted.agent, "a.tenant_id = $1 AND a.agent = {0}")
    number = wanted.number
    add(number, _OF_E164 if number is not None and number.startswith("+") else _OF_NUMBER)
    add(wanted.status, "c.status = {0}")
    add(wanted.direction, "c.direction = {0}")
    if wanted.exit is not None:
        arguments.append(wanted.exit)
        visit = f"{_VISIT} AND p.exit = ${len(arguments) + 1}"
        if wanted.queue is not None:
            arguments.append(wanted.queue)
            visit += f" AND p.queue = ${len(arguments) + 1}"
        conditions.append(f"EXISTS ({visit})")
    else:
        add(wanted.queue, f"EXISTS ({_VISIT} AND p.queue = {{0}})")
    add(wanted.did, "c.did = {0}")
    add(wanted.outcome, "c.outcome = {0}")
    add(wanted.campaign, "c.campaign = {0}")
    add(wanted.text, _WITH_TEXT)
    add(None if wanted.within is None else sorted(wanted.within), _WITHIN)
    add(wanted.since, f"{place}.started_at >= {{0}}")
    add(wanted.until, f"{place}.started_at < {{0}}")
    return conditions, arguments


_BY_AGENT = "call_agents a JOIN calls c ON c.tenant_id = $1 AND c.call_id = a.call_id"
_OF_E164 = "(c.caller_e164 = {0} OR c.callee_e164 = {0})"
_OF_NUMBER = "(c.caller ->> 'number' = {0} OR c.callee ->> 'number' = {0})"
_VISIT = "SELECT FROM queue_visits p WHERE p.tenant_id = $1 AND p.call_id = c.call_id"
_WITHIN = """(
    NOT EXISTS (SELECT FROM queue_visits p WHERE p.tenant_id = $1 AND p.call_id = c.call_id)
    OR EXISTS (
        SELECT FROM queue_visits p
        WHERE p.tenant_id = $1 AND p.call_id = c.call_id AND c.pbx || '/' || p.queue = ANY({0})
    )
)"""
# the first condition is the index of calls that have notes
_WITH_TEXT = """c.notes <> '[]'::jsonb AND EXISTS (
    SELECT FROM jsonb_array_elements(c.notes) note WHERE strpos(lower(note ->> 'text'), lower({0}::text)) > 0
)"""

_SURVIVOR = """
    WITH RECURSIVE way AS (
        SELECT $2::uuid AS call_id, 0 AS steps
        UNION ALL
        SELECT c.merged_into, way.steps + 1 FROM way
        JOIN calls c ON c.tenant_id = $1 AND c.call_id = way.call_id AND c.merged_into IS NOT NULL
        WHERE way.steps < 16
    )
    SELECT call_id FROM way ORDER BY steps DESC LIMIT 1
"""


def time_of(column: str) -> str:
    """SQL of a time as the record has it; all our connections have UTC (db/engine.py), and naming it again is slow."""
    return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _parts(table: str, *columns: str) -> str:
    """SQL of all parts of a call as an array of rows, which takes half the time of building each as JSON."""
    rows = f"SELECT {', '.join(columns)} FROM {table} p WHERE p.tenant_id = c.tenant_id AND p.call_id = c.call_id"
    return f"ARRAY(SELECT part FROM ({rows} ORDER BY p.n) part)"


def _same(*names: str) -> tuple[str, ...]:
    return tuple(f"p.{name}" for name in names)


def _times(**columns: str) -> tuple[str, ...]:
    return tuple(f'{time_of(f"p.{column}")} AS "{name.rstrip("_")}"' for name, column in columns.items())


_FIELDS = {
    "tenant": "t.slug",
    # which agent stood at an end is for `call_agents`; the record has it in offers and connections
    **{name: f"c.{name} - 'agent'" for name in ("caller", "callee")},
    **{name: time_of(f"c.{name}") for name in ("started_at", "answered_at", "ended_at")},
    "queue_visits": _parts(
        "queue_visits",
        *_same("queue"),
        *_times(joined_at="joined_at", left_at="left_at"),
        *_same("exit", "wait_s", "position"),
    ),
    "offers": _parts(
        "offers",
        *_same("agent", "interface", "queue"),
        *_times(rang_at="rang_at", ended_at="ended_at"),
        *_same("ring_s", "result"),
    ),
    "connections": _parts("connections", *_same("agent", "interface", "number"), *_times(from_="from_at", to="to_at")),
    "customer": "CASE WHEN k.customer_id IS NULL THEN NULL ELSE"
    " json_build_object('id', k.customer_id, 'name', k.name) END",
}
"""SQL of the fields of a record that are not just a column of `calls`."""


def records_from(tables: str) -> str:
    """SQL of the records, as JSON in the column `record`, of the calls `c` in `tables`; conditions go behind it."""
    return f"""
    SELECT (SELECT row_to_json(r) FROM (
        SELECT {", ".join(f"{_FIELDS.get(name, f'c.{name}')} AS {name}" for name in CallRecord.__struct_fields__)}
    ) r)::text AS record
    FROM {tables}
    JOIN tenants t ON t.id = c.tenant_id
    LEFT JOIN customers k ON k.tenant_id = c.tenant_id AND k.customer_id = c.customer_id
"""


RECORD = records_from("calls c")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _write_cursor(last: CallRecord) -> str:
    micros = (datetime.fromisoformat(last.started_at) - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(micros.to_bytes(8, "big", signed=True) + last.call_id.bytes).decode()


def _read_cursor(cursor: str) -> list[object]:
    try:
        data = base64.b64decode(cursor, altchars=b"-_", validate=True)
        if len(data) != 24:
            raise ValueError
        micros = int.from_bytes(data[:8], "big", signed=True)
        return [_EPOCH + timedelta(microseconds=micros), UUID(bytes=data[8:])]
    except (ValueError, OverflowError, binascii.Error):
        raise BadInput("the cursor is none that a page before gave: ask for the first page again") from None
