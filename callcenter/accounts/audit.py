"""The audit: who did what to which thing, written in the transaction that does it."""

from typing import Any

from callcenter.db.unit import NativeUnit


async def note(
    unit: NativeUnit,
    actor: str,
    action: str,
    subject_type: str,
    subject_id: str,
    detail: dict[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Write one entry. `detail` holds no secret and no call's content."""
    await unit.execute(
        "INSERT INTO audit (tenant_id, actor, action, subject_type, subject_id, detail, address)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        actor,
        action,
        subject_type,
        subject_id,
        detail or {},
        address,
    )
