"""Thousands of real calls of many shapes, while the service is killed, its connection cut and its database stopped.

Not a part of the default run: `scripts/soak` runs it, and prints the table of docs/acceptance.md. At the end the call
log must agree with what Asterisk wrote down itself, call by call.
"""

import asyncio
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from callcenter.db.embedded import EmbeddedPostgres
from tests.acceptance.house import PASSWORD, Record, add_people
from tests.acceptance.load import InboundCall, Load
from tests.acceptance.people import Somebody
from tests.acceptance.service import Service, until
from tests.acceptance.test_signals import kick
from tests.evidence import disagreements
from tests.footprint import Footprint, footprints
from tests.testbed import Pbx
from tests.testbed.ports import free_rtp_range

CALLS = int(os.environ.get("CALLCENTER_SOAK_CALLS", "5000"))
RATE = float(os.environ.get("CALLCENTER_SOAK_RATE", "20"))
"""Calls that are placed in a second, all kinds together."""
SEED = 5
RECORDS_S = 120
SILENCE_S = 90

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


class Kind(NamedTuple):
    """What many callers do. `share` is how many of a hundred calls are of this kind."""

    name: str
    share: int
    dialed: str
    scenario: str = "call-then-hang-up"
    phone: str | None = None
    seconds: Mapping[str, float] = MappingProxyType({})


TALK = {"talk": 3.0}
KINDS = (
    Kind("direct, answered", 18, "+442079460991", seconds=TALK),
    Kind("direct, then transferred blindly to a colleague", 12, "+442079460992", seconds=TALK),
    Kind("direct, not answered: voicemail", 8, "+442079460998", seconds={"talk": 1.0}),
    Kind("direct, the caller gives up", 8, "+442079460998", "call-then-cancel", seconds={"patience": 1.0}),
    Kind("queue support, linear", 12, "+442079460994", seconds=TALK),
    Kind("queue service, least recent; the agent hangs up", 10, "+442079460995", "call-until-hung-up"),
    Kind("queue billing, then transferred to queue support", 8, "+442079460996", seconds={"talk": 5.0}),
    Kind("queue sales, ring-all of three by the menu", 6, "+442079460990", seconds={"talk": 6.0}),
    Kind("outbound, answered", 8, "02079460150", phone="1004", seconds={"talk": 2.0}),
    Kind("between colleagues", 6, "1001", phone="1005", seconds={"talk": 1.5}),
    Kind("picked up from a colleague's phone", 4, "**1003", phone="1006", seconds={"talk": 1.0}),
)
"""On top of these, a program redirects and parks some of the calls that talk (`_meddle`)."""


class Company:
    """The parts, each of which can fail by itself."""

    def __init__(self, pbx: Pbx, service: Service, database: EmbeddedPostgres) -> None:
        self.pbx, self.service, self.database = pbx, service, database

    async def killed(self, down_s: float) -> None:
        """The service dies without a word, and is started again after a while."""
        await self.service.kill()
        await asyncio.sleep(down_s)
        await self.service.start()
        await self.service.is_ready()

    async def stopped(self, down_s: float) -> None:
        """An admin stops the service, and starts it again."""
        await self.service.stop()
        await asyncio.sleep(down_s)
        await self.service.start()
        await self.service.is_ready()

    async def cut(self, down_s: float) -> None:
        """The AMI connection is cut, again and again for a while."""
        over = asyncio.get_running_loop().time() + down_s
        while asyncio.get_running_loop().time() < over:
            await kick(self.pbx, "callcenter")
            await asyncio.sleep(0.5)
        await self.service.is_ready()

    async def without_database(self, down_s: float) -> None:
        """PostgreSQL stops, and comes back after a while."""
        await self.database.stop()
        await asyncio.sleep(down_s)
        await self.database.start()
        await self.service.is_ready()


Fault = Callable[[Company, float], Awaitable[None]]
FAULTS: tuple[tuple[float, str, Fault, float], ...] = (
    (0.08, "service killed (-9)", Company.killed, 4),
    (0.18, "AMI cut", Company.cut, 2),
    (0.28, "PostgreSQL stopped", Company.without_database, 15),
    (0.42, "service killed (-9)", Company.killed, 12),
    (0.56, "AMI cut", Company.cut, 4),
    (0.66, "PostgreSQL stopped", Company.without_database, 25),
    (0.82, "service stopped", Company.stopped, 3),
    (0.90, "service killed (-9)", Company.killed, 1),
)
"""When, as a part of the whole; what; and for how many seconds."""


@pytest.fixture
async def company(tmp_path: Path, asterisk_chroot: Path) -> AsyncIterator[Company]:
    first, last = free_rtp_range(4000)
    values = {"rtp_start": first, "rtp_end": last, "queue_wait_s": 60, "queue_ring_s": 15, "extension_ring_s": 3}
    # Another run of tests at the same time closes pytest's own directory to PostgreSQL's user.
    directory = Path(tempfile.mkdtemp(prefix="callcenter-soak-"))
    database = EmbeddedPostgres(directory / "postgresql")
    url = await database.start()
    try:
        async with Pbx(asterisk_chroot, **values) as pbx:
            log = pbx.asterisk.home / "log"
            files = {"cel": f"{log}/cel-custom/callcenter.csv", "queue_log": f"{log}/queue_log"}
            service = Service(tmp_path, pbx.asterisk, database_url=url, **files)
            await service.run("db", "upgrade")
            await add_people(service)
            async with service:
                yield Company(pbx, service, database)
    finally:
        await database.stop()
        shutil.rmtree(directory)


async def test_the_log_agrees_with_asterisk_whatever_fails_meanwhile(company: Company) -> None:
    began = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        load = Load(company.pbx, stack)
        await _staff(load, company.pbx)
        faults = asyncio.create_task(_fail(company, CALLS / RATE), name="faults")
        meddling = asyncio.create_task(_meddle(company.pbx), name="meddling")
        stack.callback(meddling.cancel)
        stack.callback(faults.cancel)
        said = await asyncio.gather(*(_call(load, kind, number) for number, kind in enumerate(KINDS)))
        await faults
        meddling.cancel()
        await _silence(company.pbx)
    asterisk = company.pbx.asterisk
    # SIPp complains of each caller that was treated otherwise than its scenario says, which is what meddling does.
    print("\n".join(text.splitlines()[0] for text in said if text))
    print(await company.service.run("reconcile", "--all", "--since", began.isoformat()))
    written = footprints(asterisk.cdr(), asterisk.cel(), asterisk.queue_log())
    expected = [one for one in written if not one.is_supervision]
    records = await _records(company.service, len(expected))
    differ = disagreements(records, asterisk.cdr(), asterisk.cel(), asterisk.queue_log())
    _report(expected, records, differ)
    (company.service.home / "differ.txt").write_text("\n".join(differ), encoding="utf-8")
    assert differ == []
    assert len(records) == len(expected)


async def _staff(load: Load, pbx: Pbx) -> None:
    """Phones that do the same with each call."""
    await load.phone("1001", ring=0.3)
    await load.phone("1002", "answer-then-transfer", target="1001", ring=0.3, talk=0.8)
    await load.phone("1003", "ring-until-canceled")
    for extension in ("1004", "1005"):
        await load.phone(extension, ring=0.4)
    for extension in ("1006", "1007"):
        await load.phone(extension, "answer-then-hang-up", ring=0.3, talk=2)
    await load.phone("1008", "answer-then-transfer", target="2002", ring=0.3, talk=0.8)
    await load.outside(ring=0.5)
    async with pbx.asterisk.observer() as link:
        for queue, members in {
            "sales": ("1001", "1002", "1003"),
            "support": ("1004", "1005"),
            "service": ("1006", "1007"),
            "billing": ("1008",),
        }.items():
            for member in members:
                await link.action("QueueMemberRingInUse", Queue=queue, Interface=f"PJSIP/{member}", RingInUse="true")


async def _call(load: Load, kind: Kind, number: int) -> str:
    """All the calls of one kind; what SIPp has to say of them."""
    count = max(1, round(CALLS * kind.share / 100))
    rate = RATE * kind.share / 100
    callers = [
        InboundCall(kind.phone or f"+4477{number:02}{index:06}", f"Anrufer №{index}", kind.dialed)
        for index in range(count)
    ]
    return await load.call(
        callers,
        rate=rate,
        deadline_s=count / rate + SILENCE_S,
        name=f"callers-{number}",
        scenario=kind.scenario,
        phone=kind.phone,
        **kind.seconds,
    )


async def _fail(company: Company, seconds: float) -> None:
    """One failure after the other, at their times."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for part, what, fault, down_s in FAULTS:
        await asyncio.sleep(max(0.0, began + part * seconds - clock()))
        at = clock() - began
        await fault(company, down_s)
        print(f"{at:6.1f} s: {what} for {down_s} s, all well again after {clock() - began - at:.1f} s")


async def _meddle(pbx: Pbx) -> None:
    """A panel, or another program: every second it sends somebody who talks to a colleague, or parks them."""
    chance = random.Random(SEED)
    while True:
        async with pbx.asterisk.observer() as link:
            await link.action("CoreShowChannels")
            await link.event("CoreShowChannelsComplete")
            talking = [
                block["Channel"]
                for block in link.blocks
                if block.get("Event") == "CoreShowChannel"
                and block["BridgeId"]
                and block["Channel"].startswith("PJSIP/trunk-")
                and block["Application"] in ("Dial", "Queue")
            ]
            if talking:
                channel = chance.choice(talking)
                if chance.random() < 0.7:
                    await link.action("Redirect", Channel=channel, Context="from-internal", Exten="1005", Priority="1")
                else:
                    await link.action("Park", Channel=channel, Parkinglot="default")
        await asyncio.sleep(1)


async def _silence(pbx: Pbx) -> None:
    async def silent() -> bool:
        return "0 active channels" in await pbx.asterisk.console("core show channels count")

    await until(silent, "no channel is left", deadline_s=SILENCE_S, every_s=0.5)


async def _records(service: Service, count: int) -> list[Record]:
    """All records, when they are as many as there should be and all are over."""
    found: list[Record] = []
    async with Somebody(service.url, "boss", PASSWORD, listens=False) as boss:

        async def come() -> bool:
            found.clear()
            cursor = ""
            while True:
                page = await boss.ask("GET", f"/calls?limit=100{cursor}")
                found.extend(page["items"])
                if not page["next_cursor"]:
                    return len(found) >= count and all(one["ended_at"] for one in found)
                cursor = f"&cursor={page['next_cursor']}"

        try:
            await until(come, "all calls are in the log", deadline_s=RECORDS_S, every_s=2)
        except AssertionError:
            print(f"{len(found)} records of {count}, {sum(not one['ended_at'] for one in found)} of them not ended")
    return found


def _report(expected: list[Footprint], records: list[Record], differ: list[str]) -> None:
    """The table of docs/acceptance.md."""
    of_linkedid = {linkedid: record for record in records for linkedid in record["linkedids"]}
    wrong = {name for text in differ for name in text.partition(":")[0].split("/")}
    rows: dict[str, Counter[str]] = {}
    for one in expected:
        row = rows.setdefault(_shape(one), Counter())
        row["calls"] += 1
        held = {id(record): record for linkedid in one.linkedids if (record := of_linkedid.get(linkedid))}
        row["found once"] += len(held) == 1
        row["agree"] += wrong.isdisjoint(one.linkedids)
        for record in held.values():
            row[record["source"]] += 1
    columns = ("calls", "found once", "agree", "live", "resync", "backfill")
    print(f"| shape | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}")
    for shape, row in sorted(rows.items()):
        print(f"| {shape} | {' | '.join(str(row[column]) for column in columns)} |")
    total = sum(rows.values(), Counter())
    print(f"| all | {' | '.join(str(total[column]) for column in columns)} |")
    print("\n".join(differ[:30]))


def _shape(one: Footprint) -> str:
    """What kind of call it was, by Asterisk's own account."""
    kinds = {row.eventtype for row in one.cel}
    apps = {row.appname for row in one.cel}
    marks = [
        "queue" if one.queue_log else "",
        "voicemail" if "VoiceMail" in apps else "",
        "picked up" if "PICKUP" in kinds else "",
        "transferred" if kinds & {"BLINDTRANSFER", "ATTENDEDTRANSFER"} else "",
        "parked" if "PARK_START" in kinds else "",
    ]
    return ", ".join(mark for mark in marks if mark) or "plain"
