"""Customers, and whose number it is."""

from callcenter.errors import BadInput
from callcenter.web.cursor import read_cursor, write_cursor
from callcenter.web.endpoint import Exchange
from callcenter.web.numbers import read_number
from callcenter.web.schemas import Nothing
from callcenter.web.schemas.customers import (
    Customer,
    CustomerChange,
    CustomerQuery,
    Customers,
    Erasure,
    Match,
    MatchQuery,
    NewCustomer,
)


async def list_customers(exchange: Exchange[CustomerQuery, Nothing]) -> Customers:
    """By text or by number, not by both: they would contradict each other."""
    query = exchange.query
    if query.q is not None and query.number is not None:
        raise BadInput("search by `q` or by `number`, not by both")
    number = read_number(exchange.services.numbers, query.number) if query.number is not None else None
    page = await exchange.services.customers.page(
        exchange.principal.tenant_id,
        query.q,
        number,
        cursor=read_cursor(query.cursor, query),
        limit=query.limit,
    )
    return Customers(items=tuple(page.items), next_cursor=write_cursor(page.next_cursor, query))


async def create_customer(exchange: Exchange[Nothing, NewCustomer]) -> Customer:
    """Answers with the customer as stored, numbers read."""
    principal = exchange.principal
    customer = await exchange.services.customers.create(principal.tenant_id, exchange.body, principal.actor)
    exchange.headers["Location"] = f"/api/v1/customers/{customer.id}"
    return customer


async def show_customer(exchange: Exchange[Nothing, Nothing]) -> Customer:
    """One customer; who saw it is in the audit trail."""
    customer = await exchange.services.customers.get(exchange.principal.tenant_id, exchange.id)
    exchange.services.sightings.saw(exchange.principal.actor, "customer", str(customer.id))
    return customer


async def change_customer(exchange: Exchange[Nothing, CustomerChange]) -> Customer:
    """Refused where somebody else changed the customer since `version` was read."""
    principal = exchange.principal
    return await exchange.services.customers.change(principal.tenant_id, exchange.id, exchange.body, principal.actor)


async def erase_customer(exchange: Exchange[Nothing, Nothing]) -> Erasure:
    """There is no way back; who is erased already stays so, and the answer is the same."""
    principal = exchange.principal
    return await exchange.services.customers.erase(principal.tenant_id, exchange.id, principal.actor)


async def match_number(exchange: Exchange[MatchQuery, Nothing]) -> Match:
    """What a screen-pop for this number would show to whom asks."""
    principal = exchange.principal
    return await exchange.services.matcher.match(
        principal.tenant_id, exchange.query.number, exchange.query.pbx, principal.agent
    )
