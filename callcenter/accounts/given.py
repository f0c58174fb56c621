"""Which queues supervisors are given, in PostgreSQL."""

from collections.abc import Iterable

from callcenter.accounts.values import GivenQueue
from callcenter.db.unit import Unit

GIVEN = (
    "CASE WHEN u.role = 'supervisor' AND NOT u.every_queue THEN ARRAY(SELECT q.pbx || '/' || q.queue FROM user_queues q"
    " WHERE q.tenant_id = u.tenant_id AND q.login = u.login) END"
)
"""SQL of the scope of the user `u`: an array of `pbx/queue`, NULL where it is all."""


async def given(unit: Unit) -> dict[str, tuple[GivenQueue, ...]]:
    """The queues of all who have some, by login."""
    found: dict[str, list[GivenQueue]] = {}
    for row in await unit.fetch("SELECT login, pbx, queue FROM user_queues WHERE tenant_id = $1 ORDER BY 1, 2, 3"):
        found.setdefault(row["login"], []).append(GivenQueue(pbx=row["pbx"], queue=row["queue"]))
    return {login: tuple(queues) for login, queues in found.items()}


async def give(unit: Unit, login: str, queues: Iterable[GivenQueue]) -> None:
    """Replace the queues of a person."""
    chosen = sorted({(one.pbx, one.queue) for one in queues})
    await unit.execute("DELETE FROM user_queues WHERE tenant_id = $1 AND login = $2", login)
    await unit.execute(
        "INSERT INTO user_queues (tenant_id, login, pbx, queue) SELECT $1, $2, * FROM unnest($3::text[], $4::text[])",
        login,
        [pbx for pbx, _ in chosen],
        [queue for _, queue in chosen],
    )
