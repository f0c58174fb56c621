"""Reads rows by the thousand: column by column where nothing is unusual, and one by one where something is.

Most rows of most files are plain: printable, as wide as the header, nothing to escape. For those each step is
one call for a whole column, which takes half the time. What is in doubt goes to `RowReader.read`, which
knows all cases and all complaints.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from itertools import compress, repeat
from operator import itemgetter
from struct import unpack

from callcenter.customers.draft import LIMITS, are_emails, is_email
from callcenter.customers.importer.cells import Row
from callcenter.customers.importer.columns import Columns
from callcenter.customers.importer.rows import NULL, MatchRule, RowProblem, RowReader

_BETWEEN = "\x1f"
"""Between cells that are digested; no printable cell holds it."""

Reject = Callable[[Row, str], None]


class Batch:
    """Rows that are read together. The `plain` ones have their references and digests beside them."""

    def __init__(self, plain: list[Row], unusual: list[Row], references: list[str], digests: list[int]) -> None:
        self.plain = plain
        self.unusual = unusual
        self.references = references
        self.digests = digests

    def keep(self, places: Sequence[int]) -> None:
        """Forget all plain rows but those at these places."""
        self.plain = [self.plain[place] for place in places]
        self.references = [self.references[place] for place in places]
        self.digests = [self.digests[place] for place in places]


class BatchReader:
    """Reads the batches of one file.

    Args:
        rows: reads single rows.
        columns: where in a row each thing stands.
        rule: what each row must have to be recognized; only with `external_ref` rows have digests.
        agents: the log-ins that an owner may be.
        meaning: all else that decides what a row becomes, to go into the digests.
    """

    def __init__(
        self, rows: RowReader, columns: Columns, rule: MatchRule, agents: frozenset[str], meaning: str = ""
    ) -> None:
        self._rows = rows
        self._rule = rule
        self._agents = agents
        self._width = columns.width
        single = columns.single
        self._texts = [("name", single["name"], LIMITS["name"]), *rows.texts] if "name" in single else []
        self._reference = (
            single["external_ref"] if rule is MatchRule.EXTERNAL_REF and "external_ref" in single else None
        )
        phones = [column for column, _ in columns.phones]
        used = sorted({*single.values(), *columns.fields.values(), *phones})
        # a slice picks faster, and nearly always all columns are used
        self._pick = itemgetter(slice(None) if len(used) == columns.width else slice(used[0], used[-1] + 1))
        owners = sorted(agents) if "owner" in single else []
        seed = repr((meaning, single, columns.phones, columns.fields, owners))
        # a copy of it is made faster than a new one
        self._hash = hashlib.blake2b(f"{seed}{_BETWEEN}".encode(), digest_size=8)

    def split(self, rows: list[Row]) -> Batch:
        """Tell plain rows from others, and digest them."""
        plain, unusual = rows, []
        width = self._width
        cells = [row.cells for row in rows]
        # mostly no row is unusual, which is quickly known of all together
        if set(map(len, cells)) != {width} or not _is_plain("".join(map("".join, cells))):
            plain = [row for row in rows if len(row.cells) == width and _is_plain("".join(row.cells))]
            unusual = [row for row in rows if len(row.cells) != width or not _is_plain("".join(row.cells))]
            cells = [row.cells for row in plain]
        reference = self._reference
        if reference is None:
            return Batch(plain, unusual, [], [])
        references = [row[reference].strip() for row in cells]
        return Batch(plain, unusual, references, self._digests(map(_BETWEEN.join, map(self._pick, cells))))

    def _digests(self, texts: Iterable[str]) -> list[int]:
        """Digests of 62 bits, which leaves room in PostgreSQL's bigint to add a version."""
        parts = []
        copy = self._hash.copy
        for text in texts:
            digest = copy()
            digest.update(text.encode())
            parts.append(digest.digest())
        return [number >> 2 for number in unpack(f">{len(parts)}Q", b"".join(parts))]

    def read(self, batch: Batch, reject: Reject) -> tuple[bytes, bytes]:
        """Return the COPY lines of a batch: of its customers, and of their phones."""
        customers: list[str] = []
        phones: list[str] = []
        if self._texts and batch.plain:
            unusual = batch.unusual + self._by_column(batch, customers, phones)
        else:
            unusual = batch.unusual + batch.plain
        for row in unusual:
            try:
                customer, numbers = self._rows.read(row)
            except RowProblem as problem:
                reject(row, str(problem))
            else:
                customers.append(customer)
                phones.append(numbers)
        return "".join(customers).encode(), "".join(phones).encode()

    def _by_column(self, batch: Batch, customers: list[str], phones: list[str]) -> list[Row]:
        """Write the lines of the plain rows; return those that are in doubt."""
        plain, reader = batch.plain, self._rows
        cells = list(zip(*(row.cells for row in plain), strict=True))
        texts = {name: list(map(str.strip, cells[column])) for name, column, _ in self._texts}
        doubt = self._in_doubt(texts)
        starts = reader.starts(row.line for row in plain)
        numbers, keys, unread = reader.phones_by_column(starts, cells)
        doubt.update(unread)
        if self._rule is MatchRule.PHONE:
            doubt.update(place for place, key in enumerate(keys) if not key)
        # new customers are of version 1
        digests: Iterable[str] = [str(digest + 1) for digest in batch.digests] or repeat(NULL, len(plain))
        columns: list[Iterable[str]] = [starts, reader.seconds(keys), digests]
        # an empty text is what stands for nothing
        columns += [
            [value or reader.empty[name] for value in column] if "" in column else column
            for name, column in texts.items()
        ]
        if reader.has_extras:
            columns.append(self._extras(plain, doubt))
        written: Iterable[str] = map("\t".join, zip(*columns, strict=True))
        if doubt:
            keep = [place not in doubt for place in range(len(plain))]
            written, numbers = compress(written, keep), list(compress(numbers, keep))
        customers.extend(line + "\n" for line in written)
        phones += numbers
        return [plain[place] for place in sorted(doubt)]

    def _in_doubt(self, texts: dict[str, list[str]]) -> set[int]:
        """Places of rows with a text that `RowReader.read` may have to complain about, or has to find elsewhere."""
        doubt: set[int] = set()
        for name, _, limit in self._texts:
            if max(map(len, texts[name])) > limit:
                doubt.update(place for place, text in enumerate(texts[name]) if len(text) > limit)
        needed = ["name"]
        if self._rule is MatchRule.EXTERNAL_REF:
            needed.append("external_ref")
        elif self._rule is MatchRule.EMAIL:
            needed.append("email")
        for name in needed:
            if name not in texts:
                return set(range(len(texts["name"])))
            if "" in texts[name]:
                doubt.update(place for place, text in enumerate(texts[name]) if not text)
        emails = texts.get("email", [])
        if not are_emails(emails):
            doubt.update(place for place, text in enumerate(emails) if text and not is_email(text))
        agents = self._agents
        doubt.update(place for place, text in enumerate(texts.get("owner", ())) if text and text not in agents)
        return doubt

    def _extras(self, rows: list[Row], doubt: set[int]) -> list[str]:
        extras = []
        for place, row in enumerate(rows):
            try:
                extras.append("\t".join(self._rows.extras(row.cells, True)))
            except RowProblem:
                extras.append("")
                doubt.add(place)
        return extras


def _is_plain(text: str) -> bool:
    """Tell whether there is nothing to clean and nothing to escape."""
    return text.isprintable() and "\\" not in text
