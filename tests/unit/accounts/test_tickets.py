"""Tickets of the screen-pop: once, soon, bounded, and gone with their session."""

from datetime import timedelta

import pytest

from callcenter.accounts.roles import Role
from callcenter.accounts.tickets import Grant, TicketBox
from callcenter.errors import Unauthenticated
from tests.unit.accounts.test_throttle import Ticker


def grant(session: str = "s1", agent: str = "li") -> Grant:
    return Grant(tenant_id=1, agent=agent, role=Role.AGENT, session=session)


def test_a_ticket_lets_in_once() -> None:
    box = TicketBox(Ticker(), timedelta(seconds=30))
    ticket = box.issue(grant())
    assert box.redeem(ticket) == grant()
    with pytest.raises(Unauthenticated, match="used up or too old"):
        box.redeem(ticket)


def test_a_ticket_ends_with_its_time() -> None:
    ticker = Ticker()
    box = TicketBox(ticker, timedelta(seconds=30))
    ticket, later = box.issue(grant()), box.issue(grant())
    ticker.now += 30
    box.redeem(ticket)
    ticker.now += 0.001
    with pytest.raises(Unauthenticated):
        box.redeem(later)


@pytest.mark.parametrize("text", ["", "nonsense", "\ud800", "x" * 10_000])
def test_nonsense_lets_nobody_in(text: str) -> None:
    box = TicketBox(Ticker(), timedelta(seconds=30))
    box.issue(grant())
    with pytest.raises(Unauthenticated):
        box.redeem(text)


def test_log_out_takes_the_session_s_tickets_and_no_other() -> None:
    box = TicketBox(Ticker(), timedelta(seconds=30))
    gone, kept = box.issue(grant("s1")), box.issue(grant("s2"))
    box.revoke("s1")
    with pytest.raises(Unauthenticated):
        box.redeem(gone)
    assert box.redeem(kept) == grant("s2")


def test_one_session_cannot_fill_the_box() -> None:
    box = TicketBox(Ticker(), timedelta(seconds=30), limit_each=3)
    other = box.issue(grant("other"))
    tickets = [box.issue(grant()) for _ in range(10)]
    assert len(box) == 4
    with pytest.raises(Unauthenticated):
        box.redeem(tickets[6])
    assert [box.redeem(ticket) for ticket in tickets[7:]] == [grant()] * 3
    assert box.redeem(other) == grant("other")


def test_the_box_is_bounded_and_forgets_what_is_too_old() -> None:
    ticker = Ticker()
    box = TicketBox(ticker, timedelta(seconds=30), limit=5)
    for number in range(20):
        box.issue(grant(f"s{number}"))
    assert len(box) == 5
    ticker.now += 31
    box.issue(grant())
    assert len(box) == 1


def test_the_box_does_not_hold_what_opens_the_door() -> None:
    box = TicketBox(Ticker(), timedelta(seconds=30))
    ticket = box.issue(grant())
    assert ticket not in repr(vars(box))
    assert len(ticket) >= 43
