"""Delimited text, well-formed and hostile."""

import itertools
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.customers.importer.cells import CELL_LIMIT, MOST_BROKEN_QUOTES, Row, rows, sniff
from callcenter.errors import BadFile


def read(text: str, size: int = 1 << 18, delimiter: str = ",") -> list[Row]:
    return list(rows((text[at : at + size] for at in range(0, len(text), size)), delimiter))


@given(st.integers(1, 30))
def test_the_cut_of_the_pieces_makes_no_difference(size: int) -> None:
    text = 'a,b\r\n1,"x, ""y""\nz"\r\n\r\n2,\u2028é\n3,"' + "q" * 50 + '"'
    assert read(text, size) == [
        Row(1, ["a", "b"]),
        Row(2, ["1", 'x, "y"\nz']),
        Row(5, ["2", "\u2028é"]),
        Row(6, ["3", "q" * 50]),
    ]


@given(st.integers(1, 90), st.text('ab,"\n\r', max_size=80))
def test_rows_are_the_same_by_the_block_as_by_the_line(size: int, text: str) -> None:
    assert read(text, size) == read(text, 1)


def test_a_broken_row_does_not_move_those_after_it_to_other_lines() -> None:
    text = "a,b\n" + '1,"x"\n' * 3 + '2,"x"y\n\n' + '3,"x\ny"\n' * 2 + "4,z\n"
    assert [(row.line, row.cells[:1]) for row in read(text)] == [
        (1, ["a"]),
        *((line, ["1"]) for line in (2, 3, 4)),
        (5, []),
        (7, ["3"]),
        (9, ["3"]),
        (11, ["4"]),
    ]


def test_a_quote_that_never_closes_costs_its_own_row_only() -> None:
    assert read('a,b\n1,"x\n2,y\n3,z\n') == [
        Row(1, ["a", "b"]),
        Row(2, [], "a quote opens here and never closes"),
        Row(3, ["2", "y"]),
        Row(4, ["3", "z"]),
    ]


def test_a_quote_that_closes_in_a_later_row_costs_its_own_row_only() -> None:
    found = read('a,b\n1,"x\n2,"y",\n3,z\n')
    assert [(row.line, row.cells) for row in found if not row.problem] == [
        (1, ["a", "b"]),
        (3, ["2", "y", ""]),
        (4, ["3", "z"]),
    ]
    assert [row.line for row in found if row.problem] == [2]


def test_a_quote_that_swallows_more_than_a_cell_may_hold_is_named_by_its_line() -> None:
    text = 'a,b\n1,"x\n' + "2,y\n" * (CELL_LIMIT // 3)
    with pytest.raises(BadFile, match="line 2: a cell that begins here is longer than 65536"):
        read(text)


def test_quotes_broken_all_over_stop_the_reading() -> None:
    with pytest.raises(BadFile, match="broken quotes"):
        read("a,b\n" + '"x"y,z\n' * (MOST_BROKEN_QUOTES + 1))


def test_a_cell_of_10_mb_costs_its_own_row_only_and_no_memory() -> None:
    def pieces() -> Iterator[str]:
        yield "a,b\n1,"
        yield from itertools.repeat("x" * 100_000, 100)
        yield '\n2,y\n3,"'
        yield from itertools.repeat("y" * 100_000, 100)
        yield '"\n4,z\n'

    tracemalloc.start()
    found = list(rows(pieces(), ","))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row.line, row.cells) for row in found if not row.problem] == [
        (1, ["a", "b"]),
        (3, ["2", "y"]),
        (5, ["4", "z"]),
    ]
    assert [row.line for row in found if row.problem] == [2, 4]
    assert peak < 8_000_000


def test_a_cell_just_within_the_limit_is_read_and_one_beyond_is_not() -> None:
    inside, outside = "x" * CELL_LIMIT, "x" * (CELL_LIMIT + 1)
    assert read(f"{inside},1\n")[0].cells == [inside, "1"]
    assert read(f"{outside},1\n2,3\n") == [Row(1, [], "a cell is longer than 65536 characters"), Row(2, ["2", "3"])]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("a;b;c\n1,5;2;3\n", ";"),
        ("a\tb\n1, 2\t3\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ('name;note\n"x, y, z";"1, 2"\n', ";"),
        ("name\nLi\n", ","),
        ("", ","),
        ('"', ","),
    ],
)
def test_the_delimiter_is_found(text: str, delimiter: str) -> None:
    assert sniff(text) == delimiter


@given(st.text(max_size=200), st.sampled_from([",", ";", "\t", "|"]))
def test_no_text_is_too_strange(text: str, delimiter: str) -> None:
    sniff(text)
    lines = [row.line for row in read(text, 7, delimiter)]
    assert lines == sorted(lines)
