"""The list of cases, filled by the decorator that each case wears."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tests.testbed.ami import AmiLink
from tests.testbed.pbx import Pbx

Play = Callable[[Pbx, AmiLink], Awaitable[None]]


class Case(NamedTuple):
    """A call flow: how to play it, what it shows, and what its PBX is set to."""

    name: str
    play: Play
    story: str
    values: dict[str, Any]


_CASES: dict[str, Case] = {}


def case(**values: Any) -> Callable[[Play], Play]:
    """Register a function as the case of its name; its docstring is the story, ``values`` those of the PBX."""

    def register(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        _CASES[name] = Case(name, play, inspect.getdoc(play) or "", values)
        return play

    return register


def all_cases() -> dict[str, Case]:
    """Return every case by name, in the order in which they are written."""
    return dict(_CASES)
