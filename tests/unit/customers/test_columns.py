"""Which column is what."""

import pytest

from callcenter.customers.importer.columns import find
from callcenter.errors import BadFile


def test_english_headers_are_recognized() -> None:
    columns = find(["Customer ID", "Full Name", "E-mail", "Phone", "Mobile Phone", "Phone 2", "Shoe size"])
    assert columns.single == {"external_ref": 0, "name": 1, "email": 2}
    assert columns.phones == ((3, ""), (4, "mobile"), (5, ""))
    assert columns.unused == ("Shoe size",)


def test_chinese_headers_are_recognized() -> None:
    columns = find(["客户编号", "姓名", "公司名称", "邮箱", "手机", "固定电话", "备注"])
    assert columns.single == {"external_ref": 0, "name": 1, "company": 2, "email": 3, "note": 6}
    assert columns.phones == ((4, "mobile"), (5, "landline"))


def test_the_users_mapping_goes_first() -> None:
    columns = find(
        ["Kdnr", "Wer", "Tel", "Handynr", "Ort"], ["name=Wer", "phone=Handynr", "phone=#3", "fields.city=ort"]
    )
    assert columns.single == {"name": 1}
    assert [column for column, _ in columns.phones] == [3, 2]
    assert columns.fields == {"city": 4}
    assert columns.unused == ("Kdnr",)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("name=Nobody", "there is no column 'Nobody'"),
        ("size=Name", "TARGET is one of"),
        ("name", "write TARGET=HEADER"),
        ("fields.=Name", "TARGET is one of"),
        ("name=#9", "there is no column '#9'"),
    ],
)
def test_a_wrong_mapping_says_what_there_is(mapping: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        find(["Name", "Phone"], [mapping])


def test_a_file_without_names_says_how_to_name_them() -> None:
    with pytest.raises(BadFile, match="--map name='A'"):
        find(["A", "B"])


def test_too_many_phone_columns_are_refused() -> None:
    with pytest.raises(BadFile, match="40 are the most"):
        find(["Name", *(f"Phone {place}" for place in range(41))])


def test_of_two_columns_with_one_meaning_the_first_counts() -> None:
    columns = find(["Name", "Customer Name", "Phone"])
    assert columns.single == {"name": 0}
    assert columns.unused == ("Customer Name",)
