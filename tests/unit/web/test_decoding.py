"""Bodies and queries: strict, bounded, and refused in plain words."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from callcenter.errors import Malformed
from callcenter.model import CallStatus
from callcenter.web.decoding import read_body, read_query
from callcenter.web.schemas.calls import CallQuery
from callcenter.web.schemas.customers import CustomerChange, NewCustomer
from callcenter.web.schemas.people import LogIn

JSON = "application/json"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"login":"li","password":"x"} tail', "not valid JSON"),
        (b"[]", "Expected `object`"),
        (b'{"login":"li"}', "the field `password` is missing"),
        (b'{"login":"li","password":"x","admin":true}', "there is no field `admin` here"),
        (b'{"login":7,"password":"x"}', "login: Expected `str`"),
        (b'{"login":"","password":"x"}', "login: this must not be empty"),
        (b'{"login":"li","password":"' + b"x" * 201 + b'"}', "password: at most 200"),
        (b'{"login":"l\\u0000i","password":"x"}', "NUL"),
        (b'{"login":"\\ud800","password":"x"}', "not valid JSON"),
        (b'{"login":"\xff","password":"x"}', "not valid UTF-8"),
    ],
)
def test_wrong_bodies_are_refused_in_plain_words(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_body(data, JSON, LogIn)


def test_a_text_that_only_looks_like_an_escaped_nul_is_allowed() -> None:
    assert read_body(rb'{"name":"C:\\u0000"}', JSON, NewCustomer).name == r"C:\u0000"


def test_deep_nesting_is_refused() -> None:
    deep = b'{"name":' + b"[" * 100_000
    with pytest.raises(Malformed):
        read_body(deep, JSON, NewCustomer)


def test_faults_name_the_place() -> None:
    with pytest.raises(Malformed) as refused:
        read_body(b'{"name":"A","phones":[{"number":"1"},{"number":""}]}', JSON, NewCustomer)
    assert refused.value.faults == (("$.phones[1].number", "this must not be empty"),)


def test_only_json_is_a_body() -> None:
    with pytest.raises(Malformed, match="Content-Type: application/json"):
        read_body(b"{}", "text/plain", LogIn)


def test_what_is_left_out_differs_from_null() -> None:
    change = read_body(b'{"version":2,"company":null}', JSON, CustomerChange)
    assert change.company is None
    assert not change.name


def test_a_query_is_read_with_all_its_types() -> None:
    query = read_query(
        "customer=018f4e6e-0000-7000-8000-000000000000&status=answered&queue=support"
        "&since=2026-01-01T08:00:00%2B08:00&limit=7&number=%2B86%20138&agent=",
        CallQuery,
    )
    assert query.customer == UUID("018f4e6e-0000-7000-8000-000000000000")
    assert (query.status, query.queue) == (CallStatus.ANSWERED, "support")
    assert query.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert (query.limit, query.number, query.agent) == (7, "+86 138", None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("limit=0", "limit: the smallest allowed number is 1"),
        ("limit=1000", "limit: the largest allowed number is 200"),
        ("limit=ten", "limit: Expected `int`"),
        ("limit=1&limit=2", "give this parameter once"),
        ("since=yesterday", "write the time as in"),
        ("since=2026-01-01T00:00:00", "needs a zone"),
        ("status=gone", "not one of the allowed words"),
        ("customer=7", "not a UUID"),
        ("state=busy", "there is no field `state` here"),
        ("status=null", "status: null is no value here: leave the parameter out"),
        ("customer=NULL", "customer: null is no value here"),
        ("agent=%00", "NUL"),
        ("agent=%ff", "not valid UTF-8"),
        ("&".join(f"status=busy{n}" for n in range(60)), "at most 50 parameters"),
        ("number=" + "1" * 65, "at most 64 characters"),
    ],
)
def test_wrong_queries_are_refused_in_plain_words(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_query(text, CallQuery)
