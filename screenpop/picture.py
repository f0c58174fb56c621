"""What watchers of the floor have been shown, and what they must be told for it to be true again. Pure.

A `Picture` is what one group of watchers may see: all, or some queues with their callers, members and agents. Its
law: the whole picture, and then each patch, is the later whole picture.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from screenpop.rows import TABLES, AgentRow, CallerRow, MemberRow, QueueRow, Row

Fields = dict[str, Any]
Patch = dict[str, dict[str, Fields | None]]
"""By table and key: fields that changed, all fields of a new row, or None where the row is gone."""
Scope = frozenset[str] | None
"""Keys (`pbx/name`) of the queues that may be seen; None: everything."""

EMPTY: Final[Patch] = {}


class Rows:
    """The floor as it is: all rows by table and key, and which changed since they were last looked at."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Row]] = {table: {} for table in TABLES}
        self._dirty: dict[str, set[str]] = {table: set() for table in TABLES}

    def put(self, table: str, key: str, row: Row | None) -> None:
        """A row is this now, or gone."""
        rows = self.tables[table]
        if rows.get(key) == row:
            return
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row
        self._dirty[table].add(key)

    def drain(self) -> Mapping[str, set[str]]:
        """What changed since the last time."""
        dirty, self._dirty = self._dirty, {table: set() for table in TABLES}
        return dirty


class Picture:
    """What those who may see `scope` are shown."""

    def __init__(self, rows: Rows, scope: Scope) -> None:
        self.scope = scope
        self._rows = rows
        self._shown: dict[str, dict[str, Row]] = {table: {} for table in TABLES}
        self._agents: frozenset[str] = frozenset()
        self.patch({table: set(rows.tables[table]) for table in TABLES})

    def whole(self) -> dict[str, dict[str, Row]]:
        """All that is shown."""
        return self._shown

    def patch(self, dirty: Mapping[str, Collection[str]]) -> Patch:
        """What to tell, after these rows changed; nothing where nobody here may see them."""
        found: Patch = {}
        agents: Iterable[str] = dirty.get("agents", ())
        if self.scope is not None and (dirty.get("members") or not self._agents):
            before, self._agents = self._agents, self._visible_agents()
            agents = {*agents, *(before ^ self._agents)}
        for table in TABLES:
            for key in agents if table == "agents" else dirty.get(table, ()):
                row = self._rows.tables[table].get(key)
                change = self._show(table, key, row if row is not None and self._may(key, row) else None)
                if change is not EMPTY:
                    found.setdefault(table, {}).update(change[table])
        return found

    def _show(self, table: str, key: str, row: Row | None) -> Patch:
        shown = self._shown[table]
        before = shown.get(key)
        if before == row:
            return EMPTY
        if row is None:
            del shown[key]
            return {table: {key: None}}
        shown[key] = row
        now = msgspec.structs.asdict(row)
        if before is None:
            return {table: {key: now}}
        was = msgspec.structs.asdict(before)
        return {table: {key: {name: value for name, value in now.items() if was[name] != value}}}

    def _may(self, key: str, row: Row) -> bool:
        if self.scope is None:
            return True
        match row:
            case QueueRow():
                return key in self.scope
            case CallerRow(queue=queue) | MemberRow(queue=queue):
                return queue in self.scope
            case AgentRow(agent=agent):
                return agent in self._agents

    def _visible_agents(self) -> frozenset[str]:
        """Who works in a queue that may be seen."""
        scope = self.scope or frozenset()
        members = self._rows.tables["members"].values()
        return frozenset(
            one.agent for one in members if isinstance(one, MemberRow) and one.agent is not None and one.queue in scope
        )


def merge(earlier: Patch, later: Patch) -> Patch:
    """One patch that does what the two do one after the other."""
    merged = {table: dict(rows) for table, rows in earlier.items()}
    for table, rows in later.items():
        known = merged.setdefault(table, {})
        for key, fields in rows.items():
            before = known.get(key)
            known[key] = {**before, **fields} if before is not None and fields is not None else fields
    return merged


def apply(whole: Mapping[str, Mapping[str, Fields]], patch: Patch) -> dict[str, dict[str, Fields]]:
    """What a page does with a patch."""
    after = {table: dict(rows) for table, rows in whole.items()}
    for table, rows in patch.items():
        known = after.setdefault(table, {})
        for key, fields in rows.items():
            if fields is None:
                known.pop(key, None)
            else:
                known[key] = {**known.get(key, {}), **fields}
    return after
