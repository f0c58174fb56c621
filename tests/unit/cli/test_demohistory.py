"""The demo's past: the same each time, over before the demo begins, and of all kinds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from callcenter.cli.demohistory import WEEKS, history
from callcenter.metrics import durations
from callcenter.model import CallStatus, Direction

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
NUMBERS = [(UUID(int=1), "+442079460001", "Ada"), (UUID(int=2), "+442079460002", "Bo")]


def test_it_is_a_past_that_reports_can_be_made_of() -> None:
    calls = [call for call, _ in history("pbx", NUMBERS, NOW)]
    assert calls == [call for call, _ in history("pbx", NUMBERS, NOW)]
    assert len({call.call_id for call in calls}) == len(calls) > 500
    assert [call.started_at for call in calls] == sorted(call.started_at for call in calls)
    assert all(NOW - timedelta(weeks=WEEKS, days=1) < call.started_at for call in calls)
    assert all(call.ended_at is not None and call.ended_at < NOW for call in calls)
    assert {call.direction for call in calls} == {Direction.INBOUND, Direction.OUTBOUND}
    assert {CallStatus.ANSWERED, CallStatus.ABANDONED} < {call.status for call in calls}
    talked = [durations.of(call).talk for call in calls if call.status is CallStatus.ANSWERED]
    assert all(talk is not None and talk > timedelta(0) for talk in talked)
