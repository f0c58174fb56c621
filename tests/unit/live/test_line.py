"""Who is about to get the callers of a queue, by each strategy."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.live.board import Member
from callcenter.live.line import heirs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def member(
    name: str, *, penalty: int = 0, paused: bool = False, status: int = 1, calls: int = 0, idle: int = 0
) -> Member:
    return Member(
        interface=f"PJSIP/{name}",
        device=f"PJSIP/{name}",
        name=name,
        paused=paused,
        pause_reason=None,
        status=status,
        penalty=penalty,
        calls_taken=calls,
        last_call=NOON - timedelta(minutes=idle) if idle else None,
    )


STAFF = [
    member("busy", status=2),
    member("paused", paused=True),
    member("away", status=5),
    member("a", calls=3, idle=5),
    member("b", calls=1, idle=9),
    member("late", penalty=5),
]


def names(strategy: str, callers: int) -> list[tuple[list[str | None], bool]]:
    return [([one.name for one in found.members], found.sure) for found in heirs(strategy, STAFF, callers)]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("ringall", [(["a", "b"], True), ([], True), ([], True)]),
        ("leastrecent", [(["b"], True), (["a"], True), ([], True)]),
        ("fewestcalls", [(["b"], True), (["a"], True), ([], True)]),
        ("rrmemory", [(["a", "b"], False), (["a", "b"], False), ([], True)]),
        ("linear", [(["a", "b"], False), (["a", "b"], False), ([], True)]),
    ],
)
def test_free_members_of_the_lowest_penalty_get_the_first_callers(
    strategy: str, expected: list[tuple[list[str | None], bool]]
) -> None:
    assert names(strategy, 3) == expected


def test_who_never_had_a_call_has_waited_longest() -> None:
    found = heirs("leastrecent", [member("a", idle=90), member("new")], 1)
    assert [one.name for one in found[0].members] == ["new"]


def test_one_alone_is_sure_to_get_it_and_nobody_gets_it_where_none_is_free() -> None:
    assert heirs("random", [member("a")], 1)[0].sure
    assert heirs("ringall", [member("a", paused=True)], 2)[1].members == ()
