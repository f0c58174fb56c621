"""What a custom field of a card may hold. Pure.

Only what a person changes is checked: a card that was imported keeps what it has until somebody edits that field.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date

from callcenter.desk.words import FieldDefinition, FieldKind
from callcenter.errors import BadInput

_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,9})?", re.ASCII)


def check_fields(
    definitions: Iterable[FieldDefinition], fields: Mapping[str, str], before: Mapping[str, str] | None = None
) -> None:
    """Check the fields that differ from those `before`.

    Raises:
        BadInput: names each field that is wrong, and what it may hold.
    """
    known = {one.code: one for one in definitions if one.active}
    problems = [
        f"{code}: {problem}"
        for code, value in fields.items()
        if code in known and value and value != (before or {}).get(code)
        if (problem := _problem(known[code], value)) is not None
    ]
    if problems:
        raise BadInput("; ".join(problems))


def _problem(definition: FieldDefinition, value: str) -> str | None:
    if definition.kind is FieldKind.NUMBER and not _NUMBER.fullmatch(value):
        return "write a number, such as 12 or 3.5"
    if definition.kind is FieldKind.DATE and not _is_date(value):
        return "write a date as 2026-12-31"
    if definition.kind is FieldKind.CHOICE and value not in definition.choices:
        return f"choose one of {', '.join(definition.choices)}"
    return None


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and date.fromisoformat(value) is not None
    except ValueError:
        return False
