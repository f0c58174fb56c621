"""The customers' cards: found, read, created, changed.

A change names the version that it is based on; if somebody else was faster it is refused, not merged.
"""

import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from msgspec import UNSET

from callcenter.customers.card import Card, Page, Phone
from callcenter.customers.draft import Change, Draft, check, read_phones
from callcenter.customers.search import START, Way, by_number, by_text, everybody, read_cursor, write_cursor
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.matching.number import PhoneNumber, Reader

MOST_ON_A_PAGE = 500

_CARD = """
SELECT c.customer_id, c.name, c.company, c.email, c.language, c.address, c.owner, c.tags, c.fields, c.version,
  c.created_at, c.updated_at, c.note, c.last_call_at, c.external_ref, ARRAY(
    SELECT (p.raw, p.e164, p.label) FROM customer_phones p
    WHERE p.tenant_id = c.tenant_id AND p.customer_id = c.customer_id ORDER BY p.position) AS phones
FROM customers c WHERE c.tenant_id = $1 AND """

_COLUMNS = ("name", "company", "email", "language", "address", "owner", "tags", "fields", "note")
"""Columns that a person may change."""


class CustomerStore:
    """The customers of all tenants; numbers are read by `reader`."""

    def __init__(self, database: Database, reader: Reader) -> None:
        self._database = database
        self._reader = reader

    async def page(
        self,
        tenant_id: int,
        text: str | None = None,
        number: str | None = None,
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """A page of customers in order of their names: all, or those found by text or by number.

        Text that reads as a number finds that number as well.

        Raises:
            BadInput: text, number, cursor or limit make no sense.
        """
        if not 1 <= limit <= MOST_ON_A_PAGE:
            raise BadInput(f"limit: from 1 to {MOST_ON_A_PAGE}")
        ways = self._ways(text, number, limit + 1)
        after = START if cursor is None else read_cursor(cursor)
        async with self._database.unit(tenant_id) as unit:
            ids, keys = await _found(unit, ways, after)
            rows = await unit.fetch(_CARD + "c.customer_id = ANY ($2)", ids[:limit])
        cards = {row["customer_id"]: _card(row) for row in rows}
        return Page(
            # who was deleted between the two statements is left out
            items=[cards[customer_id] for customer_id in ids[:limit] if customer_id in cards],
            next_cursor=write_cursor(keys[limit - 1], ids[limit - 1]) if len(ids) > limit else None,
        )

    async def get(self, tenant_id: int, customer_id: UUID) -> Card:
        """One customer.

        Raises:
            NotFound: there is none.
        """
        async with self._database.unit(tenant_id) as unit:
            return await _get(unit, customer_id)

    async def create(self, tenant_id: int, new: Draft) -> Card:
        """Add a customer.

        Raises:
            BadInput: a field is wrong, or the owner is no agent.
            Conflict: another customer has the external reference.
        """
        check(new)
        phones = read_phones(new.phones, self._reader)
        customer_id = new_id()
        async with self._unit(tenant_id, new.owner) as unit:
            await unit.execute(
                "INSERT INTO customers (tenant_id, customer_id, name, company, email, language, address, owner,"
                " tags, fields, note, external_ref) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                *(customer_id, new.name.strip(), new.company, new.email, new.language, new.address, new.owner),
                *(list(new.tags), new.fields, new.note or "", new.external_ref),
            )
            await _write_phones(unit, customer_id, phones)
            return await _get(unit, customer_id)

    async def change(self, tenant_id: int, customer_id: UUID, change: Change) -> Card:
        """Change a customer.

        Raises:
            BadInput: a field is wrong, or the owner is no agent.
            Conflict: the customer is not at `change.version` any more.
            NotFound: there is none.
        """
        check(change)
        phones = None if change.phones is UNSET else read_phones(change.phones, self._reader)
        values: dict[str, object] = {name: value for name in _COLUMNS if (value := getattr(change, name)) is not UNSET}
        if "tags" in values:
            values["tags"] = list(change.tags or ()) if change.tags is not UNSET else []
        if "note" in values:
            values["note"] = change.note or ""
        settings = "".join(f", {name} = ${place}" for place, name in enumerate(values, start=4))
        owner = change.owner if change.owner is not UNSET else None
        async with self._unit(tenant_id, owner) as unit:
            tag = await unit.execute(
                f"UPDATE customers SET version = version + 1, updated_at = now(){settings}"
                " WHERE tenant_id = $1 AND customer_id = $2 AND version = $3",
                *(customer_id, change.version, *values.values()),
            )
            if tag == "UPDATE 0":
                current = await _get(unit, customer_id)
                raise Conflict(
                    f"somebody else changed this customer: it is at version {current.version} and this change"
                    f" is based on version {change.version}; read it again"
                )
            if phones is not None:
                await unit.execute("DELETE FROM customer_phones WHERE tenant_id = $1 AND customer_id = $2", customer_id)
                await _write_phones(unit, customer_id, phones)
            return await _get(unit, customer_id)

    def _ways(self, text: str | None, number: str | None, count: int) -> tuple[Way, ...]:
        if number is not None:
            return by_number(self._reader.read(number), count)
        if text is None:
            return everybody(count)
        if sum(char.isdigit() for char in text) >= 7:
            read = self._reader.read(text)
            if read.national is not None:
                return by_number(read, count)
        return by_text(text, count)

    @asynccontextmanager
    async def _unit(self, tenant_id: int, owner: str | None) -> AsyncIterator[Unit]:
        """A unit of work in which what PostgreSQL refuses becomes a sentence."""
        try:
            async with self._database.unit(tenant_id) as unit:
                yield unit
        except asyncpg.ForeignKeyViolationError:
            raise BadInput(f"owner: there is no agent {owner!r}") from None
        except asyncpg.UniqueViolationError:
            raise Conflict("external_ref: another customer has it") from None


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562): new customers stand side by side in the index."""
    value = (time.time_ns() // 1_000_000 << 80) | (7 << 76) | (secrets.randbits(12) << 64) | (2 << 62)
    return UUID(int=value | secrets.randbits(62))


async def _found(unit: Unit, ways: Sequence[Way], after: tuple[str, UUID]) -> tuple[list[UUID], list[str]]:
    """The ids and the keys of the page that begins after a place, by the first way that is sure."""
    ids: list[UUID] = []
    keys: list[str] = []
    for way in ways:
        ((ids, keys, is_sure),) = await unit.fetch(way.sql, *after, *way.values)
        if is_sure:
            break
    return ids, keys


async def _get(unit: Unit, customer_id: UUID) -> Card:
    row = await unit.fetchrow(_CARD + "c.customer_id = $2", customer_id)
    if row is None:
        raise NotFound(f"there is no customer {customer_id}")
    return _card(row)


async def _write_phones(unit: Unit, customer_id: UUID, phones: Iterable[tuple[PhoneNumber, str]]) -> None:
    rows = list(phones)
    if not rows:
        return
    await unit.execute(
        "INSERT INTO customer_phones (tenant_id, customer_id, position, raw, e164, national, label)"
        " SELECT $1, $2, place - 1, raw, e164, national, label"
        " FROM unnest($3::text[], $4::text[], $5::text[], $6::text[])"
        " WITH ORDINALITY AS p (raw, e164, national, label, place)",
        customer_id,
        [number.raw for number, _ in rows],
        [number.e164 for number, _ in rows],
        [number.national for number, _ in rows],
        [label for _, label in rows],
    )


def _card(row: asyncpg.Record) -> Card:
    return Card(
        id=row["customer_id"],
        name=row["name"],
        company=row["company"],
        email=row["email"],
        language=row["language"],
        address=row["address"],
        owner=row["owner"],
        tags=tuple(row["tags"]),
        fields={name: str(value) for name, value in row["fields"].items()},
        phones=tuple(Phone(raw, e164, label or None) for raw, e164, label in row["phones"]),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        note=row["note"] or None,
        last_call_at=row["last_call_at"],
        external_ref=row["external_ref"],
    )
