"""The fan-out: everybody gets everything, whatever another does."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from callcenter.changes import CallChange, CallEnded
from callcenter.fanout import LINES_AT_ONCE, LINES_S, MOST_LINES, FanOut
from callcenter.model import Call, CallStatus, Direction, Party

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def ended() -> CallEnded:
    """A call that is over."""
    call = Call(
        call_id=uuid4(),
        tenant="default",
        pbx="pbx",
        linkedids=("1.1",),
        direction=Direction.INBOUND,
        caller=Party(number="+447700900123", name="Zoë"),
        callee=Party(),
        status=CallStatus.ABANDONED,
        started_at=NOW,
        ended_at=NOW,
    )
    return CallEnded(at=NOW, call=call)


async def test_a_consumer_that_fails_keeps_nothing_from_the_others() -> None:
    got: list[CallChange] = []

    def fail(change: CallChange, arrived: datetime) -> None:
        raise RuntimeError("a bug of this consumer")

    fanout = FanOut()
    fanout.add("broken", fail)
    fanout.add("sound", lambda change, arrived: got.append(change))
    with structlog.testing.capture_logs() as logs:
        change = ended()
        fanout.publish(change, NOW)
        fanout.tell()
    assert got == [change]
    assert fanout.ended == {("pbx", "abandoned"): 1}
    assert [(line["event"], line.get("consumer")) for line in logs] == [
        ("consumer_failed", "broken"),
        ("call_ended", None),
    ]


async def test_the_log_names_the_call_and_nobody_in_it() -> None:
    fanout = FanOut()
    with structlog.testing.capture_logs() as logs:
        change = ended()
        fanout.publish(change, NOW)
        fanout.tell()
    assert logs[0]["call_id"] == str(change.call_id)
    assert "447700900123" not in str(logs) and "Zoë" not in str(logs)


async def test_lines_come_a_little_later_in_their_order_and_with_their_own_time() -> None:
    fanout = FanOut()
    with structlog.testing.capture_logs() as logs:
        before = datetime.now(UTC)
        changes = [ended() for _ in range(3 * LINES_AT_ONCE)]
        for change in changes:
            fanout.publish(change, NOW)
        after = datetime.now(UTC)
        assert not logs
        async with asyncio.timeout(LINES_S + 5):
            while len(logs) < len(changes):  # noqa: ASYNC110 — the fan-out tells nobody
                await asyncio.sleep(LINES_S / 10)
    assert [line["call_id"] for line in logs] == [str(change.call_id) for change in changes]
    times = [datetime.fromisoformat(line["timestamp"]) for line in logs]
    assert times == sorted(times)
    assert before <= times[0] and times[-1] <= after + timedelta(microseconds=1)


async def test_no_more_lines_wait_than_may() -> None:
    fanout = FanOut()
    with structlog.testing.capture_logs() as logs:
        for _ in range(MOST_LINES):
            fanout.publish(ended(), NOW)
    assert len(logs) == MOST_LINES
