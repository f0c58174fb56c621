"""The service as an operator meets it: stopped amid calls, Asterisk gone and back, started again on its database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.house import PASSWORD, RECORD_S, Record, agreement
from tests.acceptance.people import Somebody
from tests.acceptance.service import Service, until
from tests.testbed import AmiLink, Pbx, SippRun
from tests.testbed.cases.transfers import talking
from tests.testbed.cases.trunk import ringing

BEN_RINGS_S = 20
CUT_SHORT = ("no_answer", "canceled")
"""A caller whom the PBX is told to hang up while a phone rings: Asterisk's own account does not say what that was."""


@pytest.fixture
async def pbx(asterisk_chroot: Path) -> AsyncIterator[Pbx]:
    async with Pbx(asterisk_chroot, extension_ring_s=BEN_RINGS_S) as pbx:
        yield pbx


@pytest.fixture
async def service(tmp_path: Path, pbx: Pbx, database_url: str) -> AsyncIterator[Service]:
    """A running service with a supervisor, and agents at 1001 and 1002."""
    service = Service(tmp_path, pbx.asterisk, database_url=database_url)
    await add(service, "boss", "--role", "supervisor")
    await add(service, "amelia", "--extension", "1001")
    await add(service, "ben", "--extension", "1002")
    async with service:
        yield service


async def add(service: Service, login: str, *options: str) -> None:
    await service.run("user", "add", login, *options, "--password-stdin", stdin=f"{PASSWORD}\n")


async def two_calls(pbx: Pbx, link: AmiLink) -> tuple[list[SippRun], list[SippRun]]:
    """One call that 1001 talks in, and one that rings at 1002: what the two people at either end do."""
    amelia, ben = await pbx.phones("1001", "1002")
    talks = [await amelia.called.answers(after_s=0.2)]
    talks.append(await pbx.trunk.caller("+447700900180", "Zoë").stays("+442079460991"))
    await talking(link, "PJSIP/1001-")
    rings = [await ben.called.rings()]
    rings.append(await pbx.trunk.caller("+447700900181").gives_up("+442079460992", after_s=BEN_RINGS_S))
    await ringing(link, "PJSIP/1002-")
    return talks, rings


async def ended(boss: Somebody, count: int) -> list[Record]:
    """The records, when so many calls are over; the one to 1001 first."""
    found: list[Record] = []

    async def over() -> bool:
        found[:] = (await boss.ask("GET", "/calls"))["items"]
        return len(found) >= count and all(one["ended_at"] for one in found)

    await until(over, f"{count} calls are over", deadline_s=RECORD_S)
    assert len(found) == count
    return sorted(found, key=lambda one: str(one["did"]))


async def hung_up(pbx: Pbx, link: AmiLink, channel: str) -> None:
    """End a call from inside Asterisk, and wait until no channel is left."""
    await link.action("Hangup", Channel=f"/^{channel}-/")

    async def silent() -> bool:
        return "0 active channels" in await pbx.asterisk.console("core show channels count")

    await until(silent, "no channel is left")


async def test_a_stop_amid_calls_is_orderly_and_the_next_start_goes_on_with_them(pbx: Pbx, service: Service) -> None:
    async with pbx.asterisk.observer() as link:
        async with (
            Somebody(service.url, "boss", PASSWORD, listens=False) as boss,
            Somebody(service.url, "amelia", PASSWORD) as amelia,
        ):
            await two_calls(pbx, link)
            await amelia.told(lambda one: one["type"] == "call" and one["call"]["state"] == "talking", "talking")

            async def both_are_logged() -> bool:
                return len((await boss.ask("GET", "/calls"))["items"]) == 2

            await until(both_are_logged, "both calls are in the log")
            before = {one["call_id"]: one for one in (await boss.ask("GET", "/calls"))["items"]}
            took = await service.stop()
            print(f"the service stopped in {took:.1f} s amid two calls")
            assert {one["status"] for one in before.values()} == {"in_progress"}
        await service.start()
        await service.is_ready()
        async with (
            Somebody(service.url, "boss", PASSWORD, listens=False) as boss,
            Somebody(service.url, "amelia", PASSWORD) as amelia,
            Somebody(service.url, "ben", PASSWORD) as ben,
        ):
            assert [call["state"] for call in amelia.snapshot["calls"]] == ["talking"]
            assert [call["state"] for call in ben.snapshot["calls"]] == ["ringing"]
            await link.action("Hangup", Channel="/^PJSIP/1001-/")
            await hung_up(pbx, link, "PJSIP/trunk")
            records = await ended(boss, 2)
    assert {one["call_id"] for one in records} == set(before)
    assert records[0]["status"] == "answered" and records[1]["status"] in CUT_SHORT
    assert [one["connections"][0]["interface"] for one in records[:1]] == ["PJSIP/1001"]


async def test_a_lost_ami_connection_cuts_no_call_and_pops_nothing_twice(pbx: Pbx, service: Service) -> None:
    async with (
        pbx.asterisk.observer() as link,
        Somebody(service.url, "boss", PASSWORD, listens=False) as boss,
        Somebody(service.url, "amelia", PASSWORD) as amelia,
        Somebody(service.url, "ben", PASSWORD) as ben,
    ):
        await two_calls(pbx, link)
        await ben.told(lambda one: one["type"] == "pop", "the pop")
        await kick(pbx, "callcenter")
        await back(service)
        await link.action("Hangup", Channel="/^PJSIP/1001-/")
        await hung_up(pbx, link, "PJSIP/trunk")
        records = await ended(boss, 2)
        assert records[0]["status"] == "answered" and records[1]["status"] in CUT_SHORT
        for person, record in ((amelia, records[0]), (ben, records[1])):
            await person.told(
                lambda one: one["type"] == "call" and one["call"]["state"] == "ended", "the end of the call"
            )
            assert len(person.of_call(record["call_id"], "pop")) == 1
        await agreement(pbx.asterisk, records)


async def test_an_asterisk_that_crashed_ends_its_calls_and_is_followed_again(pbx: Pbx, service: Service) -> None:
    async with (
        Somebody(service.url, "boss", PASSWORD, listens=False) as boss,
        Somebody(service.url, "amelia", PASSWORD) as amelia,
    ):
        async with pbx.asterisk.observer() as link:
            talks, rings = await two_calls(pbx, link)
        await amelia.told(lambda one: one["type"] == "call" and one["call"]["state"] == "talking", "talking")
        await pbx.asterisk.crash()
        await service.is_ready(False)
        await asyncio.gather(*(run.stop() for run in (*talks, *rings)))
        await pbx.asterisk.start_again()
        await service.is_ready()
        records = await ended(boss, 2)
        assert not any(one["complete"] for one in records), "nobody saw how they ended"
        assert [len(one["connections"]) for one in records] == [1, 0]
        assert len(amelia.of_call(records[0]["call_id"], "pop")) == 1
        # And the next call is a call like any other.
        await (await pbx.phone("1001")).register()
        async with pbx.asterisk.observer() as link:
            agent = await (await pbx.phone("1001")).called.answers(after_s=0.3)
            caller = await pbx.trunk.caller("+447700900182").hangs_up("+442079460991", after_s=0.3)
            await pbx.finished(agent, caller)
            await link.all_hung_up()
        records = await ended(boss, 3)
        new = next(one for one in records if one["caller"]["number"] == "+447700900182")
        assert (new["status"], new["complete"]) == ("answered", True)
        assert len(amelia.of_call(new["call_id"], "pop")) == 1


async def test_a_second_start_finds_what_the_first_left_and_a_twin_is_refused(tmp_path: Path, pbx: Pbx) -> None:
    """On the embedded PostgreSQL, as on the first day of a small company."""
    service = Service(tmp_path, pbx.asterisk)
    await add(service, "boss", "--role", "supervisor")
    async with service, Somebody(service.url, "boss", PASSWORD, listens=False) as boss:
        await boss.ask("POST", "/customers", name="Ada", phones=[{"number": "07700 900123"}])
        said = await service.refused("serve")
        assert str(service.web_port) in said or str(service.screenpop_port) in said
        assert "Traceback" not in said
        assert (await boss.ask("GET", "/match?number=07700900123"))["status"] == "one"
    await service.start()
    await service.is_ready()
    async with Somebody(service.url, "boss", PASSWORD, listens=False) as boss:
        assert (await boss.ask("GET", "/match?number=07700900123"))["status"] == "one"
    took = await service.stop()
    print(f"the service stopped in {took:.1f} s with its PostgreSQL")


async def kick(pbx: Pbx, user: str) -> None:
    """Cut the AMI connections of a user."""
    for line in (await pbx.asterisk.console("manager show connected")).splitlines():
        columns = line.split()
        if columns and columns[0] == user:
            await pbx.asterisk.console(f"manager kick session {columns[4]}")


async def back(service: Service) -> None:
    """Wait until the service has lost the PBX and is connected to it again."""

    async def resynced() -> bool:
        return len(service.said("resynced")) >= 2

    await until(resynced, "the service follows the PBX again")
    await service.is_ready()
