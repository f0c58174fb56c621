"""Recovery after a restart of the service: how long until all calls that go on are taken up again.

The simulated PBX runs in a process of its own, with so many calls that go on (quick: 200, full: 1 000): of five, four
talk and one waits in a queue whose members are all busy. A first service followed them from their beginning and wrote
them into the call log. Then it is gone, and new ones come, one after the other:

- limit: asks for the PBX's clock, channels, queues and bridges, and makes a snapshot of the answers.
- without a call log: `callcenter.pbx.Pbx`, whose tracker makes calls of the snapshot, unfinished and without a past.
- ours: the same with what the call log has of these calls, as the service does it: each continues as it was left.
- ours, a query per call: the naive way to the same, which reads the calls one by one.

All times are from the log-in to the moment at which the service says that it is synced, and are checked: each call is
known then, by the name that the log has. What the calls' changes lead to (pops, the board, the log) is not part of it.
"""

import asyncio
import logging
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final
from uuid import UUID

import msgspec
import structlog
from pydantic import SecretStr

from bench.people import scratch_database
from bench.rows import Row, table
from callcenter import events as ev
from callcenter.ami import actions
from callcenter.ami.client import AmiClient
from callcenter.ami.snapshot import clock, snapshot
from callcenter.ami.state import AmiState, Phase
from callcenter.calllog import recovery
from callcenter.calllog.reconciling import ledger
from callcenter.calllog.record import call_of
from callcenter.calllog.store import store
from callcenter.changes import CallChange
from callcenter.db.engine import Database
from callcenter.joints.directory import directory_of
from callcenter.model import Call, CallStatus
from callcenter.pbx import Pbx
from callcenter.settings import PbxSettings
from callcenter.simulator.flows import inbound
from callcenter.simulator.load import big_company
from callcenter.simulator.people import Answers, Caller, Manners
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.server import Simulator
from callcenter.simulator.world import World

LIMIT: Final = "the snapshot alone (limit)"
FOREVER: Final = Manners(callee=lambda extension, attempt: Answers(0.05), talk=1e9)
DEADLINE_S: Final = 120.0
BATCH: Final = 50
TURNS: Final = 7

Recall = Callable[[], Awaitable[Sequence[Call]]]


class Place(msgspec.Struct, frozen=True):
    """Where the PBX is."""

    port: int
    secret: str


async def serve(calls: int) -> None:
    """Be the PBX: say where, begin the calls when a line is read, and end when there are no more."""
    talking = calls * 4 // 5
    company = big_company(agents=talking)
    patient = tuple(msgspec.structs.replace(plan, wait_s=1e9) for plan in company.queues)
    async with Simulator(World(msgspec.structs.replace(company, queues=patient))) as simulator:
        print(msgspec.json.encode(Place(simulator.port, simulator.secret)).decode(), flush=True)
        if not await asyncio.to_thread(sys.stdin.readline):
            return
        pbx, numbers = simulator.pbx, company.numbers
        phones = [number for number, to in numbers.items() if to in company.phones]
        queues = [number for number, to in numbers.items() if to not in company.phones]
        for place in range(talking):
            simulator.place(inbound(pbx, Caller(f"0770{place:07}"), phones[place], FOREVER))
        async with asyncio.timeout(DEADLINE_S):
            while sum(1 for channel in pbx.channels.values() if channel.bridge) < 2 * talking:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # the simulator wakes nobody
        for place in range(calls - talking):
            simulator.place(inbound_queue(pbx, Caller(f"0780{place:07}"), queues[place % len(queues)], FOREVER))
        await asyncio.to_thread(sys.stdin.readline)


@asynccontextmanager
async def running(pbx: Pbx) -> AsyncIterator[None]:
    """Follow a PBX meanwhile."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pbx.run(), name="pbx")
        try:
            yield
        finally:
            task.cancel()


class Restarts:
    """One PBX with its calls, and services that come to it."""

    def __init__(self, place: Place, database: Database, tenant_id: int, calls: int) -> None:
        self._settings = PbxSettings(
            port=place.port, secret=SecretStr(place.secret), region="GB", trunks=("trunk",), action_timeout_s=60
        )
        self._database = database
        self._tenant_id = tenant_id
        self._calls = calls
        self._names: frozenset[UUID] = frozenset()

    async def first(self, begin: Callable[[], None]) -> None:
        """Follow the calls from their beginning, and write them into the log."""
        seen: dict[UUID, Call] = {}

        def publish(change: CallChange, arrived: datetime) -> None:
            seen[change.call_id] = change.call

        def settled() -> bool:
            answered = sum(1 for call in seen.values() if call.answered_at is not None)
            waiting = sum(1 for call in seen.values() if call.answered_at is None and call.queue_visits)
            return answered == self._calls * 4 // 5 and answered + waiting == self._calls

        pbx = self._service(publish, lambda alive, at: begin())
        async with running(pbx), asyncio.timeout(DEADLINE_S):
            while not settled():  # noqa: ASYNC110 - the condition is of many changes
                await asyncio.sleep(0.1)
        calls = list(seen.values())
        if any(call.status is not CallStatus.IN_PROGRESS for call in calls):
            raise RuntimeError("a call ended before the restart")
        for start in range(0, len(calls), BATCH):
            async with self._database.unit(self._tenant_id) as unit:
                await store(unit, calls[start : start + BATCH], {})
        self._names = frozenset(seen)

    async def limit(self) -> float:
        """Seconds from the log-in to the snapshot."""
        logged_in = asyncio.Event()

        def on_state(state: AmiState) -> None:
            if state.phase is Phase.LOGGED_IN:
                logged_in.set()

        client = AmiClient(self._settings, lambda block: None, on_state)
        async with asyncio.TaskGroup() as group, asyncio.timeout(DEADLINE_S):
            task = group.create_task(client.run(), name="ami")
            await logged_in.wait()
            now = clock((await client.action(actions.Ping())).fields, datetime.now(UTC))
            channels = await client.action(actions.CoreShowChannels())
            queues = await client.action(actions.QueueStatus())
            bridges = await client.action(actions.BridgeList())
            present = snapshot(channels.events, queues.events, now, bridges.events)
            took = (datetime.now(UTC) - client.state.at).total_seconds()
            task.cancel()
        if len(present.channels) != self._calls * 9 // 5 or len(present.waiting) != self._calls // 5:
            raise RuntimeError(f"the PBX shows {len(present.channels)} channels, {len(present.waiting)} wait")
        return took

    async def restart(self, recall: Recall | None) -> float:
        """Seconds from the log-in to a service that is synced and knows all calls."""
        synced: asyncio.Future[tuple[frozenset[UUID], datetime]] = asyncio.get_running_loop().create_future()
        pbx = self._service(
            lambda change, arrived: None, lambda alive, at: synced.set_result((alive, datetime.now(UTC))), recall
        )
        async with running(pbx), asyncio.timeout(DEADLINE_S):
            alive, at = await synced
            logged_in = pbx.state.at
            whole = sum(1 for call in pbx.tracker.calls() if call.queue_visits or call.offers)
        if alive != self._names or not pbx.counters.resyncs or (recall is not None and whole != self._calls):
            raise RuntimeError(f"{len(alive)} calls of {self._calls} were taken up, {whole} with their past")
        return (at - logged_in).total_seconds()

    async def recall(self) -> Sequence[Call]:
        """What the log knows, as the service asks for it."""
        async with self._database.unit(self._tenant_id) as unit:
            return await recovery.in_progress(unit, self._settings.id)

    async def recall_singly(self) -> Sequence[Call]:
        """The same, one call at a time."""
        found = []
        for name in self._names:
            async with self._database.unit(self._tenant_id) as unit:
                found += [call_of(record, ()) for record in (await ledger.records(unit, [name])).values()]
        return found

    def _service(
        self,
        publish: Callable[[CallChange, datetime], None],
        on_first_sync: Callable[[frozenset[UUID], datetime], None],
        recall: Recall | None = None,
    ) -> Pbx:
        def on_member(state: ev.QueueMemberState) -> None:
            """Of no concern here."""

        directory = directory_of(self._settings, tenant="default")
        return Pbx(self._settings, directory, publish, on_member, on_first_sync, recall)


@asynccontextmanager
async def other_process(calls: int) -> AsyncIterator[tuple[Place, Callable[[], None]]]:
    """A PBX that is no burden to this process, and what lets its calls begin."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.recovery", str(calls), stdin=pipe, stdout=pipe
    )
    assert process.stdin is not None and process.stdout is not None
    begin = partial(process.stdin.write, b"begin\n")
    try:
        yield msgspec.json.decode(await process.stdout.readline(), type=Place), begin
    finally:
        process.terminate()
        await process.wait()


async def _run(calls: int) -> list[Row]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    async with other_process(calls) as (place, begin), scratch_database() as (database, tenant_id, _):
        restarts = Restarts(place, database, tenant_id, calls)
        await restarts.first(begin)
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            LIMIT: restarts.limit,
            "without a call log": partial(restarts.restart, None),
            "ours": partial(restarts.restart, restarts.recall),
            "ours, a query per call": partial(restarts.restart, restarts.recall_singly),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _turn in range(TURNS):
            for name, way in ways.items():
                took[name].append(await way() * 1000)
    return [
        Row(
            name=f"{calls:,} calls, {name}",
            value=statistics.median(times),
            unit="ms",
            ratio=statistics.median(one / base for one, base in zip(times, took[LIMIT], strict=True)),
            ratio_to="the snapshot alone",
        )
        for name, times in took.items()
    ]


def run(quick: bool, full: bool = False) -> list[Row]:
    """Measure, and return the rows of the table."""
    return asyncio.run(_run(1000 if full else 200))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(serve(int(sys.argv[1])))
    else:
        print(table("Recovery after a restart", run(True)))
