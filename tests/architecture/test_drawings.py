"""The state diagrams in docs/architecture.md are drawn from the tables of the code."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import pytest

from callcenter.tracking.states import LEG_MOVES, OFFER_MOVES

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def drawing(moves: Mapping[Enum, frozenset[Enum]]) -> str:
    """The table as a mermaid diagram; states from which nothing follows lead to the end."""
    lines = ["stateDiagram-v2"]
    for state, following in moves.items():
        for then in sorted(following, key=lambda one: list(moves).index(one)):
            lines.append(f"    {state.value} --> {then.value}")
        if not following:
            lines.append(f"    {state.value} --> [*]")
    return "\n".join(lines)


@pytest.mark.parametrize("moves", [LEG_MOVES, OFFER_MOVES], ids=["leg", "offer"])
def test_page_shows_the_table(moves: Mapping[Enum, frozenset[Enum]]) -> None:
    assert drawing(moves) in PAGE.read_text(encoding="utf-8"), drawing(moves)
