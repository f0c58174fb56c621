"""Turns what a person types into the search box into conditions, and pages into cursors. Pure."""

import base64
import binascii
import re
from uuid import UUID

import msgspec

from callcenter.errors import BadInput
from callcenter.matching.number import NumberKind, PhoneNumber

TEXT_LIMIT = 100
"""Characters of the longest search text."""

MOST_WORDS = 8

_WORD = re.compile(r"[^\s'\\&|!():*<>,;]+")
_LAST_CHARACTER = chr(0x10FFFF)


class Condition(msgspec.Struct, frozen=True):
    """A condition on `customers c` whose parameters are `$2`, `$3` …, and their values."""

    sql: str
    values: tuple[object, ...] = ()


class _After(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    key: str
    id: UUID


def by_text(text: str) -> Condition:
    """Names or e-mail addresses that begin so, or name and company with words that begin like all those of the text.

    Raises:
        BadInput: the text is too long or holds a character that no text can hold.
    """
    text = text.strip()
    if len(text) > TEXT_LIMIT or "\0" in text:
        raise BadInput(f"search for at most {TEXT_LIMIT} characters of text")
    if not text:
        return Condition("true")
    begins = " OR ".join(
        f'(lower(c.{column}) COLLATE "C" >= lower($2) AND lower(c.{column}) COLLATE "C" < lower($2) || $3)'
        for column in ("name", "email")
    )
    words = _WORD.findall(text)[:MOST_WORDS]
    # one letter is the beginning of too many words
    if not words or (max(len(word) for word in words) < 2 and text.isascii()):
        return Condition(f"({begins})", (text, _LAST_CHARACTER))
    query = " & ".join(f"'{word}':*" for word in words)
    return Condition(f"({begins} OR c.search @@ to_tsquery('simple', $4))", (text, _LAST_CHARACTER, query))


def by_number(number: PhoneNumber) -> Condition:
    """Customers with this number, or with one that ends so where only its end is known.

    Raises:
        BadInput: it is no number that a customer can have.
    """
    phone = "c.customer_id IN (SELECT customer_id FROM customer_phones WHERE tenant_id = $1 AND "
    if number.kind is NumberKind.INTERNAL:
        return Condition(phone + "raw = $2)", (number.raw,))
    if number.e164 is not None and number.international:
        return Condition(phone + "(e164 = $2 OR national = $3 AND e164 IS NULL))", (number.e164, number.national))
    if number.e164 is not None or (number.national is not None and number.suffix is None):
        return Condition(phone + "(e164 = $2 OR national = $3))", (number.e164, number.national))
    if number.suffix is not None:
        ends = "suffix = $2 AND right(national, length($3)) = $3)"
        return Condition(phone + ends, (number.suffix, number.national))
    raise BadInput(f"{number.raw[:30]!r} is not a phone number; write it as on a business card")


def write_cursor(key: str, customer_id: UUID) -> str:
    """The cursor of the page after the card with this sort key and id."""
    return base64.urlsafe_b64encode(msgspec.json.encode(_After(key, customer_id))).decode()


def read_cursor(cursor: str) -> tuple[str, UUID]:
    """The sort key and id in a cursor.

    Raises:
        BadInput: no page gave this cursor.
    """
    try:
        after = msgspec.json.decode(base64.b64decode(cursor, altchars=b"-_", validate=True), type=_After)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise BadInput("the cursor is none that a page before gave: ask for the first page again") from None
    if "\0" in after.key:
        raise BadInput("the cursor is none that a page before gave: ask for the first page again")
    return after.key, after.id
