"""What holds for every text that is read as a number."""

import phonenumbers
import rphonenumbers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callcenter.matching.number import LONGEST_NUMBER, NumberKind, Reader

REGIONS = ("GB", "US", "CN", "DE", "IT", "FR", "AU", "BR", "RU", "HU", "JP", "IN")
READERS = {region: Reader(region) for region in REGIONS}
DIALED = {
    region: Reader(region, extension_digits=2, outside_prefix="9", strip_prefixes={"*": ("77",)}) for region in REGIONS
}

regions = st.sampled_from(REGIONS)
digits = st.text("0123456789", min_size=1, max_size=20)
like_numbers = st.one_of(
    digits,
    digits.map("+{}".format),
    digits.map("00{}".format),
    st.text("0123456789 +-().,;#*x/<>@:ext=０１２٣٤", max_size=40),
)


@given(regions, st.one_of(st.text(max_size=300), like_numbers, st.none()), st.sampled_from((None, "t", "PJSIP/t")))
def test_reading_never_raises_and_keys_are_what_the_database_takes(
    region: str, text: str | None, trunk: str | None
) -> None:
    for reader in (READERS[region], DIALED[region]):
        number = reader.read(text, trunk)
        if number.kind is not NumberKind.PUBLIC:
            assert number.e164 is None and number.national is None
            continue
        assert number.national is not None
        assert number.national.isascii() and number.national.isdigit()
        if number.e164 is not None:
            assert number.e164[0] == "+" and number.e164[1:].isdigit()
            assert len(number.e164) <= LONGEST_NUMBER + 1
            assert number.e164.endswith(number.national)
        else:
            assert len(number.national) <= LONGEST_NUMBER


@example("AU", "00200000000")
@example("BR", "001120000000")
@given(regions, like_numbers)
def test_what_was_read_is_read_again_as_the_same_number_from_anywhere(region: str, text: str) -> None:
    number = READERS[region].read(text)
    if number.e164 is None or not phonenumbers.is_valid_number(phonenumbers.parse(number.e164)):
        return
    for other in ("GB", "US", "CN"):
        again = READERS[other].read(number.e164)
        assert (again.e164, again.national, again.international) == (number.e164, number.national, True)


@given(regions, digits, st.text(" -()./\u200b\u00a0", max_size=8), st.integers(0, 20))
def test_separators_change_nothing(region: str, text: str, between: str, place: int) -> None:
    plain, spaced = READERS[region].read(text), READERS[region].read(text[:place] + between + text[place:])
    assert (plain.kind, plain.e164, plain.national) == (spaced.kind, spaced.e164, spaced.national)


@settings(max_examples=500)
@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.text("0123456789", min_size=1, max_size=17),
    st.sampled_from(("", "+", "00", "0")),
)
def test_the_fast_library_agrees_with_the_reference_on_e164(region: str, text: str, prefix: str) -> None:
    assert _e164(rphonenumbers, prefix + text, region) == _e164(phonenumbers, prefix + text, region)


def test_the_fast_library_agrees_with_the_reference_on_examples_of_every_region() -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        assert example is not None
        for style in (phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
            text = phonenumbers.format_number(example, style)
            assert _e164(rphonenumbers, text, region) == _e164(phonenumbers, text, region), (region, text)


def _e164(library: object, text: str, region: str) -> str | None:
    try:
        parsed = library.parse(text, region)  # type: ignore[attr-defined]
    except library.NumberParseException:  # type: ignore[attr-defined]
        return None
    formatted: str = library.format_number(parsed, library.PhoneNumberFormat.E164)  # type: ignore[attr-defined]
    return formatted
