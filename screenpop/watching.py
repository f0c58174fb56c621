"""Those who watch the floor: connections of their own, apart from the agents' streams, told of changes in one beat.

Nobody is waited for. Who reads slowly gets what changed meanwhile in one piece when they have read what they had;
who does not read at all is cut off as everybody is.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from screenpop.client import Client, frame
from screenpop.contracts import Identity
from screenpop.picture import Patch, Picture, Rows, Scope, merge
from screenpop.rows import TABLES, Floor, FloorUpdate

BEHIND = 48 * 1024
"""Bytes that may wait for a watcher before what follows is gathered for them."""

_encoder = msgspec.json.Encoder()


class _Watcher:
    __slots__ = ("client", "n", "pending", "who")

    def __init__(self, who: Identity, client: Client) -> None:
        self.who = who
        self.client = client
        self.n = 0
        self.pending: Patch = {}


class _Group:
    """All who may see the same."""

    def __init__(self, rows: Rows, scope: Scope) -> None:
        self.picture = Picture(rows, scope)
        self.watchers: list[_Watcher] = []


class Watching:
    """The watchers of one tenant's floor."""

    def __init__(self) -> None:
        self.rows = Rows()
        self._groups: dict[Scope, _Group] = {}

    def __len__(self) -> int:
        return sum(len(group.watchers) for group in self._groups.values())

    def enter(self, who: Identity, client: Client, scope: Scope) -> None:
        """Show everything to a new watcher."""
        self.beat()
        group = self._groups.get(scope)
        if group is None:
            group = self._groups[scope] = _Group(self.rows, scope)
        client.who = who
        whole: dict[str, Any] = dict(group.picture.whole())
        client.write(frame(_encoder.encode(Floor(n=0, at=datetime.now(UTC), **whole))))
        group.watchers.append(_Watcher(who, client))

    def leave(self, client: Client) -> None:
        """A watcher is gone; what nobody looks at is not drawn."""
        for scope, group in list(self._groups.items()):
            group.watchers = [one for one in group.watchers if one.client is not client]
            if not group.watchers:
                del self._groups[scope]

    def beat(self) -> float:
        """Tell everybody what changed since the last time; gives the seconds that it took."""
        began = time.perf_counter()
        dirty = self.rows.drain()
        for group in self._groups.values():
            patch = group.picture.patch(dirty)
            bodies: dict[int, bytes] = {}
            for watcher in group.watchers:
                self._tell(watcher, patch, bodies)
        return time.perf_counter() - began

    def pages(self) -> Iterator[Identity]:
        """Whose connections watch."""
        return (one.who for group in self._groups.values() for one in group.watchers)

    def evict(self, agent: str, session: str | None, code: int, reason: str) -> None:
        """Close the connections of one log-in, or of all of a person's."""
        for group in self._groups.values():
            for one in group.watchers:
                if one.who.agent == agent and session in (None, one.who.session):
                    one.client.socket.shut(code, reason)

    def _tell(self, watcher: _Watcher, patch: Patch, bodies: dict[int, bytes]) -> None:
        if watcher.client.waiting > BEHIND:
            watcher.pending = merge(watcher.pending, patch) if patch else watcher.pending
            return
        own = bool(watcher.pending)
        if own:
            patch, watcher.pending = merge(watcher.pending, patch), {}
        if not patch:
            return
        watcher.n += 1
        # Those who are at the same number get the same bytes.
        data = None if own else bodies.get(watcher.n)
        if data is None:
            parts: dict[str, Any] = {table: patch.get(table, {}) for table in TABLES}
            data = frame(_encoder.encode(FloorUpdate(n=watcher.n, **parts)))
            if not own:
                bodies[watcher.n] = data
        watcher.client.write(data)
