"""Sums marked quarters up anew, a few at a time, so that reports need not.

A change of a call marks its quarter in its own transaction (a trigger, migration 0011). Whatever happened to the calls
of a quarter, and in whichever order, its sums are made from all of them: nothing is added to or taken from what was
there. The marks are read first, then the calls, and only those marks go: a change that is committed meanwhile has one
of its own, which stays.
"""

from typing import Final

from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.reports.summing import COLUMNS, summed

AT_ONCE: Final = 192
"""Quarters that one transaction sums up: two days."""
_LOCK: Final = 7_305_011
"""The first half of the advisory lock of who rolls up; the other one is the tenant."""


async def roll(database: Database, tenant_id: int, at_most: int = AT_ONCE) -> int:
    """Sum up the newest marked quarters; gives how many, 0 where there is none or another process is at it."""
    async with database.unit(tenant_id) as unit:
        if not await unit.fetchval(f"SELECT pg_try_advisory_xact_lock({_LOCK}, $1)"):
            return 0
        quarters = [row["quarter"] for row in await unit.fetch(_MARKED, at_most)]
        if not quarters:
            return 0
        marks = [row["n"] for row in await unit.fetch(_MARKS, quarters)]
        for table in COLUMNS:
            await _renew(unit, table, quarters)
        await unit.execute("DELETE FROM report_marks WHERE tenant_id = $1 AND n = ANY($2::bigint[])", marks)
        return len(quarters)


async def catch_up(database: Database, tenant_id: int) -> int:
    """Sum up all that is marked; gives the number of quarters."""
    done = 0
    while count := await roll(database, tenant_id):
        done += count
    return done


async def _renew(unit: Unit, table: str, quarters: list[object]) -> None:
    await unit.execute(f"DELETE FROM {table} WHERE tenant_id = $1 AND quarter = ANY($2::timestamptz[])", quarters)
    names = ", ".join(COLUMNS[table])
    rows = summed(table, "$2::timestamptz[]")
    await unit.execute(f"INSERT INTO {table} (tenant_id, {names}) SELECT $1, s.* FROM ({rows}) s", quarters)


_MARKED = "SELECT DISTINCT quarter FROM report_marks WHERE tenant_id = $1 ORDER BY quarter DESC LIMIT $2"
_MARKS = "SELECT n FROM report_marks WHERE tenant_id = $1 AND quarter = ANY($2::timestamptz[])"
