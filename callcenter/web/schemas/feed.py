"""Bodies of the change feed and of exports."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.callrecord import CallRecord
from callcenter.web.schemas import Answer, Body, Limit
from callcenter.web.schemas.calls import CallConditions

LONGEST_WAIT_S = 30.0


class ChangeKind(StrEnum):
    """What happened to a call: it is new or differs, it became a part of another one, it is gone."""

    CHANGED = "changed"
    MERGED = "merged"
    DELETED = "deleted"


class ChangesQuery(Body, frozen=True):
    """Where to go on in the change feed."""

    after: (
        Annotated[
            str,
            msgspec.Meta(
                max_length=100,
                description="`cursor` of the answer before; without: from the beginning; `now`: only what is to come.",
            ),
        ]
        | None
    ) = None
    limit: Limit = 50
    wait: Annotated[
        float,
        msgspec.Meta(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for a change where there is none yet."),
    ] = 0


class CallNews(Answer, frozen=True):
    """One change: `call` where it is `changed`, `merged_into` where it is `merged`."""

    seq: int
    kind: ChangeKind
    call_id: UUID
    call: CallRecord | None
    merged_into: UUID | None


class CallChanges(Answer, frozen=True):
    """Changes in their order. Keep `cursor` with what you stored; with `more` there is another page at once."""

    items: tuple[CallNews, ...]
    cursor: str
    more: bool


class ExportFormat(StrEnum):
    """CSV for spreadsheets, NDJSON (one call record per line) for programs."""

    CSV = "csv"
    NDJSON = "ndjson"


class ExportQuery(CallConditions, frozen=True, kw_only=True):
    """Which calls go into the file, and how it is written."""

    format: ExportFormat
    bom: Annotated[
        bool, msgspec.Meta(description="Begin a CSV with a byte order mark, by which Excel knows that it is UTF-8.")
    ] = False
