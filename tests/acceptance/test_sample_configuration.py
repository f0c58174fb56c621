"""The sample configuration on a real Asterisk: it loads, carries calls, and lets its AMI user do only what it must."""

from collections import Counter
from pathlib import Path

import pytest

from asterisk_conf import BROWSER_PHONES, PHONES
from tests.testbed import Pbx
from tests.testbed.ami import parse_blocks
from tests.testbed.cases import all_cases

REPLAY = Path(__file__).parents[1] / "replay"

ALLOWED = {
    "Ping": {},
    "Status": {},
    "QueueStatus": {},
    "QueueSummary": {},
    "CoreShowChannels": {},
    "CoreStatus": {},
    "CoreSettings": {},
    "BridgeList": {},
    "BridgeInfo": {"BridgeUniqueid": "none"},
    "Originate": {"Channel": "PJSIP/1001", "Application": "Wait", "Data": "1", "Async": "true"},
    "QueueAdd": {"Queue": "sales", "Interface": "PJSIP/1009"},
    "QueuePause": {"Queue": "sales", "Interface": "PJSIP/1009", "Paused": "true"},
    "QueueRemove": {"Queue": "sales", "Interface": "PJSIP/1009"},
    "Hangup": {"Channel": "none"},
    "Redirect": {"Channel": "none", "Context": "from-internal", "Exten": "1001", "Priority": "1"},
    "BlindTransfer": {"Channel": "none", "Context": "from-internal", "Exten": "1001"},
}
FORBIDDEN = {
    "Command": {"Command": "core show version"},
    "GetConfig": {"Filename": "manager.conf"},
    "UpdateConfig": {"SrcFilename": "queues.conf", "DstFilename": "queues.conf"},
    "Reload": {},
    "ModuleLoad": {"LoadType": "reload"},
    "DBPut": {"Family": "a", "Key": "b", "Val": "c"},
    "Filter": {"Operation": "Add", "Filter": "Event: Hangup"},
    "UserEvent": {"UserEvent": "Forged"},
}


async def test_the_service_may_do_what_it_must_and_nothing_else(pbx: Pbx) -> None:
    async with pbx.asterisk.ami() as ami:
        answers = {name: await ami.action(name, **headers) for name, headers in (ALLOWED | FORBIDDEN).items()}

    denied = {name for name, answer in answers.items() if answer.get("Message") == "Permission denied"}
    assert denied == set(FORBIDDEN)


async def test_every_phone_and_queue_is_there(pbx: Pbx) -> None:
    async with pbx.asterisk.observer() as ami:
        await ami.action("PJSIPShowEndpoints")
        await ami.event("EndpointListComplete")
        await ami.action("QueueSummary")
        await ami.event("QueueSummaryComplete")
        endpoints = {block["ObjectName"] for block in ami.blocks if block.get("Event") == "EndpointList"}
        queues = {block["Queue"] for block in ami.blocks if block.get("Event") == "QueueSummary"}

    assert endpoints == {*PHONES, *BROWSER_PHONES, "trunk"}
    assert queues == {"sales", "support", "service", "billing", "backoffice"}


@pytest.mark.parametrize("name", ["inbound-unicode-name", "queue-ringall-three-members"])
async def test_a_call_still_makes_the_events_that_were_recorded(pbx: Pbx, name: str) -> None:
    async with pbx.asterisk.observer() as observer, pbx.asterisk.ami() as ami:
        await all_cases()[name].play(pbx, observer)
        await observer.all_hung_up()
        await ami.settled()
        now = Counter(block["Event"] for block in ami.blocks if "Event" in block)

    recorded = parse_blocks((REPLAY / name / "filtered.ami").read_bytes())
    assert now == Counter(block["Event"] for block in recorded if "Event" in block)


async def test_the_records_of_a_call_are_written(pbx: Pbx) -> None:
    async with pbx.asterisk.observer() as observer:
        await all_cases()["queue-ringall-one-member"].play(pbx, observer)
        await observer.all_hung_up()
    await pbx.asterisk.stop()

    [call] = pbx.asterisk.cdr()
    assert (call.disposition, call.src, call.dstchannel[:10]) == ("ANSWERED", "+447700900131", "PJSIP/1008")
    assert [row.event for row in pbx.asterisk.queue_log() if row.queue == "billing"] == [
        "ENTERQUEUE",
        "CONNECT",
        "COMPLETECALLER",
    ]
    assert Counter(row.eventtype for row in pbx.asterisk.cel())["CHAN_END"] == 2
