"""Cursors: there and back, bound to their query, and nothing else accepted."""

from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.customers import search
from callcenter.customers.draft import NAME_LIMIT
from callcenter.errors import BadInput
from callcenter.web.cursor import read_cursor, write_cursor
from callcenter.web.decoding import read_query
from callcenter.web.schemas.calls import CallQuery
from callcenter.web.schemas.customers import CustomerQuery


def test_the_last_page_has_no_cursor() -> None:
    assert write_cursor(None, CallQuery()) is None
    assert read_cursor(None, CallQuery()) is None


@given(st.text(min_size=1, max_size=60))
def test_there_and_back(inner: str) -> None:
    cursor = write_cursor(inner, CustomerQuery(q="wang"))
    assert read_cursor(cursor, CustomerQuery(q="wang", limit=3, cursor=cursor)) == inner


@pytest.mark.parametrize("query", [CallQuery(agent="li"), CallQuery(number="1"), CustomerQuery()])
def test_a_cursor_of_other_filters_is_refused(query: CallQuery | CustomerQuery) -> None:
    with pytest.raises(BadInput, match="other filters"):
        read_cursor(write_cursor("abc", CallQuery()), query)


@given(st.text(max_size=80))
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_cursor(text, CallQuery())


@pytest.mark.parametrize("letter", ["a", "王", "𠀀", "İ", '"'])
def test_the_page_after_the_longest_name_can_be_asked_for(letter: str) -> None:
    key = (letter * NAME_LIMIT).lower()
    cursor = write_cursor(search.write_cursor(key, UUID(int=0)), CustomerQuery())
    assert cursor is not None
    asked = read_query(urlencode({"cursor": cursor}), CustomerQuery)
    assert asked.cursor == cursor
