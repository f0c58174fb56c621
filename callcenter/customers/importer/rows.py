"""Turns a row of cells into lines for PostgreSQL's COPY, or says why it cannot be a customer.

This runs once per row of files with millions of them, so that it makes text and not values in between.
"""

import json
import re
import secrets
import time
from collections.abc import Iterator
from enum import StrEnum

from callcenter.customers.draft import (
    FIELD_LIMIT,
    LIMITS,
    NUMBER_LIMIT,
    PHONE_LIMIT,
    SEVERAL_LINES,
    TAG_LIMIT,
    TAGS_LIMIT,
    control_characters,
    is_email,
)
from callcenter.customers.importer.cells import Row
from callcenter.customers.importer.columns import Columns
from callcenter.matching.number import NumberKind, PhoneNumber, Reader

PHONE_COLUMNS = ("line", "customer_id", "position", "raw", "e164", "national", "suffix", "label")
"""Columns of a staged phone."""

_TEXTS = ("company", "email", "language", "address", "owner", "note", "external_ref")
_SEVERAL_NUMBERS = re.compile(r"[,，、|\n]|;(?!ext=|phone-context=)|；| / ")
_SEVERAL_TAGS = re.compile(r"[,，、;；|]")
_LINE_BREAKS = re.compile(r"\s*[\r\n\t\v\f\x85\u2028\u2029]+\s*")


class MatchRule(StrEnum):
    """By what a row is the customer that is there already; see docs/import.md."""

    EXTERNAL_REF = "external_ref"
    NAME_AND_PHONE = "name_and_phone"
    PHONE = "phone"
    EMAIL = "email"
    NONE = "none"


class RowProblem(Exception):
    """Why a row cannot be a customer, in words for who made the file."""


class RowReader:
    """Reads the rows of one file.

    Args:
        columns: where in a row each thing stands.
        reader: reads the numbers.
        rule: what each row must have to be recognized.
        agents: the log-ins that an owner may be.
    """

    def __init__(self, columns: Columns, reader: Reader, rule: MatchRule, agents: frozenset[str]) -> None:
        self._columns = columns
        self._reader = reader
        self._rule = rule
        self._agents = agents
        self._texts = [(name, columns.single[name], LIMITS[name]) for name in _TEXTS if name in columns.single]
        self._place = {name: place for place, (name, _, _) in enumerate(self._texts)}
        self._tags_column = columns.single.get("tags")
        self._ids = _uuids()
        self.staged = ("line", "customer_id", "phone", "name", *(name for name, _, _ in self._texts))
        """Columns of a staged customer, in the order in which `read` writes them."""
        if self._tags_column is not None:
            self.staged += ("tags",)
        if columns.fields:
            self.staged += ("fields",)

    def read(self, row: Row) -> tuple[str, str]:
        """Return the COPY lines of a row: its customer, and its phones.

        Raises:
            RowProblem: it cannot be a customer.
        """
        if row.problem:
            raise RowProblem(row.problem)
        cells = row.cells
        if len(cells) != self._columns.width:
            cells = self._fitted(cells)
        joined = "".join(cells)
        # nearly all rows: nothing to clean and nothing to escape
        plain = joined.isprintable() and "\\" not in joined
        values = [self._text(name, cells[column], limit, plain) for name, column, limit in self._texts]
        name = self._name(cells, values, plain)
        customer_id = next(self._ids)
        phones, key = self._phones(row.line, customer_id, cells)
        self._check(values, key)
        start = f"{row.line}\t{customer_id}\t{key or _NULL}\t"
        staged = [value or _NULL for value in (name, *values)]
        if not plain:
            staged = [value if value is _NULL else _escaped(value) for value in staged]
        if self._tags_column is not None:
            staged.append(self._tags(cells[self._tags_column]))
        if self._columns.fields:
            staged.append(self._fields(cells, plain))
        return start + "\t".join(staged) + "\n", phones

    def _fitted(self, cells: list[str]) -> list[str]:
        """Spreadsheets leave out empty cells at the end; more cells than headers is something else."""
        width = self._columns.width
        if any(cell.strip() for cell in cells[width:]):
            raise RowProblem(f"{len(cells)} cells, and the header has {width}")
        if len(cells) == 1 and width > 1:
            raise RowProblem(f"1 cell, and the header has {width}")
        return cells[:width] + [""] * (width - len(cells))

    def _text(self, name: str, cell: str, limit: int, plain: bool) -> str:
        text = cell.strip()
        if not plain:
            if name not in SEVERAL_LINES:
                text = _LINE_BREAKS.sub(" ", text)
            if control_characters(text, name in SEVERAL_LINES):
                raise RowProblem(f"{name}: it holds control characters")
        if len(text) > limit:
            raise RowProblem(f"{name}: {len(text)} characters are too many, {limit} are the most")
        return text

    def _name(self, cells: list[str], values: list[str], plain: bool) -> str:
        single = self._columns.single
        name = ""
        if "name" in single:
            name = self._text("name", cells[single["name"]], LIMITS["name"], plain)
        if not name and ("first_name" in single or "last_name" in single):
            first, last = (
                self._text("name", cells[single[part]], LIMITS["name"] // 2, plain) if part in single else ""
                for part in ("first_name", "last_name")
            )
            # Chinese: family name first, and no space
            name = last + first if _is_han(last + first) else f"{first} {last}".strip()
        if not name and "company" in single:
            name = values[self._place["company"]]
        if not name:
            raise RowProblem("name: it is empty")
        return name

    def _check(self, values: list[str], key: str) -> None:
        place = self._place
        email = values[place["email"]] if "email" in place else ""
        if email and not is_email(email):
            raise RowProblem(f"email: {email[:60]!r} is no e-mail address")
        owner = values[place["owner"]] if "owner" in place else ""
        if owner and owner not in self._agents:
            raise RowProblem(f"owner: there is no agent {owner[:60]!r}")
        rule = self._rule
        if rule is MatchRule.EXTERNAL_REF and not ("external_ref" in place and values[place["external_ref"]]):
            raise RowProblem("external_ref: it is empty, and rows are matched by it")
        if rule is MatchRule.EMAIL and not email:
            raise RowProblem("email: it is empty, and rows are matched by it")
        if rule is MatchRule.PHONE and not key:
            raise RowProblem("phone: there is none, and rows are matched by it")

    def _phones(self, line: int, customer_id: str, cells: list[str]) -> tuple[str, str]:
        """The COPY lines of the phones, and the key of the first one that can be looked up."""
        seen: dict[str, str] = {}
        key = ""
        for column, label in self._columns.phones:
            cell = cells[column].strip()
            if not cell:
                continue
            for part in _SEVERAL_NUMBERS.split(cell):
                number = self._number(part.strip())
                if number is None:
                    continue
                own = number.e164 or number.national
                key = key or own or ""
                again = own or number.raw
                if again not in seen:
                    start = f"{line}\t{customer_id}\t{len(seen)}\t{_escaped(number.raw)}"
                    keys = f"{number.e164 or _NULL}\t{number.national or _NULL}\t{number.suffix or _NULL}"
                    seen[again] = f"{start}\t{keys}\t{label}\n"
        if len(seen) > PHONE_LIMIT:
            raise RowProblem(f"phone: {len(seen)} numbers are too many, {PHONE_LIMIT} are the most")
        return "".join(seen.values()), key

    def _number(self, text: str) -> PhoneNumber | None:
        if len(text) > NUMBER_LIMIT:
            raise RowProblem(f"phone: {len(text)} characters are no phone number")
        number = self._reader.read(text)
        if number.kind is NumberKind.ANONYMOUS:
            return None
        if number.kind is NumberKind.INVALID or not text.isprintable():
            raise RowProblem(f"phone: {text!r} is no phone number")
        return number

    def _tags(self, cell: str) -> str:
        tags = list(dict.fromkeys(tag.strip() for tag in _SEVERAL_TAGS.split(cell) if tag.strip()))
        if not tags:
            return _NULL
        if len(tags) > TAGS_LIMIT or any(len(tag) > TAG_LIMIT for tag in tags):
            raise RowProblem(f"tags: {TAGS_LIMIT} tags of {TAG_LIMIT} characters are the most")
        if any(control_characters(tag, False) for tag in tags):
            raise RowProblem("tags: they hold control characters")
        quoted = ('"' + tag.replace("\\", "\\\\").replace('"', '\\"') + '"' for tag in tags)
        return _escaped("{" + ",".join(quoted) + "}")

    def _fields(self, cells: list[str], plain: bool) -> str:
        values: dict[str, str] = {}
        for name, column in self._columns.fields.items():
            if value := self._text("fields", cells[column], FIELD_LIMIT, plain):
                values[name] = value
        return _escaped(json.dumps(values, ensure_ascii=False)) if values else _NULL


_NULL = "\\N"


def _escaped(text: str) -> str:
    """Escape a value for COPY's text format."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if not text.isprintable():
        text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return text


def _is_han(text: str) -> bool:
    return bool(text) and all("\u3400" <= char <= "\u9fff" or char >= "\U00020000" for char in text)


def _uuids() -> Iterator[str]:
    """Yield UUIDs of version 7 (RFC 9562) that rise, so that new rows stand side by side in the index."""
    now = time.time_ns() // 1_000_000
    start = f"{now:012x}7{secrets.randbits(12):03x}{0x80000000 | secrets.randbits(30):08x}"
    for count in range(1 << 32):
        yield f"{start}{count:08x}"
