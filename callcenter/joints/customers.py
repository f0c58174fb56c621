"""The customers, as the web needs them."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import UNSET

from callcenter.customers.card import Card
from callcenter.customers.draft import Change, Draft, DraftPhone
from callcenter.customers.store import CustomerStore
from callcenter.db import audit
from callcenter.db.engine import Database
from callcenter.desk.fieldvalues import check_fields
from callcenter.joints.deskwords import DeskWords
from callcenter.joints.erasure import Erasing
from callcenter.joints.numbers import Numbers
from callcenter.web import services as web
from callcenter.web.schemas import customers as schema

MOST_RECORDINGS = 1_000

FieldValue = str | bool | int | float | None


class WebCustomers:
    """`callcenter.web.services.CustomerBook` on the customers' store."""

    def __init__(self, database: Database, numbers: Numbers, erasing: Erasing, words: DeskWords) -> None:
        self._database = database
        self._words = words
        self._erasing = erasing
        self._store = CustomerStore(database, numbers.reader())

    async def page(
        self, tenant_id: int, text: str | None, number: str | None, *, cursor: str | None, limit: int
    ) -> web.Page[schema.Customer]:
        """Customers in order of their names."""
        page = await self._store.page(tenant_id, text, number, cursor=cursor, limit=limit)
        return web.Page(items=[_customer(card) for card in page.items], next_cursor=page.next_cursor)

    async def get(self, tenant_id: int, customer_id: UUID) -> schema.Customer:
        """One customer, raises `NotFound`."""
        return _customer(await self._store.get(tenant_id, customer_id))

    async def create(self, tenant_id: int, new: schema.NewCustomer, by: str) -> schema.Customer:
        """Add a customer; raises `BadInput` for a number that is none."""
        values = msgspec.structs.asdict(new)
        fields = _texts(new.fields)
        check_fields(self._words.fields, fields)
        draft = Draft(**{**values, "fields": fields, "phones": _phones(new.phones)})
        card = await self._store.create(tenant_id, draft)
        await self._note(tenant_id, by, "customer_created", card.id)
        return _customer(card)

    async def change(
        self, tenant_id: int, customer_id: UUID, change: schema.CustomerChange, by: str
    ) -> schema.Customer:
        """Change one; raises `Conflict` where `change.version` is not the stored one any more."""
        values = msgspec.structs.asdict(change)
        if change.fields is not UNSET:
            fields = values["fields"] = _texts(change.fields)
            before: Mapping[str, str] = (await self._store.get(tenant_id, customer_id)).fields
            check_fields(self._words.fields, fields, before)
        if change.phones is not UNSET:
            values["phones"] = _phones(change.phones)
        card = await self._store.change(tenant_id, customer_id, Change(**values))
        await self._note(tenant_id, by, "customer_changed", customer_id)
        return _customer(card)

    async def erase(self, tenant_id: int, customer_id: UUID, by: str) -> schema.Erasure:
        """Erase one; raises `NotFound` where there never was one."""
        erased = await self._erasing.erase(tenant_id, customer_id, actor=by)
        return schema.Erasure(
            customer_id=erased.customer_id,
            calls=erased.calls,
            # more would be too much for one answer; the command lists them all
            recordings=erased.recordings[:MOST_RECORDINGS],
        )

    async def _note(self, tenant_id: int, by: str, action: str, customer_id: UUID) -> None:
        async with self._database.unit(tenant_id) as unit:
            await audit.note(unit, actor=by, action=action, subject_type="customer", subject_id=str(customer_id))


def _customer(card: Card) -> schema.Customer:
    return schema.Customer(
        id=card.id,
        name=card.name,
        company=card.company,
        email=card.email,
        language=card.language,
        address=card.address,
        owner=card.owner,
        tags=card.tags,
        fields=dict(card.fields),
        phones=tuple(schema.Phone(number=one.number, e164=one.e164, label=one.label) for one in card.phones),
        version=card.version,
        created_at=card.created_at,
        updated_at=card.updated_at,
        note=card.note,
    )


def _phones(phones: tuple[schema.NewPhone, ...]) -> tuple[DraftPhone, ...]:
    return tuple(DraftPhone(number=phone.number, label=phone.label) for phone in phones)


def _texts(fields: dict[str, FieldValue]) -> dict[str, str]:
    """Field values as the store keeps them: text; what is null is not kept."""
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in fields.items()
        if value is not None
    }
