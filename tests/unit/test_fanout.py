"""The fan-out: everybody gets everything, whatever another does."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from callcenter.changes import CallChange, CallEnded
from callcenter.fanout import FanOut
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
        await asyncio.sleep(0)
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
        await asyncio.sleep(0)
    assert logs[0]["call_id"] == str(change.call_id)
    assert "447700900123" not in str(logs) and "Zoë" not in str(logs)
