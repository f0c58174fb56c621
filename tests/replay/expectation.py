"""What a recorded case is expected to say, and how to write it anew after a change that is meant.

`python -m tests.replay.expectation CASE…` (or `all`) writes `expected.json`; look at the difference before you commit
it: the case's README says what truly happened.
"""

import json
import sys
from pathlib import Path
from typing import Any

from callcenter.calllog import record as call_record
from callcenter.changes import CallChange, CallMerged
from callcenter.joints.directory import directory_of
from callcenter.settings import PbxSettings
from callcenter.tracking.tracker import Tracker
from tests import traces

SETTINGS = PbxSettings(region="GB", trunks=("trunk",))
"""The PBX that the cases were recorded from."""


def of(case: str, stream: str = "events.ami") -> dict[str, Any]:
    """The kinds of changes in their order, and the last record of each call."""
    tracker = Tracker(directory_of(SETTINGS, tenant="default"))
    changes: list[str] = []
    calls: dict[str, Any] = {}
    for event in traces.events(case, stream):
        for change in tracker.apply(event):
            changes.append(_kind(change))
            if isinstance(change, CallChange):
                record = call_record.to_json(call_record.of(change.call))
                calls[record["call_id"]] = record
            if isinstance(change, CallMerged):
                calls.pop(str(change.merged), None)
    found: dict[str, Any] = json.loads(json.dumps({"changes": changes, "calls": list(calls.values())}))
    return found


def path(case: str) -> Path:
    """Where the expectation of a case is kept."""
    return traces.REPLAY / case / "expected.json"


def _kind(change: object) -> str:
    kind: str = type(change).__struct_config__.tag  # type: ignore[attr-defined]
    return kind


if __name__ == "__main__":
    for name in traces.CASES if sys.argv[1:] == ["all"] else sys.argv[1:]:
        path(name).write_text(json.dumps(of(name), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
