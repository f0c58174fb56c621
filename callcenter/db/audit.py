"""Notes in the audit trail, in the transaction of what they are about."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from callcenter.db.unit import Unit

_address: ContextVar[str | None] = ContextVar("address of whoever asks", default=None)


@contextmanager
def asked_from(address: str) -> Iterator[None]:
    """Say where a request came from: notes that are made within the block, by this task, carry it."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def address_now() -> str | None:
    """Where the request came from that runs now; None where none does."""
    return _address.get()


async def note(
    unit: Unit,
    *,
    actor: str,
    action: str,
    subject_type: str,
    subject_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down that `actor` (a login, `key:` and an API key's id, or `system`) did `action` to a thing.

    The address is the one of `asked_from`; nobody asked from one where it was done at the command line.
    """
    await unit.execute(
        "INSERT INTO audit (tenant_id, actor, action, subject_type, subject_id, detail, address)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *(actor, action, subject_type, subject_id, dict(detail or {}), _address.get()),
    )
