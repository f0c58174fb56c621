"""The filters that the PBX is asked to apply."""

import re

from callcenter.ami import wire
from callcenter.ami.filters import FILTERS, filters
from callcenter.ami.parse import APPLICATIONS, BUILDERS, VARIABLES


def passes(block: bytes) -> bool:
    """Return whether Asterisk would send this event (Python's syntax differs in the class of control signs
    only).
    """
    text = block.decode()
    patterns = [item.replace("[[:cntrl:]]", r"[\x00-\x1f]") for item in FILTERS]
    return any(re.search(pattern, text, re.DOTALL) for pattern in patterns)


def test_each_fits_into_a_line_that_asterisk_reads() -> None:
    for expression in FILTERS:
        wire.encode([("Filter", expression)])


def test_every_used_name_passes_whatever_the_channel() -> None:
    for name in {name.decode() for name in BUILDERS} - {"Newexten", "VarSet"} | {"Shutdown", "FullyBooted"}:
        assert passes(f"Event: {name}\r\nChannel: Local/200@from-queue-00000001;2\r\n\r\n".encode()), name


def test_other_names_do_not_pass_also_where_they_begin_alike() -> None:
    for name in ("RTCPSent", "HangupHandlerRun", "Cdr", "VarSet", "Newexten", "XHangup"):
        assert not passes(f"Event: {name}\r\nChannel: PJSIP/1\r\n\r\n".encode()), name


def test_variables_and_applications_pass_by_their_name() -> None:
    for application in APPLICATIONS:
        assert passes(f"Event: Newexten\r\nChannel: x\r\nApplication: {application}\r\nAppData: 1\r\n\r\n".encode())
    assert not passes(b"Event: Newexten\r\nChannel: x\r\nApplication: Set\r\nAppData: a=Dial\r\n\r\n")
    for variable in VARIABLES:
        assert passes(f"Event: VarSet\r\nChannel: x\r\nVariable: {variable}\r\nValue: FULL\r\n\r\n".encode())
    assert not passes(b"Event: VarSet\r\nChannel: x\r\nVariable: SIPCALLID\r\nValue: x\r\n\r\n")


def test_many_names_are_spread_over_several_filters() -> None:
    names = [f"Event{number:04}" for number in range(500)]
    expressions = list(filters(names))
    assert len(expressions) > 4
    assert all(len(expression) < 1000 for expression in expressions)
    for name in names:
        assert sum(f"({name}|" in item or f"|{name}|" in item or f"|{name})" in item for item in expressions) == 1
