"""The records of calls as JSON texts, for those who pass them on as they are."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from callcenter.calllog.queries import RECORD
from callcenter.callrecord import CallRecord
from callcenter.db.unit import Unit


async def read_texts(unit: Unit, call_ids: Sequence[UUID]) -> Mapping[UUID, bytes]:
    """The records of these calls; those that are no more, or were merged into others, are missing."""
    rows = await unit.fetch(
        f"{RECORD} WHERE c.tenant_id = $1 AND c.call_id = ANY($2::uuid[]) AND c.merged_into IS NULL", list(call_ids)
    )
    records = (msgspec.json.decode(row["record"], type=CallRecord) for row in rows)
    return {record.call_id: msgspec.json.encode(record) for record in records}
