"""Turns what a person types into the search box into statements, and pages into cursors. Pure."""

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

GLANCE = 400
"""So many customers are gone through first, in the order of their names: a word of each tenth one fills a page."""

FEW = 2_000
"""So many customers with these words, or with such an e-mail address, are read and put in order at once."""

STRETCH = 4_000
"""So many customers are gone through in the order of their names where more than `FEW` are sought."""

START = ("", UUID(int=0))
"""Where the first page begins: no customer has this id."""

_WORDS = "to_tsvector('simple', coalesce(c.name, '') || ' ' || coalesce(c.company, ''))"
"""What `ix_customers_search` holds, in words that PostgreSQL takes for the same."""

_WORD = re.compile(r"[^\s'\\&|!():*<>,;]+")
_LAST_CHARACTER = chr(0x10FFFF)

_KEY = 'lower(c.name) COLLATE "C"'
_MINE = "FROM customers c WHERE c.tenant_id = $1"
_AFTER = f"({_KEY}, c.customer_id) > ($2, $3)"
# One bound, since PostgreSQL begins at the cursor where it has two, and walks from there to names that begin so.
_FROM = (
    'greatest(lower($4) COLLATE "C", $2 COLLATE "C"),'
    f""" CASE WHEN $2 COLLATE "C" >= lower($4) THEN $3 ELSE '{START[1]}'::uuid END"""
)
_BACKWARDS = 'reverse(national) COLLATE "C"'


class Way(msgspec.Struct, frozen=True):
    """A statement that finds the ids of one page, in the order of `lower(name) COLLATE "C"` and id.

    Its first parameters are the tenant and the key and the id after which the page begins, then come `values`. Its one
    row says `ids`, `keys`, and whether they are `sure` to be the page; if not, the next way has to be gone.
    """

    sql: str
    values: tuple[object, ...] = ()


class _After(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    key: str
    id: UUID


def everybody(count: int) -> tuple[Way, ...]:
    """All customers, `count` of them."""
    return (_way(f"found AS (SELECT {_KEY} AS key, c.customer_id {_MINE} AND {_AFTER})", count),)


def by_text(text: str, count: int) -> tuple[Way, ...]:
    """Names or e-mail addresses that begin so, or name and company with words that begin like all those of the text.

    No single plan suits all texts: to put all in order who have a word takes long where it is a frequent one, and to go
    through the names until a page is full takes long where it is rare or stands late in the order. PostgreSQL cannot
    know which it is. So the first names are looked at, which is enough for the most frequent; then those who have
    the words are read, and if they are few, that was all; then a longer stretch of names; and only if that fills no
    page either, all who have the words are put in order.

    Raises:
        BadInput: the text is too long or holds a character that no text can hold.
    """
    text = text.strip()
    if len(text) > TEXT_LIMIT or "\0" in text:
        raise BadInput(f"search for at most {TEXT_LIMIT} characters of text")
    if not text:
        return everybody(count)
    name, email = (
        f'(lower(c.{column}) COLLATE "C" >= lower($4) AND lower(c.{column}) COLLATE "C" < lower($4) || $5)'
        for column in ("name", "email")
    )
    values: tuple[object, ...] = (text, _LAST_CHARACTER)
    unordered = {"emails": email}
    words = _WORD.findall(text)[:MOST_WORDS]
    # one letter is the beginning of too many words
    if words and (max(len(word) for word in words) >= 2 or not text.isascii()):
        values += (" & ".join(f"'{word}':*" for word in words),)
        unordered["words"] = f"{_WORDS} @@ to_tsquery('simple', $6)"
    condition = " OR ".join((name, *unordered.values()))
    return (
        _stretch(condition, GLANCE, count, values),
        _way(_gathered(name, unordered, count, f" LIMIT {FEW + 1}"), count, _all_few(unordered), values=values),
        _stretch(condition, STRETCH, count, values),
        _way(_gathered(name, unordered, count, ""), count, values=values),
    )


def by_number(number: PhoneNumber, count: int) -> tuple[Way, ...]:
    """Customers with this number, or with one that ends so where only its end is known.

    Raises:
        BadInput: it is no number that a customer can have.
    """
    condition, values = _phone(number)
    # an array, because PostgreSQL takes any range for large, and would read all customers to join them
    found = (
        f"found AS MATERIALIZED (SELECT {_KEY} AS key, c.customer_id {_MINE} AND c.customer_id = ANY (ARRAY("
        f"SELECT customer_id FROM customer_phones WHERE tenant_id = $1 AND {condition})))"
    )
    return (_way(found, count, values=values),)


def _phone(number: PhoneNumber) -> tuple[str, tuple[object, ...]]:
    """A condition on `customer_phones` for this number, with its values."""
    if number.kind is NumberKind.INTERNAL:
        return "raw = $4", (number.raw,)
    if number.e164 is not None and number.international:
        return f"(e164 = $4 OR {_BACKWARDS} = reverse($5) AND e164 IS NULL)", (number.e164, number.national)
    if number.e164 is not None or (number.national is not None and number.suffix is None):
        return f"(e164 = $4 OR {_BACKWARDS} = reverse($5))", (number.e164, number.national)
    if number.suffix is not None:
        # the colon sorts behind all digits
        return f"{_BACKWARDS} >= reverse($4) AND {_BACKWARDS} < reverse($4) || ':'", (number.national,)
    raise BadInput(f"{number.raw[:30]!r} is not a phone number; write it as on a business card")


def _way(found: str, count: int, sure: str = "true", *, values: tuple[object, ...] = ()) -> Way:
    """The first `count` of `found (key, customer_id)` after the cursor, nobody twice."""
    # Each is found thrice at most, by name, e-mail and words. Few rows are sorted twice faster than all made distinct.
    first = f"SELECT key, customer_id FROM found WHERE (key, customer_id) > ($2, $3) ORDER BY 1, 2 LIMIT {3 * count}"
    return Way(
        f"WITH {found}, page AS MATERIALIZED (SELECT DISTINCT key, customer_id FROM ({first}) f"
        f" ORDER BY 1, 2 LIMIT {count})"
        " SELECT coalesce(array_agg(customer_id ORDER BY key, customer_id), '{}') AS ids,"
        f" coalesce(array_agg(key ORDER BY key, customer_id), '{{}}') AS keys, {sure} AS sure FROM page",
        values,
    )


def _stretch(condition: str, length: int, count: int, values: tuple[object, ...]) -> Way:
    """Those among the next `length` customers who meet the condition; sure if a page is full, or nobody comes after."""
    found = (
        f"found AS (SELECT key, customer_id FROM (SELECT c.*, {_KEY} AS key {_MINE} AND {_AFTER}"
        f" ORDER BY key, c.customer_id LIMIT {length}) c WHERE {condition})"
    )
    whole = f"NOT EXISTS (SELECT {_MINE} AND {_AFTER} ORDER BY {_KEY}, c.customer_id OFFSET {length} LIMIT 1)"
    return _way(found, count, f"(SELECT count(*) FROM page) = {count} OR {whole}", values=values)


def _gathered(name: str, unordered: dict[str, str], count: int, bound: str) -> str:
    """Names by their order, and the others as their indexes give them, so many of each as `bound` allows."""
    # PostgreSQL plans a CTE for all of its rows, and reads only as many as the bound lets through. With the bound
    # inside it would go through all customers instead, in the hope of soon finding enough.
    parts = [
        f"all_{part} AS MATERIALIZED (SELECT {_KEY} AS key, c.customer_id {_MINE} AND {condition}),"
        f" {part} AS MATERIALIZED (SELECT * FROM all_{part}{bound}), "
        for part, condition in unordered.items()
    ]
    names = (
        f"(SELECT {_KEY} AS key, c.customer_id {_MINE} AND ({_KEY}, c.customer_id) > ({_FROM}) AND {name}"
        f" ORDER BY 1, 2 LIMIT {count})"
    )
    others = "".join(f" UNION ALL SELECT key, customer_id FROM {part}" for part in unordered)
    return f"{''.join(parts)}found AS ({names}{others})"


def _all_few(unordered: dict[str, str]) -> str:
    return " AND ".join(f"(SELECT count(*) FROM {part}) <= {FEW}" for part in unordered)


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
