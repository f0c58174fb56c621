"""Cursors: there and back, bound to their query, and nothing else accepted."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import BadInput
from callcenter.web.cursor import read_cursor, write_cursor
from callcenter.web.schemas.calls import CallQuery
from callcenter.web.schemas.customers import CustomerQuery
from callcenter.web.services import Position

PLACE = Position("2026-01-01T00:00:00.123456Z", UUID(int=7))


def test_the_last_page_has_no_cursor() -> None:
    assert write_cursor(None, CallQuery()) is None
    assert read_cursor(None, CallQuery()) is None


@given(st.text(max_size=60).filter(lambda key: "\0" not in key and key.isprintable()), st.uuids())
def test_there_and_back(key: str, id_: UUID) -> None:
    cursor = write_cursor(Position(key, id_), CustomerQuery(q="wang"))
    assert cursor is not None
    assert read_cursor(cursor, CustomerQuery(q="wang", limit=3, cursor=cursor)) == Position(key, id_)


@pytest.mark.parametrize("query", [CallQuery(agent="li"), CallQuery(number="1"), CustomerQuery()])
def test_a_cursor_of_other_filters_is_refused(query: CallQuery | CustomerQuery) -> None:
    cursor = write_cursor(PLACE, CallQuery())
    with pytest.raises(BadInput, match="other filters"):
        read_cursor(cursor, query)


@given(st.text(max_size=80))
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_cursor(text, CallQuery())


def test_a_forged_nul_does_not_reach_the_database() -> None:
    honest = write_cursor(PLACE, CallQuery())
    assert honest is not None
    content = base64.urlsafe_b64decode(honest + "=" * (-len(honest) % 4)).replace(b"2026-", rb"\u0000-")
    with pytest.raises(BadInput):
        read_cursor(base64.urlsafe_b64encode(content).rstrip(b"=").decode(), CallQuery())
