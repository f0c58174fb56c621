"""What Asterisk still knows of a customer who was erased does not come back by a back-fill."""

import msgspec

from callcenter.backfill import comparison
from callcenter.calllog import erasure, record
from callcenter.model import HangupBy, Source
from tests.fixtures.calls import queue_call


def test_an_erased_call_differs_in_no_person_and_is_not_mended() -> None:
    told = queue_call(1)
    full = msgspec.structs.replace(record.of(told), complete=False, source=Source.RESYNC)
    nobody = msgspec.structs.replace(full.caller, number=f"{erasure.TOKEN}0123456789abcdef", e164=None, name=None)
    erased = msgspec.structs.replace(full, caller=nobody)

    assert comparison.believes_rebuilt(full, told)
    assert not comparison.believes_rebuilt(erased, told)
    assert comparison.unlike(erased, told) == ()
    # what is not about the person is still told of
    other = msgspec.structs.replace(told, hangup_by=HangupBy.AGENT)
    assert comparison.unlike(erased, other) == ("hangup_by",)
    assert comparison.ERASED == erasure.TOKEN
