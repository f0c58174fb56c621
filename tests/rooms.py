"""Who was in one room with a channel, and when, by the bridges that CEL tells of. Pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from tests.testbed.records import CelRow, bridge_of

Stretch = tuple[float, float]
"""From and to, in seconds since 1970."""


def company(cel: Sequence[CelRow], channel: str) -> dict[str, list[Stretch]]:
    """The stretches that each other real channel shared a room with `channel`.

    Bridges that a Local channel joins are one room. A holding bridge is none.
    """
    inside: dict[str, set[str]] = {}
    found: dict[str, list[Stretch]] = {}
    rows = [row for row in cel if bridge_of(row) is not None]
    for row, then in pairwise([*rows, None]):
        assert row is not None
        bridge = bridge_of(row)
        assert bridge is not None
        members = inside.setdefault(bridge, set())
        members.add(row.channel) if row.eventtype == "BRIDGE_ENTER" else members.discard(row.channel)
        if then is not None and then.eventtime > row.eventtime:
            for other in _room(inside.values(), channel) - {channel}:
                if not other.startswith("Local/"):
                    found.setdefault(other, []).append((row.eventtime, then.eventtime))
    return found


def heirs(cel: Sequence[CelRow], channel: str) -> list[tuple[str, float]]:
    """A channel, and once it left whoever had been with it before and is still there, and so on; each since when."""
    ends = {row.channel: row.eventtime for row in cel if bridge_of(row) is not None and row.eventtype == "BRIDGE_EXIT"}
    found = [(channel, 0.0)]
    while channel in ends:
        over = ends[channel]
        met = {
            other: min(start for start, _ in stretches)
            for other, stretches in company(cel, channel).items()
            if ends.get(other, over) > over and other not in dict(found)
        }
        if not met:
            break
        channel = min(met, key=lambda other: met[other])
        found.append((channel, over))
    return found


def minus(ones: Iterable[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    """What is left of some stretches without others."""
    left = list(ones)
    for begin, end in others:
        left = [
            part
            for start, stop in left
            for part in ((start, min(stop, begin)), (max(start, end), stop))
            if part[0] < part[1]
        ]
    return left


def seconds(stretches: Iterable[Stretch]) -> float:
    """How long some stretches are together."""
    return sum(end - begin for begin, end in stretches)


def _room(bridges: Iterable[set[str]], channel: str) -> set[str]:
    """Everybody in the room of a channel."""
    room: set[str] = set()
    waiting = [members for members in bridges if channel in members]
    seen: list[set[str]] = []
    while waiting:
        members = waiting.pop()
        seen.append(members)
        room |= members
        halves = {_other_half(name) for name in members if name.startswith("Local/")}
        waiting += [one for one in bridges if halves & one and one not in seen and one not in waiting]
    return room


def _other_half(name: str) -> str:
    return name[:-1] + ("2" if name.endswith("1") else "1")
