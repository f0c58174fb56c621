"""What changes in a recorded call where the service knows who sits at the phones."""

from callcenter.accounts.values import Extension
from callcenter.joints.directory import directory_of
from callcenter.model import CallStatus, HangupBy
from tests import traces
from tests.replay.expectation import SETTINGS

SEATS = {
    f"PJSIP/{number}": Extension(pbx="pbx", extension=number, interface=f"PJSIP/{number}", name=None, agent=agent)
    for number, agent in (("1001", "amelia"), ("1002", "ben"))
}


def test_a_colleague_who_is_busy_did_not_cancel_the_call() -> None:
    directory = directory_of(SETTINGS, tenant="default", seats=SEATS)
    (call,) = traces.calls_of(traces.events("internal-busy"), directory)
    assert call.status is CallStatus.BUSY
    assert call.hangup_by is HangupBy.AGENT


def test_an_agent_who_gives_up_canceled_the_call() -> None:
    directory = directory_of(SETTINGS, tenant="default", seats=SEATS)
    (call,) = traces.calls_of(traces.events("outbound-canceled"), directory)
    assert call.status is CallStatus.CANCELED
    assert call.hangup_by is HangupBy.AGENT
