"""Decides which column of a file is what: by its header, in several languages, or as the user says."""

import re
from collections.abc import Iterable, Sequence

from callcenter.customers.importer.headers import LABEL_OF, TARGET_OF
from callcenter.errors import BadFile
from callcenter.model import Value

PHONE_LIMIT = 40
"""Phones of one customer; also the most phone columns."""

_TEXTS = (*dict.fromkeys(TARGET_OF.values()), "owner")

TARGETS = (*_TEXTS, "phone", "fields.NAME")
"""What a column can be mapped to."""

_COUNTED = re.compile(r"^(.+?) ?([0-9]{1,2})$")
_SEPARATORS = re.compile(r"[\s_\-.:：/*()（）]+")


class Columns(Value, frozen=True):
    """Where in a row each thing stands. `width` is how many cells a row has."""

    headers: tuple[str, ...]
    single: dict[str, int]
    """Target → column."""
    phones: tuple[tuple[int, str], ...]
    """(column, label) in the order of importance."""
    fields: dict[str, int]
    """Custom field → column."""

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.headers)

    @property
    def unused(self) -> tuple[str, ...]:
        """Headers of columns that nothing is read from."""
        used = {*self.single.values(), *self.fields.values(), *(column for column, _ in self.phones)}
        return tuple(header for column, header in enumerate(self.headers) if column not in used)


def find(headers: Sequence[str], mapping: Iterable[str] = ()) -> Columns:
    """Return the columns of a file with these headers; `mapping` holds `TARGET=HEADER` and goes first.

    A header may also be given by its place, `phone=#3`. Several `phone=` are the customer's phones in order.

    Raises:
        BadFile: a header or target that does not exist, or no column is the name.
    """
    names = [header.strip() for header in headers]
    columns = Columns(headers=tuple(names), single={}, phones=(), fields={})
    phones: list[tuple[int, str]] = []
    for entry in mapping:
        target, column = _read_mapping(entry, names)
        if target == "phone":
            phones.append((column, LABEL_OF.get(_plain(names[column]), "")))
        elif target.startswith("fields."):
            columns.fields[target.removeprefix("fields.")] = column
        else:
            columns.single[target] = column
    taken = {*columns.single.values(), *columns.fields.values(), *(column for column, _ in phones)}
    guess_phones = not phones
    for column, header in enumerate(names):
        plain = _plain(header)
        target = TARGET_OF.get(plain, "")
        if column in taken:
            continue
        if target and target not in columns.single:
            columns.single[target] = column
        elif guess_phones and (label := _phone_label(plain)) is not None:
            phones.append((column, label))
    if not columns.single.keys() & {"name", "first_name", "last_name", "company"}:
        raise BadFile(
            "no column is the customer's name; say which one is, for example --map name="
            + (f"{names[0]!r}" if names and names[0] else "#1")
            + f". The columns are: {_listed(names)}"
        )
    if len(phones) > PHONE_LIMIT:
        raise BadFile(f"{len(phones)} phone columns, and {PHONE_LIMIT} are the most; choose with --map phone=HEADER")
    return Columns(headers=tuple(names), single=columns.single, phones=tuple(phones), fields=columns.fields)


def _read_mapping(entry: str, names: list[str]) -> tuple[str, int]:
    target, equals, header = entry.partition("=")
    target, header = target.strip(), header.strip()
    custom = target.startswith("fields.") and 0 < len(target.removeprefix("fields.")) <= 64
    if not equals or not (custom or target in _TEXTS or target == "phone"):
        raise BadFile(f"--map {entry}: write TARGET=HEADER, where TARGET is one of {', '.join(TARGETS)}")
    if header in names:
        return target, names.index(header)
    folded = [_plain(name) for name in names]
    if _plain(header) in folded:
        return target, folded.index(_plain(header))
    if re.fullmatch(r"#[0-9]{1,4}", header, re.ASCII) and 0 < int(header[1:]) <= len(names):
        return target, int(header[1:]) - 1
    raise BadFile(f"--map {entry}: there is no column {header!r}; the columns are: {_listed(names)}")


def _phone_label(plain: str) -> str | None:
    """The label of a phone column, also of a numbered one (`Phone 2`); None for other columns."""
    counted = _COUNTED.match(plain)
    return LABEL_OF.get(plain, LABEL_OF.get(counted[1]) if counted else None)


def _plain(header: str) -> str:
    return _SEPARATORS.sub(" ", header.casefold()).strip()


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:30])
    return shown + (f" and {len(names) - 30} more" if len(names) > 30 else "")
