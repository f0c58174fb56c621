"""Nothing that a caller can say becomes a formula."""

import csv
import io

import pytest

from callcenter.web.spreadsheet import as_csv, guarded


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1", "@A1", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", "+", "+١"]
)
def test_what_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "sales", "+442071830000", "'=1", "a=1"])
def test_all_else_stays(text: str) -> None:
    assert guarded(text) == text


def test_cells_are_read_back_as_they_were() -> None:
    made = as_csv(["key", "value"], [['a";\nb', 1.5], ["=x", None]])
    assert list(csv.reader(io.StringIO(made))) == [["key", "value"], ['a";\nb', "1.5"], ["'=x", ""]]
