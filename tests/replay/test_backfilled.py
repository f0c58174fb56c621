"""Each recorded case, rebuilt from what Asterisk wrote in its files, is the call that was followed live.

What CEL does not say is `NOT_WRITTEN`; docs/backfill.md explains it. Everything else agrees, times within a second.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any, Final

import pytest

from callcenter.backfill.cel import Cel
from callcenter.calllog import record as call_record
from callcenter.model import Call
from tests import traces
from tests.replay import backfilled, expectation

TOLERANCE_S: Final = 1.0
NOT_WRITTEN: Final = frozenset({"hold_s", "talk_s", "source"})
"""Who held whom is written nowhere, so that the time on hold counts as talk; the sum of both is compared."""

KNOWN: Final = {
    "branch-blind-transfer": {".callee.name"},
    "branch-replaces-our-call": {".callee.name"},
    "feature-blonde-transfer-comes-back": {".callee.name"},
    "refer-that-comes-back": {".callee.name"},
    "branch-transfer-by-replaces": {".connections[1].number"},
}
"""What a phone was shown in the middle of a talk, by another PBX, is not written."""

IN_A_ROW: Final = {
    "queue-three-in-a-round": {".offers[0].queue", ".offers[1].queue", ".offers[2].queue"},
    "queue-three-then-voicemail": {".offers[0].queue", ".offers[1].queue", ".offers[2].queue"},
}
"""Of queues that follow each other at once CEL names the first: without a queue_log, all who rang count as its own."""


@pytest.mark.parametrize("case", traces.CASES)
def test_the_call_from_cel_and_queue_log_is_the_live_one(case: str) -> None:
    assert differences(case, backfilled.rebuilt(backfilled.rows(case), backfilled.lines(case))) == []


@pytest.mark.parametrize("case", traces.CASES)
def test_whole_seconds_as_freepbx_has_them_change_durations_alone(case: str) -> None:
    cut = [row._replace(at=row.at.replace(microsecond=0)) for row in backfilled.rows(case)]
    assert differences(case, backfilled.rebuilt(cut, backfilled.lines(case)), tolerance_s=2.0) == []


@pytest.mark.parametrize("case", traces.CASES)
def test_without_a_queue_log_only_the_queue_visits_say_less(case: str) -> None:
    found = differences(case, backfilled.rebuilt(backfilled.rows(case), None))
    other = {line.partition(":")[0] for line in found if "queue_visits" not in line and "complete" not in line}
    assert other == IN_A_ROW.get(case, set())


def test_all_cases_at_once_are_the_same_calls_as_one_by_one() -> None:
    """Calls of other people in between change nothing; only cases whose channels have different names can be mixed."""
    mixed: list[Cel] = []
    expected: dict[str, Call] = {}
    known: set[str] = set()
    for case in traces.CASES:
        rows = backfilled.rows(case)
        names = {row.uniqueid for row in rows}
        if names & known:
            continue
        known |= names
        mixed += rows
        expected |= {str(call.call_id): call for call in backfilled.rebuilt(rows, backfilled.lines(case))}
    mixed.sort(key=lambda row: row.at)
    log = [line for case in traces.CASES for line in backfilled.lines(case)]
    found = {str(call.call_id): call for call in backfilled.rebuilt(mixed, log)}
    assert len(expected) >= 60
    assert found == expected


@pytest.mark.parametrize("case", traces.CASES)
def test_missing_rows_are_never_an_exception_and_never_an_open_call(case: str) -> None:
    random = Random(case)
    rows = backfilled.rows(case)
    for _ in range(20):
        left = [row for row in rows if random.random() > 0.15]
        for call in backfilled.rebuilt(left, backfilled.lines(case)):
            assert call.ended_at is not None
            assert call.ended_at >= call.started_at


def differences(case: str, calls: list[Call], tolerance_s: float = TOLERANCE_S) -> list[str]:
    """What the rebuilt calls and the live ones say differently."""
    live = sorted(json.loads(expectation.path(case).read_text("utf-8"))["calls"], key=lambda call: call["call_id"])
    told: list[dict[str, Any]] = json.loads(json.dumps([call_record.to_json(call_record.of(call)) for call in calls]))
    if [one["call_id"] for one in live] != [one["call_id"] for one in told]:
        return [f"calls: {[one['linkedids'] for one in live]} live, {[one['linkedids'] for one in told]} rebuilt"]
    found: list[str] = []
    for one, other in zip(live, told, strict=True):
        for record in (one, other):  # which of two phones was dialed first differs by less than a row
            record["offers"].sort(key=lambda offer: (offer["interface"], offer["rang_at"]))
        found += _unlike("", one, other, tolerance_s)
        connected = one["talk_s"] + one["hold_s"]
        if abs(connected - (other["talk_s"] + (other["hold_s"] or 0))) > tolerance_s:
            found.append(f".talk_s + hold_s: {connected} live, {other['talk_s']} rebuilt")
    return [line for line in found if line.partition(":")[0] not in KNOWN.get(case, ())]


def _unlike(path: str, live: Any, told: Any, tolerance_s: float) -> Iterator[str]:
    if isinstance(live, dict) and isinstance(told, dict):
        for key in live.keys() - NOT_WRITTEN:
            yield from _unlike(f"{path}.{key}", live[key], told[key], tolerance_s)
    elif isinstance(live, list) and isinstance(told, list) and len(live) == len(told):
        for number, (one, other) in enumerate(zip(live, told, strict=True)):
            yield from _unlike(f"{path}[{number}]", one, other, tolerance_s)
    elif live != told and not _close(live, told, tolerance_s):
        yield f"{path}: {live} live, {told} rebuilt"


def _close(live: Any, told: Any, tolerance_s: float) -> bool:
    if isinstance(live, float) and isinstance(told, float):
        return abs(live - told) <= tolerance_s
    if isinstance(live, str) and isinstance(told, str) and "T" in live and live[:2] == "20" == told[:2]:
        apart = datetime.fromisoformat(live) - datetime.fromisoformat(told)
        return abs(apart.total_seconds()) <= tolerance_s
    return False
