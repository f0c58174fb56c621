"""Which endpoints lead outside, and how numbers are read."""

import pytest

from callcenter.tracking.directory import Device, Directory, Side


@pytest.mark.parametrize(
    ("interface", "context", "side"),
    [
        ("PJSIP/1001", "from-internal", Side.DEVICE),
        ("PJSIP/1001", None, Side.DEVICE),
        ("PJSIP/alice", "office-phones", Side.DEVICE),
        ("PJSIP/acme", "from-trunk", Side.TRUNK),
        ("PJSIP/acme", "from-pstn-toheader", Side.TRUNK),
        ("PJSIP/1001", "from-did-direct", Side.TRUNK),
        ("PJSIP/acme-trunk", "somewhere", Side.TRUNK),
        ("SIP/gateway2", None, Side.TRUNK),
        ("Local/200@from-queue", "from-queue", Side.LOCAL),
    ],
)
def test_without_configuration_endpoints_are_told_apart_by_rule(
    interface: str, context: str | None, side: Side
) -> None:
    assert Directory().side(interface, context) is side


def test_configuration_counts_more_than_rules() -> None:
    directory = Directory(
        trunks=frozenset({"carrier-a", "PJSIP/2000"}),
        trunk_contexts=frozenset({"entrance"}),
        internal_contexts=frozenset({"from-trunk-phones"}),
        devices={"PJSIP/trunk-room": Device("77")},
    )
    assert directory.side("PJSIP/carrier-a", "from-internal") is Side.TRUNK
    assert directory.side("PJSIP/2000", "from-internal") is Side.TRUNK
    assert directory.side("PJSIP/unheard-of", "entrance") is Side.TRUNK
    assert directory.side("PJSIP/unheard-of", "from-trunk-phones") is Side.DEVICE
    assert directory.side("PJSIP/trunk-room", "from-trunk") is Side.DEVICE
    assert directory.side("PJSIP/unheard-of", "anything") is Side.DEVICE


@pytest.mark.parametrize(
    ("number", "outside"),
    [
        ("1001", False),
        ("123456", False),
        ("1234567", True),
        ("+44123", True),
        ("*97", False),
        ("sales", False),
        ("", False),
    ],
)
def test_a_dialed_number_tells_whether_it_leads_outside(number: str, outside: bool) -> None:
    assert Directory().is_outside(number) is outside


def test_the_digits_for_an_outside_line_are_no_part_of_the_number() -> None:
    directory = Directory(outside_prefix="9", extension_digits=4)
    assert directory.dialed("902079460150") == "02079460150"
    assert directory.dialed("9001") == "9001"
    assert directory.dialed("02079460150") == "02079460150"


@pytest.mark.parametrize("number", ["anonymous", "Anonymous", "RESTRICTED", "unavailable"])
def test_a_word_instead_of_a_number_is_no_number(number: str) -> None:
    party = Directory().outside_party(number, "Anonymous", None, None)
    assert (party.number, party.e164, party.name) == (None, None, "Anonymous")


def test_without_a_reader_only_international_numbers_are_public() -> None:
    directory = Directory()
    assert directory.outside_party("+442079460150", None, None, None).e164 == "+442079460150"
    assert directory.outside_party("02079460150", None, None, None).e164 is None
    assert directory.outside_party("+44" + "9" * 500, None, None, None).e164 is None
