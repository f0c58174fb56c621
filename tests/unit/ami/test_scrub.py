"""Pseudonyms: consistent, of the same shape, and nothing that holds calls together is touched."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.ami.scrub import Scrubber
from callcenter.ami.wire import fields

BLOCK = "\r\n".join(
    [
        "Event: DialBegin",
        "Timestamp: 1795440537.015255",
        "Channel: PJSIP/trunk-00000012",
        "CallerIDNum: 02079460123",
        "CallerIDName: 王小明",
        "ConnectedLineName: <unknown>",
        "DestCallerIDName: Ann Lee",
        "DestCallerIDNum: 1001",
        "Uniqueid: 1795440537.15",
        "Linkedid: pbx1-1795440537.15",
        "BridgeUniqueid: 0f8fad5b-d9cb-469f-a165-708677289501",
        "DialString: +442079460123@trunk",
        "AppData: /rec/1795440537.15-02079460123-Ann Lee-12345678.wav",
        "Address: sip:1001@192.168.100.200:5060",
    ]
).encode()


def test_a_block_keeps_its_shape_and_loses_its_persons() -> None:
    scrubbed = fields(Scrubber(b"key").block(BLOCK))
    real = fields(BLOCK)
    kept = [
        "Event",
        "Timestamp",
        "Channel",
        "ConnectedLineName",
        "DestCallerIDNum",
        "Uniqueid",
        "Linkedid",
        "BridgeUniqueid",
        "Address",
    ]
    assert {header: scrubbed[header] for header in kept} == {header: real[header] for header in kept}
    assert re.fullmatch(r"0207\d{7}", scrubbed["CallerIDNum"])
    assert scrubbed["CallerIDNum"] != real["CallerIDNum"]
    assert re.fullmatch(r"[\u4e00-\u9fff]{3}", scrubbed["CallerIDName"])
    assert scrubbed["CallerIDName"] != real["CallerIDName"]
    assert re.fullmatch(r"[A-Z][a-z]{2} [A-Z][a-z]{2}", scrubbed["DestCallerIDName"])
    assert "9460123" not in repr(scrubbed)
    assert "Ann Lee" not in repr(scrubbed)
    assert scrubbed["AppData"].startswith("/rec/1795440537.15-")


def test_one_number_in_two_notations_stays_one() -> None:
    scrubbed = fields(Scrubber(b"key").block(BLOCK))
    assert scrubbed["DialString"] == f"+44{scrubbed['CallerIDNum'][1:]}@trunk"


def test_the_same_key_gives_the_same_pseudonyms_and_another_key_others() -> None:
    assert Scrubber(b"key").block(BLOCK) == Scrubber(b"key").block(BLOCK)
    assert Scrubber(b"key").number("02079460123") != Scrubber(b"other").number("02079460123")


@settings(max_examples=200, deadline=None)
@given(numbers=st.lists(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True), unique_by=lambda number: number[-7:]))
def test_two_numbers_stay_two(numbers: list[str]) -> None:
    scrubber = Scrubber(b"key")
    scrubbed = [scrubber.number(number) for number in numbers]
    assert len({number[-7:] for number in scrubbed}) == len(numbers)
    assert [len(number) for number in scrubbed] == [len(number) for number in numbers]


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    Scrubber(b"key").block(b"Event: A\r\nCallerIDName: " + data)
