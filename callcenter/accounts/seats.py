"""Extensions and who sits there: one agent at a phone, one phone for an agent.

Changes of seats of one tenant are made one after the other (the tenant's row is locked), so that two people
who swap places at the same moment do not wait for each other for ever.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import asyncpg

from callcenter.accounts.values import Extension
from callcenter.db.audit import note
from callcenter.db.engine import Database
from callcenter.db.unit import Unit
from callcenter.errors import Conflict, NotFound

_COLUMNS = "pbx, extension, interface, name, agent_id"


class Seats:
    """The extensions of the tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tenant_id: int, pbx: str, extension: str, interface: str, name: str = "") -> Extension:
        """Make an extension known; one that is known already stays as it is.

        Raises:
            Conflict: the interface belongs to another extension.
        """
        async with self._database.unit(tenant_id) as unit:
            await unit.execute(
                "INSERT INTO extensions (tenant_id, pbx, extension, interface, name) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT DO NOTHING",
                pbx,
                extension,
                interface,
                name,
            )
            found = await _get(unit, pbx, extension)
        if found is None:
            raise Conflict(f"{interface} of {pbx} belongs to another extension already")
        return found

    async def list(self, tenant_id: int) -> tuple[Extension, ...]:
        """All extensions, by PBX and number."""
        async with self._database.unit(tenant_id) as unit:
            rows = await unit.fetch(
                f"SELECT {_COLUMNS} FROM extensions WHERE tenant_id = $1 ORDER BY pbx, length(extension), extension"
            )
        return tuple(_value(row) for row in rows)

    async def of(self, tenant_id: int, agent: str) -> Extension | None:
        """Where an agent sits."""
        async with self._database.unit(tenant_id) as unit:
            row = await unit.fetchrow(
                f"SELECT {_COLUMNS} FROM extensions WHERE tenant_id = $1 AND agent_id = $2", agent
            )
        return _value(row) if row is not None else None

    async def take(
        self, tenant_id: int, agent: str, pbx: str, extension: str, *, by: str, force: bool = False
    ) -> Extension:
        """Seat an agent there; the seat that the agent had before is free. `force` unseats another.

        Raises:
            NotFound: there is no such extension.
            Conflict: another agent sits there, and not `force`.
        """
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE")
            found = await _get(unit, pbx, extension)
            if found is None:
                raise NotFound(f"there is no extension {extension} at {pbx}")
            if found.agent == agent:
                return found
            if found.agent is not None:
                if not force:
                    raise Conflict(f"{found.agent} sits at extension {extension}: choose another one")
                await note(
                    unit,
                    actor=by,
                    action="seat.force",
                    subject_type="extension",
                    subject_id=f"{pbx}/{extension}",
                    detail={"from": found.agent},
                )
            await _leave(unit, agent)
            row = await unit.fetchrow(
                "UPDATE extensions SET agent_id = $4, seated_at = now()"
                f" WHERE tenant_id = $1 AND pbx = $2 AND extension = $3 RETURNING {_COLUMNS}",
                pbx,
                extension,
                agent,
            )
        assert row is not None
        return _value(row)

    async def leave(self, tenant_id: int, agent: str) -> None:
        """Free the seat of an agent, if there is one."""
        async with self._database.unit(tenant_id) as unit:
            await unit.execute("SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE")
            await _leave(unit, agent)


class SeatListener(Protocol):
    """Whoever must know who sits where: the tracker's directory, the screen-pop's audience."""

    def seats_changed(self, pbx: str, seats: Mapping[str, Extension]) -> None:
        """All seats of a PBX by interface, after a change of at least one of them."""
        ...


class SeatBook:
    """Who sits where, in memory, of one tenant.

    `refresh` it at the start, after each change, and now and then, because other processes
    (`callcenter user add`) change it too.
    """

    def __init__(self, seats: Seats, tenant_id: int, listener: SeatListener) -> None:
        self._seats = seats
        self._tenant_id = tenant_id
        self._listener = listener
        self._by_pbx: dict[str, dict[str, Extension]] = {}
        self._turn = asyncio.Lock()

    def of(self, pbx: str) -> Mapping[str, Extension]:
        """The extensions of a PBX by interface."""
        return self._by_pbx.get(pbx, {})

    async def refresh(self) -> None:
        """Load all seats, and tell the listener of each PBX where something is different."""
        async with self._turn:
            fresh: dict[str, dict[str, Extension]] = {}
            for extension in await self._seats.list(self._tenant_id):
                fresh.setdefault(extension.pbx, {})[extension.interface] = extension
            before, self._by_pbx = self._by_pbx, fresh
            for pbx in sorted(before.keys() | fresh.keys()):
                if before.get(pbx) != fresh.get(pbx):
                    self._listener.seats_changed(pbx, self.of(pbx))


async def _get(unit: Unit, pbx: str, extension: str) -> Extension | None:
    row = await unit.fetchrow(
        f"SELECT {_COLUMNS} FROM extensions WHERE tenant_id = $1 AND pbx = $2 AND extension = $3",
        pbx,
        extension,
    )
    return _value(row) if row is not None else None


async def _leave(unit: Unit, agent: str) -> None:
    await unit.execute(
        "UPDATE extensions SET agent_id = NULL, seated_at = NULL WHERE tenant_id = $1 AND agent_id = $2", agent
    )


def _value(row: "asyncpg.Record") -> Extension:
    return Extension(
        pbx=row["pbx"],
        extension=row["extension"],
        interface=row["interface"],
        name=row["name"] or None,
        agent=row["agent_id"],
    )
