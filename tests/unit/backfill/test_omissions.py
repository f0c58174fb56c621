"""Queues that follow each other at once: CEL has the first one's beginning and the last one's end."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from callcenter.backfill import omissions
from callcenter.backfill.cel import Cel
from callcenter.backfill.queuelog import QueueLine

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
CALLER = "1795424400.0"


def row(kind: str, seconds: float, app: str = "", data: str = "", uniqueid: str = CALLER) -> Cel:
    at = AT + timedelta(seconds=seconds)
    return Cel(kind, at, uniqueid, CALLER, f"PJSIP/{uniqueid}", None, None, "s", "in", app, data, {})


def joined(seconds: int, queue: str) -> QueueLine:
    return QueueLine(AT + timedelta(seconds=seconds), CALLER, queue, "NONE", "ENTERQUEUE", ("", "", "1"))


def queues(rows: Iterable[Cel]) -> list[tuple[str, float, str]]:
    return [
        (one.kind, (one.at - AT).total_seconds(), one.data)
        for one in rows
        if one.app == "Queue" and one.uniqueid == CALLER
    ]


def test_a_queue_that_let_nobody_ring_ends_in_the_second_of_the_next() -> None:
    rows = [row("APP_START", 0.2, "Queue", "a,t"), row("APP_END", 9.5, "Queue", "b,t")]
    assert queues(omissions.filled(rows, [joined(0, "a"), joined(4, "b")])) == [
        ("APP_START", 0.2, "a,t"),
        ("APP_END", 4.0, "a,t"),
        ("APP_START", 4.0, "b,t"),
        ("APP_END", 9.5, "b,t"),
    ]


def test_a_last_queue_that_let_nobody_in_is_there_for_no_time() -> None:
    rows = [row("APP_START", 0.2, "Queue", "a,t"), row("APP_END", 9.5, "Queue", "full,t")]
    assert queues(omissions.filled(rows, [joined(0, "a")]))[1:] == [
        ("APP_END", 9.5, "a,t"),
        ("APP_START", 9.5, "full,t"),
        ("APP_END", 9.5, "full,t"),
    ]


def test_a_first_queue_that_let_nobody_in_is_not_the_one_that_did() -> None:
    rows = [row("APP_START", 0.2, "Queue", "full,t"), row("APP_END", 9.5, "Queue", "b,t")]
    assert queues(omissions.filled(rows, [joined(0, "b")])) == [
        ("APP_START", 0.2, "full,t"),
        ("APP_END", 0.2, "full,t"),
        ("APP_START", 0.2, "b,t"),
        ("APP_END", 9.5, "b,t"),
    ]


def test_a_queue_that_comes_again_with_something_between_is_as_written() -> None:
    rows = [
        row("APP_START", 0.2, "Queue", "a"),
        row("APP_END", 3.0, "Queue", "a"),
        row("APP_START", 3.0, "Playback", "sorry"),
        row("APP_END", 4.9, "Playback", "sorry"),
        row("APP_START", 4.9, "Queue", "a"),
        row("APP_END", 8.0, "Queue", "a"),
    ]
    assert omissions.filled(rows, [joined(0, "a"), joined(4, "a")]) == rows


def test_rows_stay_in_the_order_of_time() -> None:
    rows = [
        row("APP_START", 0.2, "Queue", "a"),
        row("CHAN_START", 0.3, uniqueid="1795424400.1"),
        row("CHAN_END", 4.6, uniqueid="1795424400.1"),
        row("CHAN_START", 4.7, uniqueid="1795424404.2"),
        row("CHAN_END", 4.9, uniqueid="1795424404.2"),
        row("APP_END", 8.0, "Queue", "b"),
    ]
    found = omissions.filled(rows, [joined(0, "a"), joined(4, "b")])
    assert [one.kind for one in found].index("APP_END") == 3
    assert [one.at for one in found] == sorted(one.at for one in found)
