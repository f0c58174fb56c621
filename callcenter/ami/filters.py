"""The filters that ask Asterisk for the events that `parse` reads and for no others. Pure.

An anchored regular expression of names is understood by every Asterisk from 10 on, and costs the PBX one
match per event. (From 22.1 on there are hashed filters by name as well; they would need a round trip for each
name, and an older Asterisk takes them for something else.) `Local/` channels are never filtered: without them
the two halves of a transfer or of a queue's member cannot be joined.
"""

from collections.abc import Collection, Iterator

from callcenter.ami.parse import BUILDERS, SELECTIVE

_CONNECTION = ("FullyBooted", "Reload", "Shutdown")
"""What the connection itself listens to."""

_SELECTIVE = {name.decode(): choice for name, choice in SELECTIVE.items()}
"""Events of which only those with a useful value of one header are let through."""

_LONGEST = 900
"""Signs of an expression, so that its header fits into a line that Asterisk can read."""


def filters(names: Collection[str]) -> Iterator[str]:
    """Yield as few expressions as it takes to let these events through.

    Asterisk matches them over the whole event without REG_NEWLINE: `^` is the event's beginning and `.` takes
    line ends too. `[[:cntrl:]]` stands for the CR, which no header may carry.
    """
    group: list[str] = []
    for name in sorted({*names, *_CONNECTION} - set(_SELECTIVE)):
        if len("|".join([*group, name])) > _LONGEST:
            yield f"^Event: ({'|'.join(group)})[[:cntrl:]]"
            group = []
        group.append(name)
    yield f"^Event: ({'|'.join(group)})[[:cntrl:]]"
    for name in sorted(set(names) & set(_SELECTIVE)):
        header, values = _SELECTIVE[name]
        yield f"^Event: {name}[[:cntrl:]].*{header}: ({'|'.join(sorted(values))})[[:cntrl:]]"


FILTERS = tuple(filters([name.decode() for name in BUILDERS]))
"""Expressions for the `Filter` action."""
