"""Lets the tracker make calls of what was written down: the same tracker that follows calls as they happen."""

from collections.abc import Iterator

from msgspec.structs import replace

from callcenter.backfill import translation
from callcenter.backfill.gathering import Group
from callcenter.changes import CallChange, CallMerged
from callcenter.model import Call, Source
from callcenter.tracking.directory import Directory
from callcenter.tracking.tracker import Tracker


def calls(group: Group, directory: Directory, *, with_queue_log: bool) -> Iterator[Call]:
    """The calls that the rows of a group are of: mostly one; none where nobody was called."""
    story = translation.told(group.rows, group.lines, with_queue_log=with_queue_log)
    tracker = Tracker(directory)
    found: dict[object, Call] = {}
    for event in story.events:
        for change in tracker.apply(event):
            if isinstance(change, CallMerged):
                found.pop(change.merged, None)
            if isinstance(change, CallChange):
                found[change.call_id] = change.call
    complete = story.complete and not group.cut
    for call in found.values():
        yield replace(call, source=Source.BACKFILL, complete=call.complete and complete)
