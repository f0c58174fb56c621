"""A thousand real SIP calls through a real Asterisk as fast as the machine carries them, and every record right.

Not a part of the default run: `scripts/thousand-calls` runs it and prints the result.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance.house import AGENTS, House, Record
from tests.acceptance.load import InboundCall, Load
from tests.evidence import disagreements
from tests.testbed.ports import free_rtp_range

CALLS = int(os.environ.get("CALLCENTER_SOAK_CALLS", "1000"))
RATE = float(os.environ.get("CALLCENTER_SOAK_RATE", "20"))
"""Calls that begin in a second."""
STAY_S, RING_S = 2.0, 0.2
"""A caller hangs up so long after the PBX answered, which some queues do before an agent does."""
TARGETS = {
    "+442079460991": "direct",
    "+442079460994": "queue support, linear",
    "+442079460992": "direct",
    "+442079460995": "queue service, least recent",
    "+442079460998": "direct, with a mailbox",
    "+442079460996": "queue billing, ring all",
}
PHONES = ("1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008")

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.fixture
async def busy_house(tmp_path: Path, asterisk_chroot: Path, database_url: str) -> AsyncIterator[House]:
    first, last = free_rtp_range(4000)
    values = {"rtp_start": first, "rtp_end": last, "queue_wait_s": 60, "extension_ring_s": 30, "queue_ring_s": 15}
    async with House(tmp_path, asterisk_chroot, database_url=database_url, **values) as house:
        yield house


async def test_a_thousand_calls_give_a_thousand_right_records(busy_house: House) -> None:
    house = busy_house
    targets = list(TARGETS)
    calls = [InboundCall(f"+4477{number:08}", f"Anrufer №{number}", targets[number % 6]) for number in range(CALLS)]
    async with AsyncExitStack() as stack:
        load = Load(house.pbx, stack)
        for extension in PHONES:
            await load.phone(extension, ring=RING_S)
        observer = await stack.enter_async_context(house.pbx.asterisk.observer())
        for queue, members in {"support": ("1004", "1005"), "service": ("1006", "1007"), "billing": ("1008",)}.items():
            for member in members:
                await observer.action(
                    "QueueMemberRingInUse", Queue=queue, Interface=f"PJSIP/{member}", RingInUse="true"
                )
        for person in house.agents.values():
            person.acknowledges = True
        used = house.service.cpu_s()
        problem = await load.call(calls, rate=RATE, talk=STAY_S, deadline_s=CALLS / RATE + 60)
        assert problem == ""
        records = await house.new_records(CALLS, deadline_s=30)
        used = house.service.cpu_s() - used
    asterisk = house.pbx.asterisk
    await house.agree(records[-1:])  # the last rows are written
    differ = disagreements(records, asterisk.cdr(), asterisk.cel(), asterisk.queue_log())
    wrong = [problem for record in records for problem in _wrong(record)]
    pops = [problem for record in records for problem in _pops(house, record)]
    starts = [datetime.fromisoformat(record["started_at"]).timestamp() for record in records]
    took = max(starts) - min(starts)
    kinds = Counter(TARGETS.get(str(record["did"]), str(record["did"])) for record in records)
    print(f"\n{len(records)} calls began within {took:.1f} s: {(len(records) - 1) / took:.1f} calls a second")
    print(f"at most {_most_at_once(records)} calls at once; the service used {used:.1f} s of CPU time")
    print("| calls | to | records right | agree with CEL, CDR, queue log | one pop per offer |")
    print("| ---: | --- | ---: | ---: | ---: |")
    for kind, count in sorted(kinds.items()):
        right = [str(count - _of(kind, these, records)) for these in (wrong, differ, pops)]
        print(f"| {count} | {kind} | {' | '.join(right)} |")
    print("\n".join([*wrong[:5], *differ[:20], *pops[:5]]))
    assert (wrong, differ, pops) == ([], [], [])
    assert len(records) == CALLS


def _wrong(record: Record) -> list[str]:
    """What is not as it was dialed: each caller reached one agent, talked, and hung up."""
    told = [
        record["status"] == "answered",
        record["direction"] == "inbound",
        record["hangup_by"] == "caller",
        record["complete"],
        [offer["result"] for offer in record["offers"]].count("answered") == 1,
        len(record["connections"]) == 1,
        0 < record["talk_s"] < STAY_S + 1,
        [visit["exit"] for visit in record["queue_visits"]]
        == (["answered"] if "queue" in TARGETS[str(record["did"])] else []),
    ]
    return [] if all(told) else [f"{record['linkedids'][0]}: {told} {record}"]


def _pops(house: House, record: Record) -> list[str]:
    """What was popped otherwise than once per stretch of ringing, and taken away unless answered."""
    found = []
    for login, person in house.agents.items():
        offers = [offer["result"] for offer in record["offers"] if offer["agent"] == login]
        popped = [one.get("reason", "pop") for one in person.of_call(record["call_id"], "pop", "pop_withdrawn")]
        expected = [word for result in offers for word in (["pop"] if result == "answered" else ["pop", result])]
        if popped != expected:
            found.append(f"{record['linkedids'][0]}: {login} ({AGENTS[login][0]}) was shown {popped}, not {expected}")
    return found


def _of(kind: str, problems: list[str], records: list[Record]) -> int:
    """How many calls of a kind have a problem."""
    named = {problem.partition(":")[0] for problem in problems}
    return sum(
        TARGETS.get(str(record["did"])) == kind and not named.isdisjoint(record["linkedids"]) for record in records
    )


def _most_at_once(records: list[Record]) -> int:
    moments = [(str(record["started_at"]), 1) for record in records] + [
        (str(record["ended_at"]), -1) for record in records
    ]
    most = now = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    return most
