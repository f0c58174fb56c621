"""The call flows through a real Asterisk, with the service live: each call has the record that it should have, the
record agrees with what Asterisk itself wrote down, and each agent saw what rang at their desk, once.

What is expected stands here by hand, from what truly happens in the flow. The order counts: a phone rings only where
one has registered, and some flows need queues with phones that have not.
"""

from typing import NamedTuple

import pytest

from tests.acceptance.house import House, Record
from tests.testbed.cases import all_cases

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Told(NamedTuple):
    """What a record must say."""

    direction: str
    status: str
    hangup_by: str
    offers: tuple[str, ...] = ()
    """`1001 answered`, in the order of ringing."""
    visits: tuple[str, ...] = ()
    """`sales abandoned`"""
    talked: tuple[str, ...] = ()
    """Extensions, in the order of their talks."""

    @classmethod
    def of(cls, record: Record) -> "Told":
        """What a record says."""
        return cls(
            record["direction"],
            record["status"],
            record["hangup_by"],
            tuple(f"{_extension(offer['interface'])} {offer['result']}" for offer in record["offers"]),
            tuple(f"{visit['queue']} {visit['exit']}" for visit in record["queue_visits"]),
            tuple(_extension(one["interface"]) for one in record["connections"]),
        )


def inbound(status: str, hangup_by: str, *offers: str, visits: tuple[str, ...] = ()) -> Told:
    """A call from outside; who answered an offer talked."""
    talked = tuple(offer.split()[0] for offer in offers if offer.endswith(" answered"))
    return Told("inbound", status, hangup_by, offers, visits, talked)


FLOWS: dict[str, tuple[Told, ...]] = {
    "queue-join-empty": (inbound("no_answer", "system", visits=("billing join_empty",)),),
    "inbound-ivr-then-queue-abandoned": (
        inbound("abandoned", "caller", "1001 caller_gave_up", visits=("sales abandoned",)),
    ),
    "inbound-ivr-then-queue-answered": (inbound("answered", "agent", "1001 answered", visits=("sales answered",)),),
    "inbound-direct-answered-caller-hangs-up": (inbound("answered", "caller", "1001 answered"),),
    "inbound-direct-answered-agent-hangs-up": (inbound("answered", "agent", "1001 answered"),),
    "inbound-direct-busy": (inbound("busy", "agent", "1001 busy"),),
    "inbound-direct-rejected": (inbound("busy", "agent", "1001 rejected"),),
    "inbound-direct-no-answer": (inbound("no_answer", "system", "1001 no_answer"),),
    "inbound-direct-caller-gives-up": (inbound("canceled", "caller", "1001 caller_gave_up"),),
    "inbound-anonymous": (inbound("answered", "caller", "1001 answered"),),
    "inbound-unicode-name": (inbound("answered", "caller", "1001 answered"),),
    "queue-ringall-one-member": (inbound("answered", "caller", "1008 answered", visits=("billing answered",)),),
    "queue-ringall-three-members": (
        inbound(
            "answered",
            "agent",
            "1003 answered_elsewhere",
            "1002 answered",
            "1001 answered_elsewhere",
            visits=("sales answered",),
        ),
    ),
    "queue-linear-second-member-answers": (
        inbound("answered", "agent", "1004 no_answer", "1005 answered", visits=("support answered",)),
    ),
    "queue-leastrecent": (
        inbound("answered", "agent", "1007 answered", visits=("service answered",)),
        inbound("answered", "caller", "1006 answered", visits=("service answered",)),
    ),
    "queue-ring-no-answer-and-again": (
        inbound("answered", "agent", "1008 no_answer", "1008 answered", visits=("billing answered",)),
    ),
    "queue-abandoned-while-ringing": (
        inbound("abandoned", "caller", "1008 caller_gave_up", visits=("billing abandoned",)),
    ),
    "queue-abandoned-no-member-free": (
        inbound("answered", "agent", "1008 answered", visits=("billing answered",)),
        inbound("abandoned", "caller", visits=("billing abandoned",)),
    ),
    "queue-ringall-abandoned": (
        inbound(
            "abandoned",
            "caller",
            "1003 caller_gave_up",
            "1002 caller_gave_up",
            "1001 caller_gave_up",
            visits=("sales abandoned",),
        ),
    ),
    "queue-timeout": (inbound("no_answer", "system", "1008 no_answer", "1008 no_answer", visits=("billing timeout",)),),
    "queue-member-rejects": (
        inbound("answered", "agent", "1004 rejected", "1005 answered", visits=("support answered",)),
    ),
    "queue-member-local": (inbound("answered", "agent", "1002 answered", visits=("backoffice answered",)),),
    "internal-answered": (Told("internal", "answered", "agent", ("1002 answered",), (), ("1002",)),),
    "internal-busy": (Told("internal", "busy", "agent", ("1002 busy",)),),
    "outbound-answered": (Told("outbound", "answered", "agent", talked=("1001",)),),
    "outbound-busy": (Told("outbound", "busy", "callee"),),
    "outbound-no-answer": (Told("outbound", "no_answer", "system"),),
    "outbound-failed": (Told("outbound", "failed", "system"),),
    "outbound-canceled": (Told("outbound", "canceled", "agent"),),
    "two-calls-at-once": (
        inbound("answered", "agent", "1001 answered"),
        inbound("answered", "caller", "1002 answered"),
    ),
}


@pytest.mark.parametrize("flow", FLOWS)
async def test_flow(house: House, flow: str) -> None:
    case, expected = all_cases()[flow], FLOWS[flow]
    records = await house.play(case.play, calls=len(expected), **case.values)
    assert [Told.of(record) for record in records] == list(expected)
    await house.agree(records)
    await house.popped_as_offered(records)


async def test_no_call_of_the_session_was_missed_or_made_up(house: House) -> None:
    await house.agree(await house.records())


def _extension(interface: str) -> str:
    return interface.rpartition("/")[2]
