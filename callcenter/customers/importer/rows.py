"""Turns a row of cells into lines for PostgreSQL's COPY, or says why it cannot be a customer.

This runs once per row of files with millions of them, so that it makes text and not values in between. Rows
with nothing unusual are read column by column in `batches`, which takes from here whatever is the same.
"""

import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import repeat

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
from callcenter.matching.shapes import Shapes

_TEXTS = ("company", "email", "language", "address", "owner", "note", "external_ref")
_EMPTY = {"note": "", "tags": "{}", "fields": "{}"}
"""What stands for nothing in columns of customers that are never NULL."""

_SEVERAL_NUMBERS = re.compile(r"[,，、|\n]|;(?!ext=|phone-context=)|；| / ")
_SEVERAL_TAGS = re.compile(r"[,，、;；|]")
_LINE_BREAKS = re.compile(r"\s*[\r\n\t\v\f\x85\u2028\u2029]+\s*")


NULL = "\\N"
"""How COPY's text format writes NULL."""


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
        tenant_id: whose tables the lines are for; None if they are for the temporary tables.
    """

    def __init__(
        self, columns: Columns, reader: Reader, rule: MatchRule, agents: frozenset[str], tenant_id: int | None = None
    ) -> None:
        self._columns = columns
        self._reader = reader
        self._shapes = Shapes(reader)
        self._rule = rule
        self.agents = agents
        self.texts = [(name, columns.single[name], LIMITS[name]) for name in _TEXTS if name in columns.single]
        self._place = {name: place for place, (name, _, _) in enumerate(self.texts)}
        self._tags_column = columns.single.get("tags")
        self.tenant_id = tenant_id
        names = ["name", *(name for name, _, _ in self.texts)]
        if self._tags_column is not None:
            names.append("tags")
        if columns.fields:
            names.append("fields")
        self.has_extras = self._tags_column is not None or bool(columns.fields)
        """Whether rows have more than texts and phones."""
        self.empty = {name: NULL if tenant_id is None else _EMPTY.get(name, NULL) for name in names}
        """Column → what stands for nothing in it."""
        first, second = ("line", "phone") if tenant_id is None else ("tenant_id", "source")
        self.customer_columns = (first, "customer_id", second, "import_digest", *names)
        """Columns of a customer, in the order in which `read` writes them."""
        self.phone_columns = (first, "customer_id", "position", "raw", "e164", "national", "label")
        # version 7 (RFC 9562), and they rise with the lines, so that new rows stand side by side in the index
        now = time.time_ns() // 1_000_000
        self._id_start = f"{now:012x}7{secrets.randbits(12):03x}{0x80000000 | secrets.randbits(30):08x}"

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
        values = [self._text(name, cells[column], limit, plain) for name, column, limit in self.texts]
        name = self._name(cells, values, plain)
        start = self.starts([row.line])[0]
        phones, key = self._phones(start, cells)
        self._check(values, key)
        names = ("name", *self._place)
        staged = [
            (value if plain else _escaped(value)) or self.empty[column]
            for column, value in zip(names, (name, *values), strict=True)
        ]
        first = (start, *self.seconds([key]), NULL)
        return "\t".join((*first, *staged, *self.extras(cells, plain))) + "\n", phones

    def starts(self, lines: Iterable[int]) -> list[str]:
        """What the lines of rows' customers and phones begin with: row's line or tenant, and the customer's id."""
        start = self._id_start
        if self.tenant_id is None:
            return [f"{line}\t{start}{line & 0xFFFFFFFF:08x}" for line in lines]
        start = f"{self.tenant_id}\t{start}"
        return [f"{start}{line & 0xFFFFFFFF:08x}" for line in lines]

    def seconds(self, keys: Sequence[str]) -> Iterable[str]:
        """What comes next in customers' lines, of their first numbers."""
        return [key or NULL for key in keys] if self.tenant_id is None else repeat("import", len(keys))

    def extras(self, cells: list[str], plain: bool) -> list[str]:
        """The last values of a customer's line: tags and custom fields, where the file has them.

        Raises:
            RowProblem: one is too long or holds control characters.
        """
        extras: list[str] = []
        if self._tags_column is not None:
            extras.append(self._tags(cells[self._tags_column]))
        if self._columns.fields:
            extras.append(self._fields(cells, plain))
        return extras

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
        if owner and owner not in self.agents:
            raise RowProblem(f"owner: there is no agent {owner[:60]!r}")
        rule = self._rule
        if rule is MatchRule.EXTERNAL_REF and not ("external_ref" in place and values[place["external_ref"]]):
            raise RowProblem("external_ref: it is empty, and rows are matched by it")
        if rule is MatchRule.EMAIL and not email:
            raise RowProblem("email: it is empty, and rows are matched by it")
        if rule is MatchRule.PHONE and not key:
            raise RowProblem("phone: there is none, and rows are matched by it")

    def phones_by_column(
        self, starts: Sequence[str], cells: Sequence[Sequence[str]]
    ) -> tuple[list[str], list[str], list[int]]:
        """The COPY lines of many rows' phones, their keys, and the places of rows that `read` will complain about.

        The cells are those of plain rows, by column.
        """
        columns = self._columns.phones
        if not columns:
            return [""] * len(starts), [""] * len(starts), []
        first, label = columns[0]
        texts = list(map(str.strip, cells[first]))
        # several columns may hold the same number, and are read row by row
        quick = self._shapes.read_all(texts) if len(columns) == 1 else [None] * len(texts)
        lines: list[str] = []
        keys: list[str] = []
        unread: list[int] = []
        for place, (start, text, found) in enumerate(zip(starts, texts, quick, strict=True)):
            if found is not None:
                key, digits = found
                line = f"{start}\t0\t{text}\t{key}\t{digits}\t{label}\n"
            else:
                try:
                    line, key = self._phones(start, {column: cells[column][place] for column, _ in columns})
                except RowProblem:
                    unread.append(place)
                    line = key = ""
            lines.append(line)
            keys.append(key)
        return lines, keys, unread

    def _phones(self, start: str, cells: Mapping[int, str] | Sequence[str]) -> tuple[str, str]:
        """The COPY lines of a row's phones, and the key of the first one that can be looked up.

        Raises:
            RowProblem: one is no phone number, or they are too many.
        """
        seen: dict[str, str] = {}
        key = ""
        for column, label in self._columns.phones:
            cell = cells[column].strip()
            if not cell:
                continue
            if (quick := self._shapes.read(cell)) is not None:
                own, digits = quick
                key = key or own
                if own not in seen:
                    seen[own] = f"{start}\t{len(seen)}\t{cell}\t{own}\t{digits}\t{label}\n"
                continue
            for part in _SEVERAL_NUMBERS.split(cell):
                number = self._number(part.strip())
                if number is None:
                    continue
                e164, national = number.e164, number.national
                key = key or e164 or national or ""
                again = e164 or national or number.raw
                if again not in seen:
                    keys = f"{e164 or NULL}\t{national or NULL}"
                    seen[again] = f"{start}\t{len(seen)}\t{_escaped(number.raw)}\t{keys}\t{label}\n"
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
            return self.empty["tags"]
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
        return _escaped(json.dumps(values, ensure_ascii=False)) if values else self.empty["fields"]


def _escaped(text: str) -> str:
    """Escape a value for COPY's text format."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if not text.isprintable():
        text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return text


def _is_han(text: str) -> bool:
    return bool(text) and all("\u3400" <= char <= "\u9fff" or char >= "\U00020000" for char in text)
