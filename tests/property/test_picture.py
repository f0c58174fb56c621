"""The law of the floor's picture: the whole, and then each patch, is the later whole, whatever a watcher may see."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from screenpop.picture import EMPTY, Picture, Rows, Scope, apply, merge
from screenpop.rows import TABLES, AgentRow, CallerRow, LevelRow, LimitsRow, MemberRow, QueueRow, Row

AT = datetime(2026, 3, 1, tzinfo=UTC)
QUEUES = ("pbx/sales", "pbx/support", "pbx/billing")
AGENTS = ("li", "mei", "sam")
NUMBERS = st.integers(0, 3)
LEVEL = LevelRow(formula="offered", threshold_s=20, numerator=1, denominator=2)


def queue_row(key: str, number: int) -> QueueRow:
    counts: dict[str, Any] = dict.fromkeys(("offered", "answered", "abandoned", "short_abandons", "refused"), number)
    states: dict[str, Any] = dict.fromkeys(("ready", "ringing", "busy", "paused", "offline"), 0)
    fixed: dict[str, Any] = {"strategy": "", "oldest": None, "level": LEVEL, "limits": LimitsRow(), "alerts": ()}
    return QueueRow(pbx="pbx", name=key[4:], waiting=number, **fixed, **counts, **states)


def caller_row(queue: str, place: int) -> CallerRow:
    unknown: dict[str, Any] = {"number": None, "name": None, "customer": None, "ringing": (), "next": ()}
    return CallerRow(queue=queue, place=place, since=AT, sure=True, **unknown)


def member_row(queue: str, agent: str | None, penalty: int) -> MemberRow:
    fixed: dict[str, Any] = {"name": None, "state": "ready", "paused": False, "reason": None, "dynamic": False}
    return MemberRow(queue=queue, interface="PJSIP/1", device="PJSIP/1", agent=agent, penalty=penalty, **fixed)


def agent_row(agent: str, answered: int) -> AgentRow:
    fixed: dict[str, Any] = {"state": "ready", "since": None, "reason": None, "extension": None, "call": None}
    return AgentRow(
        agent=agent, name=agent, answered=answered, dialed=0, missed=0, connected_s=0, listeners=(), **fixed
    )


Put = tuple[str, str, Row | None]
PUTS: st.SearchStrategy[Put] = st.one_of(
    st.tuples(st.sampled_from(QUEUES), NUMBERS).map(lambda x: ("queues", x[0], queue_row(*x) if x[1] else None)),
    st.tuples(st.sampled_from("abc"), st.sampled_from(QUEUES), NUMBERS).map(
        lambda x: ("callers", x[0], caller_row(x[1], x[2]) if x[2] else None)
    ),
    st.tuples(st.sampled_from(QUEUES), st.sampled_from([None, *AGENTS]), NUMBERS).map(
        lambda x: ("members", f"{x[0]}/PJSIP/1", member_row(*x) if x[2] else None)
    ),
    st.tuples(st.sampled_from(AGENTS), NUMBERS).map(lambda x: ("agents", x[0], agent_row(*x) if x[1] else None)),
)
SCOPES: st.SearchStrategy[Scope] = st.none() | st.frozensets(st.sampled_from(QUEUES))


def whole(picture: Picture) -> dict[str, dict[str, Any]]:
    return {table: {k: msgspec.structs.asdict(row) for k, row in picture.whole()[table].items()} for table in TABLES}


def may_be_seen(rows: Rows, scope: Scope) -> dict[str, set[str]]:
    """By the rules themselves, looked at from the beginning."""
    tables = rows.tables
    if scope is None:
        return {table: set(tables[table]) for table in TABLES}
    staff = {row.agent for row in tables["members"].values() if isinstance(row, MemberRow) and row.queue in scope}
    placed = {
        table: {k for k, row in tables[table].items() if isinstance(row, CallerRow | MemberRow) and row.queue in scope}
        for table in ("callers", "members")
    }
    return {"queues": set(tables["queues"]) & scope, "agents": set(tables["agents"]) & staff, **placed}


@given(st.lists(PUTS), st.lists(st.lists(PUTS, max_size=6), max_size=6), SCOPES)
def test_the_whole_and_the_patches_are_the_later_whole(first: list[Put], beats: list[list[Put]], scope: Scope) -> None:
    rows = Rows()
    for put in first:
        rows.put(*put)
    rows.drain()
    picture = Picture(rows, scope)
    page = whole(picture)
    late, gathered = whole(picture), EMPTY
    for beat in beats:
        for put in beat:
            rows.put(*put)
        patch = picture.patch(rows.drain())
        page = apply(page, patch)
        gathered = merge(gathered, patch)
        assert page == whole(picture)
        assert {table: set(page[table]) for table in TABLES} == may_be_seen(rows, scope)
    # Who reads slowly gets the same in one piece.
    assert apply(late, gathered) == page
    assert whole(Picture(rows, scope)) == page


@given(st.lists(PUTS), SCOPES)
def test_nothing_is_told_where_nothing_changed(puts: list[Put], scope: Scope) -> None:
    rows = Rows()
    for put in puts:
        rows.put(*put)
    rows.drain()
    picture = Picture(rows, scope)
    for put in [(t, k, row) for t in TABLES for k, row in rows.tables[t].items()]:
        rows.put(*put)
    assert picture.patch(rows.drain()) == {}
