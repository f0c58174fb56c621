"""Numbers as trunks, files and people write them."""

import time

import pytest

from callcenter.errors import BadInput
from callcenter.matching.number import NumberKind, PhoneNumber, Reader

LONDON = "+442079460123"


@pytest.fixture(scope="module")
def british() -> Reader:
    return Reader("GB")


@pytest.mark.parametrize(
    "text",
    [
        "02079460123",
        "020 7946 0123",
        "(020) 7946-0123",
        "020–7946—0123",
        "020·7946·0123",
        "+44 20 7946 0123",
        "+44 (0)20 7946 0123",
        "＋４４ ２０ ７９４６ ０１２３",
        "٠٢٠ ٧٩٤٦ ٠١٢٣",
        "\u202a020\u00a07946\u200b0123\u202c",
        "00442079460123",
        "011442079460123",
        "442079460123",
        "tel:+44-20-7946-0123;ext=5",
        "tel:7946-0123;phone-context=+44-20",
        "sip:02079460123@10.0.0.1;user=phone",
        "sips:%2B442079460123@pbx.example.com",
        '"Li Wei" <+442079460123>',
        "020 7946 0123 ext. 12",
        "020 7946 0123 x12",
        "020 7946 0123#12",
        "020 7946 0123,,12",
        "020 7946 0123 分机12",
        "Tel: 020 7946 0123",
        "电话：02079460123",
    ],
)
def test_every_spelling_is_the_same_number(british: Reader, text: str) -> None:
    number = british.read(text)
    assert (number.kind, number.e164) == (NumberKind.PUBLIC, LONDON)
    assert (number.national, number.suffix) == ("2079460123", "9460123")
    assert number.raw == text


@pytest.mark.parametrize(
    ("region", "text", "e164"),
    [
        ("US", "(212) 555-0123", "+12125550123"),
        ("US", "1-800-FLOWERS", "+18003569377"),
        ("US", "00442079460123", LONDON),
        ("CN", "138 1234 5678", "+8613812345678"),
        ("CN", "013812345678", "+8613812345678"),
        ("CN", "8613812345678", "+8613812345678"),
        ("CN", "021-12345678", "+862112345678"),
        ("IT", "06 12345678", "+390612345678"),
        ("HU", "06 1 234 5678", "+3612345678"),
        ("RU", "8 912 345-67-89", "+79123456789"),
        ("GB", "07700 900123", "+447700900123"),
        ("GB", "+800 1234 5678", "+80012345678"),
    ],
)
def test_each_region_writes_its_numbers_in_its_way(region: str, text: str, e164: str) -> None:
    assert Reader(region).read(text).e164 == e164


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "anonymous",
        "Anonymous",
        "<unknown>",
        "unknown",
        "withheld",
        "restricted",
        "PRIVATE",
        "unavailable",
        "asterisk",
        "sip:anonymous@anonymous.invalid",
        '"Anonymous" <anonymous>',
        "匿名",
        "266696687",
        "+7378742833",
        "0000000000",
    ],
)
def test_a_withheld_number_is_anonymous(british: Reader, text: str | None) -> None:
    assert british.read(text).kind is NumberKind.ANONYMOUS


@pytest.mark.parametrize("text", ["1001", "100", "999", "112", "123456", "*97", "#31#02079460123", "*21*1001#"])
def test_extensions_emergency_numbers_and_feature_codes_are_internal(british: Reader, text: str) -> None:
    number = british.read(text)
    assert (number.kind, number.e164, number.national) == (NumberKind.INTERNAL, None, None)


@pytest.mark.parametrize(("region", "text"), [("CN", "95588"), ("CN", "10086"), ("GB", "116123"), ("US", "911")])
def test_short_codes_are_never_customers_however_short_extensions_are(region: str, text: str) -> None:
    assert Reader(region, extension_digits=2).read(text).kind is NumberKind.INTERNAL


@pytest.mark.parametrize(
    "text",
    [
        "+",
        "++44",
        "+1",
        "O2 Shop",
        "Robert'); DROP TABLE customers;--",
        "<b>",
        "-",
        "1" * 30,
        "½",
        "⑨⑨⑨",
        "\x00",
        "*",
        "x12",
    ],
)
def test_what_is_no_number_says_so(british: Reader, text: str) -> None:
    number = british.read(text)
    assert number.kind in (NumberKind.INVALID, NumberKind.ANONYMOUS, NumberKind.INTERNAL)
    assert number.e164 is None and number.national is None


def test_a_number_of_500_characters_is_refused_without_work(british: Reader) -> None:
    began = time.perf_counter()
    for text in ("1" * 500, "+" + "4" * 500, " " * 500, "(" * 100_000, "x" * 10_000_000):
        number = british.read(text)
        assert number.kind is NumberKind.INVALID
        assert len(number.raw) <= 250
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("text", ["79460123", "7946 0123"])
def test_a_number_without_area_code_keeps_its_digits(british: Reader, text: str) -> None:
    number = british.read(text)
    assert (number.kind, number.e164) == (NumberKind.PUBLIC, None)
    assert (number.national, number.suffix) == ("79460123", "9460123")


@pytest.mark.parametrize(
    ("text", "international"),
    [(LONDON, True), ("00442079460123", True), ("442079460123", True), ("02079460123", False), ("79460123", False)],
)
def test_it_is_known_whether_the_text_named_the_country(british: Reader, text: str, international: bool) -> None:
    assert british.read(text).international is international


@pytest.mark.parametrize(
    ("region", "dialed", "e164"),
    [
        ("US", "912125550123", "+12125550123"),
        ("US", "92125550123", "+12125550123"),
        ("US", "9011442079460123", LONDON),
        ("GB", "902079460123", LONDON),
        ("GB", "907700900123", "+447700900123"),
        ("CN", "913812345678", "+8613812345678"),
    ],
)
def test_the_outside_prefix_is_no_part_of_the_number(region: str, dialed: str, e164: str) -> None:
    assert Reader(region, outside_prefix="9").read(dialed).e164 == e164


def test_a_caller_whose_number_begins_like_the_outside_prefix_keeps_it() -> None:
    reader = Reader("US", outside_prefix="9")
    assert reader.read("9175550123").e164 == "+19175550123"
    assert reader.read("912125550123", trunk="carrier").e164 == "+912125550123"


def test_prefixes_of_a_trunk_are_stripped_on_that_trunk_only() -> None:
    reader = Reader("GB", strip_prefixes={"carrier": ("55", "5"), "*": ("#9",)})
    assert reader.read("5502079460123", "PJSIP/carrier").e164 == LONDON
    assert reader.read("502079460123", "carrier").e164 == LONDON
    assert reader.read("#902079460123", "other").e164 == LONDON
    assert reader.read("#902079460123").e164 == LONDON
    assert reader.read("5502079460123", "other").e164 != LONDON


@pytest.mark.parametrize("text", [LONDON, "020 7946 0123", "020 7946 0199", "100", "01632 960000"])
def test_ignored_numbers_are_ignored_in_every_spelling(text: str) -> None:
    reader = Reader("GB", ignore=("020 7946 01*", "100", "+44 1632 960000"))
    assert reader.read(text).ignored


def test_a_star_in_the_ignore_list_is_a_prefix_and_nothing_more() -> None:
    reader = Reader("GB", ignore=("0207946*", "0*"))
    assert reader.read("+442079460123").ignored
    assert not reader.read("+442079470123").ignored
    assert not Reader("GB", ignore=("020 7946 0123",)).read("020 7946 0124").ignored


def test_a_longer_number_than_e164_allows_keeps_its_digits_only() -> None:
    number = Reader("DE").read("0301234567890123")
    assert number.e164 is None or len(number.e164) <= 16


def test_a_region_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadInput, match="two capitals"):
        Reader("XX")


def test_answers_are_cached_by_text_and_trunk() -> None:
    reader = Reader("GB", strip_prefixes={"carrier": ("5",)})
    assert reader.read("502079460123", "carrier") is reader.read("502079460123", "carrier")
    assert reader.read("502079460123", "carrier") != reader.read("502079460123")


def test_a_trunk_without_rules_of_its_own_is_any_trunk() -> None:
    reader = Reader("GB")
    assert reader.read("02079460123", "PJSIP/carrier") is reader.read("02079460123", "carrier")


def test_a_number_without_keys_has_no_suffix() -> None:
    assert PhoneNumber(raw="1", kind=NumberKind.PUBLIC, region="GB", national="123456").suffix is None
