"""Notes in the audit trail, in the transaction of what they are about."""

from collections.abc import Mapping
from typing import Any

from callcenter.db.unit import Unit


async def note(
    unit: Unit,
    *,
    actor: str,
    action: str,
    subject_type: str,
    subject_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down that `actor` (a login, `key:` and an API key's id, or `system`) did `action` to a thing."""
    await unit.execute(
        "INSERT INTO audit (tenant_id, actor, action, subject_type, subject_id, detail)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        *(actor, action, subject_type, subject_id, dict(detail or {})),
    )
