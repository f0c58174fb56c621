"""What may be stored about a customer: limits, and errors that say what to mend. Pure.

Text is stored as it was typed: no markup is removed and nothing is escaped, since that is the work of whoever
shows it. Only what no text field can hold is refused: control characters, and more than the limits.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from callcenter.errors import BadInput
from callcenter.matching.number import NumberKind, PhoneNumber, Reader
from callcenter.model import Value

NAME_LIMIT = 200
SHORT_LIMIT = 200
EMAIL_LIMIT = 254
ADDRESS_LIMIT = 1_000
NOTE_LIMIT = 20_000
NUMBER_LIMIT = 64
LABEL_LIMIT = 40
PHONE_LIMIT = 40
TAG_LIMIT = 64
TAGS_LIMIT = 50
FIELD_NAME_LIMIT = 64
FIELD_LIMIT = 2_000
FIELDS_LIMIT = 100

LIMITS = {
    "name": NAME_LIMIT,
    "company": SHORT_LIMIT,
    "email": EMAIL_LIMIT,
    "language": 35,
    "address": ADDRESS_LIMIT,
    "owner": 64,
    "note": NOTE_LIMIT,
    "external_ref": SHORT_LIMIT,
}
"""Characters of the longest value of each text field."""

SEVERAL_LINES = frozenset({"address", "note", "fields"})
"""Fields that may hold line breaks."""

_EMAIL = re.compile(r"\S+@[^\s@]+")
_EMAIL_LINES = re.compile(r"(?:(?:\S+@[^\s@]+)?+\n)*+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", re.ASCII)


class DraftPhone(Value, frozen=True):
    """A number as somebody wrote it."""

    number: str
    label: str | None = None


class Draft(Value, frozen=True):
    """A customer that is to be created."""

    name: str
    company: str | None = None
    email: str | None = None
    language: str | None = None
    address: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    phones: tuple[DraftPhone, ...] = ()
    note: str | None = None
    external_ref: str | None = None


class Change(Value, frozen=True):
    """What is to change in a customer; what is unset stays, None empties. `phones` replaces all numbers."""

    version: int
    name: str | UnsetType = UNSET
    company: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    address: str | UnsetType | None = UNSET
    owner: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    fields: dict[str, str] | UnsetType = UNSET
    phones: tuple[DraftPhone, ...] | UnsetType = UNSET
    note: str | UnsetType | None = UNSET


def check(draft: Draft | Change) -> None:
    """Check everything but the numbers.

    Raises:
        BadInput: names every field that is wrong, and how.
    """
    problems: list[str] = []
    if draft.name is not UNSET and not str(draft.name).strip():
        problems.append("name: it is empty")
    for field in LIMITS:
        value = getattr(draft, field, None)
        if isinstance(value, str):
            problems += _text_problems(field, value, LIMITS[field])
    if isinstance(draft.email, str) and draft.email and not is_email(draft.email):
        problems.append("email: it must have one @ with something on both sides")
    if isinstance(draft.language, str) and draft.language and not _LANGUAGE.fullmatch(draft.language):
        problems.append("language: write a language tag such as en or zh-CN")
    if draft.tags is not UNSET:
        problems += _tag_problems(draft.tags)
    if draft.fields is not UNSET:
        problems += _field_problems(draft.fields)
    if problems:
        raise BadInput("; ".join(problems))


def read_phones(phones: Iterable[DraftPhone], reader: Reader) -> list[tuple[PhoneNumber, str]]:
    """Return each number as it is understood, with its label; doubles are left out.

    Raises:
        BadInput: too many, or one that is no phone number.
    """
    given = list(phones)
    if len(given) > PHONE_LIMIT:
        raise BadInput(f"phones: {len(given)} are too many, {PHONE_LIMIT} are the most")
    problems: list[str] = []
    found: dict[str, tuple[PhoneNumber, str]] = {}
    for place, phone in enumerate(given):
        label = phone.label or ""
        number = reader.read(phone.number)
        problems += _text_problems(f"phones[{place}].label", label, LABEL_LIMIT)
        problem = number_problem(number)
        if problem:
            problems.append(f"phones[{place}].number: {problem}")
        found.setdefault(number.e164 or number.national or number.raw, (number, label))
    if problems:
        raise BadInput("; ".join(problems))
    return list(found.values())


def number_problem(number: PhoneNumber) -> str | None:
    """Say what is wrong with a number that is to be stored, or None."""
    if len(number.raw) > NUMBER_LIMIT:
        return f"it is longer than {NUMBER_LIMIT} characters"
    if number.kind is NumberKind.INVALID or not number.raw.isprintable():
        return f"{number.raw[:30]!r} is not a phone number; write it as on a business card"
    if number.kind is NumberKind.ANONYMOUS:
        return f"{number.raw[:30]!r} is no number; leave it out"
    return None


def control_characters(text: str, several_lines: bool) -> bool:
    """Tell whether a text holds what no text should: control codes, halves of surrogate pairs."""
    if text.isprintable():
        return False
    allowed = "\n\r\t" if several_lines else ""
    return any(unicodedata.category(char) in ("Cc", "Cs") and char not in allowed for char in text)


def is_email(text: str) -> bool:
    """Tell whether a text may be an e-mail address; only the mail server knows for certain."""
    return _EMAIL.fullmatch(text) is not None


def are_emails(texts: Sequence[str]) -> bool:
    """Tell whether all of these texts are empty or `is_email`; False where one holds a line break."""
    lines = "\n".join([*texts, ""])
    return lines.count("\n") == len(texts) and _EMAIL_LINES.fullmatch(lines) is not None


def _text_problems(field: str, value: str, limit: int) -> list[str]:
    problems: list[str] = []
    if len(value) > limit:
        problems.append(f"{field}: {len(value)} characters are too many, {limit} are the most")
    elif control_characters(value, field.partition("[")[0].partition(".")[0] in SEVERAL_LINES):
        problems.append(f"{field}: it holds control characters; type it again")
    return problems


def _tag_problems(tags: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    if len(tags) > TAGS_LIMIT:
        problems.append(f"tags: {len(tags)} are too many, {TAGS_LIMIT} are the most")
    for tag in tags[:TAGS_LIMIT]:
        if not tag.strip():
            problems.append("tags: one is empty")
        problems += _text_problems("tags", tag, TAG_LIMIT)
    return problems


def _field_problems(fields: dict[str, str]) -> list[str]:
    problems: list[str] = []
    if len(fields) > FIELDS_LIMIT:
        problems.append(f"fields: {len(fields)} are too many, {FIELDS_LIMIT} are the most")
    for name, value in list(fields.items())[:FIELDS_LIMIT]:
        if not name.strip():
            problems.append("fields: one has no name")
        problems += _text_problems("a field's name", name, FIELD_NAME_LIMIT)
        problems += _text_problems(f"fields[{name[:FIELD_NAME_LIMIT]}]", value, FIELD_LIMIT)
    return problems
