"""What may be stored about a customer, and what is said where it may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.customers.draft import (
    PHONE_LIMIT,
    Change,
    Draft,
    DraftPhone,
    are_emails,
    check,
    is_email,
    read_phones,
)
from callcenter.errors import BadInput
from callcenter.matching.number import Reader

READER = Reader("GB")


@pytest.mark.parametrize(
    "name",
    [
        "王小明",
        "<b>Bob</b> & Co <script>alert(1)</script>",
        "Robert'); DROP TABLE customers;--",
        "=1+1",
        'a\\b"c',
        "𠮷野",
    ],
)
def test_text_is_text(name: str) -> None:
    check(Draft(name=name, company=name, note=f"{name}\n{name}", tags=(name,), fields={"field": name}))


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (Draft(name=" "), "name: it is empty"),
        (Draft(name="x" * 201), "name: 201 characters are too many, 200 are the most"),
        (Draft(name="a\x00b"), "name: it holds control characters"),
        (Draft(name="a\nb"), "name: it holds control characters"),
        (Draft(name="\ud800"), "name: it holds control characters"),
        (Draft(name="x", note="a\x1bb"), "note: it holds control characters"),
        (Draft(name="x", email="nobody"), "email: it must have one @"),
        (Draft(name="x", email="a b@example.com"), "email: it must have one @"),
        (Draft(name="x", language="English please"), "language: write a language tag"),
        (Draft(name="x", tags=("",)), "tags: one is empty"),
        (Draft(name="x", tags=("t",) * 51), "tags: 51 are too many"),
        (Draft(name="x", fields={"": "x"}), "fields: one has no name"),
        (Draft(name="x", fields={str(n): "x" for n in range(101)}), "fields: 101 are too many"),
        (Draft(name="x", fields={"f": "x" * 2001}), r"fields\[f\]: 2001 characters"),
        (Change(version=1, name=""), "name: it is empty"),
    ],
)
def test_what_is_wrong_is_named(draft: Draft | Change, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check(draft)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(BadInput, match=r"name: .*; email: .*; tags: "):
        check(Draft(name="", email="x", tags=(" ",)))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("1" * 500, "longer than 64 characters"),
        ("hello", "'hello' is not a phone number"),
        ("withheld", "no number; leave it out"),
        ("", "no number; leave it out"),
        ("020 7946\n0123", "is not a phone number"),
    ],
)
def test_a_wrong_number_is_named_by_its_place(number: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        read_phones([DraftPhone("020 7946 0123"), DraftPhone(number)], READER)
    assert str(caught.value).startswith("phones[1].number: ")


def test_too_many_phones_are_refused() -> None:
    phones = [DraftPhone(f"020 7946 0{place:03}") for place in range(PHONE_LIMIT + 1)]
    with pytest.raises(BadInput, match="phones: 41 are too many"):
        read_phones(phones, READER)
    assert len(read_phones(phones[:PHONE_LIMIT], READER)) == PHONE_LIMIT


def test_one_number_in_two_spellings_is_one_phone() -> None:
    found = read_phones([DraftPhone("020 7946 0123", "work"), DraftPhone("+442079460123"), DraftPhone("1001")], READER)
    assert [(number.raw, label) for number, label in found] == [("020 7946 0123", "work"), ("1001", "")]


@given(st.lists(st.text("ab@. \x1f", max_size=6) | st.sampled_from(["", "a@b.example", "a@b@c"]), max_size=5))
def test_many_addresses_are_checked_as_one_by_one(texts: list[str]) -> None:
    assert are_emails(texts) == all(not text or is_email(text) for text in texts)


def test_an_address_over_two_lines_is_none() -> None:
    assert not are_emails(["a@b.example\nc@d.example"])
