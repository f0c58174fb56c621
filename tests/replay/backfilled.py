"""What Asterisk wrote of a recorded case, and the calls that a back-fill makes of it."""

from collections.abc import Iterable
from functools import cache
from uuid import UUID

from callcenter.backfill import rebuilding
from callcenter.backfill.cel import Cel
from callcenter.backfill.csvlines import parsed as parsed_csv
from callcenter.backfill.gathering import Gatherer
from callcenter.backfill.queuelog import QueueLine
from callcenter.backfill.queuelog import parsed as parsed_line
from callcenter.joints.directory import directory_of
from callcenter.model import Call
from callcenter.tracking import ids
from tests import traces
from tests.replay import expectation

DIRECTORY = directory_of(expectation.SETTINGS, tenant="default")


@cache
def rows(case: str) -> tuple[Cel, ...]:
    """The rows of CEL, as they were written."""
    return tuple(parsed_csv((traces.REPLAY / case / "cel.csv").read_text("utf-8").splitlines()))


@cache
def lines(case: str) -> tuple[QueueLine, ...]:
    """The lines of the queue_log that are about a caller."""
    written = (traces.REPLAY / case / "queue_log").read_text("utf-8").splitlines()
    return tuple(line for text in written if (line := parsed_line(text)) is not None)


def rebuilt(stream: Iterable[Cel], log: Iterable[QueueLine] | None) -> list[Call]:
    """The calls that rows, and a queue_log if there is one, are of; by id."""
    gatherer = Gatherer()
    for line in log or ():
        gatherer.line(line)
    groups = [group for row in stream for group in gatherer.row(row)]
    groups += gatherer.rest()
    found = [call for group in groups for call in rebuilding.calls(group, DIRECTORY, with_queue_log=log is not None)]
    return sorted(found, key=lambda call: str(call.call_id))


def call_id_of(uniqueid: str) -> UUID:
    """The id of the call that a channel began, at the PBX of the cases."""
    return ids.call_id(DIRECTORY.pbx, uniqueid)
