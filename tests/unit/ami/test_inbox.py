"""The hand-over from the reader to the worker."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.ami.inbox import Inbox, InboxFull
from callcenter.ami.state import AmiState, Phase


async def test_a_worker_that_waits_is_woken_and_gets_things_in_order() -> None:
    inbox = Inbox()
    worker = asyncio.create_task(inbox.batch(), name="worker")
    await asyncio.sleep(0)
    state = AmiState(pbx="pbx", phase=Phase.DOWN, at=datetime.now(UTC))
    inbox.on_block(b"a")
    inbox.on_state(state)
    inbox.on_block(b"b")
    items = await worker
    assert [item for _, item in items] == [b"a", state, b"b"]
    assert [at for at, _ in items] == sorted(at for at, _ in items)


async def test_a_batch_is_bounded_and_the_rest_stays() -> None:
    inbox = Inbox()
    for number in range(5):
        inbox.on_block(b"%d" % number)
    assert len(await inbox.batch(3)) == 3
    assert [item for _, item in await inbox.batch()] == [b"3", b"4"]
    assert inbox.peak == 5
    assert len(inbox) == 0


async def test_the_lag_is_the_age_of_the_oldest() -> None:
    inbox = Inbox()
    assert inbox.lag == timedelta(0)
    inbox.on_block(b"a")
    assert timedelta(0) <= inbox.lag < timedelta(seconds=5)


async def test_a_full_inbox_refuses_blocks_but_takes_states() -> None:
    inbox = Inbox(limit=2)
    inbox.on_block(b"a")
    inbox.on_block(b"b")
    with pytest.raises(InboxFull, match="2 events wait"):
        inbox.on_block(b"c")
    inbox.on_state(AmiState(pbx="pbx", phase=Phase.DOWN, at=datetime.now(UTC)))
    assert inbox.overflows == 1
    assert len(await inbox.batch()) == 3
