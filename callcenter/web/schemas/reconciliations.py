"""Bodies about reconciliations: the call log against what the PBX wrote down itself."""

from typing import Annotated
from uuid import UUID

import msgspec

from callcenter.backfill.report import Reconciliation
from callcenter.web.schemas import Answer, Body, PbxId
from callcenter.web.schemas.calls import AwareTime


class NewReconciliation(Body, frozen=True):
    """Compare the calls of a PBX that ended from `since` on and before `until`, or until now."""

    pbx: PbxId
    since: AwareTime
    until: AwareTime | None = None
    dry_run: Annotated[bool, msgspec.Meta(description="Only say what would be done.")] = False


class ReconciliationQuery(Body, frozen=True):
    """How many of the newest."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="How many items at most.")] = 20


class Reconciliations(Answer, frozen=True):
    """The newest that have ended, newest first. `pbxs` can be compared."""

    items: tuple[Reconciliation, ...]
    pbxs: tuple[str, ...]
    current: Annotated[Reconciliation | None, msgspec.Meta(description="The one under way, or the next.")]
    nightly_at: Annotated[
        str | None, msgspec.Meta(description="When one is done each night, by the service's clock; null: never.")
    ]


class Asked(Answer, frozen=True):
    """A reconciliation waits for its turn; what comes of it is at `Location`, where it has an end then."""

    reconciliation_id: UUID
    pbx: str
    dry_run: bool
