"""Takes a customer out of the customers' tables, for good. What is left of their calls is the call log's matter."""

from uuid import UUID

import msgspec

from callcenter.db.unit import Unit


class Known(msgspec.Struct, frozen=True):
    """What a customer about to be erased is found by: numbers that no other customer has, as E.164 and as written."""

    e164: tuple[str, ...]
    written: tuple[str, ...]


async def lock(unit: Unit, customer_id: UUID) -> Known | None:
    """The customer's own numbers; nobody links a call to them until the transaction ends. None where there is none."""
    found = await unit.fetchval(
        "SELECT customer_id FROM customers WHERE tenant_id = $1 AND customer_id = $2 FOR UPDATE", customer_id
    )
    if found is None:
        return None
    rows = await unit.fetch(_OWN_NUMBERS, customer_id)
    return Known(
        e164=tuple(row["e164"] for row in rows if row["e164"] is not None), written=tuple(row["raw"] for row in rows)
    )


async def delete(unit: Unit, customer_id: UUID) -> None:
    """Delete the customer with all phones."""
    await unit.execute("DELETE FROM customers WHERE tenant_id = $1 AND customer_id = $2", customer_id)


# a number that somebody else has too is theirs as well: what came from it may have been they
_OWN_NUMBERS = """
    SELECT p.raw, p.e164 FROM customer_phones p
    WHERE p.tenant_id = $1 AND p.customer_id = $2 AND NOT EXISTS (
        SELECT FROM customer_phones other
        WHERE other.tenant_id = $1 AND other.customer_id <> $2
          AND (other.e164 = p.e164 OR reverse(other.national) COLLATE "C" = reverse(p.national) COLLATE "C"
            AND (other.e164 IS NULL OR p.e164 IS NULL))
    )
"""
