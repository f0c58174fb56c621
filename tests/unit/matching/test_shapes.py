"""The short cut for national numbers answers as the reader does, in all regions."""

import random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.matching.number import Reader
from callcenter.matching.shapes import DEEP_REGIONS, SHAPE_DIGITS, Shapes

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize("region", REGIONS)
def test_it_answers_as_the_reader_does(region: str) -> None:
    dice = random.Random(region)
    reader = Reader(region, cache_size=0)
    shapes = Shapes(reader)
    starts = ["0" + "".join(dice.choices("0123456789", k=SHAPE_DIGITS - 1)) for _ in range(12)]
    example = phonenumbers.example_number(region)
    if example is not None:
        starts.append(f"0{example.national_number}"[:SHAPE_DIGITS])
    for start in starts:
        for length in range(7, 14):
            for _ in range(4):
                text = start + "".join(dice.choices("0123456789", k=length - len(start)))
                found = shapes.read(text)
                number = reader.read(text)
                assert found is None or found == (number.e164, number.national), text


def test_numbers_of_known_shape_need_no_reader() -> None:
    shapes = Shapes(Reader("GB", cache_size=0))
    assert shapes.read("020 7946 0001") == ("+442079460001", "2079460001")
    assert shapes.read("(020) 7946-9999") == ("+442079469999", "2079469999")
    assert shapes.read("0209 999 9999") is not None


@pytest.mark.parametrize(
    "text", ["", "0", "+442079460001", "2079460001", "00442079460001", "withheld", "0207946000x", "020 7946 0001 x5"]
)
def test_all_else_is_left_to_the_reader(text: str) -> None:
    shapes = Shapes(Reader("GB", cache_size=0))
    assert shapes.read("02079460001") is not None
    assert shapes.read(text) is None


@given(
    st.lists(
        st.text("0123456789", min_size=7, max_size=12).map("0".__add__)
        | st.text("0123456789 -()", max_size=40)
        | st.sampled_from(["", "02079460001", "020 7946 0001", "+442079460001", "withheld", "٠٢٠٧٩٤٦٠٠٠١"]),
        max_size=8,
    )
)
@settings(max_examples=200)
def test_many_at_once_are_read_as_one_by_one(texts: list[str]) -> None:
    reader = Reader("GB", cache_size=0)
    alone = Shapes(reader)
    assert Shapes(reader).read_all(texts) == [alone.read(text) for text in texts]


def test_regions_with_deep_plans_have_no_short_cut() -> None:
    for region in DEEP_REGIONS:
        example = phonenumbers.example_number(region)
        assert example is not None
        assert Shapes(Reader(region, cache_size=0)).read(f"0{example.national_number}") is None
