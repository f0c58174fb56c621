"""What agents do, with the whole service beside the simulated PBX: over a restart, and in and out of queues."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from callcenter.app import Application
from callcenter.db.engine import Database
from callcenter.errors import BadInput, Conflict
from callcenter.live.agents import Activity, Stretch
from callcenter.simulator.people import Answers, Caller, Manners
from callcenter.simulator.queue_flows import inbound_queue
from callcenter.simulator.server import Simulator
from tests.pages.house import ADMIN, LI, TO_SALES, _people, _settings

DEADLINE_S = 15


@asynccontextmanager
async def service(database_url: str, simulator: Simulator) -> AsyncIterator[Application]:
    """The service, with Li at her page."""
    async with Application.open(_settings(database_url, simulator, "")) as application:
        async with asyncio.TaskGroup() as group:
            group.create_task(application.run(), name="application")
            await asyncio.wait_for(application.ready.wait(), DEADLINE_S)
            application.duty.present(application.tenant_id, LI, True)
            try:
                yield application
            finally:
                application.stop()


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, with a deadline."""
    loop = asyncio.get_running_loop()
    over = loop.time() + DEADLINE_S
    while not condition():
        assert loop.time() < over, what
        await asyncio.sleep(0.02)


def does(application: Application, activity: Activity) -> Callable[[], bool]:
    """Whether Li does this now."""

    def so() -> bool:
        now = application.duty.agents.now(LI)
        return now is not None and now.activity is activity

    return so


def now_of(application: Application) -> Stretch:
    """What Li does."""
    now = application.duty.agents.now(LI)
    assert now is not None
    return now


async def test_a_pause_goes_on_over_a_restart_and_the_queues_know(database: Database, database_url: str) -> None:
    await _people(database_url)
    async with Simulator() as simulator:
        async with service(database_url, simulator) as application:
            await until(does(application, Activity.READY), "Li is ready")
            await application.duty.pause(LI, "lunch")
            await until(does(application, Activity.PAUSED), "Li pauses")
            before = now_of(application)
            assert {member.pause_reason for member in application.duty.memberships(LI).values()} == {"lunch"}
        async with service(database_url, simulator) as application:
            await until(does(application, Activity.PAUSED), "Li still pauses")
            assert now_of(application) == before
            await application.duty.ready(LI)
            await until(does(application, Activity.READY), "Li is ready again")
    query = "SELECT state, reason, from_at, to_at FROM agent_states WHERE agent = $1 ORDER BY from_at"
    rows = await database.pool.fetch(query, LI)
    assert [(row["state"], row["reason"]) for row in rows][-2:] == [("paused", "lunch"), ("ready", None)]
    assert all(one["to_at"] == two["from_at"] for one, two in pairwise(rows))


async def test_a_wrap_up_that_a_restart_interrupts_is_ended_at_the_pbx(database: Database, database_url: str) -> None:
    await _people(database_url)
    async with Simulator() as simulator:
        async with service(database_url, simulator) as application:
            await until(does(application, Activity.READY), "Li is ready")
            await database.pool.execute("UPDATE desk_settings SET wrapup_s = 2")
            await application.words.refresh()
            manners = Manners(callee=lambda extension, attempt: Answers(0.2 if extension == "1001" else 30), talk=0.5)
            simulator.place(inbound_queue(simulator.pbx, Caller("02079460958", None), TO_SALES, manners))
            await until(does(application, Activity.WRAPUP), "Li wraps up")
            await until(
                lambda: all(one.pause_reason == "wrapup" for one in application.duty.memberships(LI).values()),
                "the PBX knows",
            )
        async with service(database_url, simulator) as application:
            await until(does(application, Activity.READY), "the time to wrap up is over")
            await until(
                lambda: not any(one.paused for one in application.duty.memberships(LI).values()),
                "the PBX lets queues ring Li again",
            )

            async def told() -> bool:
                return bool(await database.pool.fetchval("SELECT wrapup_s FROM calls WHERE wrapup_s > 1"))

            over = asyncio.get_running_loop().time() + DEADLINE_S
            while not await told():
                assert asyncio.get_running_loop().time() < over, "the call's record says how long"
                await asyncio.sleep(0.05)


async def test_who_logs_in_to_a_queue_during_a_pause_is_paused_there_too(database: Database, database_url: str) -> None:
    await _people(database_url)
    async with Simulator() as simulator, service(database_url, simulator) as application:
        duty = application.duty
        await until(does(application, Activity.READY), "Li is ready")
        await duty.pause(LI, "break")
        await until(does(application, Activity.PAUSED), "Li pauses")
        await duty.log_in(LI, {"support": 3})
        await until(lambda: "support" in duty.memberships(LI), "Li is a member of support")
        await until(lambda: duty.memberships(LI)["support"].pause_reason == "break", "and paused there")
        assert now_of(application).reason == "break"
        # Fixed memberships stay, the others end.
        assert await duty.log_out(LI) == ["support"]
        await until(lambda: list(duty.memberships(LI)) == ["sales"], "Li has left support")
        with pytest.raises(Conflict, match="cannot leave them"):
            await duty.log_out(LI)


async def test_who_is_in_no_queue_pauses_for_the_service_alone(database: Database, database_url: str) -> None:
    await _people(database_url)
    async with Simulator() as simulator, service(database_url, simulator) as application:
        application.duty.present(application.tenant_id, ADMIN, True)
        await until(lambda: application.duty.agents.now(ADMIN) is not None, "the admin is known")
        await application.duty.pause(ADMIN, "meeting")
        now = application.duty.agents.now(ADMIN)
        assert now is not None and (now.activity, now.reason) == (Activity.PAUSED, "meeting")
        with pytest.raises(BadInput, match="no pause reason in use"):
            await application.duty.pause(ADMIN, "siesta")
        await application.duty.ready(ADMIN)
        now = application.duty.agents.now(ADMIN)
        assert now is not None and now.activity is Activity.READY


async def test_what_changes_at_the_pbx_while_nobody_listens_is_seen_afterwards(
    database: Database, database_url: str
) -> None:
    await _people(database_url)
    async with Simulator() as simulator, service(database_url, simulator) as application:
        duty = application.duty
        await until(does(application, Activity.READY), "Li is ready")
        await duty.log_in(LI, {"support": 0})
        await until(lambda: "support" in duty.memberships(LI), "Li is a member of support")
        queues = simulator.pbx.queues
        queues["support"].members[:] = [one for one in queues["support"].members if one.extension != "1001"]
        for member in queues["sales"].members:
            member.paused, member.reason = True, "fire drill"
        simulator.cut_clients()
        await until(does(application, Activity.PAUSED), "Li pauses")
        assert now_of(application).reason == "fire drill"
        assert list(duty.memberships(LI)) == ["sales"]
