"""The records of calls as JSON texts, for those who pass them on as they are."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from callcenter.calllog.queries import RECORD
from callcenter.db.unit import Unit


class _Named(msgspec.Struct, frozen=True):
    call_id: UUID


async def read_texts(unit: Unit, call_ids: Sequence[UUID]) -> Mapping[UUID, bytes]:
    """The records of these calls; those that are no more, or were merged into others, are missing."""
    rows = await unit.fetch(
        f"{RECORD} WHERE c.tenant_id = $1 AND c.call_id = ANY($2::uuid[]) AND c.merged_into IS NULL", list(call_ids)
    )
    texts = [row["record"].encode() for row in rows]
    return {msgspec.json.decode(text, type=_Named).call_id: text for text in texts}
