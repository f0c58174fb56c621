"""The columns of a call in CSV: their names, their order, and the SQL of each; docs/call-record.md lists them.

Spreadsheets take a text that begins with one of a few signs for a formula and run it, and anybody can call with any
name. Such a text gets an apostrophe in front. A telephone number (`+` and digits) is left as it is, since it computes
nothing. Texts are always quoted, because a spreadsheet that splits at semicolons would else find a new cell in one.
"""

from callcenter.calllog.queries import time_of

_FORMULA = ", ".join(str(ord(sign)) for sign in "=+-@\t\n\r＝＋－＠")
"""First characters by which a text becomes a formula, the wide ones in Chinese and Japanese spreadsheets."""

_APOSTROPHE = "chr(39)"


def _guarded(name: str) -> str:
    """The text of a column, harmless in a spreadsheet; null stays an empty cell."""
    # a regular expression for the number would take an eighth of the whole export
    number = f"left({name}, 1) = '+' AND length({name}) > 1 AND ltrim(substr({name}, 2), '0123456789') = ''"
    safe = f"CASE WHEN ascii({name}) IN ({_FORMULA}) AND NOT ({number}) THEN {_APOSTROPHE} ELSE '' END"
    return f"{safe} || {name}"


def _grouped(name: str, table: str, value: str) -> str:
    """A join that brings one value of all parts of each call, under `name.value`."""
    return (
        f" LEFT JOIN (SELECT call_id, {value} AS value FROM {table} WHERE tenant_id = $1"
        f" AND call_id IN (SELECT call_id FROM chosen) GROUP BY call_id) {name} ON {name}.call_id = c.call_id"
    )


PARTS = (
    _grouped("visits", "queue_visits", "string_agg(queue, '; ' ORDER BY n)")
    + _grouped("talks", "connections", "string_agg(agent, '; ' ORDER BY n)")
    + _grouped("rings", "offers", "count(*)")
)
"""Joins of what the columns tell of a call's parts, where `chosen` has the calls, and $1 is the tenant.

Asked for all calls at once, because three subqueries in each row cost as much as the rest of the row.
"""

_NOTES = (
    "CASE WHEN c.notes <> '[]'::jsonb THEN (SELECT string_agg(n.note ->> 'text', E'\\n' ORDER BY n.place)"
    " FROM jsonb_array_elements(c.notes) WITH ORDINALITY AS n (note, place)) END"
)

TEXTS: dict[str, str] = {
    "pbx": "c.pbx",
    "caller_number": "c.caller ->> 'number'",
    "caller_e164": "c.caller_e164",
    "caller_name": "c.caller ->> 'name'",
    "callee_number": "c.callee ->> 'number'",
    "callee_e164": "c.callee_e164",
    "callee_name": "c.callee ->> 'name'",
    "did": "c.did",
    "queues": "nullif(visits.value, '')",
    "agents": "nullif(talks.value, '')",
    "customer_name": "k.name",
    "campaign": "c.campaign",
    "outcome": "c.outcome",
    "notes": _NOTES,
    "tags": "nullif(array_to_string(c.tags, '; '), '')",
}
"""Columns whose text comes from outside."""

FACTS: dict[str, str] = {
    **{name: f"c.{name}" for name in ("call_id", "direction", "status")},
    **{name: time_of(f"c.{name}") for name in ("started_at", "answered_at", "ended_at")},
    "offers": "coalesce(rings.value, 0)",
    "transfers": "jsonb_array_length(c.transfers)",
    **{name: f"c.{name}" for name in ("wait_s", "ring_s", "talk_s", "hold_s", "wrapup_s", "duration_s")},
    **{name: f"c.{name}" for name in ("hangup_by", "hangup_cause", "customer_id", "complete", "source")},
    **{name: f"c.{name}" for name in ("version", "seq")},
}
"""Columns that hold numbers, times and words of ours alone."""

ORDER: tuple[str, ...] = (
    *("call_id", "pbx", "direction", "status", "started_at", "answered_at", "ended_at"),
    *("caller_number", "caller_e164", "caller_name", "callee_number", "callee_e164", "callee_name", "did"),
    *("queues", "offers", "agents", "transfers"),
    *("wait_s", "ring_s", "talk_s", "hold_s", "wrapup_s", "duration_s", "hangup_by", "hangup_cause"),
    *("customer_id", "customer_name", "campaign", "outcome", "notes", "tags"),
    *("complete", "source", "version", "seq"),
)
"""All columns as they stand in the file. New ones come at the end."""


def selected() -> str:
    """The SELECT list of the bare values, over `calls c`, `customers k` and `PARTS`."""
    return ", ".join(f"{TEXTS.get(name) or FACTS[name]} AS {name}" for name in ORDER)


def guarded() -> str:
    """The SELECT list over those, as they go into the file."""
    return ", ".join(f"{_guarded(name)} AS {name}" if name in TEXTS else name for name in ORDER)
