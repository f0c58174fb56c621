"""The parsers of Asterisk's own records, on files that a real Asterisk wrote."""

from pathlib import Path

from tests.testbed.records import QueueLogRow, parse_cdr, parse_cel, parse_queue_log

REPLAY = Path(__file__).parents[2] / "replay"


def read(case: str, name: str) -> str:
    return (REPLAY / case / name).read_text(encoding="utf-8")


def test_cdr_of_an_answered_call() -> None:
    [row] = parse_cdr(read("inbound-unicode-name", "cdr.csv"))

    assert row.disposition == "ANSWERED"
    assert row.uniqueid == row.linkedid
    assert row.src == "+447700900127"
    assert row.clid == '"Zoë Müller-Nuñez 王小明" <+447700900127>'
    assert row.start < row.answer < row.end
    assert round(row.end - row.start, 4) == round(row.duration, 4)
    assert row.dstchannel == "PJSIP/1001-00000001"


def test_cel_of_an_answered_call() -> None:
    rows = parse_cel(read("inbound-unicode-name", "cel.csv"))

    assert [row.eventtype for row in rows if row.channel.startswith("PJSIP/trunk-")] == [
        "CHAN_START",
        "APP_START",
        "ANSWER",
        "BRIDGE_ENTER",
        "BRIDGE_EXIT",
        "APP_END",
        "HANGUP",
        "CHAN_END",
    ]
    assert rows[-1].eventtype == "LINKEDID_END"
    assert {row.linkedid for row in rows} == {rows[0].uniqueid}
    assert rows[0].cid_name == "Zoë Müller-Nuñez 王小明"
    assert all(row.eventtime >= rows[0].eventtime for row in rows)


def test_queue_log_of_an_abandoned_call() -> None:
    started, *rows = parse_queue_log(read("queue-abandoned-while-ringing", "queue_log"))

    assert started.event == "QUEUESTART"
    callid = rows[0].callid
    assert [(row.event, row.agent) for row in rows] == [
        ("ENTERQUEUE", "NONE"),
        ("RINGCANCELED", "Hannah Moore"),
        ("ABANDON", "NONE"),
    ]
    assert rows[2] == QueueLogRow(rows[2].at, callid, "billing", "NONE", "ABANDON", ("1", "1", "2"))
