"""The lists that agents choose from, how the desk works, and which queues an agent may log in to: their SQL."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import asyncpg

from callcenter.db import audit
from callcenter.db.unit import Unit
from callcenter.desk.words import (
    MOST,
    OUTCOMES,
    PAUSE_REASONS,
    DeskSettings,
    FieldDefinition,
    FieldKind,
    Outcome,
    OutcomeKind,
    PauseReason,
    Word,
    check,
)
from callcenter.errors import BadInput, Conflict
from callcenter.model import Value

_TABLES: Final[dict[type[Word], tuple[str, tuple[str, ...]]]] = {
    PauseReason: ("pause_reasons", ("budget_s",)),
    Outcome: ("outcomes", ("kind",)),
    FieldDefinition: ("field_definitions", ("kind", "choices")),
}
"""Kind of entry → its table, and the columns that are its own."""

LONGEST_QUEUE: Final = 80
LONGEST_WRAPUP_S: Final = 3600

W = TypeVar("W", PauseReason, Outcome, FieldDefinition)


class QueueRight(Value, frozen=True):
    """A queue that an agent may log in to."""

    pbx: str
    queue: str
    penalty: int = 0


async def begin(unit: Unit) -> None:
    """Give a tenant that has none yet its settings, pause reasons and outcomes."""
    tag = await unit.execute("INSERT INTO desk_settings (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING")
    if tag == "INSERT 0 0":
        return
    for word in (*PAUSE_REASONS, *OUTCOMES):
        await _write(unit, word)


async def listed(unit: Unit, kind: type[W]) -> list[W]:
    """All entries of a list in their order, those out of use too."""
    place: tuple[str, tuple[str, ...]] = _TABLES[kind]
    table = place[0]
    columns = ", ".join(("code", "names", *place[1], "place", "active"))
    rows = await unit.fetch(f"SELECT {columns} FROM {table} WHERE tenant_id = $1 ORDER BY place, code")
    return [_read(kind, row) for row in rows]


async def put(unit: Unit, word: W, *, actor: str) -> W:
    """Add an entry or change it.

    Raises:
        BadInput: it is none. Conflict: the list is full.
    """
    check(word)
    table, _ = _TABLES[type(word)]
    await unit.execute("SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE")
    others = await unit.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1 AND code <> $2", word.code)
    if others >= MOST:
        raise Conflict(f"a list has at most {MOST} entries")
    await _write(unit, word)
    await audit.note(unit, actor=actor, action=f"desk.{table}", subject_type=table, subject_id=word.code)
    return word


async def settings(unit: Unit) -> DeskSettings:
    """How the desk works."""
    row = await unit.fetchrow("SELECT wrapup_s, wrapup_queues FROM desk_settings WHERE tenant_id = $1")
    return DeskSettings(**row) if row is not None else DeskSettings()


async def configure(unit: Unit, wanted: DeskSettings, *, actor: str) -> DeskSettings:
    """Change how the desk works.

    Raises:
        BadInput: a time or a queue's name is out of bounds.
    """
    for name, seconds in {"wrapup_s": wanted.wrapup_s, **wanted.wrapup_queues}.items():
        if not 0 <= seconds <= LONGEST_WRAPUP_S:
            raise BadInput(f"{name[:LONGEST_QUEUE]}: from 0 to {LONGEST_WRAPUP_S} seconds")
    if len(wanted.wrapup_queues) > MOST or any(not 1 <= len(name) <= LONGEST_QUEUE for name in wanted.wrapup_queues):
        raise BadInput(f"wrapup_queues: at most {MOST} queues, with names of 1 to {LONGEST_QUEUE} characters")
    await unit.execute(
        "INSERT INTO desk_settings (tenant_id, wrapup_s, wrapup_queues) VALUES ($1, $2, $3)"
        " ON CONFLICT (tenant_id) DO UPDATE"
        " SET wrapup_s = excluded.wrapup_s, wrapup_queues = excluded.wrapup_queues",
        *(wanted.wrapup_s, wanted.wrapup_queues),
    )
    await audit.note(unit, actor=actor, action="desk.settings", subject_type="tenant", subject_id=str(unit.tenant_id))
    return wanted


async def queues_of(unit: Unit, agent: str) -> list[QueueRight]:
    """The queues that an agent may log in to."""
    rows = await unit.fetch(
        "SELECT pbx, queue, penalty FROM agent_queues WHERE tenant_id = $1 AND agent = $2 ORDER BY pbx, queue", agent
    )
    return [QueueRight(**row) for row in rows]


async def assign(unit: Unit, agent: str, rights: Sequence[QueueRight], *, actor: str) -> list[QueueRight]:
    """Say which queues an agent may log in to.

    Raises:
        BadInput: there are too many, or one has no usable name. Conflict: there is no such agent.
    """
    if len(rights) > MOST or any(not 1 <= len(one.queue) <= LONGEST_QUEUE for one in rights):
        raise BadInput(f"at most {MOST} queues, with names of 1 to {LONGEST_QUEUE} characters")
    if not await unit.fetchval("SELECT 1 FROM agents WHERE tenant_id = $1 AND agent_id = $2", agent):
        raise Conflict(f"there is no agent {agent[:64]!r}")
    await unit.execute("DELETE FROM agent_queues WHERE tenant_id = $1 AND agent = $2", agent)
    await unit.execute(
        "INSERT INTO agent_queues (tenant_id, agent, pbx, queue, penalty)"
        " SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::int[]) ON CONFLICT DO NOTHING",
        *(agent, [one.pbx for one in rights], [one.queue for one in rights], [one.penalty for one in rights]),
    )
    detail = {"queues": [one.queue for one in rights]}
    await audit.note(unit, actor=actor, action="agent.queues", subject_type="agent", subject_id=agent, detail=detail)
    return await queues_of(unit, agent)


async def _write(unit: Unit, word: Word) -> None:
    table, own = _TABLES[type(word)]
    columns = ("code", "names", *own, "place", "active")
    places = ", ".join(f"${n}" for n in range(2, len(columns) + 2))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    await unit.execute(
        f"INSERT INTO {table} (tenant_id, {', '.join(columns)}) VALUES ($1, {places})"
        f" ON CONFLICT (tenant_id, code) DO UPDATE SET {changes}",
        *_plain(getattr(word, name) for name in columns),
    )


def _plain(values: Iterable[object]) -> list[object]:
    return [list(value) if isinstance(value, tuple) else value for value in values]


def _read(kind: type[W], row: "asyncpg.Record") -> W:
    values = dict(row)
    if kind is Outcome:
        values["kind"] = OutcomeKind(values["kind"])
    elif kind is FieldDefinition:
        values |= {"kind": FieldKind(values["kind"]), "choices": tuple(values["choices"])}
    return kind(**values)
