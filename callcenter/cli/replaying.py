"""`callcenter replay`: the tracker on a transcript. A wrong call log becomes a test this way."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from callcenter import settings as configuration
from callcenter.ami import parse, record
from callcenter.calllog import record as call_record
from callcenter.changes import CallChange, CallMerged, Change
from callcenter.errors import ProtocolError, SettingsError
from callcenter.joints.directory import directory_of
from callcenter.model import Call
from callcenter.settings import PbxSettings
from callcenter.tracking.tracker import Tracker

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Time of an event of a raw transcript without `timestampevents`: nothing tells when it was."""


def run(
    file: Path, config: Path | None, pbx: str | None, region: str | None, trunks: tuple[str, ...], changes: bool
) -> None:
    """Print JSON lines to standard output; problems of single blocks go to standard error."""
    settings = _settings_of(config, pbx, region, trunks)
    tracker = Tracker(directory_of(settings, tenant="default"))
    encoder = msgspec.json.Encoder()
    write = sys.stdout.buffer.write
    calls: dict[UUID, Call] = {}
    for block in record.read(file):
        try:
            event = parse.event(block, NEVER)
        except ProtocolError as problem:
            sys.stderr.write(f"left out: {problem}\n")
            continue
        for change in tracker.apply(event) if event is not None else ():
            if isinstance(change, CallChange):
                calls[change.call_id] = change.call
            if isinstance(change, CallMerged):
                calls.pop(change.merged, None)
            if changes:
                write(encoder.encode(_line(change)) + b"\n")
    for call in calls.values():
        write(encoder.encode({"type": "call", **call_record.to_json(call_record.of(call))}) + b"\n")
    sys.stdout.flush()


def _line(change: Change) -> dict[str, Any]:
    """A change without the whole call: its id, and what is the change's own."""
    line: dict[str, Any] = msgspec.to_builtins(change)
    head = {"type": line.pop("type"), "at": call_record.stamp(change.at)}
    line.pop("at")
    if isinstance(change, CallChange):
        line.pop("call")
        head["call_id"] = str(change.call_id)
        head["status"] = change.call.status.value
    return head | line


def _settings_of(config: Path | None, pbx: str | None, region: str | None, trunks: tuple[str, ...]) -> PbxSettings:
    known = configuration.load(config).pbx if config is not None or pbx is not None else ()
    chosen = [one for one in known if pbx is None or one.id == pbx]
    if pbx is not None and not chosen:
        raise SettingsError(f"there is no [[pbx]] with id {pbx!r} in the configuration")
    settings = chosen[0] if chosen else PbxSettings()
    values = {"region": region, "trunks": trunks or None}
    return settings.model_copy(update={name: value for name, value in values.items() if value is not None})
