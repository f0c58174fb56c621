"""The service killed amid a hundred calls, and its PostgreSQL frozen amid others, on the simulated PBX."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from callcenter.customers.draft import Draft, DraftPhone
from callcenter.customers.store import CustomerStore
from callcenter.joints.numbers import Numbers
from callcenter.settings import PbxSettings
from callcenter.simulator.flows import inbound, outbound
from callcenter.simulator.load import big_company
from callcenter.simulator.people import Answers, Caller, Ignores, Manners, Signal
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.server import Simulator
from callcenter.simulator.world import World
from tests.acceptance.people import Somebody
from tests.acceptance.service import Service, until
from tests.fixtures.freezable import Freezable, freezable

CALLS = 100


def place(simulator: Simulator, n: int, talk: float) -> "asyncio.Future[None]":
    """Call `n`: of all kinds, some of which are answered, ring, or wait as long as the others talk."""
    pbx = simulator.pbx
    caller = Caller(f"+4477009{n:05}")
    numbers = list(pbx.company.numbers.items())
    queues = [did for did, to in numbers if to in pbx.queues]
    extensions = [did for did, to in numbers if to not in pbx.queues]
    answers = Manners(callee=lambda extension, attempt: Answers(0.1), talk=talk, holds=((0.3, talk),) if n % 3 else ())
    ignores = Manners(callee=lambda extension, attempt: Ignores(), patience=talk)
    match n % 5:
        case 0:
            return simulator.place(inbound_queue(pbx, caller, queues[n % len(queues)], answers))
        case 1:
            return simulator.place(inbound_queue(pbx, caller, queues[n % len(queues)], ignores))
        case 2:
            return simulator.place(inbound(pbx, caller, extensions[n], answers))
        case 3:
            return simulator.place(inbound(pbx, caller, extensions[n], ignores))
        case _:
            return simulator.place(outbound(pbx, list(pbx.company.phones)[n], f"077009{n:05}", answers))


async def statuses(url: str) -> dict[UUID, Mapping[str, Any]]:
    """What the log has of each call."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT *, (SELECT count(*) FROM connections x WHERE x.call_id = c.call_id) AS talks,"
            " (SELECT count(*) FROM offers o WHERE o.call_id = c.call_id AND o.result IS NULL) AS open_offers"
            " FROM calls c"
        )
    finally:
        await connection.close()
    return {row["call_id"]: dict(row) for row in rows}


def hang_up_half(simulator: Simulator) -> set[str]:
    """Let every second call end now; gives the linkedids of those that go on."""
    callers = [one for one in simulator.pbx.channels.values() if one.uniqueid == one.linkedid]
    for one in callers[::2]:
        assert simulator.schedule.signal(Signal(kind="hangup", channel=one.name))
    return {one.linkedid for one in callers[1::2]}


async def metric(service: Service, name: str) -> float:
    """One metric of the service."""
    async with aiohttp.ClientSession() as web, web.get(f"{service.url}/metrics") as answer:
        text = await answer.text()
    return sum(sample.value for one in families(text) for sample in one.samples if sample.name == name)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A PBX with phones enough."""
    async with Simulator(World(big_company(200))) as one:
        yield one


async def test_a_kill_amid_a_hundred_calls_loses_none_and_doubles_none(
    simulator: Simulator, tmp_path: Path, database_url: str
) -> None:
    service = Service(tmp_path, simulator, database_url=database_url)
    async with service:
        for n in range(CALLS):
            place(simulator, n, 3600.0)

        async def all_logged() -> bool:
            found = (await statuses(database_url)).values()
            talking = sum(1 for row in found if row["talks"])
            return len(found) == CALLS and talking >= CALLS * 3 // 5 - 2

        await until(all_logged, "all calls are in the log", deadline_s=15)
        before = await statuses(database_url)
        await service.kill()
        going = hang_up_half(simulator)
        await service.start()
        await service.is_ready()

        async def closed() -> bool:
            found = await statuses(database_url)
            return not any(row["complete"] for row in found.values())

        await until(closed, "all calls are marked as not seen whole", deadline_s=15)
        amid = await statuses(database_url)
        assert set(amid) == set(before)
        assert {row["linkedids"][0] for row in amid.values() if row["ended_at"] is None} == going
        for call_id, row in amid.items():
            assert (row["complete"], row["source"]) == (False, "resync")
            for name in ("started_at", "answered_at", "caller", "did", "direction", "talks"):
                assert row[name] == before[call_id][name], name
        simulator.restart()

        async def over() -> bool:
            return all(row["ended_at"] for row in (await statuses(database_url)).values())

        await until(over, "all calls are over", deadline_s=15)
        found = await statuses(database_url)
        assert set(found) == set(before)
        assert all(row["open_offers"] == 0 for row in found.values())
        assert Counter(row["status"] for row in found.values())["answered"] >= CALLS * 3 // 5 - 2
        assert service.said("tracker_failed") == []


PASSWORD = "four words are enough"


@pytest.fixture
async def server() -> AsyncIterator[Freezable]:
    async with freezable() as one:
        yield one


@pytest.mark.parametrize("how", ["frozen", "stopped"])
async def test_without_postgresql_pops_go_on_and_no_call_is_lost(
    simulator: Simulator, tmp_path: Path, server: Freezable, how: str
) -> None:
    tenant_id = await server.database.ensure_tenant("default")
    store = CustomerStore(server.database, Numbers([PbxSettings(region="GB")]).reader())
    await store.create(tenant_id, Draft(name="Zoë", phones=(DraftPhone(number="07700 900123"),)))
    zoe, quick = Caller("+447700900123"), Manners(callee=lambda extension, attempt: Answers(0.2), talk=0.3)
    pbx = simulator.pbx
    did = next(number for number, to in pbx.company.numbers.items() if to == "10001")
    service = Service(tmp_path, simulator, database_url=server.url)
    await service.run(*("user", "add", "amelia", "--extension", "10001", "--password-stdin"), stdin=f"{PASSWORD}\n")
    async with service, Somebody(service.url, "amelia", PASSWORD) as amelia:
        await simulator.place(inbound(pbx, zoe, did, quick))
        first = await amelia.told(lambda one: one["type"] == "pop", "the pop")
        assert first["match"]["status"] == "one"
        placed = 1
        async with server.frozen() if how == "frozen" else server.stopped():
            # spelled otherwise, since an answer of a moment ago is not asked for again
            calls = [simulator.place(inbound(pbx, Caller("07700900123"), did, quick), after=1.0)]
            for n in range(40):
                other = Manners(callee=lambda extension, attempt: Answers(0.2), talk=n % 4 / 2)
                number = list(pbx.company.numbers)[20 + n]
                calls.append(simulator.place(inbound(pbx, Caller(f"+4477009{n:05}"), number, other), after=n / 20))
            placed += len(calls)
            again = await amelia.told(
                lambda one: one["type"] == "pop" and one["call_id"] != first["call_id"], "the pop without PostgreSQL"
            )
            names = [one["name"] for one in again["match"]["candidates"]]
            assert (again["match"]["status"], names) == ("incomplete", ["Zoë"])
            await asyncio.wait_for(asyncio.gather(*calls), 20)

            async def on_disk() -> bool:
                waiting = await metric(service, "callcenter_calllog_waiting")
                return waiting == 0 and await metric(service, "callcenter_calllog_spool_bytes") > 0

            await until(on_disk, "all calls wait on the disk", deadline_s=15)
            await service.is_ready(False)
        await service.is_ready()

        async def complete() -> bool:
            found = await statuses(server.url)
            return len(found) == placed and all(row["ended_at"] for row in found.values())

        await until(complete, "all calls are in the log", deadline_s=20)
        found = (await statuses(server.url)).values()
        assert {(row["status"], row["complete"], row["version"]) for row in found} == {("answered", True, 1)}
        assert sum(1 for row in found if row["customer_id"]) == 2
        assert await metric(service, "callcenter_calllog_overflowed_total") == 0

        async def caught_up() -> bool:
            return bool(service.said("calllog_caught_up"))

        await until(caught_up, "the log has caught up", deadline_s=10)
        assert [len(service.said(name)) for name in ("calllog_waits", "calllog_back", "calllog_caught_up")] == [1, 1, 1]
