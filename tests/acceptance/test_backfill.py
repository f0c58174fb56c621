"""Calls while the service is dead: it finds them by itself when it is back, from what Asterisk wrote."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.acceptance.house import PASSWORD, Record, agreement, brief
from tests.acceptance.people import Somebody
from tests.acceptance.service import Service, until
from tests.testbed import Pbx
from tests.testbed.cases import all_cases
from tests.testbed.cases.transfers import talking

GAP_S = 40
"""When the gap is filled at the latest: a call must be settled first."""
WHILE_DEAD = ("queue-ringall-one-member", "queue-timeout", "attended-transfer-answered", "inbound-direct-rejected")


@pytest.fixture
async def service(tmp_path: Path, asterisk_chroot: Path, database_url: str) -> AsyncIterator[tuple[Service, Pbx]]:
    async with Pbx(asterisk_chroot) as pbx:
        service = Service(tmp_path, pbx.asterisk, database_url=database_url)
        log = pbx.asterisk.home / "log"
        with service.config.open("a", encoding="utf-8") as config:
            config.write(f'cel = "{log}/cel-custom/callcenter.csv"\nqueue_log = "{log}/queue_log"\n')
        await service.run("user", "add", "boss", "--role", "supervisor", "--password-stdin", stdin=f"{PASSWORD}\n")
        async with service:
            yield service, pbx


async def test_calls_of_a_time_in_which_the_service_was_dead_are_filled_in(
    service: tuple[Service, Pbx], database_url: str
) -> None:
    served, pbx = service
    cases = all_cases()
    async with pbx.asterisk.observer() as link:
        (amelia,) = await pbx.phones("1001")
        seen = [await amelia.called.answers(after_s=0.2)]
        seen.append(await pbx.trunk.caller("+447700900180", "Zoë").stays("+442079460991"))
        await talking(link, "PJSIP/1001-")
        await until(lambda: _watched(database_url), "the PBX is noted as seen")
        await served.kill()
        await link.action("Hangup", Channel="/^PJSIP\\/trunk-/")
        await pbx.finished(*seen)
        await link.all_hung_up()
        for name in WHILE_DEAD:
            await cases[name].play(pbx, link)
            await link.all_hung_up()
    await served.start()
    await served.is_ready()
    async with Somebody(served.url, "boss", PASSWORD, listens=False) as boss:
        found: list[Record] = []

        async def filled() -> bool:
            found[:] = (await boss.ask("GET", "/calls"))["items"]
            return len(found) == len(WHILE_DEAD) + 1 and all(one["source"] == "backfill" for one in found)

        try:
            await until(filled, "the calls of the gap are in the log", deadline_s=GAP_S, every_s=0.5)
        except AssertionError as problem:
            calls = [(brief(one), one["source"]) for one in found]
            raise AssertionError(f"{problem}; there are {calls}, and said was {served.said('reconciled')}") from None
    assert all(one["complete"] for one in found)
    await agreement(pbx.asterisk, found)
    (told,) = served.said("reconciled")
    assert (told["reason"], told["missing"], told["mended"], told["problem"]) == ("gap", len(WHILE_DEAD), 1, None)


async def _watched(database_url: str) -> bool:
    connection = await asyncpg.connect(database_url)
    try:
        return bool(await connection.fetchval("SELECT count(*) FROM pbx_watch"))
    finally:
        await connection.close()
